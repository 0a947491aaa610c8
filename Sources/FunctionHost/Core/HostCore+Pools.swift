import Lifecycle
import NIOCore

/// The instances of one version of a function: those started for requests, and those kept ready before any.
struct VersionPools: Sendable {
  var onDemand: FunctionPool
  var provisioned: ProvisionedPool

  /// Room for the numbers of one pool's instances: more than a pool ever starts.
  private static let numbersPerPool = 1 << 40

  /// - Parameter ordinal: Of the version within its function, so that no two instances of the function have one number.
  init(ordinal: Int, instancesLimit: Int, idleLimit: Nanoseconds) {
    onDemand = FunctionPool(
      instancesLimit: instancesLimit, idleLimit: idleLimit, firstNumber: 2 * ordinal * VersionPools.numbersPerPool)
    provisioned = ProvisionedPool(firstNumber: (2 * ordinal + 1) * VersionPools.numbersPerPool)
  }

  mutating func tick(_ now: Timestamp) -> [PoolAction] { onDemand.tick(now) + provisioned.tick(now) }

  func nextTick(after now: Timestamp) -> Timestamp? {
    guard let first = onDemand.nextTick(after: now) else { return provisioned.nextTick(after: now) }
    return provisioned.nextTick(after: now).map { min($0, first) } ?? first
  }

  mutating func abandonPending() -> [RequestID] { provisioned.abandonPending() + onDemand.abandonPending() }
}

/// What happens between instances and the pools that they belong to.
extension HostCore {
  /// Makes the pools of a version if it has none yet.
  func ensurePools(_ function: FunctionIndex, _ version: FunctionVersion) {
    guard self[function].versions[version] == nil else { return }
    self[function].versions[version] = VersionPools(
      ordinal: self[function].versions.count, instancesLimit: admission.ceiling(function),
      idleLimit: self[function].configuration.idleLimit)
  }

  /// The instance can take an event.
  func poolBecameAvailable(_ instance: Instance, at now: Timestamp) {
    let actions =
      instance.isProvisioned
      ? self[instance.function].versions[instance.version]?.provisioned.becameAvailable(instance.key, at: now)
      : self[instance.function].versions[instance.version]?.onDemand.becameAvailable(instance.key, at: now)
    performed(actions, of: instance, at: now)
    freezeIfIdle(instance)
  }

  /// The instance's invocation is over.
  func poolAnswered(_ instance: Instance, at now: Timestamp) {
    if instance.isProvisioned {
      self[instance.function].versions[instance.version]?.provisioned.answered(instance.key, at: now)
    } else {
      self[instance.function].versions[instance.version]?.onDemand.answered(instance.key, at: now)
    }
  }

  func poolInitializationFailed(_ instance: Instance, _ status: InitializationStatus, at now: Timestamp) {
    let actions =
      instance.isProvisioned
      ? self[instance.function].versions[instance.version]?.provisioned
        .initializationFailed(instance.key, status, at: now)
      : self[instance.function].versions[instance.version]?.onDemand.initializationFailed(instance.key, at: now)
    performed(actions, of: instance, at: now)
  }

  /// The instance is gone, or is being ended.
  func poolRemoved(_ instance: Instance, at now: Timestamp) {
    let actions =
      instance.isProvisioned
      ? self[instance.function].versions[instance.version]?.provisioned.removed(instance.key, at: now)
      : self[instance.function].versions[instance.version]?.onDemand.removed(instance.key, at: now)
    performed(actions, of: instance, at: now)
  }

  private func performed(_ actions: [PoolAction]?, of instance: Instance, at now: Timestamp) {
    perform(actions ?? [], of: instance.function, instance.version, isProvisioned: instance.isProvisioned, at: now)
  }

  /// Does what a pool decided, and asks the version's pools when time will change their mind.
  func perform(
    _ actions: [PoolAction], of function: FunctionIndex, _ version: FunctionVersion, isProvisioned: Bool,
    at now: Timestamp
  ) {
    for action in actions {
      switch action {
      case .start(let key, let request):
        let invocation = request.flatMap { self[function].waiting.removeValue(forKey: $0) }
        let instance = Instance(
          id: newInstanceID(), key: key, function: function, version: version, isProvisioned: isProvisioned,
          inside: invocation)
        startInstance(instance, inside: invocation, at: now)
      case .handOver(let request, let key):
        if let instance = self[function].instances[key] { handOver(request, to: instance, at: now) }
      case .end(let key, let reason):
        if let instance = self[function].instances[key] { end(instance, reason, at: now) }
      case .spill(let request): spill(request, of: function, version, at: now)
      }
    }
    if isProvisioned { tellLimits(of: function, at: now) }
    scheduleTick(function, version, at: now)
  }

  /// Has a request that was admitted to provisioned concurrency run on demand, in a slot of its own if there is one.
  private func spill(_ request: RequestID, of function: FunctionIndex, _ version: FunctionVersion, at now: Timestamp) {
    guard let invocation = self[function].waiting[request] else { return }
    if let grant = admission.moveToOnDemand(invocation.slot, at: now) {
      invocation.slot = grant.slot
      invocation.pool = grant.pool
    }
    invocation.isSpillover = true
    let actions = self[function].versions[version]?.onDemand.submit(request, at: now) ?? []
    perform(actions, of: function, version, isProvisioned: false, at: now)
  }

  private func scheduleTick(_ function: FunctionIndex, _ version: FunctionVersion, at now: Timestamp) {
    guard let time = self[function].versions[version]?.nextTick(after: now) else { return }
    // A tick that comes too early finds nothing to do and is set again: cheaper than to move it with every invocation.
    if let tick = self[function].tick {
      if tick.time <= time { return }
      tick.task.cancel()
    }
    let task = schedule(after: time - now) { $0.tick(function) }
    self[function].tick = (time, task)
  }

  private func tick(_ function: FunctionIndex) {
    self[function].tick = nil
    let now = clock.now()
    for version in Array(self[function].versions.keys) {
      let onDemand = self[function].versions[version]?.onDemand.tick(now) ?? []
      perform(onDemand, of: function, version, isProvisioned: false, at: now)
      let provisioned = self[function].versions[version]?.provisioned.tick(now) ?? []
      perform(provisioned, of: function, version, isProvisioned: true, at: now)
    }
  }
}
