internal import EventPipeline
internal import HTTPServer
internal import Documents
internal import Lifecycle
internal import NIOHTTP1
internal import Synchronization
internal import WindowStore
internal import Windows

/// The documents that the page is made of.
extension Agent {
  /// Up to so many functions the account's series have sums over all of them; beyond, that would cost the windows of all.
  static let summedFunctionsLimit = 100

  func functions(_ request: HTTPRequest) -> HTTPResponse {
    guard let items = request.queryItems else { return Routes.badEscape }
    do throws(QueryProblem) {
      let query = try FunctionsQuery(items.map { ($0.name, $0.value) })
      let now = clock.now()
      let all = pipeline.read(at: now) { $0.snapshot(now) }.functions
      let found = query.matching(all)
      let shown = documents(Array(found.dropFirst(query.offset).prefix(query.limit)))
      let document = FunctionsDocument(
        time: now, total: all.count, matching: found.count, offset: query.offset, functions: shown)
      return Routes.document(document.json(), type: "application/json", for: request)
    } catch {
      return Routes.error(.badRequest, "invalid-parameter", error.message)
    }
  }

  func series(_ request: HTTPRequest) -> HTTPResponse {
    guard let items = request.queryItems else { return Routes.badEscape }
    let now = clock.now()
    do {
      let context = WindowQuery.Context(
        now: now, retention: Retention(window: configuration.window), rowsLimit: configuration.rowsLimit)
      let query = try SeriesQuery(items.map { ($0.name, $0.value) }, context)
      for function in query.windows.compactMap(\.function) where try !knows(function, now) {
        return Routes.unknown(function)
      }
      guard let store else { return Routes.starting }
      let series = try query.windows.map { try one($0, query.columns, store, now) }
      let grid = query.windows[0]
      let document = SeriesDocument(
        resolution: grid.resolution, from: grid.from, to: grid.to,
        closedBefore: now - configuration.aggregator.grace, series: series)
      return Routes.document(document.json(), type: "application/json", for: request)
    } catch let problem as QueryProblem {
      return Routes.error(.badRequest, "invalid-parameter", problem.message)
    } catch {
      return Routes.error(.serviceUnavailable, "unavailable", "\(error)")
    }
  }

  private func one(
    _ query: WindowQuery, _ columns: [SeriesColumn], _ store: any CheckpointStore, _ now: Timestamp
  ) throws(StoreError) -> SeriesDocument.Series {
    var selection = query.selection
    let isOfAccount = query.function == nil
    let memory = pipeline.read(at: now) { folding in
      // Before the store is read: what becomes final in between is found in both, never in neither.
      let isSummed = isOfAccount && folding.functionCount <= Self.summedFunctionsLimit
      selection.includesTallies = isSummed
      return isSummed
        ? folding.windows(from: query.from, to: query.to, now: now)
        : folding.windows(of: query.scope, from: query.from, to: query.to, now: now)
    }
    let stored = try store.finalWindows(selection, since: memory.map(\.start).min())
    let rollups = WindowAnswer.merge(
      query, memory: memory, stored: stored, closedBefore: now - configuration.aggregator.grace)
    let shown = columns.filter { column in
      guard isOfAccount else { return column.isOfFunctions }
      return column.isOfMergedStream || selection.includesTallies && column.isSummed
    }
    return SeriesDocument.Series(scope: query.scope, columns: shown, rollups: rollups)
  }
}
