package import Lifecycle

/// How the runs of a schedule are given to its function.
package struct SchedulePolicy: Hashable, Sendable {
  /// What happens at a time at which an earlier run is not over.
  package enum Overlap: Hashable, Sendable {
    /// Another one starts beside it, as with EventBridge.
    case start
    /// That time is left out.
    case skip
  }

  /// What happens at a time at which an earlier run is not over; one that waits for its repetition is not.
  package var overlap = Overlap.start
  /// How often a run is given again to a function that failed on it; at least 0.
  package var repetitionsMax = 2
  /// How long after a failure it is given again; twice as long after each further one, up to an hour.
  package var delay = Nanoseconds.seconds(60)
  /// How old a run may become, counted from its time, or from when it was handed over if it came late.
  package var ageMax = Nanoseconds.seconds(6 * 3_600)

  /// What asynchronous invocations have.
  package init() {}
}

/// How far a schedule has come: what is kept over restarts.
package struct ScheduleProgress: Hashable, Sendable {
  /// A run that has begun and is not over.
  package struct Unfinished: Hashable, Sendable {
    /// The time of the schedule that it is for.
    package var time: Timestamp
    /// How often the function has failed on it; not negative.
    package var failures: Int
    /// What all its attempts are called by; `nil` if it was given none.
    package var request: RequestID?

    /// Makes one of its parts.
    package init(time: Timestamp, failures: Int = 0, request: RequestID? = nil) {
      self.time = time
      self.failures = failures
      self.request = request
    }
  }

  /// When the schedule was first seen; what a rate is counted from.
  package var anchor: Timestamp
  /// All runs up to here are over, but for ``unfinished``.
  package var done: Timestamp
  /// Runs that have begun and are not over, in the order in which they began; at most ``ScheduleRuns/runsMax``.
  package var unfinished: [Unfinished]

  /// Makes one of its parts.
  package init(anchor: Timestamp, done: Timestamp, unfinished: [Unfinished] = []) {
    self.anchor = anchor
    self.done = done
    self.unfinished = unfinished
  }
}

/// Decides when the runs of one schedule begin, whether they begin at all, and whether they are repeated.
///
/// Times are those of the wall clock, which may be set. A run counts as over when it has ended: each that a restart cut off, or that
/// waited for its repetition, begins again, with the failures that it had. Of times that passed unseen, the last runs once, late.
package struct ScheduleRuns: Sendable {
  /// One run of the function: for one time of the schedule, however often it is repeated.
  package struct Run: Hashable, Sendable {
    /// Which one it is.
    package var number: Int
    /// The time of the schedule that it is for.
    package var time: Timestamp
    /// Whether that time had passed unseen.
    package var isMissed: Bool
    /// How often the function has failed on it.
    package var failures = 0
    /// What all its attempts are called by; `nil` until ``name(_:_:)``.
    package fileprivate(set) var request: RequestID?
    fileprivate var throttles = 0
    fileprivate var begunAt: Timestamp
  }

  /// What is to be done now.
  package enum Step: Hashable, Sendable {
    /// A run is given to its function; ``ended(_:)``, ``failed(_:at:)`` or ``throttled(_:at:)`` is to follow.
    case run(Run)
    /// A time of the schedule is left out.
    case skip(Timestamp)
  }

  /// What becomes of a run that was not processed.
  package enum Verdict: Hashable, Sendable {
    /// It is given to its function again at that time.
    case retry(at: Timestamp)
    /// It is given up.
    case drop
  }

  /// The most runs that are not over; one more is left out.
  package static let runsMax = 100
  /// What came later than this was missed: AWS's schedules keep their minute.
  package static let lateness = Nanoseconds.seconds(60)

  /// When it happens.
  package let schedule: Schedule
  /// How its runs are given to the function.
  package var policy: SchedulePolicy
  private let anchor: Timestamp
  /// All times up to here have been looked at.
  private var seen: Timestamp
  private var next: Timestamp?
  private var count = 0
  /// By their numbers: with the function now, or waiting for their repetition.
  private var unfinished: [Int: Run] = [:]
  private var waiting: [(time: Timestamp, number: Int)] = []

  /// - Parameter progress: What was kept; `nil` for one that is seen for the first time.
  package init(_ schedule: Schedule, _ policy: SchedulePolicy, _ progress: ScheduleProgress?, at now: Timestamp) {
    self.schedule = schedule
    self.policy = policy
    anchor = progress?.anchor ?? now
    seen = progress?.done ?? now
    next = schedule.next(after: seen, anchor: anchor)
    for kept in progress?.unfinished.prefix(ScheduleRuns.runsMax) ?? [] {
      count += 1
      unfinished[count] = Run(
        number: count, time: kept.time, isMissed: false, failures: kept.failures, request: kept.request, begunAt: now)
      waiting.append((now, count))
    }
  }

  /// What is to be kept.
  package var progress: ScheduleProgress {
    ScheduleProgress(
      anchor: anchor, done: seen,
      unfinished: unfinished.values.sorted { $0.number < $1.number }.map {
        ScheduleProgress.Unfinished(time: $0.time, failures: $0.failures, request: $0.request)
      })
  }

  /// The schedule's next times, at most `count`.
  package func times(_ count: Int) -> [Timestamp] {
    guard let next, count > 0 else { return [] }
    return [next] + schedule.next(count - 1, after: next, anchor: anchor)
  }

  /// How many runs are with the function, or wait for their repetition.
  package var unfinishedCount: Int { unfinished.count }

  /// The time that a run is for; `nil` if it is over.
  package func time(of number: Int) -> Timestamp? { unfinished[number]?.time }

  /// How often the function has failed on a run; 0 if it is over.
  package func failures(of number: Int) -> Int { unfinished[number]?.failures ?? 0 }

  /// What all attempts at a run are called by; `nil` if it has no name, or is over.
  package func request(of number: Int) -> RequestID? { unfinished[number]?.request }

  /// Says what all attempts at a run are called by.
  package mutating func name(_ number: Int, _ request: RequestID) { unfinished[number]?.request = request }

  /// When there is something to do next; `nil`: never.
  package var due: Timestamp? {
    guard let repetition = waiting.first?.time else { return next }
    return next.map { min($0, repetition) } ?? repetition
  }

  /// What is to be done at an instant, if anything is; to be asked until nothing is.
  package mutating func take(at now: Timestamp) -> Step? {
    if let first = waiting.first, first.time <= now {
      waiting.removeFirst()
      if let run = unfinished[first.number] { return .run(run) }
      return take(at: now)
    }
    guard let time = next, time <= now else { return nil }
    // Of several times that have passed, the last one stands for all.
    let last = schedule.last(after: seen, until: now, anchor: anchor) ?? time
    let isMissed = last != time || now - last > ScheduleRuns.lateness
    seen = last
    next = schedule.next(after: last, anchor: anchor)
    guard unfinished.count < ScheduleRuns.runsMax, policy.overlap == .start || unfinished.isEmpty else {
      return .skip(last)
    }
    count += 1
    let run = Run(number: count, time: last, isMissed: isMissed, begunAt: now)
    unfinished[run.number] = run
    return .run(run)
  }

  /// A run is over.
  package mutating func ended(_ number: Int) { unfinished[number] = nil }

  /// The function failed on a run.
  package mutating func failed(_ number: Int, at now: Timestamp) -> Verdict {
    guard var run = unfinished[number] else { return .drop }
    run.failures += 1
    guard run.failures <= policy.repetitionsMax else { return drop(number) }
    let delay = ScheduleRuns.doubled(policy.delay, times: run.failures - 1, upTo: .seconds(3_600))
    return retry(run, after: delay, at: now)
  }

  /// A run was refused for lack of concurrency, or the host could not start it: that uses up no repetition.
  package mutating func throttled(_ number: Int, at now: Timestamp) -> Verdict {
    guard var run = unfinished[number] else { return .drop }
    let delay = ScheduleRuns.doubled(.seconds(1), times: run.throttles, upTo: .seconds(300))
    run.throttles += 1
    return retry(run, after: delay, at: now)
  }

  private mutating func retry(_ run: Run, after delay: Nanoseconds, at now: Timestamp) -> Verdict {
    let time = now + delay
    guard time - run.begunAt <= policy.ageMax else { return drop(run.number) }
    unfinished[run.number] = run
    let position = waiting.firstIndex { $0.time > time } ?? waiting.endIndex
    waiting.insert((time, run.number), at: position)
    return .retry(at: time)
  }

  private mutating func drop(_ number: Int) -> Verdict {
    unfinished[number] = nil
    return .drop
  }

  private static func doubled(_ delay: Nanoseconds, times: Int, upTo limit: Nanoseconds) -> Nanoseconds {
    // A longer delay than the limit is somebody's wish.
    let limit = max(limit, delay)
    let (product, overflow) = delay.count.multipliedReportingOverflow(by: 1 << min(times, 20))
    return overflow ? limit : min(Nanoseconds(product), limit)
  }
}
