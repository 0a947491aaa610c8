internal import BlockingHTTP
internal import Glibc
package import Lifecycle
internal import LifecycleEncoding
internal import Synchronization

/// Sends lifecycle events to an agent in another process, each batch until it is acknowledged.
///
/// Who offers an event never waits: sending is the work of one thread of the reporter's own. Where the agent is gone, events gather up to a
/// limit, then in a file if one is named, and what comes then is dropped and counted. A batch is sent again with the same number until the
/// agent has it, also over a restart of the agent, so that it counts once.
package final class LifecycleReporter: Sendable {
  private let configuration: ReporterConfiguration
  /// The name under which the agent knows this process.
  package let source: SourceID
  private let machine: Mutex<ReporterMachine>
  private let bell = Bell()
  private let ending = Mutex(Ending())
  private let log: @Sendable (String) -> Void

  /// Whether the thread has ended, and who waits for that.
  private struct Ending {
    var isOver = false
    var waiting: [CheckedContinuation<Void, Never>] = []
  }

  /// Makes a reporter and starts its thread, which ends after ``finish(within:)``.
  ///
  /// - Parameters:
  ///   - source: Random, and made for this process alone.
  ///   - log: Says what fails and that it works again: once for each. Called on the reporter's thread.
  package init(
    _ configuration: ReporterConfiguration, source: SourceID, log: @escaping @Sendable (String) -> Void
  ) {
    var configuration = configuration
    // Nothing is written to the file while an answer is waited for.
    if configuration.spillPath != nil { configuration.answerTimeout = min(configuration.answerTimeout, .seconds(5)) }
    self.configuration = configuration
    self.source = source
    self.log = log
    machine = Mutex(ReporterMachine(configuration))
    startThread()
  }

  /// Takes an event. Never waits; may be called from any thread, at any time.
  package func offer(_ event: LifecycleEvent) {
    let now = Bell.now()
    if machine.withLock({ $0.offer(event, at: now) }) { bell.ring() }
  }

  /// What became of the events so far.
  package var statistics: ReporterStatistics { machine.withLock { $0.statistics } }

  /// Sends what waits, and ends.
  ///
  /// - Parameter time: How long it may take, but for an answer that is waited for; what is left then is dropped and counted.
  /// - Returns: What became of all events, once all are sent or dropped.
  @discardableResult
  package func finish(within time: Nanoseconds) async -> ReporterStatistics {
    end(within: time)
    await withCheckedContinuation { continuation in
      let isOver = ending.withLock { ending in
        if !ending.isOver { ending.waiting.append(continuation) }
        return ending.isOver
      }
      if isOver { continuation.resume() }
    }
    return statistics
  }

  /// Has it send what waits and end, as ``finish(within:)``, and does not wait for that.
  package func end(within time: Nanoseconds) {
    let deadline = Bell.now() + time
    machine.withLock { $0.end(by: deadline) }
    bell.ring()
  }

  /// Whether all events are sent, kept in the file or dropped, because it was told to end.
  package var isOver: Bool { ending.withLock { $0.isOver } }

  private func end() {
    let waiting = ending.withLock { ending in
      defer { ending = Ending(isOver: true) }
      return ending.waiting
    }
    for continuation in waiting { continuation.resume() }
  }

  // MARK: The thread

  private func startThread() {
    var attributes = pthread_attr_t()
    unsafe pthread_attr_init(&attributes)
    unsafe pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    var thread = pthread_t()
    let argument = unsafe Unmanaged.passRetained(self).toOpaque()
    let result = unsafe pthread_create(
      &thread, &attributes,
      { argument in
        guard let argument = unsafe argument else { return nil }
        // SAFETY: it was retained for this thread.
        unsafe Unmanaged<LifecycleReporter>.fromOpaque(argument).takeRetainedValue().run()
        return nil
      }, argument)
    unsafe pthread_attr_destroy(&attributes)
    guard result != 0 else { return }
    // Without a thread nothing is ever sent: all is dropped, and counted.
    unsafe Unmanaged<LifecycleReporter>.fromOpaque(argument).release()
    machine.withLock { $0.end(by: Timestamp(nanoseconds: .min)) }
    log("no thread could be made to send events to \(configuration.agent)")
    end()
  }

  private func run() {
    let exchange = configuration.connect()
    let file = openFile()
    var encoder = EventEncoder()
    var lastProblem: String?
    while true {
      let rings = bell.rings
      switch machine.withLock({ $0.next(Bell.now()) }) {
      case .end: return end()
      case .wait(let length): bell.wait(for: length, unlessRungSince: rings)
      case .send(let sequence, let events):
        encoder.encode(events, source: source, sequence: sequence)
        lastProblem = send(encoder.bytes, exchange, after: lastProblem).problem
      case .spill(let sequence, let events):
        encoder.encode(events, source: source, sequence: sequence)
        spill(encoder.bytes, events: events.count, file)
      case .sendSpilled:
        guard let (batch, events) = file?.first(lost: { lost in machine.withLock { $0.lostSpilled(events: lost) } })
        else {
          continue
        }
        let sent = send(batch, spilledEvents: events, exchange, after: lastProblem)
        lastProblem = sent.problem
        if sent.isOver { file?.removeFirst() }
      }
    }
  }

  /// - Returns: `nil` if no file is named, or none can be used; then batches are dropped instead.
  private func openFile() -> SpillFile? {
    guard let path = configuration.spillPath else { return nil }
    do throws(SpillFile.Problem) {
      let file = try SpillFile(path: path, bytesLimit: configuration.spillBytesMax)
      if file.damagedBytes > 0 {
        log("\(file.damagedBytes) bytes of \(path) are no batch of events, and are passed over")
      }
      if file.events > 0 { log("\(file.events) events that an earlier process left in \(path) are sent first") }
      machine.withLock { $0.useFile(batches: file.batches, events: file.events) }
      return file
    } catch {
      log("events cannot be kept in a file while the agent is gone: \(error.message)")
      return nil
    }
  }

  private func spill(_ batch: [UInt8], events: Int, _ file: SpillFile?) {
    var problem: String?
    do throws(SpillFile.Problem) {
      guard let file else { throw SpillFile.Problem(message: "there is no file") }
      try file.append(batch, events: events)
    } catch {
      problem = error.message
      log("events could not be written to \(configuration.spillPath ?? ""), and wait in memory: \(error.message)")
    }
    machine.withLock { $0.wrote(problem, at: Bell.now()) }
  }

  /// - Returns: The problem that there is now, and whether the batch need not be sent again.
  private func send(
    _ batch: [UInt8], spilledEvents: Int = 0, _ exchange: ReporterConfiguration.Exchange, after last: String?
  ) -> (problem: String?, isOver: Bool) {
    let answer = send(batch, exchange)
    let chance = Double.random(in: 0..<1)
    machine.withLock { $0.answered(answer, spilledEvents: spilledEvents, at: Bell.now(), chance: chance) }
    let problem = tell(answer, after: last)
    if case .failed = answer { return (problem, false) }
    return (problem, true)
  }

  /// - Returns: The problem that there is now.
  private func tell(_ answer: ReporterMachine.Answer, after last: String?) -> String? {
    let agent = configuration.agent
    switch answer {
    case .acknowledged:
      if last != nil { log("the agent at \(agent) takes events again") }
      return nil
    case .failed(let problem, _):
      if last != problem { log("events could not be sent to the agent at \(agent), and are sent again: \(problem)") }
      return problem
    case .refused(let problem):
      log("the agent at \(agent) refused a batch of events, which is lost: \(problem)")
      return problem
    }
  }

  private func send(_ batch: [UInt8], _ exchange: ReporterConfiguration.Exchange) -> ReporterMachine.Answer {
    var request = ClientRequest("POST", "/v1/events", headers: configuration.headers, body: batch)
    request.headers.append("Content-Type", "application/x-protobuf")
    // The agent knows it by its number.
    request.isRepeatable = true
    if let compressed = configuration.compress?(batch) {
      request.headers.append("Content-Encoding", "gzip")
      request.body = compressed
    }
    do throws(HTTPClientError) {
      let reply = try exchange(request, .nanoseconds(configuration.answerTimeout.count))
      return LifecycleReporter.answer(reply)
    } catch {
      return .failed(error.message, retryAfter: nil)
    }
  }

  private static func answer(_ reply: HTTPReply) -> ReporterMachine.Answer {
    if reply.status == 200 { return .acknowledged }
    let text = "status \(reply.status): \(reply.text.prefix(300).filter { !$0.isNewline })"
    switch reply.status {
    // What the batch itself is to blame for: it would be refused for ever.
    case 400, 413, 415: return .refused(text)
    default:
      let seconds = reply.headers["Retry-After"].flatMap { Int64($0) }
      return .failed(text, retryAfter: seconds.map { .seconds(min(max(0, $0), 3_600)) })
    }
  }
}

/// Wakes the thread of a reporter.
///
/// SAFETY: mutex and conditions stay at their addresses as long as it lives, and are only used through calls of pthread.
@safe private final class Bell: @unchecked Sendable {
  // All that changes is only touched while the mutex is held.
  @safe private struct State {
    var mutex = unsafe pthread_mutex_t()
    var condition = pthread_cond_t()
    var rings: UInt64 = 0
  }

  private let state: UnsafeMutablePointer<State>

  init() {
    unsafe state = .allocate(capacity: 1)
    unsafe state.initialize(to: State())
    unsafe pthread_mutex_init(&state.pointee.mutex, nil)
    var attributes = pthread_condattr_t()
    unsafe pthread_condattr_init(&attributes)
    // The wall clock may be set while somebody waits.
    unsafe pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    unsafe pthread_cond_init(&state.pointee.condition, &attributes)
    unsafe pthread_condattr_destroy(&attributes)
  }

  deinit {
    unsafe pthread_cond_destroy(&state.pointee.condition)
    unsafe pthread_mutex_destroy(&state.pointee.mutex)
    unsafe state.deallocate()
  }

  /// Of the clock that never steps; its beginning means nothing.
  static func now() -> Timestamp {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return Timestamp(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
  }

  private func locked<Value>(_ body: () -> Value) -> Value {
    unsafe pthread_mutex_lock(&state.pointee.mutex)
    defer { unsafe pthread_mutex_unlock(&state.pointee.mutex) }
    return body()
  }

  var rings: UInt64 { locked { unsafe state.pointee.rings } }

  func ring() {
    locked {
      unsafe state.pointee.rings += 1
      unsafe pthread_cond_broadcast(&state.pointee.condition)
    }
  }

  /// Returns once it has rung, or after the time.
  func wait(for length: Nanoseconds?, unlessRungSince rings: UInt64) {
    let end = length.map { Bell.now() + $0 }
    locked {
      while unsafe state.pointee.rings == rings {
        guard let end else {
          unsafe pthread_cond_wait(&state.pointee.condition, &state.pointee.mutex)
          continue
        }
        var time = timespec(
          tv_sec: Int(end.nanoseconds / 1_000_000_000), tv_nsec: Int(end.nanoseconds % 1_000_000_000))
        let result = unsafe pthread_cond_timedwait(&state.pointee.condition, &state.pointee.mutex, &time)
        if result == ETIMEDOUT { return }
      }
    }
  }
}
