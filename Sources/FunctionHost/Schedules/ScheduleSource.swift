import HTTPServer
import HostRules
import LambdaAPI
import Lifecycle
import Logging
import NIOCore
import Schedules

/// The schedules of a host: gives their runs to functions at their times. Used on the host's loop.
///
/// Times are those of the wall clock, as people mean them; if somebody sets it, that is noticed within 30 s. Functions are known by
/// name alone, and looked up for each run.
final class ScheduleSource {
  /// How long the source sleeps at most.
  private static let watch = Nanoseconds.seconds(30)
  /// The most runs that begin before sockets are looked at again.
  private static let batchMax = 64
  /// How long it leaves the loop to others before the next ones begin.
  private static let pause = Nanoseconds(1_000_000)

  /// One schedule and what is going on there.
  final class Entry {
    var specification: ScheduleSpecification
    var runs: ScheduleRuns
    let source: EventSourceID
    /// Tells it from an earlier one of the same name.
    let generation: Int
    /// Runs with the function now.
    var inFlight = 0
    /// How the last run of this process ended, and its time.
    var last: (time: Timestamp, outcome: String)?

    init(_ specification: ScheduleSpecification, _ runs: ScheduleRuns, generation: Int) {
      self.specification = specification
      self.runs = runs
      self.generation = generation
      source = EventSourceID(.schedule, specification.name)
    }
  }

  private var entries: [String: Entry] = [:]
  /// When there is something to do for each.
  private var due = DueTimes<String>()
  private var generations = 0
  private let store: ScheduleStore?
  private var timer: (time: Timestamp, task: Scheduled<Void>)?
  private var isRunning = false
  /// Whether runs are beginning, some of which may end at once.
  private var isBeginning = false

  /// Reads what was kept; blocks on the file system. Nothing runs before ``start(in:)``.
  init(_ configuration: HostConfiguration, on loop: any EventLoop, clock: SteadyClock, logger: Logger) {
    store = configuration.scheduleFile.map { ScheduleStore(path: $0, on: loop, logger: logger) }
    var kept: [String: ScheduleStore.Entry] = [:]
    if let path = configuration.scheduleFile, !configuration.schedules.isEmpty {
      kept = ScheduleStore.load(path) { reason in
        logger.error(
          "What was kept of schedules cannot be read; they begin anew.",
          metadata: ["file": "\(path)", "reason": "\(reason)"])
      }
    }
    let now = clock.wallTime(of: clock.now())
    for specification in configuration.schedules {
      add(specification, kept[specification.name].flatMap { $0.isOf(specification) ? $0.progress : nil }, at: now)
    }
  }

  private func add(_ specification: ScheduleSpecification, _ progress: ScheduleProgress?, at now: Timestamp) {
    generations += 1
    let runs = ScheduleRuns(specification.schedule, specification.policy, progress, at: now)
    entries[specification.name] = Entry(specification, runs, generation: generations)
    due.set(specification.name, to: runs.due)
  }

  /// Tells what is going on now: at a start nothing, whatever an earlier process left behind.
  func announce(in host: isolated HostCore) {
    let now = host.clock.now()
    for entry in list { host.tell(entry.source, at: now, [.level(.inFlight, Int64(entry.inFlight))]) }
  }

  /// Begins, once it is kept which schedules there are: a host that is killed before their first time finds them again.
  func start(in host: isolated HostCore) {
    isRunning = true
    guard !entries.isEmpty, let store else { return schedule(in: host) }
    store.save { self.kept }.assumeIsolated().whenComplete { [core = host] _ in
      core.assumeIsolated { $0.schedules.schedule(in: $0) }
    }
  }

  /// Begins no run any more. What is not over now, and does not succeed, begins again with the next start.
  func stop() {
    isRunning = false
    timer?.task.cancel()
  }

  /// Keeps what ended last.
  func close() -> EventLoopFuture<Void>? {
    guard let store else { return nil }
    if !entries.isEmpty { store.save { self.kept } }
    return store.stop()
  }

  /// The configuration has changed. Schedules with the same expression and zone go on; what runs of the others ends unseen.
  func take(_ configuration: HostConfiguration, in host: isolated HostCore) {
    let now = host.clock.wallTime(of: host.clock.now())
    let old = entries
    entries = [:]
    due = DueTimes()
    for specification in configuration.schedules {
      if let entry = old[specification.name], entry.specification.schedule == specification.schedule {
        entry.specification = specification
        entry.runs.policy = specification.policy
        entries[specification.name] = entry
        due.set(specification.name, to: entry.runs.due)
      } else {
        add(specification, nil, at: now)
      }
    }
    guard isRunning else { return }
    store?.save { self.kept }
    schedule(in: host)
  }

  private var kept: [String: ScheduleStore.Entry] {
    entries.mapValues { entry in
      ScheduleStore.Entry(
        expression: entry.specification.schedule.expression, zone: entry.specification.schedule.zone.name,
        progress: entry.runs.progress)
    }
  }

  // MARK: Times

  private func schedule(in host: isolated HostCore) {
    guard isRunning, !isBeginning, let first = due.first else { return }
    let now = host.clock.wallTime(of: host.clock.now())
    let time = min(first.time, now + ScheduleSource.watch)
    if let timer {
      if timer.time <= time { return }
      timer.task.cancel()
    }
    let delay = max(time - now, ScheduleSource.pause)
    timer = (time, host.schedule(after: delay) { $0.schedules.beginWhatIsDue(in: $0) })
  }

  private func beginWhatIsDue(in host: isolated HostCore) {
    timer = nil
    guard isRunning else { return }
    isBeginning = true
    let now = host.clock.wallTime(of: host.clock.now())
    var count = 0
    while count < ScheduleSource.batchMax, let first = due.first, first.time <= now, let entry = entries[first.key] {
      count += 1
      switch entry.runs.take(at: now) {
      case .run(let run): begin(run, of: entry, at: now, in: host)
      case .skip: host.tell(entry.source, at: host.clock.now(), [.counted(.received, 1), .counted(.skipped, 1)])
      case nil: break
      }
      due.set(first.key, to: entry.runs.due)
    }
    isBeginning = false
    // What begins is kept, too: of runs that a kill cuts off, each begins again.
    if count > 0 { store?.save { self.kept } }
    schedule(in: host)
  }

  private func begin(_ run: ScheduleRuns.Run, of entry: Entry, at now: Timestamp, in host: isolated HostCore) {
    let isFirst = run.request == nil
    let request = run.request ?? host.newRequestID()
    if isFirst { entry.runs.name(run.number, request) }
    entry.inFlight += 1
    var changes: [EventSourceChange] = [
      .counted(.delivered, 1), .level(.inFlight, Int64(entry.inFlight)),
    ]
    if isFirst {
      changes.append(.counted(.received, 1))
      if run.isMissed { changes.append(.counted(.missed, 1)) }
      changes.append(.measured(.waiting, max(.zero, now - run.time)))
    } else {
      changes.append(.counted(.retried, 1))
    }
    let run = ScheduledRun(schedule: entry.specification.name, generation: entry.generation, number: run.number)
    do throws(AWSError) {
      let submission = try submission(
        of: entry.specification, at: entry.runs.time(of: run.number) ?? now, request: request,
        attempt: entry.runs.failures(of: run.number), completion: ScheduleCompletion(run: run), in: host)
      host.tell(entry.source, at: host.clock.now(), changes)
      host.submit(submission)
    } catch {
      // A reload took the function away: it may come back.
      host.logger.error(
        "A schedule has no function.", metadata: ["schedule": "\(run.schedule)", "reason": "\(error.message)"])
      host.tell(entry.source, at: host.clock.now(), changes)
      end(run, .throttled, nil, in: host)
    }
  }

  private func submission(
    of specification: ScheduleSpecification, at time: Timestamp, request: RequestID, attempt: Int,
    completion: any SubmissionCompletion, in host: isolated HostCore
  ) throws(AWSError) -> Submission {
    let target = try host.target(specification.function, qualifier: Deployment.currentAlias)
    let event = ScheduledEvent(
      schedule: specification.name, request: request, time: time, attempt: attempt + 1, identity: host.identity)
    return Submission(
      request: request, function: target.index, version: target.version, trigger: .schedule,
      payload: event.document(input: specification.input), clientContext: nil, arn: target.arn,
      trace: TraceID(sent: nil, of: request, at: host.clock.now()), isRepeated: attempt > 0, completion: completion)
  }

  // MARK: Ends

  /// How an attempt at a run ended.
  enum End: Equatable {
    case processed
    /// By an error of the function, or by a timeout.
    case failed(EventSourceCounter)
    /// No concurrency was left, or the host could not run it.
    case throttled
  }

  fileprivate func end(_ run: ScheduledRun, _ end: End, _ length: Nanoseconds?, in host: isolated HostCore) {
    guard let entry = entries[run.schedule], entry.generation == run.generation else { return }
    entry.inFlight -= 1
    var changes: [EventSourceChange] = [.level(.inFlight, Int64(entry.inFlight))]
    if let length { changes.append(.measured(.processing, length)) }
    // The host ends it, not the function: its next start begins it again, as after a kill.
    guard isRunning || end == .processed else { return host.tell(entry.source, at: host.clock.now(), changes) }
    let now = host.clock.wallTime(of: host.clock.now())
    let time = entry.runs.time(of: run.number) ?? now
    let request = entry.runs.request(of: run.number)
    var verdict: ScheduleRuns.Verdict?
    switch end {
    case .processed:
      changes.append(.counted(.processed, 1))
      entry.runs.ended(run.number)
      entry.last = (time, "ok")
    case .failed(let counter):
      changes.append(.counted(counter, 1))
      verdict = entry.runs.failed(run.number, at: now)
      entry.last = (time, counter == .timedOut ? "timeout" : "error")
    case .throttled:
      changes.append(.counted(.throttled, 1))
      verdict = entry.runs.throttled(run.number, at: now)
      entry.last = (time, "throttled")
    }
    if verdict == .drop {
      changes.append(.counted(.dropped, 1))
      host.logger.error(
        "A run of a schedule was given up.",
        metadata: ["schedule": "\(run.schedule)", "request": "\(request?.value.uuidText ?? "")"])
    }
    host.tell(entry.source, at: host.clock.now(), changes)
    // A throttle changes nothing of what is kept.
    if verdict == nil || verdict == .drop || end != .throttled { store?.save { self.kept } }
    due.set(run.schedule, to: entry.runs.due)
    schedule(in: host)
  }

  // MARK: What callers ask

  /// Runs a schedule's function now, whatever its times; its caller waits for the answer.
  func runNow(_ name: String, _ call: FrontCall, in host: isolated HostCore) throws(AWSError) {
    guard let entry = entries[name] else {
      let names = entries.keys.sorted().prefix(20).joined(separator: ", ")
      throw .notFound(
        "There is no schedule '\(name)'\(names.isEmpty ? ": kelvin.yaml has none" : "; there are \(names)").")
    }
    let submission = try submission(
      of: entry.specification, at: host.clock.wallTime(of: host.clock.now()), request: call.id, attempt: 0,
      completion: InvokeCompletion(promise: call.promise), in: host)
    host.submit(submission)
  }

  /// All schedules, in the order of their names.
  var list: [Entry] { entries.sorted { $0.key < $1.key }.map(\.value) }
}

/// One run of a schedule, by names that hold when its end is told.
struct ScheduledRun: Hashable, Sendable {
  let schedule: String
  let generation: Int
  let number: Int
}

/// The schedule decides what comes next.
private struct ScheduleCompletion: SubmissionCompletion {
  let run: ScheduledRun

  func throttled(_ submission: Submission, _ reason: ThrottleReason, at time: Timestamp, in host: isolated HostCore) {
    host.schedules.end(run, .throttled, nil, in: host)
  }

  func finished(
    _ submission: Submission, _ end: EndedInvocation, in host: isolated HostCore, telling tell: (AnswerReceipt) -> Void
  ) {
    tell(AnswerReceipt(InvokeAnswer.finished(submission, end)))
    let result: ScheduleSource.End =
      switch end.result {
      case .success: .processed
      case .failure(let fault) where fault.isHostsOwn: .throttled
      case .failure(let fault): .failed(fault.outcome == .timeout ? .timedOut : .failed)
      }
    host.schedules.end(run, result, end.times.end - end.times.start, in: host)
  }
}

extension ScheduleStore.Entry {
  /// Whether it was kept of this schedule.
  fileprivate func isOf(_ specification: ScheduleSpecification) -> Bool {
    expression == specification.schedule.expression && zone == specification.schedule.zone.name
  }
}
