import HostRules
import Lifecycle
import NIOCore
import Sandboxes

/// Instances that are ended by a timeout or a crash leave their environment, `/tmp` and log stream, to the next one.
extension HostCore {
  /// Prepares that an instance which ends leaves its sandbox. From here on an instance that starts may wait for it.
  func announceVacancy(of instance: Instance) {
    guard instance.vacancy == nil, instance.leavesSandbox, !isStopping, let sandbox = instance.sandbox,
      let tenant = instance.tenant, vacantCount < vacantLimit
    else { return }
    let vacant = VacantSandbox(instance, sandbox, tenant, cleared: loop.makePromise())
    instance.vacancy = vacant
    let function = instance.function
    if let evicted = self[function].vacantSandboxes.add(vacant) { giveUp(evicted, of: function) }
  }

  /// The sandboxes of all functions that are left or about to be.
  ///
  /// - Complexity: O(functions), once for each instance that crashes or times out.
  var vacantCount: Int { functions.reduce(0) { $0 + $1.vacantSandboxes.all.count } }

  /// Ends the programs of an instance, and the sandbox with them unless that is left to the next one.
  func endSandbox(of instance: Instance) {
    announceVacancy(of: instance)
    guard let vacant = instance.vacancy, instance.leavesSandbox, !isStopping else {
      withdraw(instance)
      instance.sandbox?.kill()
      return
    }
    guard !vacant.isBeingCleared else { return }
    vacant.isBeingCleared = true
    let (function, key) = (instance.function, instance.key)
    vacant.sandbox.clear().whenComplete { result in
      self.assumeIsolated { core in
        guard let instance = core[function].instances[key], let vacant = instance.vacancy else { return }
        switch result {
        case .success: core.vacated(vacant, by: instance)
        // It is ending by itself, over a limit or from outside, and will be gone.
        case .failure: core.giveUpSandbox(of: instance)
        }
      }
    }
    _ = schedule(after: HostCore.clearingLimit) { core in
      if let instance = core[function].instances[key], instance.vacancy != nil { core.giveUpSandbox(of: instance) }
    }
  }

  /// How long the programs of a sandbox may take to be gone, so that nobody waits for one that cannot be killed.
  private static let clearingLimit = Nanoseconds.seconds(5)

  /// The instance leaves nothing, and its sandbox ends with it.
  private func giveUpSandbox(of instance: Instance) {
    instance.isSandboxSound = false
    withdraw(instance)
    instance.sandbox?.kill()
  }

  /// Gives an instance what another one has left, once that one is gone from it.
  func adopt(_ vacant: VacantSandbox, by instance: Instance) {
    instance.awaitedVacancy = vacant
    let (function, key) = (instance.function, instance.key)
    vacant.cleared.futureResult.whenComplete { result in
      self.assumeIsolated { $0.vacancyCame(to: function, key, result) }
    }
  }

  private func vacancyCame(to function: FunctionIndex, _ key: InstanceKey, _ result: Result<Void, any Error>) {
    guard let instance = self[function].instances[key], let vacant = instance.awaitedVacancy else { return }
    instance.awaitedVacancy = nil
    switch result {
    case .success:
      vacant.tenant.current = key
      instance.tenant = vacant.tenant
      sandboxMade(function, key, .success(vacant.sandbox))
    case .failure(let error):
      guard !instance.machine.isEnding, let api = instance.server?.endpoint else {
        return couldNotStart(instance, error, at: clock.now())
      }
      makeSandbox(of: instance, api: api)
    }
  }

  /// The programs are gone; the sandbox is nobody's.
  private func vacated(_ vacant: VacantSandbox, by instance: Instance) {
    let function = instance.function
    let memory = vacant.sandbox.memoryUsedBytes()
    instance.sandbox = nil
    instance.vacancy = nil
    vacant.tenant.current = nil
    vacant.sandbox.forgetMemoryPeak()
    instanceGone(instance, memoryUsedBytes: memory)
    vacant.cleared.succeed()
    // As long as an instance may be idle, its environment may be without one.
    let (tenant, now) = (vacant.tenant, clock.now())
    vacant.vacantSince = now
    _ = schedule(after: self[function].configuration.idleLimit) { core in
      let vacant = core[function].vacantSandboxes.all.first { $0.tenant === tenant && $0.vacantSince == now }
      guard let vacant, core[function].vacantSandboxes.remove(vacant) else { return }
      core.giveUp(vacant, of: function)
    }
  }

  /// A sandbox that no instance has is to go, or has gone.
  func giveUp(_ vacant: VacantSandbox, of function: FunctionIndex) {
    // Its last instance ends it, if it is not through with it.
    guard let key = vacant.tenant.current, let instance = self[function].instances[key] else {
      return vacant.sandbox.kill()
    }
    instance.isSandboxSound = false
    if vacant.isBeingCleared { endSandbox(of: instance) }
  }

  /// The instance does not leave its sandbox after all.
  func withdraw(_ instance: Instance) {
    guard let vacant = instance.vacancy else { return }
    instance.vacancy = nil
    _ = self[instance.function].vacantSandboxes.remove(vacant)
    vacant.cleared.fail(ProcessError(code: .shutDown, message: "The sandbox has ended."))
  }

  /// A sandbox has ended without being asked to.
  func vacantSandboxGone(_ tenant: SandboxTenant, of function: FunctionIndex) {
    guard let vacant = self[function].vacantSandboxes.all.first(where: { $0.tenant === tenant }) else { return }
    _ = self[function].vacantSandboxes.remove(vacant)
  }

  /// The settings of a version changed: what was left of its instances is not for those with the new ones.
  func giveUpVacantSandboxes(_ function: FunctionIndex, _ version: FunctionVersion) {
    for vacant in self[function].vacantSandboxes.removeAll(of: version) { giveUp(vacant, of: function) }
  }
}
