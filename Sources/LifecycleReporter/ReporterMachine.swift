internal import Lifecycle

/// What a reporter does next: a state machine that is told what happened. Pure; times are of any clock that does not step.
struct ReporterMachine {
  /// What the sender does now.
  enum Action: Equatable {
    /// Nothing before that, unless an event makes the batch full.
    case wait(Nanoseconds?)
    /// Sends this batch, and says what the agent answered.
    case send(sequence: UInt64, events: [LifecycleEvent])
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

  private let limit: Int
  private let batchMax: Int
  private let age: Nanoseconds
  private let pause: Nanoseconds
  private let pauseMax: Nanoseconds

  private var waiting: [LifecycleEvent] = []
  /// When the first of them came.
  private var since: Timestamp?
  /// What is sent until it is acknowledged.
  private var inFlight: [LifecycleEvent] = []
  private var sequence: UInt64 = 0
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

  /// Takes an event, or drops it.
  ///
  /// - Returns: Whether the sender has to look: a batch begins, or is full.
  mutating func offer(_ event: LifecycleEvent, at now: Timestamp) -> Bool {
    statistics.offered &+= 1
    guard deadline.map({ now < $0 }) ?? true, waiting.count + inFlight.count < limit else {
      statistics.dropped &+= 1
      return false
    }
    waiting.append(event)
    statistics.waiting += 1
    if since == nil { since = now }
    return waiting.count == 1 || waiting.count == batchMax
  }

  /// Sends what waits at once, and ends at the latest at `deadline`.
  mutating func end(by deadline: Timestamp) { self.deadline = min(deadline, self.deadline ?? deadline) }

  mutating func next(_ now: Timestamp) -> Action {
    if let deadline, now >= deadline || waiting.isEmpty && inFlight.isEmpty {
      let left = waiting.count + inFlight.count
      statistics.dropped &+= UInt64(left)
      statistics.waiting -= left
      (waiting, inFlight) = ([], [])
      return .end
    }
    if let nextAttempt, now < nextAttempt { return .wait(min(nextAttempt, deadline ?? nextAttempt) - now) }
    if inFlight.isEmpty {
      guard let since else { return .wait(nil) }
      let due = since + age
      guard waiting.count >= batchMax || now >= due || deadline != nil else { return .wait(due - now) }
      inFlight = Array(waiting.prefix(batchMax))
      waiting.removeFirst(inFlight.count)
      self.since = waiting.isEmpty ? nil : now
      sequence += 1
    }
    return .send(sequence: sequence, events: inFlight)
  }

  /// - Parameter chance: From 0 up to 1, at random: so that senders that failed together do not come back together.
  mutating func answered(_ answer: Answer, at now: Timestamp, chance: Double) {
    switch answer {
    case .acknowledged:
      statistics.acknowledged &+= UInt64(inFlight.count)
      statistics.batches &+= 1
      statistics.problem = nil
      finishBatch()
    case .refused(let problem):
      // The number is used up: the agent sees the gap.
      statistics.dropped &+= UInt64(inFlight.count)
      statistics.failures &+= 1
      statistics.problem = problem
      finishBatch()
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

  private mutating func finishBatch() {
    statistics.waiting -= inFlight.count
    inFlight = []
    failuresInARow = 0
    nextAttempt = nil
  }
}
