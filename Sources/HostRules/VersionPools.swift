package import Lifecycle

/// The instances of one version of a function: those started for requests, and those that are kept ready.
///
/// Here, and nowhere else, stands which of the two pools is meant: an instance's key says which one it belongs to, and an
/// admitted request's part of the concurrency which one serves it.
package struct VersionPools: Sendable {
  private(set) var onDemand: FunctionPool
  /// What there is of provisioned concurrency.
  package private(set) var provisioned: ProvisionedPool

  /// Room for the numbers of one pool's instances: more than a pool ever starts.
  private static let numbersPerPool = 1 << 40

  /// Makes the pools of one version, without instances.
  ///
  /// - Parameters:
  ///   - ordinal: Of the version within its function, so that no two instances of the function have one key.
  ///   - instancesLimit: See ``instancesLimit``.
  ///   - idleLimit: How long an instance that was started for a request may be idle before it is ended.
  package init(ordinal: Int, instancesLimit: Int, idleLimit: Nanoseconds) {
    let firstNumber = ordinal * VersionPools.numbersPerPool
    onDemand = FunctionPool(instancesLimit: instancesLimit, idleLimit: idleLimit, firstNumber: firstNumber)
    provisioned = ProvisionedPool(firstNumber: firstNumber)
  }

  // MARK: What there is

  /// The most instances on demand at once: the ceiling of the function's concurrency.
  package var instancesLimit: Int {
    get { onDemand.instancesLimit }
    set { onDemand.instancesLimit = newValue }
  }

  /// What instances there are for one more request.
  ///
  /// - Parameter limitsStarts: Whether it matters that an instance would have to start.
  package mutating func supply(limitsStarts: Bool, at now: Timestamp) -> Admission.Supply {
    Admission.Supply(
      hasProvisioned: provisioned.hasFree(at: now), needsStart: limitsStarts && onDemand.needsStart(at: now))
  }

  // MARK: Events

  /// Finds an instance for a request that was admitted to a pool; to that of provisioned instances only if
  /// ``supply(limitsStarts:at:)`` has one.
  package mutating func submit(_ request: RequestID, to pool: InstancePool, at now: Timestamp) -> Placement {
    switch pool {
    case .onDemand: onDemand.submit(request, at: now)
    case .provisioned: provisioned.submit(request, at: now)
    }
  }

  /// Decides what follows from what happened to an instance.
  package mutating func take(_ event: PoolEvent, of instance: InstanceKey, at now: Timestamp) -> [PoolAction] {
    switch instance.pool {
    case .onDemand: onDemand.take(event, of: instance, at: now)
    case .provisioned: provisioned.take(event, of: instance, at: now)
    }
  }

  /// Changes how many provisioned instances there are to be; 0: none.
  package mutating func setProvisioned(_ requested: Int, at now: Timestamp) -> [PoolAction] {
    provisioned.setRequested(requested, at: now)
  }

  /// Starts an instance on demand before there is a request, unless there is one or may be none.
  package mutating func startAhead() -> [PoolAction] { onDemand.startAhead() }

  /// Replaces the instances of a pool, because the version was changed: those that are idle or initializing are ended
  /// now, the others once they have answered.
  package mutating func replace(_ pool: InstancePool, at now: Timestamp) -> [PoolAction] {
    switch pool {
    case .onDemand: onDemand.replaceAll(at: now)
    case .provisioned: provisioned.replaceAll(at: now)
    }
  }

  /// Whether the function is gone: what was admitted is still served, and nothing is kept for more.
  package var isRetired: Bool {
    get { onDemand.isRetired }
    set { onDemand.isRetired = newValue }
  }

  /// How long an instance that was started for a request may be idle before it is ended.
  package var idleLimit: Nanoseconds {
    get { onDemand.idleLimit }
    set { onDemand.idleLimit = newValue }
  }

  /// Does what time has brought to one of the pools.
  package mutating func tick(_ pool: InstancePool, at now: Timestamp) -> [PoolAction] {
    switch pool {
    case .onDemand: onDemand.tick(now)
    case .provisioned: provisioned.tick(now)
    }
  }

  /// When ``tick(_:at:)`` has something to do, as far as is known at `now`; always later than `now`.
  package func nextTick(after now: Timestamp) -> Timestamp? {
    guard let first = onDemand.nextTick(after: now) else { return provisioned.nextTick(after: now) }
    return provisioned.nextTick(after: now).map { min($0, first) } ?? first
  }

  /// Forgets every waiting request and tells which they were, and starts no provisioned instance any more: the host stops.
  package mutating func abandonPending() -> [RequestID] { provisioned.abandonPending() + onDemand.abandonPending() }
}

/// Why an instance is there.
package enum InstancePool: Hashable, CaseIterable, Sendable {
  /// It was started for a request.
  case onDemand
  /// It is kept initialized before any request.
  case provisioned

  /// The pool that serves what was admitted to this part of the concurrency.
  package init(serving concurrency: ConcurrencyPool) {
    self = concurrency == .provisioned ? .provisioned : .onDemand
  }

  /// In the words of lifecycle events.
  package var initializationType: InitializationType {
    switch self {
    case .onDemand: .onDemand
    case .provisioned: .provisionedConcurrency
    }
  }
}

/// An instance of one function. Each pool of each version numbers its own in the order of their starts.
package struct InstanceKey: Hashable, Sendable {
  /// The pool that it belongs to.
  package var pool: InstancePool
  /// Unique among the function's instances of this pool.
  package var number: Int

  /// A key for an instance of that number.
  package init(pool: InstancePool, number: Int) {
    self.pool = pool
    self.number = number
  }
}

/// Events in the life of an instance that matter to its pool.
package enum PoolEvent: Equatable, Sendable {
  /// It asked for an event: its initialization is over, or it settled, or it left an overdue handler behind.
  case available
  /// Its invocation is over; it has not asked for the next event yet. Nothing follows from that at once.
  case answered
  /// Its initialization failed or took too long: it is gone or will be.
  case initializationFailed(InitializationStatus)
  /// It is gone, or is being ended, after its initialization.
  case removed
}

/// The place of a request that was admitted to a pool.
package enum Placement: Equatable, Sendable {
  /// To this instance, which had nothing to do; the request never waits in the pool.
  case handOver(to: InstanceKey)
  /// It waits in the pool, which asks for these actions.
  case waits([PoolAction])
}

/// An action that a pool of instances asks for.
package enum PoolAction: Equatable, Sendable {
  /// Start an instance. With a request: inside that invocation, which no longer waits in the pool.
  case start(InstanceKey, inside: RequestID?)
  /// Give the event of a request that waited to an instance that asked for one.
  case handOver(RequestID, to: InstanceKey)
  /// End an instance, which the pool has forgotten already.
  case end(InstanceKey, StopReason)
  /// Have the request run on demand: it no longer waits in the pool.
  case spill(RequestID)
}
