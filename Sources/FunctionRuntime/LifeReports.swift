internal import BlockingHTTP
import Glibc
internal import Lifecycle
internal import LifecycleReporter
import Synchronization

/// Tells an agent elsewhere of an instance's life: for functions that no host of Kelvin's runs. Never waits, and fails nothing.
///
/// A function is told of if `KELVIN_REPORT_TO` has an agent's address. A token goes along if `KELVIN_TOKEN_FILE` names a file that begins
/// with one, and `KELVIN_SPILL_FILE` names a file for what the agent does not take.
final class LifeReports: Sendable {
  private static let addressVariable = "KELVIN_REPORT_TO"
  /// How long the last events may take when the process is asked to end: AWS gives 300 ms.
  private static let lastSending = Nanoseconds.milliseconds(250)
  /// How long the agent may take to answer.
  private static let answerTimeout = Nanoseconds.seconds(2)

  private struct State {
    var served: Int64 = 0
  }

  private let reporter: LifecycleReporter
  private let hasFile: Bool
  private let subject: LifecycleEvent.Subject
  private let type: InitializationType
  private let memoryLimitBytes: Int64
  private let start: Timestamp
  private let state = Mutex(State())

  /// - Returns: `nil` if no agent is named, or it cannot be one; the log says the latter.
  init?(_ environment: FunctionEnvironment, _ variable: (String) -> String?, log: @escaping @Sendable (String) -> Void)
  {
    guard let address = variable(Self.addressVariable), !address.isEmpty else { return nil }
    guard !environment.functionName.isEmpty else {
      log("\(Self.addressVariable): nothing is reported, as AWS_LAMBDA_FUNCTION_NAME does not say of which function.")
      return nil
    }
    do throws(HTTPClientError) {
      var configuration = ReporterConfiguration(
        endpoint: try LifeReports.endpoint(address), limits: HTTPLimits(connectTimeout: .seconds(1)))
      if let token = variable("KELVIN_TOKEN_FILE").flatMap(LifeReports.firstWord(of:)) {
        configuration.headers.append("Authorization", "Bearer \(token)")
      }
      configuration.spillPath = variable("KELVIN_SPILL_FILE").flatMap { $0.isEmpty ? nil : $0 }
      // The function's own files have the same disk.
      configuration.spillBytesMax = 16 << 20
      configuration.answerTimeout = Self.answerTimeout
      hasFile = configuration.spillPath != nil
      // One instance makes thousands of events a second at most.
      configuration.eventsLimit = 20_000
      configuration.batchEventsMax = 500
      var random = SystemRandomNumberGenerator()
      reporter = LifecycleReporter(configuration, source: SourceID(.random(using: &random)), log: log)
      let named = variable("AWS_LAMBDA_LOG_STREAM_NAME").flatMap { Identifier128(text: $0.suffix(32)) }
      subject = .instance(
        InstanceID(named ?? .random(using: &random)),
        of: FunctionID(environment.functionName, version: environment.functionVersion))
    } catch {
      log("\(Self.addressVariable): nothing is reported, as \(address) is no address of an agent: \(error)")
      return nil
    }
    type = InitializationType.allCases.first { $0.name == environment.initializationType } ?? .onDemand
    memoryLimitBytes = Int64(environment.memoryLimitMegabytes ?? 0) << 20
    start = LifeReports.now()
    tell(.instanceStarted(InstanceStarted(time: start, initializationType: type, memoryLimitBytes: memoryLimitBytes)))
  }

  /// `http://HOST:PORT`, also without the scheme or behind a slash.
  private static func endpoint(_ address: String) throws(HTTPClientError) -> HTTPEndpoint {
    var rest = Substring(address)
    if rest.hasPrefix("http://") { rest = rest.dropFirst("http://".count) }
    if rest.hasSuffix("/") { rest = rest.dropLast() }
    return try HTTPEndpoint(String(rest))
  }

  private static func firstWord(of path: String) -> String? {
    guard let file = unsafe fopen(path, "re") else { return nil }
    defer { unsafe fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 4_096)
    let count = unsafe fread(&bytes, 1, bytes.count, file)
    return String(decoding: bytes.prefix(count), as: UTF8.self).split(whereSeparator: \.isWhitespace).first.map(
      String.init)
  }

  private static func now() -> Timestamp {
    var time = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
  }

  private func tell(_ kind: LifecycleEvent.Kind) { reporter.offer(LifecycleEvent(subject, kind)) }

  // MARK: The life

  /// The instance asks for its first event.
  ///
  /// - Parameter warmUp: How long the function's own warm-up took, and whether it succeeded; `nil` if it has none.
  func isReady(warmUp: (duration: Duration, succeeded: Bool)?) {
    let now = LifeReports.now()
    if let warmUp {
      tell(.warmedUp(WarmedUp(time: now, duration: Nanoseconds(warmUp.duration), succeeded: warmUp.succeeded)))
    }
    ready(.success, now)
  }

  /// The instance cannot serve.
  func failed() { ready(.error, LifeReports.now()) }

  private func ready(_ status: InitializationStatus, _ now: Timestamp) {
    tell(
      .instanceReady(
        InstanceReady(
          time: now, duration: now - start, initializationType: type, phase: .initialization, status: status)))
  }

  /// An invocation that was told as begun.
  struct Invocation {
    fileprivate var request: RequestID
    fileprivate var time: Timestamp
    fileprivate var began: ContinuousClock.Instant
    fileprivate var isFirst: Bool
  }

  /// The instance has an event.
  ///
  /// - Returns: `nil` if its id is none of AWS's.
  func began(_ requestID: String) -> Invocation? {
    guard let request = Identifier128(text: requestID).map(RequestID.init) else { return nil }
    let isFirst = state.withLock { state in
      state.served += 1
      return state.served == 1
    }
    let invocation = Invocation(request: request, time: LifeReports.now(), began: .now, isFirst: isFirst)
    tell(.invocationStarted(InvocationStarted(request: request, time: invocation.time, trigger: .direct, pool: pool)))
    return invocation
  }

  private var pool: ConcurrencyPool { type == .provisionedConcurrency ? .provisioned : .unreserved }

  /// The answer to an event was given.
  ///
  /// - Parameters:
  ///   - invocation: `nil` for none.
  ///   - end: When it was known.
  ///   - responseBytes: Its size; 0 if there is none.
  func ended(
    _ invocation: Invocation?, _ outcome: Outcome, at end: ContinuousClock.Instant, responseBytes: Int = 0
  ) {
    guard let invocation else { return }
    let duration = Nanoseconds(invocation.began.duration(to: end))
    let billed = Nanoseconds.milliseconds((duration.count + 999_999) / 1_000_000)
    tell(
      .invocationFinished(
        InvocationFinished(
          request: invocation.request, start: invocation.time, duration: duration, trigger: .direct, pool: pool,
          isColdStart: invocation.isFirst && type == .onDemand, outcome: outcome,
          timeoutSource: outcome == .timeout ? .handler : nil, billed: billed, memoryUsedBytes: LifeReports.memoryUsed,
          responseBytes: Int64(responseBytes))))
  }

  /// The most memory that this process had so far.
  private static var memoryUsed: Int64 {
    var usage = rusage()
    return unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 ? Int64(usage.ru_maxrss) << 10 : 0
  }

  /// The instance has its next event while an aborted handler still runs.
  func overlapStarted(_ requestID: String) {
    guard let request = Identifier128(text: requestID).map(RequestID.init) else { return }
    tell(.overlapStarted(OverlapStarted(request: request, time: LifeReports.now())))
  }

  /// An aborted handler of the instance ended at last.
  func overlapEnded(_ requestID: String) {
    guard let request = Identifier128(text: requestID).map(RequestID.init) else { return }
    tell(.overlapEnded(OverlapEnded(request: request, time: LifeReports.now())))
  }

  private func stopped(_ reason: StopReason, _ now: Timestamp) {
    let served = state.withLock { $0.served }
    tell(
      .instanceStopped(InstanceStopped(time: now, reason: reason, lifetime: now - start, invocationsServed: served)))
  }

  // MARK: The end

  /// Tells of the end of the process when SIGTERM asks for it, and ends it then. The signal's mask stays as it is: programs that the
  /// function starts inherit it.
  func endOnTermination() {
    guard let wakeup = Wakeup() else { return }
    let isAsked = Moment()
    unsafe Termination.news = (wakeup, isAsked)
    let hasStarted = BlockingThread.start { [self] in
      while !isAsked.hasHappened { wakeup.wait(until: nil) }
      end(.shutdown)
      _exit(0)
    }
    guard hasStarted else { return }
    signal(SIGTERM) { _ in
      unsafe Termination.news?.isAsked.happen()
      unsafe Termination.news?.wakeup.signal()
    }
  }

  /// Tells of the end of the instance, and gives what is not sent yet a moment to be.
  func end(_ reason: StopReason) {
    stopped(reason, LifeReports.now())
    reporter.end(within: Self.lastSending)
    // What goes to the file goes there once an answer that is waited for came, or did not.
    let patience: Duration = hasFile ? .nanoseconds(Self.answerTimeout.count) + .seconds(1) : .milliseconds(400)
    let end = ContinuousClock.now + patience
    while !reporter.isOver, ContinuousClock.now < end { usleep(1_000) }
  }
}

/// What a signal's handler can reach.
///
/// SAFETY: written once, before the handler is there.
private enum Termination {
  nonisolated(unsafe) static var news: (wakeup: Wakeup, isAsked: Moment)?
}

extension Nanoseconds {
  fileprivate init(_ duration: Duration) {
    let (seconds, attoseconds) = duration.components
    self.init(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
  }
}
