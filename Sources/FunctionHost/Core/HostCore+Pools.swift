import HostRules
import Lifecycle
import NIOCore

/// Connects instances with the pools that they belong to.
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
    tellPool(.available, of: instance, at: now)
    freezeIfIdle(instance)
  }

  /// The instance's invocation is over.
  func poolAnswered(_ instance: Instance, at now: Timestamp) {
    _ = self[instance.function].versions[instance.version]?.take(.answered, of: instance.key, at: now)
  }

  /// Tells the instance's pool what happened to it, and does what follows.
  func tellPool(_ event: PoolEvent, of instance: Instance, at now: Timestamp) {
    let actions = self[instance.function].versions[instance.version]?.take(event, of: instance.key, at: now)
    perform(actions ?? [], of: instance.function, instance.version, instance.key.pool, at: now)
  }

  /// Does what a pool decided, and asks the version's pools when time will change their mind.
  func perform(
    _ actions: [PoolAction], of function: FunctionIndex, _ version: FunctionVersion, _ pool: InstancePool,
    at now: Timestamp
  ) {
    for action in actions {
      switch action {
      case .start(let key, let request):
        let invocation = request.flatMap { self[function].waiting.removeValue(forKey: $0) }
        let instance = Instance(
          id: newInstanceID(), key: key, function: function, version: version, inside: invocation)
        startInstance(instance, inside: invocation, at: now)
      case .handOver(let request, let key):
        if let instance = self[function].instances[key] { handOver(request, to: instance, at: now) }
      case .end(let key, let reason):
        if let instance = self[function].instances[key] { end(instance, reason, at: now) }
      case .spill(let request): spill(request, of: function, at: now)
      }
    }
    if pool == .provisioned { tellLimits(of: function, at: now) }
    scheduleTick(function, version, at: now)
  }

  /// Has a request that was admitted to provisioned concurrency run on demand, in a slot of its own if there is one.
  private func spill(_ request: RequestID, of function: FunctionIndex, at now: Timestamp) {
    guard let invocation = self[function].waiting[request] else { return }
    if let grant = admission.moveToOnDemand(invocation.slot, at: now) {
      invocation.slot = grant.slot
      invocation.pool = grant.pool
    }
    invocation.isSpillover = true
    place(invocation, in: .onDemand, at: now)
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
      for pool in InstancePool.allCases {
        let actions = self[function].versions[version]?.tick(pool, at: now) ?? []
        perform(actions, of: function, version, pool, at: now)
      }
    }
  }
}
