import Text
import BlockingHTTP
import Glibc
internal import Lifecycle
import Synchronization

/// Asks for events and runs the handler for each, one at a time. Blocks its thread, which is not one of the pool's.
///
/// The handler runs as a task of the concurrency pool. When its time is over its caller gets the error and the loop
/// goes on; the task is cancelled but may take its time, and overlaps with the next invocation until it ends.
struct FunctionLoop<F: Function> {
  let endpoint: HTTPEndpoint
  let environment: FunctionEnvironment
  let configuration: FunctionConfiguration
  /// Takes a sentence for the function's log.
  let log: @Sendable (String) -> Void
  /// Tells an agent of it; `nil` where none is named.
  var reports: LifeReports?
  /// How many aborted handlers may still run; one more, and the instance gives up so that the host replaces it.
  var overlapLimit = 16

  /// Runs until the host is gone or something cannot be mended.
  ///
  /// - Returns: The status to exit with; always 1, for a host ends its instances by a signal.
  func run(make: @escaping @Sendable () async throws -> F) -> Int32 {
    let api = RuntimeClient(endpoint)
    defer { reports?.end(.failure) }
    do throws(RuntimeClient.Failure) {
      guard let wakeup = Wakeup() else {
        return try failInitialization(
          api, FunctionFailure(type: "Runtime.NoFileDescriptor", message: "There is no file descriptor left."))
      }
      if let problem = configuration.problem {
        return try failInitialization(api, FunctionFailure(type: "Runtime.InvalidConfiguration", message: problem))
      }
      try announceConfiguration(api)
      switch wait(wakeup, for: { await FunctionStart(make) }) {
      case .failed(let failure): return try failInitialization(api, failure)
      case .started(let function, let warmUp):
        reports?.isReady(warmUp: warmUp.map { ($0.duration, $0.error == nil) })
        if let warmUp { try report(warmUp, api) }
        try serve(function, api, wakeup)
      }
    } catch {
      log(error.description)
    }
    return 1
  }

  private func failInitialization(_ api: RuntimeClient, _ failure: FunctionFailure) throws(RuntimeClient.Failure)
    -> Int32
  {
    log("The initialization failed. \(failure.type): \(failure.message)")
    reports?.failed()
    _ = try api.failInitialization(failure)
    return 1
  }

  private func announceConfiguration(_ api: RuntimeClient) throws(RuntimeClient.Failure) {
    var members: [JSONValue.Member] = []
    if let bytes = configuration.memory?.bytes { members.append(.init("memoryBytes", .number(String(bytes)))) }
    if let timeout = configuration.timeout {
      members.append(.init("timeoutNanoseconds", .number(timeout.nanosecondsText)))
    }
    if !members.isEmpty { try api.tell("configuration", .object(members)) }
  }

  private func report(_ warmUp: WarmUpReport, _ api: RuntimeClient) throws(RuntimeClient.Failure) {
    if let error = warmUp.error { log("The warm-up failed; the instance serves anyway. \(error)") }
    try api.tell(
      "warmup",
      [
        "durationNanoseconds": .number(warmUp.duration.nanosecondsText),
        "error": warmUp.error.map { .string($0) } ?? .null,
      ])
  }

  /// Runs `work` on the pool and blocks until it is done.
  private func wait<Value: Sendable>(_ wakeup: Wakeup, for work: @escaping @Sendable () async -> Value) -> Value {
    let result = Box<Value>()
    // Awaited below: the box is filled before the signal.
    Task.detached {
      let value = await work()
      result.value.withLock { $0 = value }
      wakeup.signal()
    }
    while true {
      if let value = result.value.withLock({ $0 }) { return value }
      wakeup.wait(until: nil)
    }
  }

  private func serve(_ function: F, _ api: RuntimeClient, _ wakeup: Wakeup) throws(RuntimeClient.Failure) {
    let overlaps = Overlaps(endpoint: endpoint, reports: reports, log: log)
    while overlaps.count <= overlapLimit {
      guard try serve(try api.next(), function, api, wakeup, overlaps) else {
        return log("Aborted handlers block every thread of the pool; this instance ends, to be replaced.")
      }
    }
    log("\(overlaps.count) aborted handlers still run; this instance ends, to be replaced.")
  }

  /// - Returns: Whether the next event has a chance to be handled.
  private func serve(
    _ event: RuntimeClient.Event, _ function: F, _ api: RuntimeClient, _ wakeup: Wakeup, _ overlaps: Overlaps
  ) throws(RuntimeClient.Failure) -> Bool {
    let abortion = Moment()
    let context = InvocationContext(
      requestID: event.requestID, deadline: deadline(of: event), invokedFunctionARN: event.invokedFunctionARN,
      traceID: event.traceID, environment: environment, abortion: abortion,
      upload: ResponseUpload(endpoint, event.requestID, attempt: event.attempt))
    let execution = Execution(wakeup: wakeup, abortion: abortion) { overlaps.end(event) }
    let body = event.body
    overlaps.overlap()
    let told = reports?.began(event.requestID)
    let handedOver = ContinuousClock.now
    // Waited for below; an aborted one says itself when it ends.
    let task = Task.detached {
      execution.start.happen()
      do {
        execution.handlerEnded(.success(try await function.handle(body, context)))
      } catch {
        execution.handlerEnded(.failure(FunctionFailure(error)))
      }
    }
    let outcome = execution.outcome(by: context.deadline)
    let end = ContinuousClock.now
    switch outcome {
    case .success(let result):
      if !context.upload.hasBegun { note(try api.respond(event, result), event) }
      reports?.ended(told, .success, at: end, responseBytes: result.count)
    case .failure(let failure):
      note(try api.fail(event, failure), event)
      reports?.ended(told, .error, at: end)
    case nil:
      task.cancel()
      if context.upload.hasBegun {
        // The host breaks the answer off at its own deadline, and takes no other call before the end of what was begun.
        execution.waitForEnd()
        reports?.ended(told, .timeout, at: end)
        return true
      }
      // A pool that did not even begin in that time is blocked by handlers from before.
      let isBlocked =
        !execution.start.hasHappened && overlaps.count > 0 && handedOver.duration(to: .now) >= .milliseconds(50)
      overlaps.begin(event.requestID)
      note(try api.fail(event, timeoutFailure(context)), event)
      reports?.ended(told, .timeout, at: end)
      execution.errorPosted()
      return !isBlocked
    }
    return true
  }

  /// The function's own timeout, or a little before the host's, so that the answer is there before the host acts.
  private func deadline(of event: RuntimeClient.Event) -> ContinuousClock.Instant? {
    let now = ContinuousClock.now
    let own = configuration.timeout
    guard let deadlineMilliseconds = event.deadlineMilliseconds else { return own.map { now + $0 } }
    let left = min(max(0, deadlineMilliseconds &- WallClock.milliseconds), 86_400_000)
    let host = Duration.microseconds(left * 1_000 - min(10_000, left * 100))
    return now + min(own ?? host, host)
  }

  private func timeoutFailure(_ context: InvocationContext) -> FunctionFailure {
    FunctionFailure(
      type: "Function.HandlerTimeout",
      message: "\(context.requestID) The handler exceeded its time limit and was cancelled.")
  }

  private func note(_ status: Int, _ event: RuntimeClient.Event) {
    guard status >= 300 else { return }
    log("The host answered \(status) to the result of \(event.requestID).")
  }
}

/// The aborted handlers that still run, and the news of their ends.
private final class Overlaps: Sendable {
  /// Of each whether the instance had another event since.
  private let running = Mutex<[String: Bool]>([:])
  private let endpoint: HTTPEndpoint
  private let reports: LifeReports?
  private let log: @Sendable (String) -> Void

  init(endpoint: HTTPEndpoint, reports: LifeReports?, log: @escaping @Sendable (String) -> Void) {
    self.endpoint = endpoint
    self.reports = reports
    self.log = log
  }

  var count: Int { running.withLock { $0.count } }

  func begin(_ requestID: String) { running.withLock { $0[requestID] = false } }

  /// The instance has its next event.
  func overlap() {
    guard let reports, count > 0 else { return }
    let new = running.withLock { running in
      let new = running.filter { !$0.value }.map(\.key)
      for requestID in new { running[requestID] = true }
      return new
    }
    for requestID in new { reports.overlapStarted(requestID) }
  }

  /// Tells the host from a thread of its own: the loop's is waiting for an event, and the pool's may not block.
  func end(_ event: RuntimeClient.Event) {
    let (requestID, attempt) = (event.requestID, event.attempt)
    running.withLock { $0[requestID] = nil }
    reports?.overlapEnded(requestID)
    let hasStarted = BlockingThread.start { [endpoint, log] in
      do throws(RuntimeClient.Failure) {
        try RuntimeClient(endpoint).tell("overlap-ended/\(requestID)", nil, headers: attempt)
      } catch {
        log("The end of the overlapping execution \(requestID) is not reported. \(error)")
      }
    }
    if !hasStarted { log("The end of the overlapping execution \(requestID) is not reported: no thread to do it.") }
  }
}

/// A function that was made and warmed up, or why not.
private enum FunctionStart<F: Function>: Sendable {
  case started(F, WarmUpReport?)
  case failed(FunctionFailure)

  init(_ make: @Sendable () async throws -> F) async {
    do {
      let function = try await make()
      self = .started(function, await WarmUpReport(function))
    } catch {
      self = .failed(FunctionFailure(error))
    }
  }
}

/// How a warm-up went.
private struct WarmUpReport: Sendable {
  var duration: Duration
  var error: String?

  /// - Returns: nil if the function has no warm-up of its own.
  init?(_ function: some Function) async {
    let probe = WarmUpProbe()
    let start = ContinuousClock.now
    do {
      try await WarmUpProbe.$current.withValue(probe) { try await function.warmUp() }
    } catch {
      self.error = "\(error)"
    }
    duration = start.duration(to: .now)
    if probe.isAbsent.hasHappened { return nil }
  }
}

private final class Box<Value: Sendable>: Sendable {
  let value = Mutex<Value?>(nil)
}

private enum WallClock {
  /// Since the Unix epoch.
  static var milliseconds: Int64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) &* 1_000 &+ Int64(time.tv_nsec) / 1_000_000
  }
}

extension Duration {
  /// Whole nanoseconds, in digits.
  fileprivate var nanosecondsText: String {
    String(components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000)
  }
}
