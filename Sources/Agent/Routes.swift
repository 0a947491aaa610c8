internal import Catalogue
internal import EventPipeline
internal import HTTPServer
internal import Documents
internal import Lifecycle
internal import NIOCore
internal import NIOHTTP1
internal import Synchronization
internal import WindowStore
internal import Windows

/// Answers that need no state.
enum Routes {
  static let starting = error(
    .serviceUnavailable, "unavailable", "Kelvin is starting; try again in a moment.")

  static let noConfiguration = error(
    .notFound, "no-configuration", "This agent has no configuration file to read again.")

  static let badEscape = error(
    .badRequest, "invalid-parameter", "the query has an escape that means nothing")

  static func methodNotAllowed(_ allowed: [HTTPMethod]) -> HTTPResponse {
    let names = allowed.map(\.rawValue).joined(separator: " and ")
    return error(.methodNotAllowed, "method-not-allowed", "This path takes only \(names).").allowing(allowed)
  }

  static let notFound = error(.notFound, "not-found", "There is nothing at this path; GET / lists all paths.")

  static func unknown(_ function: FunctionID) -> HTTPResponse {
    error(
      .notFound, "unknown-function",
      "no function named \(function.name) with version \(function.version) has been seen")
  }

  /// Says which sources of its kind there are.
  static func unknown(_ source: EventSourceID, known: [String]) -> HTTPResponse {
    error(.notFound, "unknown-source", UnknownSource.sentence(source, known: known))
  }

  static func error(_ status: HTTPResponseStatus, _ code: String, _ message: String) -> HTTPResponse {
    json(status, ErrorDocument(code: code, message: message).json())
  }

  static func json(_ status: HTTPResponseStatus, _ document: [UInt8]) -> HTTPResponse {
    .json(status, ByteBuffer(bytes: document))
  }

  /// A document that may be large, compressed where the client takes that.
  static func document(
    _ bytes: [UInt8], type: String, for request: HTTPRequest
  ) -> HTTPResponse {
    var response = HTTPResponse(status: .ok, headers: ["Content-Type": type, "Vary": "Accept-Encoding"])
    if bytes.count >= smallestCompressed, AcceptEncoding.takesGzip(request.headers["Accept-Encoding"]),
      let compressed = Gzip.compress(bytes.span)
    {
      response.headers.add(name: "Content-Encoding", value: "gzip")
      response.body = compressed
    } else {
      response.body = ByteBuffer(bytes: bytes)
    }
    return response
  }

  /// Below it, an answer fits a packet or two either way.
  private static let smallestCompressed = 1_024
}

extension Agent {
  func metrics(_ request: HTTPRequest) -> HTTPResponse {
    guard let items = request.queryItems else { return Routes.badEscape }
    do throws(QueryProblem) {
      let wish = try MetricsWish(request.headers, items)
      let now = clock.now()
      let snapshot = pipeline.read(at: now) { $0.snapshot(now) }
      return metricsWriters.page(snapshot, statistics(), wish)
    } catch {
      return Routes.error(.badRequest, "invalid-parameter", error.message)
    }
  }

  private func statistics() -> AgentStatistics {
    var statistics = AgentStatistics(version: configuration.version)
    let queued = pipeline.queued
    statistics.queue.depth = Int64(queued.waiting)
    statistics.queue.limit = Int64(configuration.inboxLimit)
    statistics.queue.dropped = queued.dropped
    let batches = pipeline.batches
    statistics.batches = BatchCounts(
      accepted: batches.applied, duplicates: batches.duplicates, refused: batches.refused)
    statistics.sources = pipeline.sources.map(SourceCounts.init)
    statistics.checkpoints = saving.checkpoints.statistics
    statistics.store = store?.history.statistics
    statistics.journal = pipeline.journal?.counts
    let (lead, steps) = lookAtClock()
    statistics.clock = ClockStatistics(offset: lead, steps: steps)
    statistics.process = ProcessReader.current()
    let hostCounts = host.counts
    statistics.http = ([http.counts] + (hostCounts?.listeners ?? [])).map(HTTPStatistics.init)
    statistics.host = hostCounts?.dropped
    return statistics
  }

  func instances() -> InstancesDocument {
    let now = clock.now()
    return InstancesDocument(time: now, snapshots: pipeline.read(at: now) { $0.instances(now) })
  }

  func status() -> StatusDocument {
    let now = clock.now()
    let snapshot = pipeline.read(at: now) { $0.snapshot(now) }
    let saving = saving
    let life = life
    let store = store
    let lasting = store.flatMap { StoreNotices.lasting($0.history) }
    let host = configuration.host.contains(":") ? "[\(configuration.host)]" : configuration.host
    let listen = "\(host):\(life.server?.port ?? configuration.port)"
    var document = StatusDocument(
      version: configuration.version, started: life.started ?? now, time: now,
      agent: .init(
        listen: listen, window: configuration.window, functionsLimit: Int64(snapshot.statistics.functionsLimit)),
      store: .init(
        path: configuration.dataDirectory, state: saving.problem == nil ? lasting?.state ?? "ok" : "failing",
        problem: saving.problem ?? lasting?.problem, lastCheckpoint: saving.checkpoints.last,
        sizeBytes: store?.sizeBytes, journalBytes: pipeline.journal?.bytes),
      host: self.host.document, account: .init(snapshot.account),
      functions: documents(snapshot.functions.filter { !$0.isGone }))
    document.sources = sources().sources
    document.eventSources = EventSourceDocument.all(snapshot.eventSources, now: now)
    return document
  }

  func eventSources() -> EventSourcesDocument {
    let now = clock.now()
    return EventSourcesDocument(time: now, snapshots: pipeline.read(at: now) { $0.eventSources(now) })
  }

  func sources() -> SourcesDocument {
    SourcesDocument(time: clock.now(), sources: pipeline.sources.map(SourceDocument.init))
  }

  func windows(_ request: HTTPRequest) -> HTTPResponse {
    guard let items = request.queryItems else { return Routes.badEscape }
    let now = clock.now()
    do {
      return try windows(items.map { ($0.name, $0.value) }, request, now)
    } catch let problem as QueryProblem {
      return Routes.error(.badRequest, "invalid-parameter", problem.message)
    } catch {
      return Routes.error(.serviceUnavailable, "unavailable", "\(error)")
    }
  }

  private func windows(
    _ items: [(name: String, value: String?)], _ request: HTTPRequest, _ now: Timestamp
  ) throws -> HTTPResponse {
    let context = WindowQuery.Context(
      now: now, retention: Retention(window: configuration.window), rowsLimit: configuration.rowsLimit)
    if let function = try WindowQuery(items, context).function {
      guard try knows(function, now) else { return Routes.unknown(function) }
    }
    if let source = try WindowQuery(items, context).source {
      let known = pipeline.read(at: now) { $0.knows(source) ? nil : $0.eventSources(of: source.trigger) }
      if let known { return Routes.unknown(source, known: known) }
    }
    guard let store else { return Routes.starting }
    let (query, rollups) = try DefaultSpan.answer(items, context) { try self.rollups(of: $0, store, now) }
    let document = WindowsDocument(
      resolution: query.resolution, from: query.from, to: query.to, rollups: rollups)
    return Routes.document(document.json(), type: "application/json", for: request)
  }

  /// Whether anything of a function has ever been seen, or imported.
  func knows(_ function: FunctionID, _ now: Timestamp) throws(StoreError) -> Bool {
    if pipeline.read(at: now, { $0.knows(function) }) { return true }
    return try store?.imports?.hasImported(function) ?? false
  }

  private func rollups(
    of query: WindowQuery, _ store: any CheckpointStore, _ now: Timestamp
  ) throws(StoreError) -> [WindowRollup] {
    let memory = pipeline.read(at: now) { folding in
      query.scope == .account
        ? folding.windows(from: query.from, to: query.to, now: now)
        : folding.windows(of: query.scope, from: query.from, to: query.to, now: now)
    }
    // After the windows in memory: what becomes final in between is found in both, never in neither.
    let stored = try store.finalWindows(query.selection, since: memory.map(\.start).min())
    return WindowAnswer.merge(
      query, memory: memory, stored: stored, closedBefore: now - configuration.aggregator.grace)
  }
}

extension SavingStatistics.Checkpoints {
  fileprivate var statistics: CheckpointStatistics {
    var statistics = CheckpointStatistics()
    statistics.succeeded = succeeded
    statistics.failed = failed
    statistics.last = last
    statistics.lastDuration = lastDuration
    return statistics
  }
}

extension SourceCounts {
  fileprivate init(_ source: SourceStatistics) {
    self.init(name: source.source?.value.hexadecimalText ?? SourceCounts.othersName, lastHeard: source.lastHeard)
    lag = source.lag
    events = source.events
    rejected = source.rejected
    duplicateBatches = source.duplicateBatches
    missingBatches = source.missingBatches
  }
}

extension SourceDocument {
  fileprivate init(_ source: SourceStatistics) {
    self.init(
      source: source.source?.value.hexadecimalText ?? SourceCounts.othersName, lastHeard: source.lastHeard,
      lag: source.lag, events: source.events, rejected: source.rejected, duplicateBatches: source.duplicateBatches,
      missingBatches: source.missingBatches)
  }
}

extension StoreHistory {
  fileprivate var statistics: StoreStatistics {
    var statistics = StoreStatistics()
    statistics.removals = removals
    statistics.checkpointsLost = lost?.count ?? 0
    statistics.damagedRows = UInt64(max(0, damagedRows))
    return statistics
  }
}

extension JournalStatistics {
  fileprivate var counts: JournalCounts {
    var counts = JournalCounts()
    counts.bytes = bytes
    counts.batches = Int64(clamping: batches)
    counts.entries = Int64(clamping: entries)
    counts.commits = commits
    counts.commitTime = commitTime
    counts.replayed = replayed
    counts.damaged = damaged
    counts.skipped = eventsSkipped
    return counts
  }
}

extension HTTPStatistics {
  fileprivate init(_ counts: ListenerCounts) {
    self.init(listener: counts.listener)
    connections = Int64(counts.connections)
    droppedAnswers = UInt64(counts.droppedAnswers)
    refused = zip(HTTPRefusal.allCases, counts.refusals).map { refusal, count in
      Refusals(reason: refusal.name, count: UInt64(count))
    }
    requests = counts.requests.map {
      Requests(route: $0.route, statusClass: "\($0.statusClass)xx", count: UInt64($0.count))
    }
  }
}
