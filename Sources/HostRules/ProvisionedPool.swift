import DequeModule
import Lifecycle

/// Decides when the provisioned instances of one version of a function start and end, and which of them serves which
/// request that was admitted to provisioned concurrency.
///
/// As many instances as are requested are kept initialized, however long they are idle. None serves before the whole
/// request has been allocated once. One that dies is replaced; after failures the replacements are spaced, one at a
/// time, for as long as the request stands. When less is requested, instances that initialize or are idle are ended at
/// once, the others once they have answered.
///
/// A request that was admitted for an instance that settles, and then is not taken by it within `settleGrace`, is
/// given up to run on demand: a replacement may take minutes.
package struct ProvisionedPool: Sendable {
  typealias Action = PoolAction

  enum Phase: Equatable, Sendable {
    case initializing
    case idle
    case busy
    case settling(since: Timestamp)
  }

  /// What AWS's API shows of the pool.
  package enum Status: Hashable, Sendable {
    /// Fewer instances are initialized than were requested.
    case inProgress
    /// As many instances are initialized as were requested.
    case ready
    /// Fewer are, and several initializations in a row have failed; further ones are tried all the same.
    case failed(reason: String)
  }

  static let settleGrace = FunctionPool.settleGrace
  /// The most instances that initialize at once.
  static let initializingLimit = 64
  /// As many failures in a row mean that the request cannot be met for now.
  static let failuresUntilFailed = 3
  /// The space before the next start after a failure; doubles with every further one.
  static let backoffMin = Nanoseconds.milliseconds(250)
  static let backoffMax = Nanoseconds.seconds(60)

  /// How many instances there are to be.
  package private(set) var requested = 0
  /// Whether the whole request has been allocated since there is one.
  private(set) var isOpen = false
  private var phases: [InstanceKey: Phase] = [:]
  private var idle: Deque<InstanceKey> = []
  private var settling: Deque<InstanceKey> = []
  private var pending: Deque<RequestID> = []
  private var initializingCount = 0
  /// Instances that died without having served anything: they hold up replacements, but are no failed initialization.
  private var earlyDeathsInARow = 0
  private var unproven: Set<InstanceKey> = []
  /// Instances that were replaced while they had a request: no longer counted, and ended once they are available.
  private var outdated: Set<InstanceKey> = []
  private var failures: (inARow: Int, reason: String) = (0, "")
  private var startsAllowedFrom = Timestamp(nanoseconds: .min)
  private var nextNumber: Int

  /// - Parameter firstNumber: Of the first instance.
  init(firstNumber: Int = 0) { nextNumber = firstNumber }

  // MARK: What there is

  /// Instances that have been started and are not gone; more than ``requested`` while those that are no longer wanted
  /// work on.
  package var allocated: Int { phases.count + outdated.count }

  /// Instances that are initialized, once all are allocated.
  package var available: Int { isOpen ? phases.count - initializingCount : 0 }

  var pendingCount: Int { pending.count }

  /// Whether there is nothing, and nothing is wanted.
  package var isEmpty: Bool { requested == 0 && phases.isEmpty && outdated.isEmpty && pending.isEmpty }

  func phase(of instance: InstanceKey) -> Phase? { phases[instance] }

  /// What AWS's API shows of it.
  package var status: Status {
    if phases.count - initializingCount >= requested { return .ready }
    return failures.inARow >= ProvisionedPool.failuresUntilFailed ? .failed(reason: failures.reason) : .inProgress
  }

  /// Whether an instance can take one more request, at once or when it has settled.
  mutating func hasFree(at now: Timestamp) -> Bool { isOpen && idle.count + countSettling(now) > pending.count }

  // MARK: Events

  /// Something happened to one of its instances.
  mutating func take(_ event: PoolEvent, of instance: InstanceKey, at now: Timestamp) -> [Action] {
    switch event {
    case .available: return becameAvailable(instance, at: now)
    case .answered:
      answered(instance, at: now)
      return []
    case .initializationFailed(let status): return initializationFailed(instance, status, at: now)
    case .removed: return removed(instance, at: now)
    }
  }

  /// Changes how many instances there are to be; 0: none.
  mutating func setRequested(_ count: Int, at now: Timestamp) -> [Action] {
    // A new request starts afresh, whatever became of the one before.
    if count > 0 {
      failures = (0, "")
      earlyDeathsInARow = 0
      startsAllowedFrom = now
    }
    requested = max(0, count)
    if requested == 0 { isOpen = false }
    var actions: [Action] = []
    let initializing = phases.filter { $0.value == .initializing }.keys.sorted { $0.number > $1.number }
    for instance in initializing where phases.count > requested { actions.append(end(instance)) }
    while phases.count > requested, let instance = idle.first { actions.append(end(instance)) }
    return actions + refill(now)
  }

  /// The version was changed: what is idle or initializing is ended now, the others once they have answered; as many as are
  /// requested are started anew.
  mutating func replaceAll(at now: Timestamp) -> [Action] {
    var actions: [Action] = []
    for instance in phases.keys.sorted(by: { $0.number < $1.number }) {
      switch phases[instance] {
      case .idle, .initializing: actions.append(end(instance))
      case .busy, .settling:
        forget(instance)
        outdated.insert(instance)
      case nil: break
      }
    }
    isOpen = false
    failures = (0, "")
    earlyDeathsInARow = 0
    startsAllowedFrom = now
    return actions + spillWhatWaitsInVain(now) + refill(now)
  }

  /// A request was admitted: ``hasFree(at:)`` was true.
  mutating func submit(_ request: RequestID, at now: Timestamp) -> Placement {
    if let instance = idle.popLast() {
      phases[instance] = .busy
      return .handOver(to: instance)
    }
    pending.append(request)
    return .waits(spillWhatWaitsInVain(now))
  }

  /// An instance asked for an event: its initialization is over, or it settled, or it left an overdue handler behind.
  mutating func becameAvailable(_ instance: InstanceKey, at now: Timestamp) -> [Action] {
    if outdated.remove(instance) != nil { return [.end(instance, .scaleIn)] }
    switch phases[instance] {
    case nil, .idle: return []
    case .initializing:
      initializingCount -= 1
      failures = (0, "")
      if earlyDeathsInARow == 0 { startsAllowedFrom = now }
      unproven.insert(instance)
    case .busy: break
    case .settling: forgetSettling(instance)
    }
    phases[instance] = .busy
    if let request = pending.popFirst() { return [.handOver(request, to: instance)] }
    if phases.count > requested { return [end(instance)] }
    phases[instance] = .idle
    idle.append(instance)
    return refill(now)
  }

  /// The instance's invocation is over; it has not asked for the next event yet.
  mutating func answered(_ instance: InstanceKey, at now: Timestamp) {
    guard phases[instance] == .busy else { return }
    phases[instance] = .settling(since: now)
    settling.append(instance)
    unproven.remove(instance)
    earlyDeathsInARow = 0
  }

  /// An initialization failed or took too long: the instance is gone or will be.
  mutating func initializationFailed(_ instance: InstanceKey, _ status: InitializationStatus, at now: Timestamp)
    -> [Action]
  {
    guard phases[instance] == .initializing else { return [] }
    forget(instance)
    failures = (failures.inARow + 1, ProvisionedPool.reason(status))
    startsAllowedFrom = now + ProvisionedPool.backoff(afterFailures: failures.inARow)
    return refill(now)
  }

  /// The instance is gone, or is being ended, after its initialization.
  mutating func removed(_ instance: InstanceKey, at now: Timestamp) -> [Action] {
    outdated.remove(instance)
    guard phases[instance] != nil else { return [] }
    // Died before it served anything. One that dies with its first request may be the request's fault.
    if phases[instance] != .busy, unproven.contains(instance) {
      earlyDeathsInARow += 1
      startsAllowedFrom = now + ProvisionedPool.backoff(afterFailures: earlyDeathsInARow)
    }
    forget(instance)
    return spillWhatWaitsInVain(now) + refill(now)
  }

  /// Does what time has brought.
  mutating func tick(_ now: Timestamp) -> [Action] { spillWhatWaitsInVain(now) + refill(now) }

  /// When ``tick(_:)`` has something to do, as far as is known at `now`; always later than `now`.
  func nextTick(after now: Timestamp) -> Timestamp? {
    var time: Timestamp?
    func consider(_ candidate: Timestamp) {
      guard candidate > now else { return }
      time = time.map { min($0, candidate) } ?? candidate
    }
    if phases.count < requested { consider(startsAllowedFrom) }
    if !pending.isEmpty, let oldest = settling.first, case .settling(let since) = phases[oldest] {
      consider(since + ProvisionedPool.settleGrace)
    }
    return time
  }

  /// Forgets every waiting request and tells which they were, and starts nothing more: the host stops.
  mutating func abandonPending() -> [RequestID] {
    defer { pending.removeAll() }
    requested = 0
    return Array(pending)
  }

  // MARK: Rules

  static func backoff(afterFailures count: Int) -> Nanoseconds {
    guard count >= 1 else { return .zero }
    return min(backoffMax, Nanoseconds(backoffMin.count << Int64(min(count - 1, 20))))
  }

  /// In the words of AWS's control plane.
  private static func reason(_ status: InitializationStatus) -> String {
    status == .timeout ? "FUNCTION_ERROR_INIT_TIMEOUT" : "FUNCTION_ERROR_INIT_FAILURE"
  }

  private mutating func refill(_ now: Timestamp) -> [Action] {
    var actions: [Action] = []
    let isTroubled = failures.inARow + earlyDeathsInARow > 0
    let initializingLimit = isTroubled ? 1 : ProvisionedPool.initializingLimit
    while phases.count < requested, initializingCount < initializingLimit, now >= startsAllowedFrom {
      let instance = InstanceKey(pool: .provisioned, number: nextNumber)
      nextNumber += 1
      initializingCount += 1
      phases[instance] = .initializing
      actions.append(.start(instance, inside: nil))
    }
    if requested > 0, phases.count >= requested { isOpen = true }
    return actions
  }

  private mutating func spillWhatWaitsInVain(_ now: Timestamp) -> [Action] {
    guard !pending.isEmpty else { return [] }
    let expected = countSettling(now)
    var actions: [Action] = []
    // The last that came is the first that goes: the others keep their turn.
    while pending.count > expected, let request = pending.popLast() { actions.append(.spill(request)) }
    return actions
  }

  private mutating func end(_ instance: InstanceKey) -> Action {
    forget(instance)
    return .end(instance, .scaleIn)
  }

  private mutating func forget(_ instance: InstanceKey) {
    switch phases.removeValue(forKey: instance) {
    case .initializing: initializingCount -= 1
    case .idle: idle.removeAll { $0 == instance }
    case .settling: forgetSettling(instance)
    case nil, .busy: break
    }
    unproven.remove(instance)
  }

  /// Instances that are expected to ask for an event within the grace.
  private mutating func countSettling(_ now: Timestamp) -> Int {
    while let oldest = settling.first {
      if case .settling(let since) = phases[oldest], since + ProvisionedPool.settleGrace > now { break }
      settling.removeFirst()
    }
    return settling.count
  }

  private mutating func forgetSettling(_ instance: InstanceKey) {
    if let index = settling.firstIndex(of: instance) { settling.remove(at: index) }
  }
}
