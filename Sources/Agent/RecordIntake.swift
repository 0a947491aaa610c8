internal import Documents
internal import EventPipeline
internal import HTTPServer
internal import Lifecycle
internal import LogImport
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import Synchronization
internal import Text
internal import Windows

/// Telemetry and log lines as they are pushed, made into events.
///
/// What was read is remembered, so that what comes again counts once. Pushes are therefore read and kept one after the other: what one
/// knows from another is safe by then, or waits to be kept with it. Events that could not be kept wait for the next push: whoever was
/// refused sends again, and is only told that all is safe when these are.
final class RecordIntake: Sendable {
  private struct State {
    var logs = LiveLogs()
    var unsent: [LifecycleEvent] = []
  }

  /// The most events that wait because they could not be kept; then nothing more is read until they are.
  private static let unsentMax = 50_000
  /// The most events that are handed to the pipeline at once, far below what its queue holds.
  static let batchMax = 10_000

  private let state = Mutex(State())
  /// Whether what a process before counted is known. Beside the lock, which is held while a push is read: event loops ask this.
  private let isKnowing = Atomic(false)
  /// From the reading of a push until its events are safe.
  let turns = Turns()

  /// Begins to read pushes, once it is known what a process before counted of them.
  func open(knowing told: [ToldLife]) {
    state.withLock { $0.logs.know(told) }
    isKnowing.store(true, ordering: .releasing)
  }

  /// Whether pushes are read.
  var isOpen: Bool { isKnowing.load(ordering: .acquiring) }

  /// Reads a push; `nil` if too many events wait already.
  func read(_ body: ByteBuffer, function: String?, stream: String?, now: Timestamp) -> LiveLogs.Reading? {
    state.withLock { state in
      guard state.unsent.count < RecordIntake.unsentMax else { return nil }
      var reading = state.logs.take(body.readableBytesUInt8Span, function: function, stream: stream, now: now)
      reading.events = state.unsent + reading.events
      state.unsent = []
      return reading
    }
  }

  /// What waits since a push before; it waits no longer.
  func takeUnsent() -> [LifecycleEvent] {
    state.withLock { state in
      defer { state.unsent = [] }
      return state.unsent
    }
  }

  /// Keeps events for the next push.
  func putBack(_ events: [LifecycleEvent]) { state.withLock { $0.unsent = events + $0.unsent } }
}

extension Agent {
  /// Takes telemetry, log lines or an envelope of them: reads it on a thread that may wait, and answers once it is durable and counted.
  ///
  /// - Parameter answer: Makes the answer of what became of it.
  func takeRecords(
    _ request: HTTPRequest, on loop: any EventLoop,
    answer: @escaping @Sendable (RecordResult) -> HTTPResponse = { $0.response }
  ) -> EventLoopFuture<HTTPResponse> {
    guard records.isOpen else {
      let refusal = Refusal.notRunning
      return loop.makeSucceededFuture(answer(.problem(Routes.answer(refusal), refusal.message)))
    }
    let parameters: (function: String?, stream: String?)
    do throws(QueryProblem) {
      parameters = try RecordIntake.parameters(request)
    } catch {
      return loop.makeSucceededFuture(
        answer(.problem(Routes.error(.badRequest, "invalid-parameter", error.message), error.message)))
    }
    return loop.makeFutureWithTask { [self] in
      await records.turns.take { await takeRecords(request, parameters, answer) }
    }
  }

  private func takeRecords(
    _ request: HTTPRequest, _ parameters: (function: String?, stream: String?),
    _ answer: @Sendable (RecordResult) -> HTTPResponse
  ) async -> HTTPResponse {
    // It fails only if the threads are gone, which outlive every agent.
    let reading = try? await Self.readingThreads.runIfActive { [records, clock] in
      records.read(request.body, function: parameters.function, stream: parameters.stream, now: clock.now())
    }
    guard let reading = reading ?? nil else {
      // Once there is room again, this makes the next push welcome.
      _ = await keep(records.takeUnsent(), rejected: [])
      let sentence = "Too many events wait for room on the disk; send the records again in a moment."
      return answer(.problem(Routes.busy(sentence), sentence))
    }
    return answer(await submit(reading))
  }

  private func submit(_ reading: LiveLogs.Reading) async -> RecordResult {
    switch await keep(reading.events, rejected: reading.rejected) {
    case .success(let others):
      return .taken(
        IntakeDocument(
          accepted: reading.understood, duplicates: reading.repeated, rejected: reading.rejected + others))
    case .failure(let failure): return .problem(Routes.answer(failure.refusal), failure.refusal.message)
    }
  }

  /// Has events journalled and counted, and puts back what was refused.
  ///
  /// - Returns: What was not taken for what it is.
  private func keep(
    _ events: [LifecycleEvent], rejected: [RejectedEvent]
  ) async -> Result<[RejectedEvent], NotKept> {
    var (rest, notes, others) = (events[...], rejected, [RejectedEvent]())
    // Nothing is handed over, too, where there are rejections to count, or a push to be known as one.
    repeat {
      let part = Array(rest.prefix(RecordIntake.batchMax))
      switch await pipeline.submit(EventBatch(anonymous: part), rejected: notes) {
      case .applied, .duplicate: break
      case .appliedInPart(let exceptions): others += exceptions.rejected
      case .refused(let refusal):
        records.putBack(Array(rest))
        return .failure(NotKept(refusal: refusal))
      }
      rest = rest.dropFirst(part.count)
      notes = []
    } while !rest.isEmpty
    return .success(others)
  }
}

/// The pipeline did not take events.
private struct NotKept: Error {
  var refusal: Refusal
}

/// What became of a push.
enum RecordResult: Sendable {
  case taken(IntakeDocument)
  /// The answer as other paths give it, and its sentence.
  case problem(HTTPResponse, String)

  var response: HTTPResponse {
    switch self {
    case .taken(let document): Routes.answer(document)
    case .problem(let response, _): response
    }
  }

  /// The answer that Firehose understands: it sends the records again unless the status is 200.
  func firehose(_ request: HTTPRequest, now: Timestamp) -> HTTPResponse {
    var writer = JSONWriter.document(capacity: 128)
    let id = request.headers.first(name: "X-Amz-Firehose-Request-Id") ?? FirehoseRequest.id(in: request.body) ?? ""
    var response: HTTPResponse
    writer.object { document in
      document.member("requestId", id)
      document.member("timestamp", now.nanoseconds / 1_000_000)
      if case .problem(_, let sentence) = self { document.member("errorMessage", sentence) }
    }
    switch self {
    case .taken: response = Routes.json(.ok, writer.bytes)
    case .problem(let other, _):
      response = Routes.json(other.status, writer.bytes)
      response.headers.add(contentsOf: other.headers.filter { $0.name == "Retry-After" })
    }
    return response
  }
}

/// What stands in the envelope of Firehose's HTTP endpoints beside the records.
private enum FirehoseRequest {
  /// The request's id; `nil` if there is none at the beginning, where Firehose writes it (and in a header field).
  static func id(in body: ByteBuffer) -> String? {
    var id: String?
    let body = body.getSlice(at: body.readerIndex, length: min(body.readableBytes, 4_096)) ?? ByteBuffer()
    let rules = JSONRules(depthLimit: 8, loneSurrogates: .replaced)
    var reader = JSONReader(body.readableBytesUInt8Span, rules)
    do {
      try reader.object { (reader: inout JSONReader, name) throws(JSONError) in
        guard name == "requestId" else { return try reader.skip() }
        id = try reader.string()
      }
    } catch {
      return id
    }
    return id
  }
}

extension RecordIntake {
  /// Function and instance of records that do not name them.
  fileprivate static func parameters(
    _ request: HTTPRequest
  ) throws(QueryProblem) -> (function: String?, stream: String?) {
    guard let items = request.queryItems else {
      throw QueryProblem("query", request.query ?? "", "it has an escape that means nothing")
    }
    var (function, stream): (String?, String?)
    for item in items {
      switch item.name {
      case "function": function = try FunctionID(parameter: item.name, item.value).name
      case "instance":
        guard let value = item.value, !value.isEmpty, value.utf8.count <= 256 else {
          throw QueryProblem(item.name, item.value ?? "", "write the name of a log stream, or an instance's id")
        }
        stream = value
      default:
        throw QueryProblem(item.name, item.value ?? "", "there is no such parameter; valid are function, instance")
      }
    }
    return (function, stream)
  }
}
