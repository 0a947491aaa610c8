import HeapModule
package import Lifecycle

/// The configured retries of one event; `nil` means what the policy says, which is the most.
package struct EventLimits: Hashable, Sendable {
  /// How often an event is given again to a function that failed on it.
  package var repetitionsMax: Int?
  /// The age at which it is dropped instead of being given again.
  package var ageMax: Nanoseconds?

  /// What the policy says, unless said otherwise.
  package init(repetitionsMax: Int? = nil, ageMax: Nanoseconds? = nil) {
    self.repetitionsMax = repetitionsMax
    self.ageMax = ageMax
  }
}

/// Decides when asynchronous invocations are given to their function, again and again until one of their limits.
///
/// Errors of the function and refusals for lack of concurrency are two different things: the first are repeated a fixed
/// number of times, the second back off until the event is too old.
package struct AsyncQueue<Payload: Sendable>: Sendable {
  /// What happens to an event that its function did not process.
  package enum Verdict: Equatable, Sendable {
    /// It is given to the function again at that time.
    case retry(at: Timestamp)
    /// It is given up.
    case drop(DropReason)
  }

  /// Why an event is given up, in AWS's words.
  package enum DropReason: String, Sendable {
    /// The function has failed on it once more than it may be repeated.
    case retriesExhausted = "RetriesExhausted"
    /// It is too old to be given again.
    case ageExceeded = "EventAgeExceeded"
    /// Its function is paused by reserved concurrency 0.
    case zeroReservedConcurrency = "ZeroReservedConcurrency"
  }

  /// An event that is kept.
  package struct Event: Sendable {
    /// The identity of every attempt.
    package var request: RequestID
    /// What the function is given.
    package var payload: Payload
    fileprivate var bytesCount: Int
    fileprivate var limits: EventLimits
    fileprivate var acceptedAt: Timestamp
    /// How often the function has failed on it.
    package fileprivate(set) var errorsCount = 0
    /// How often it was refused for lack of concurrency since it was accepted.
    package fileprivate(set) var throttlesCount = 0

    /// Whether the function has failed on it before.
    package var isRepeated: Bool { errorsCount > 0 }
  }

  private struct Due: Comparable {
    var time: Timestamp
    var request: RequestID
    static func < (left: Due, right: Due) -> Bool {
      left.time == right.time ? left.request < right.request : left.time < right.time
    }
  }

  private let policy: AsynchronousPolicy
  private var events: [RequestID: Event] = [:]
  private var due = Heap<Due>()
  private(set) var bytesCount = 0
  /// Events that were given up.
  package private(set) var droppedCount = 0

  /// An empty queue.
  package init(_ policy: AsynchronousPolicy) { self.policy = policy }

  /// Events kept, waiting or running.
  package var count: Int { events.count }

  /// When ``takeDue(_:)`` will give an event; `nil` if none waits.
  package var nextDue: Timestamp? { due.min?.time }

  /// An event that is kept.
  package subscript(request: RequestID) -> Event? { events[request] }

  /// Whether there is room for so many more events with so many bytes together.
  package func hasRoom(forCount count: Int, bytes: Int) -> Bool {
    count <= policy.countLimit - events.count && bytes <= policy.bytesLimit - bytesCount
  }

  /// Keeps an event that was accepted by an earlier start, whether or not there is room for it.
  package mutating func restore(
    _ request: RequestID, payload: Payload, bytesCount bytes: Int, limits: EventLimits, acceptedAt: Timestamp,
    due time: Timestamp, errors: Int, throttles: Int
  ) {
    guard events[request] == nil else { return }
    var event = Event(request: request, payload: payload, bytesCount: bytes, limits: limits, acceptedAt: acceptedAt)
    event.errorsCount = errors
    event.throttlesCount = throttles
    events[request] = event
    bytesCount += bytes
    due.insert(Due(time: time, request: request))
  }

  /// Keeps an event, due at once.
  ///
  /// - Returns: Whether there is room for it.
  package mutating func accept(
    _ request: RequestID, payload: Payload, bytesCount bytes: Int, limits: EventLimits = EventLimits(),
    at now: Timestamp
  ) -> Bool {
    guard events[request] == nil, hasRoom(forCount: 1, bytes: bytes) else { return false }
    events[request] = Event(request: request, payload: payload, bytesCount: bytes, limits: limits, acceptedAt: now)
    bytesCount += bytes
    due.insert(Due(time: now, request: request))
    return true
  }

  /// Takes the event that has been due for longest, if one is. It counts until the queue is told what became of it.
  package mutating func takeDue(_ now: Timestamp) -> Event? {
    guard let first = due.min, first.time <= now else { return nil }
    due.removeMin()
    return events[first.request]
  }

  /// Forgets an event that the function has dealt with.
  package mutating func succeeded(_ request: RequestID) { forget(request) }

  /// Gives an event up.
  package mutating func drop(_ request: RequestID) {
    droppedCount += 1
    forget(request)
  }

  /// Decides what becomes of an event that the function failed on.
  package mutating func failed(_ request: RequestID, at now: Timestamp) -> Verdict {
    guard var event = events[request],
      event.errorsCount < min(policy.errorDelays.count, event.limits.repetitionsMax ?? .max)
    else {
      return drop(request, .retriesExhausted)
    }
    let delay = policy.errorDelays[event.errorsCount]
    event.errorsCount += 1
    return retry(event, at: now + delay)
  }

  /// Decides what becomes of an event that was refused for lack of concurrency.
  package mutating func throttled(_ request: RequestID, at now: Timestamp) -> Verdict {
    guard var event = events[request] else { return drop(request, .ageExceeded) }
    let doublings = min(event.throttlesCount, 40)
    let (product, overflow) = policy.throttleDelayMin.count.multipliedReportingOverflow(by: 1 << Int64(doublings))
    let delay = overflow ? policy.throttleDelayMax : min(policy.throttleDelayMax, Nanoseconds(product))
    event.throttlesCount += 1
    return retry(event, at: now + delay)
  }

  private mutating func retry(_ event: Event, at time: Timestamp) -> Verdict {
    let ageMax = min(policy.ageMax, event.limits.ageMax ?? policy.ageMax)
    guard time <= event.acceptedAt + ageMax else { return drop(event.request, .ageExceeded) }
    events[event.request] = event
    due.insert(Due(time: time, request: event.request))
    return .retry(at: time)
  }

  private mutating func drop(_ request: RequestID, _ reason: DropReason) -> Verdict {
    drop(request)
    return .drop(reason)
  }

  private mutating func forget(_ request: RequestID) {
    if let event = events.removeValue(forKey: request) { bytesCount -= event.bytesCount }
  }
}
