import DequeModule
import Lifecycle

/// Decides which on-demand instance serves which admitted request of one version of a function, and when instances start
/// and end.
///
/// A request takes the instance that became idle last, so that the others grow old and are reclaimed. Without one it
/// waits, first in, first out, for whichever becomes available first; a new instance starts only while more requests
/// wait than instances are initializing or settling (an instance settles from its answer until it asks for the next
/// event). So a fast sequential client never causes a second instance. One that settles for longer than `settleGrace`
/// no longer counts as about to be available.
///
/// When an initialization fails, one waiting request has its initialization repeated inside its own invocation: the
/// next start is bound to it. Starts after repeated failures are spaced, so that a function that cannot start costs a
/// bounded number of processes: at most two for each request, and no more at once than requests wait.
struct FunctionPool: Sendable {
  typealias Action = PoolAction

  enum Phase: Equatable, Sendable {
    case initializing
    /// Initializing inside an invocation.
    case bound(RequestID)
    case idle(since: Timestamp)
    case busy
    case settling(since: Timestamp)
  }

  private struct Pending {
    var request: RequestID
    /// An initialization failed while it waited: the next start is its own.
    var isRepeated: Bool
  }

  static let settleGrace = Nanoseconds.milliseconds(100)
  /// The space between starts once two initializations in a row have failed; doubles with every further one.
  static let backoffMin = Nanoseconds.milliseconds(50)
  static let backoffMax = Nanoseconds.seconds(2)

  /// The most instances at once: the ceiling of the function's concurrency. More are started only if it was lowered and
  /// requests that were admitted before have none.
  var instancesLimit: Int
  /// Whether an instance is ended as soon as no request waits for it: the function is gone.
  var isRetired = false
  /// How long an instance may be idle before it is ended.
  var idleLimit: Nanoseconds
  private var pending: Deque<Pending> = []
  private var repeatedCount = 0
  private var phases: [InstanceKey: Phase] = [:]
  /// By the time they became idle, so the newest is last.
  private var idle: Deque<InstanceKey> = []
  /// By the time they began to settle; without those that do so for longer than the grace.
  private var settling: Deque<InstanceKey> = []
  private var initializingCount = 0
  private var failuresInARow = 0
  private var startsAllowedFrom = Timestamp(nanoseconds: .min)
  private var nextNumber: Int
  /// Instances with a request, from the hand-over (or a start inside it) until its answer.
  private var busyCount = 0
  /// Instances that are ended when they become available: the version was changed since they started.
  private var outdated: Set<InstanceKey> = []

  /// - Parameters:
  ///   - instancesLimit: The most instances at once: the ceiling of the function's concurrency.
  ///   - firstNumber: Of the first instance.
  init(instancesLimit: Int, idleLimit: Nanoseconds, firstNumber: Int = 0) {
    self.instancesLimit = instancesLimit
    self.idleLimit = idleLimit
    nextNumber = firstNumber
  }

  var pendingCount: Int { pending.count }
  var instancesCount: Int { phases.count }
  func phase(of instance: InstanceKey) -> Phase? { phases[instance] }

  /// Something happened to one of its instances.
  mutating func take(_ event: PoolEvent, of instance: InstanceKey, at now: Timestamp) -> [Action] {
    switch event {
    case .available: return becameAvailable(instance, at: now)
    case .answered:
      answered(instance, at: now)
      return []
    case .initializationFailed: return initializationFailed(instance, at: now)
    case .removed: return removed(instance, at: now)
    }
  }

  /// A request was admitted. O(1), and O(settling) when it has to wait.
  mutating func submit(_ request: RequestID, at now: Timestamp) -> Placement {
    if let instance = idle.popLast() {
      set(instance, .busy)
      return .handOver(to: instance)
    }
    pending.append(Pending(request: request, isRepeated: false))
    return .waits(startWhatIsMissing(now))
  }

  /// An instance asked for an event: its initialization is over, or it settled, or it left an overdue handler behind.
  mutating func becameAvailable(_ instance: InstanceKey, at now: Timestamp) -> [Action] {
    switch phases[instance] {
    case nil, .idle: return []
    case .initializing:
      initializingCount -= 1
      failuresInARow = 0
    case .bound(let request):
      failuresInARow = 0
      set(instance, .busy)
      return [.handOver(request, to: instance)]
    case .busy: break
    case .settling: forgetSettling(instance)
    }
    if outdated.contains(instance) {
      set(instance, nil)
      return [.end(instance, .scaleIn)] + startWhatIsMissing(now)
    }
    guard let next = pending.popFirst() else {
      if isRetired {
        set(instance, nil)
        return [.end(instance, .scaleIn)]
      }
      set(instance, .idle(since: now))
      idle.append(instance)
      return []
    }
    if next.isRepeated { repeatedCount -= 1 }
    set(instance, .busy)
    return [.handOver(next.request, to: instance)]
  }

  /// The instance's invocation is over; it has not asked for the next event yet.
  mutating func answered(_ instance: InstanceKey, at now: Timestamp) {
    guard phases[instance] == .busy else { return }
    set(instance, .settling(since: now))
    if !outdated.contains(instance) { settling.append(instance) }
  }

  /// An initialization failed or took too long: the instance is gone or will be.
  mutating func initializationFailed(_ instance: InstanceKey, at now: Timestamp) -> [Action] {
    let phase = phases[instance]
    set(instance, nil)
    guard phase == .initializing || FunctionPool.isBound(phase) else { return [] }
    failuresInARow += 1
    startsAllowedFrom = now + FunctionPool.backoff(afterFailures: failuresInARow)
    if phase == .initializing {
      initializingCount -= 1
      // A bound start that fails has failed its request already; this one is repeated inside the first that waits.
      if let index = pending.firstIndex(where: { !$0.isRepeated }) {
        pending[index].isRepeated = true
        repeatedCount += 1
      }
    }
    return startWhatIsMissing(now)
  }

  /// The instance is gone, or is being ended, after its initialization.
  mutating func removed(_ instance: InstanceKey, at now: Timestamp) -> [Action] {
    switch phases[instance] {
    case .initializing: initializingCount -= 1
    case .idle: idle.removeAll { $0 == instance }
    case .settling: forgetSettling(instance)
    case nil, .bound, .busy: break
    }
    set(instance, nil)
    return startWhatIsMissing(now)
  }

  /// The version was changed: what is idle or initializing is ended now, the others once they have answered.
  mutating func replaceAll(at now: Timestamp) -> [Action] {
    var actions: [Action] = []
    for instance in phases.keys.sorted(by: { $0.number < $1.number }) {
      switch phases[instance] {
      case .idle, .initializing:
        set(instance, nil)
        actions.append(.end(instance, .scaleIn))
      case .bound, .busy, .settling: outdated.insert(instance)
      case nil: break
      }
    }
    idle.removeAll()
    settling.removeAll()
    initializingCount = 0
    failuresInARow = 0
    startsAllowedFrom = now
    return actions + startWhatIsMissing(now)
  }

  /// Starts an instance before there is a request, unless there is one or may be none.
  mutating func startAhead() -> [Action] {
    guard phases.isEmpty, instancesLimit > 0 else { return [] }
    let instance = InstanceKey(pool: .onDemand, number: nextNumber)
    nextNumber += 1
    initializingCount += 1
    set(instance, .initializing)
    return [.start(instance, inside: nil)]
  }

  /// Whether one more request would make an instance start.
  mutating func needsStart(at now: Timestamp) -> Bool {
    idle.isEmpty && pending.count - repeatedCount + 1 > initializingCount + countSettling(now)
  }

  /// Ends what has been idle for too long, and starts what is missing now that time has passed.
  mutating func tick(_ now: Timestamp) -> [Action] {
    var actions: [Action] = []
    while let oldest = idle.first, case .idle(let since) = phases[oldest], since + idleLimit <= now {
      idle.removeFirst()
      set(oldest, nil)
      actions.append(.end(oldest, .idle))
    }
    return actions + startWhatIsMissing(now)
  }

  /// When ``tick(_:)`` has something to do, as far as is known at `now`; always later than `now`.
  func nextTick(after now: Timestamp) -> Timestamp? {
    var time: Timestamp?
    func consider(_ candidate: Timestamp) {
      guard candidate > now else { return }
      time = time.map { min($0, candidate) } ?? candidate
    }
    if let oldest = idle.first, case .idle(let since) = phases[oldest] { consider(since + idleLimit) }
    guard !pending.isEmpty else { return time }
    if wantsStart(settlingCount: 0) { consider(startsAllowedFrom) }
    if let oldest = settling.first, case .settling(let since) = phases[oldest] {
      consider(since + FunctionPool.settleGrace)
    }
    return time
  }

  /// Forgets every waiting request and tells which they were: the host stops.
  mutating func abandonPending() -> [RequestID] {
    defer {
      pending.removeAll()
      repeatedCount = 0
    }
    return pending.map(\.request)
  }

  static func backoff(afterFailures count: Int) -> Nanoseconds {
    guard count >= 2 else { return .zero }
    let doublings = min(count - 2, 20)
    return min(backoffMax, Nanoseconds(backoffMin.count << Int64(doublings)))
  }

  private static func isBound(_ phase: Phase?) -> Bool {
    if case .bound = phase { true } else { false }
  }

  /// `nil`: the instance is no longer of this pool.
  private mutating func set(_ instance: InstanceKey, _ phase: Phase?) {
    let before = phases[instance]
    if before == .busy || FunctionPool.isBound(before) { busyCount -= 1 }
    if phase == .busy || FunctionPool.isBound(phase) { busyCount += 1 }
    phases[instance] = phase
    if phase == nil { outdated.remove(instance) }
  }

  private func wantsStart(settlingCount: Int) -> Bool {
    repeatedCount > 0 || pending.count - repeatedCount > initializingCount + settlingCount
  }

  private mutating func startWhatIsMissing(_ now: Timestamp) -> [Action] {
    guard !pending.isEmpty else { return [] }
    let settlingCount = countSettling(now)
    var actions: [Action] = []
    while now >= startsAllowedFrom, phases.count < max(instancesLimit, pending.count + busyCount),
      wantsStart(settlingCount: settlingCount)
    {
      let instance = InstanceKey(pool: .onDemand, number: nextNumber)
      nextNumber += 1
      if repeatedCount > 0, let index = pending.firstIndex(where: \.isRepeated) {
        let request = pending.remove(at: index).request
        repeatedCount -= 1
        set(instance, .bound(request))
        actions.append(.start(instance, inside: request))
      } else {
        initializingCount += 1
        set(instance, .initializing)
        actions.append(.start(instance, inside: nil))
      }
    }
    return actions
  }

  /// Instances that are expected to ask for an event within the grace.
  private mutating func countSettling(_ now: Timestamp) -> Int {
    while let oldest = settling.first {
      if case .settling(let since) = phases[oldest], since + FunctionPool.settleGrace > now { break }
      settling.removeFirst()
    }
    return settling.count
  }

  private mutating func forgetSettling(_ instance: InstanceKey) {
    if let index = settling.firstIndex(of: instance) { settling.remove(at: index) }
  }
}
