internal import Lifecycle

/// What a reporter does next: a state machine that is told what happened. Pure; times are of any clock that does not step.
///
/// Batches are sent in the order of their numbers: first that which is on its way, then those in the file, then what waits in memory.
struct ReporterMachine {
  /// What the sender does now.
  enum Action: Equatable {
    /// Nothing before that, unless an event makes the batch full.
    case wait(Nanoseconds?)
    /// Sends this batch, and says what the agent answered.
    case send(sequence: UInt64, events: [LifecycleEvent])
    /// The same with the first batch of the file.
    case sendSpilled
    /// Writes this batch behind those in the file, and says whether it could.
    case spill(sequence: UInt64, events: [LifecycleEvent])
    /// All was sent, or time is up: the reporter is at its end.
    case end
  }

  /// What the agent made of a batch.
  enum Answer: Equatable {
    case acknowledged
    /// Nobody answered, or with an error that passes.
    case failed(String, retryAfter: Nanoseconds?)
    /// It will never be taken.
    case refused(String)
  }

  /// The batch that is sent until it is acknowledged.
  private enum Current {
    case none
    case inMemory([LifecycleEvent])
    /// The first one of the file.
    case inFile
  }

  private let limit: Int
  private let batchMax: Int
  private let age: Nanoseconds
  private let pause: Nanoseconds
  private let pauseMax: Nanoseconds

  private var waiting: [LifecycleEvent] = []
  /// When the first of them came.
  private var since: Timestamp?
  private var current = Current.none
  /// Of the last batch that was made.
  private var sequence: UInt64 = 0
  /// Batches in the file; `nil` if there is none.
  private var spilled: Int?
  /// Is written to the file, and not in memory or in the file for as long.
  private var spilling: [LifecycleEvent] = []
  /// The file is full until then.
  private var spillAgain: Timestamp?
  private var failuresInARow = 0
  /// Not before then.
  private var nextAttempt: Timestamp?
  private var deadline: Timestamp?
  private(set) var statistics = ReporterStatistics()

  init(_ configuration: ReporterConfiguration) {
    batchMax = min(10_000, max(1, configuration.batchEventsMax))
    limit = max(batchMax, configuration.eventsLimit)
    age = configuration.batchAge
    pause = configuration.retryPause
    pauseMax = configuration.retryPauseMax
  }

  /// Continues with a file, in which an earlier process may have left batches.
  mutating func useFile(batches: Int, events: Int) {
    spilled = batches
    statistics.spilled = events
  }

  /// Takes an event, or drops it.
  ///
  /// - Returns: Whether the sender has to look: a batch begins, or is full.
  mutating func offer(_ event: LifecycleEvent, at now: Timestamp) -> Bool {
    statistics.offered &+= 1
    guard deadline.map({ now < $0 }) ?? true, statistics.waiting < limit else {
      statistics.dropped &+= 1
      return false
    }
    waiting.append(event)
    statistics.waiting += 1
    if since == nil { since = now }
    return waiting.count == 1 || waiting.count == batchMax || waiting.count == spillThreshold
  }

  /// From how many on waiting events are written to the file, where there is one.
  private var spillThreshold: Int { max(1, limit / 2) }

  /// Sends what waits at once, and ends at the latest at `deadline`.
  mutating func end(by deadline: Timestamp) { self.deadline = min(deadline, self.deadline ?? deadline) }

  mutating func next(_ now: Timestamp) -> Action {
    // Who is known to be gone is not waited for, where what is left can be kept.
    let isHopeless = spilled != nil && isPaused(now)
    if let deadline, now >= deadline || isEmpty || isHopeless {
      // What is left goes on living in the file, if there is one.
      if let action = spill(now) { return action }
      drop(statistics.waiting)
      (waiting, current) = ([], .none)
      // Nobody sends what comes from now on.
      self.deadline = Timestamp(nanoseconds: .min)
      return .end
    }
    if isPaused(now) || mustPassTheFile, waiting.count >= spillThreshold, let action = spill(now) { return action }
    if let nextAttempt, now < nextAttempt { return .wait(min(nextAttempt, deadline ?? nextAttempt) - now) }
    if case .none = current {
      if let spilled, spilled > 0 {
        current = .inFile
      } else {
        guard let since else { return .wait(nil) }
        let due = since + age
        guard waiting.count >= batchMax || now >= due || deadline != nil else { return .wait(due - now) }
        current = .inMemory(takeBatch(now))
      }
    }
    if case .inMemory(let events) = current { return .send(sequence: sequence, events: events) }
    return .sendSpilled
  }

  private var isEmpty: Bool {
    if case .none = current { waiting.isEmpty && spilled ?? 0 == 0 } else { false }
  }

  private func isPaused(_ now: Timestamp) -> Bool { nextAttempt.map { now < $0 } ?? false }

  /// Whether batches in the file come before what waits.
  private var mustPassTheFile: Bool { spilled ?? 0 > 0 }

  private mutating func takeBatch(_ now: Timestamp) -> [LifecycleEvent] {
    let batch = Array(waiting.prefix(batchMax))
    waiting.removeFirst(batch.count)
    since = waiting.isEmpty ? nil : now
    sequence += 1
    return batch
  }

  private mutating func drop(_ count: Int) {
    statistics.dropped &+= UInt64(count)
    statistics.waiting -= count
  }

  // MARK: The file

  /// The oldest batch in memory, which goes to the file before all others; `nil` if there is none, or no file to take it.
  private mutating func spill(_ now: Timestamp) -> Action? {
    guard spilled != nil, spillAgain.map({ now >= $0 }) ?? true else { return nil }
    spillAgain = nil
    if case .inMemory(let events) = current {
      spilling = events
      return .spill(sequence: sequence, events: events)
    }
    guard !waiting.isEmpty else { return nil }
    spilling = takeBatch(now)
    return .spill(sequence: sequence, events: spilling)
  }

  /// - Parameter problem: Why it could not be written; `nil` if it was.
  mutating func wrote(_ problem: String?, at now: Timestamp) {
    let count = spilling.count
    if problem == nil {
      statistics.waiting -= count
      statistics.spilled += count
      spilled = (spilled ?? 0) + 1
      if case .inMemory = current { current = .inFile }
    } else {
      statistics.problem = problem
      spillAgain = now + pauseMax
      if case .inMemory = current {
      } else {
        waiting.insert(contentsOf: spilling, at: 0)
        since = since ?? now
        sequence -= 1
      }
    }
    spilling = []
  }

  /// The first batch of the file cannot be read, and is gone.
  mutating func lostSpilled(events: Int) {
    statistics.spilled -= events
    statistics.dropped &+= UInt64(events)
    spilled = max(0, (spilled ?? 0) - 1)
    if spilled == 0 { current = .none }
  }

  // MARK: Answers

  /// - Parameters:
  ///   - spilledEvents: How many events the batch has, if it is the first one of the file.
  ///   - chance: From 0 up to 1, at random: so that senders that failed together do not come back together.
  mutating func answered(_ answer: Answer, spilledEvents: Int = 0, at now: Timestamp, chance: Double) {
    var count = spilledEvents
    if case .inMemory(let events) = current { count = events.count }
    switch answer {
    case .acknowledged:
      statistics.acknowledged &+= UInt64(count)
      statistics.batches &+= 1
      statistics.problem = nil
      finishBatch(count)
    case .refused(let problem):
      // The number is used up: the agent sees the gap.
      statistics.dropped &+= UInt64(count)
      statistics.failures &+= 1
      statistics.problem = problem
      finishBatch(count)
    case .failed(let problem, let retryAfter):
      statistics.failures &+= 1
      statistics.problem = problem
      let doubled = failuresInARow < 40 ? Double(pause.count) * Double(1 << failuresInARow) : .infinity
      let longest = min(doubled, Double(pauseMax.count))
      let drawn = Nanoseconds(Int64(longest * (1 - chance / 2)))
      nextAttempt = now + min(max(drawn, retryAfter ?? .zero), max(pauseMax, drawn))
      failuresInARow += 1
    }
  }

  private mutating func finishBatch(_ count: Int) {
    if case .inFile = current {
      statistics.spilled -= count
      spilled = max(0, (spilled ?? 0) - 1)
    } else {
      statistics.waiting -= count
    }
    current = .none
    failuresInARow = 0
    nextAttempt = nil
  }
}
