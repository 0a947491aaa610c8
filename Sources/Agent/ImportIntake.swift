internal import Documents
internal import EventPipeline
internal import HTTPServer
internal import LambdaRecords
internal import Lifecycle
internal import LogImport
internal import NIOCore
internal import NIOHTTP1
internal import Text
internal import WindowStore
internal import Windows

extension Agent {
  /// Takes facts of logs that are imported: reads and keeps them on a thread of their own, and answers once they are durable.
  func takeImport(_ request: HTTPRequest, on loop: any EventLoop) -> EventLoopFuture<HTTPResponse> {
    guard let store = pipeline.store?.imports else { return loop.makeSucceededFuture(Routes.noImports) }
    let promise = loop.makePromise(of: HTTPResponse.self)
    let now = clock.now()
    imports.onIntakeThread { [imports] in
      promise.succeed(ImportIntake(store: store, work: imports, now: now).answer(request))
    }
    return promise.futureResult
  }
}

/// Keeps the facts of one request.
private struct ImportIntake {
  let store: WindowStore
  let work: ImportWork
  let now: Timestamp

  func answer(_ request: HTTPRequest) -> HTTPResponse {
    let span: Range<Timestamp>?
    do throws(QueryProblem) {
      span = try ImportIntake.span(request)
    } catch {
      return Routes.error(.badRequest, "invalid-parameter", error.message)
    }
    guard let batch = FactBatch(bytes: request.body.readableBytesUInt8Span) else {
      return Routes.error(
        .badRequest, "invalid-batch",
        "The body is no batch of facts that this version reads; kelvin import of the agent's own version writes them.")
    }
    do throws(StoreError) {
      var counts = ImportedCounts()
      if !batch.streams.isEmpty {
        counts = try store.add(
          batch.streams.map { ImportedStream(name: $0.name, function: $0.function, lastSeen: $0.lastSeen) },
          batch.facts.map { stream, fact in
            ImportedFact(stream: stream, time: fact.time, bytes: fact.bytes, isOfInstance: fact.isOfInstance)
          }, now: now)
      }
      if span == nil { work.wakeSoon() } else { work.wake() }
      let held = try span.map { span throws(StoreError) in
        try store.heldWindows(from: span.lowerBound, to: span.upperBound)
      }
      let pending = try store.importSpansLeft(of: span)
      if pending > 0, let problem = work.problem { return Routes.busy(problem) }
      return Routes.json(
        .ok,
        ImportAnswerDocument(
          accepted: counts.new, duplicates: counts.known, tooOld: counts.tooOld, inFuture: counts.inFuture,
          pending: pending,
          held: (held ?? []).map { held in
            let (name, version) = (held.function.name, held.function.version)
            return ImportAnswerDocument.Held(
              function: version == FunctionID.latest ? name : "\(name):\(version)", windows: held.windows)
          }
        ).json())
    } catch {
      return Routes.notKept(error)
    }
  }

  /// The span of time of an import whose facts were all sent; the answer tells what of it was left to live events.
  private static func span(_ request: HTTPRequest) throws(QueryProblem) -> Range<Timestamp>? {
    guard let items = request.queryItems else {
      throw QueryProblem("query", request.query ?? "", "it has an escape that means nothing")
    }
    var (from, to): (Timestamp?, Timestamp?)
    for item in items {
      guard ["from", "to"].contains(item.name) else {
        throw QueryProblem(item.name, item.value ?? "", "there is no such parameter; valid are from, to")
      }
      guard let time = item.value.flatMap(RFC3339.time) else {
        throw QueryProblem(item.name, item.value ?? "", "must be a time such as 2026-11-23T10:00:00Z")
      }
      if item.name == "from" { from = time } else { to = time }
    }
    guard let from, let to else { return nil }
    guard from < to else { throw QueryProblem("to", RFC3339.text(to), "must be later than from") }
    return from..<to
  }
}

extension EventPipeline {
  /// The windows that begin in a span and that live events reached, as far as they are in memory.
  func liveWindows(of span: ImportSpan, _ now: Timestamp) -> Set<WindowKey> {
    let windows = read(at: now) { $0.windows(from: span.start, to: span.end, now: now) }
    return Set(windows.lazy.filter { !$0.rollup.isEmpty }.map { WindowKey(scope: $0.scope, start: $0.start) })
  }
}

extension Routes {
  fileprivate static let noImports = error(
    .serviceUnavailable, "unavailable", "The agent has no store that keeps imports now; try again in a moment.")

  /// The answer to facts that the store did not take.
  fileprivate static func notKept(_ problem: StoreError) -> HTTPResponse {
    var response = error(
      .serviceUnavailable, problem.code == .full ? "disk-full" : "unavailable", problem.message)
    response.headers.add(name: "Retry-After", value: problem.code == .full ? "10" : "1")
    return response
  }
}
