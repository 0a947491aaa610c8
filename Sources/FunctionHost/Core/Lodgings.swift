import HostRules
import Lifecycle
import NIOCore
import Sandboxes

/// Gives sandboxes to instances, and keeps those that instances leave: a timeout or a crash resets an environment and
/// ends none. Used on the host's loop.
final class Lodgings {
  /// The most sandboxes without an instance, of all functions: each is a process and its descriptors.
  static let vacantLimit = 256
  /// How long the programs of a sandbox may take to be gone, so that nobody waits for one that cannot be killed.
  private static let clearingLimit = Nanoseconds.seconds(5)

  private let sandboxes: any SandboxMaker
  /// What instances have left to those that start next, by function.
  private var vacant: [VacantSandboxes]
  /// ``vacantLimit``, but for tests.
  var vacantLimit = Lodgings.vacantLimit

  init(_ sandboxes: any SandboxMaker, functions: Int) {
    self.sandboxes = sandboxes
    vacant = Array(repeating: VacantSandboxes(), count: functions)
  }

  /// Takes one more function.
  func addFunction() { vacant.append(VacantSandboxes()) }

  /// The sandboxes of all functions that are left or about to be.
  ///
  /// - Complexity: O(functions), once for each instance that crashes or times out.
  var vacantCount: Int { vacant.reduce(0) { $0 + $1.all.count } }

  // MARK: Moving in

  /// Decides where an instance is going to live.
  ///
  /// - Returns: The log stream of the one whose sandbox it gets; `nil` if one is to be made for it.
  func assign(_ instance: Instance, in host: isolated HostCore) -> String? {
    let function = host[instance.function]
    let limits = SandboxLimits(
      memoryBytes: function.memoryBytes(of: instance.version),
      temporaryStorageBytes: function.temporaryStorageBytes(of: instance.version))
    let left = vacant[instance.function.position].take(for: instance, with: limits)
    instance.lodging = Lodging(limits, awaiting: left)
    return left?.logStream
  }

  /// Gives an instance the sandbox that was assigned to it, now or later. The host is told.
  func moveIn(_ instance: Instance, in host: isolated HostCore) {
    guard let left = instance.lodging.awaited else { return make(for: instance, in: host) }
    let (function, key) = (instance.function, instance.key)
    left.cleared.futureResult.whenComplete { result in
      host.assumeIsolated { $0.lodgings.vacancyCame(to: function, key, result, in: $0) }
    }
  }

  /// An instance cannot be started, and needs nothing of what was assigned to it.
  func decline(_ instance: Instance, in host: isolated HostCore) {
    guard let left = instance.lodging.awaited else { return }
    instance.lodging.giveUpWaiting()
    giveUp(left, of: instance.function, in: host)
  }

  private func vacancyCame(
    to function: FunctionIndex, _ key: InstanceKey, _ result: Result<Void, any Error>, in host: isolated HostCore
  ) {
    guard let instance = host[function].instances[key], instance.lodging.awaited != nil else { return }
    switch result {
    case .success:
      instance.lodging.takeOver(as: key)
      arrived(instance, in: host)
    case .failure(let error):
      instance.lodging.giveUpWaiting()
      guard !instance.machine.isEnding else {
        return host.starts.couldNotStart(instance, error, at: host.clock.now(), in: host)
      }
      make(for: instance, in: host)
    }
  }

  /// Makes a sandbox that nobody had before.
  private func make(for instance: Instance, in host: isolated HostCore) {
    let (function, key) = (instance.function, instance.key)
    let tenant = SandboxTenant(key)
    instance.lodging.make(for: tenant)
    let configuration = host[function].configuration
    sandboxes.make(
      SandboxSpecification(
        memoryLimitBytes: instance.lodging.limits.memoryBytes,
        temporaryStorageLimitBytes: instance.lodging.limits.temporaryStorageBytes, directory: configuration.directory,
        paths: host.starts.specification(of: instance, in: host).paths + [configuration.extensions].compactMap(\.self),
        layers: configuration.layers), on: host.loop,
      observer: Lodgings.observer(of: function, tenant, in: host)
    ).whenComplete { result in
      host.assumeIsolated { host in
        guard let instance = host[function].instances[key] else { return }
        switch result {
        case .success(let sandbox):
          instance.lodging.occupy(sandbox)
          host.lodgings.arrived(instance, in: host)
        case .failure(let error): host.starts.couldNotStart(instance, error, at: host.clock.now(), in: host)
        }
      }
    }
  }

  private func arrived(_ instance: Instance, in host: isolated HostCore) {
    if instance.machine.isEnding { end(instance, in: host) } else { host.starts.lodged(instance, in: host) }
  }

  private static func observer(
    of function: FunctionIndex, _ tenant: SandboxTenant, in host: HostCore
  ) -> SandboxObserver {
    SandboxObserver(
      wrote: { program, lines in
        guard let key = tenant.current else { return }
        host.assumeIsolated { host in
          guard let instance = host[function].instances[key] else { return }
          host.reporter.wrote(lines, program, of: instance, in: host)
        }
      },
      dropped: { _, lines, bytes in
        guard let key = tenant.current else { return }
        host.assumeIsolated { $0.reporter.dropped(lines, bytes, function, of: $0[function].instances[key], in: $0) }
      },
      ended: { program, ending in
        guard let key = tenant.current else { return }
        host.assumeIsolated { $0.ends.programEnded(program, ending, function, key, in: $0) }
      },
      gone: { summary in
        host.assumeIsolated { host in
          guard let key = tenant.current else { return host.lodgings.vacantGone(tenant, of: function) }
          host.ends.sandboxGone(function, key, summary, in: host)
        }
      })
  }

  // MARK: Moving out

  /// Prepares that an instance which ends leaves its sandbox. From here on an instance that starts may wait for it.
  func announceVacancy(of instance: Instance, in host: isolated HostCore) {
    guard instance.leavesSandbox, !host.isStopping, vacantCount < vacantLimit,
      case .occupied(let sandbox, let tenant) = instance.lodging.phase
    else { return }
    let left = VacantSandbox(instance, sandbox, tenant, cleared: host.loop.makePromise())
    instance.lodging.leave(left)
    let function = instance.function
    if let evicted = vacant[function.position].add(left) { giveUp(evicted, of: function, in: host) }
  }

  /// Ends the programs of an instance, and the sandbox with them unless that is left to the next one.
  func end(_ instance: Instance, in host: isolated HostCore) {
    announceVacancy(of: instance, in: host)
    guard let left = instance.lodging.vacancy, instance.leavesSandbox, !host.isStopping else {
      withdraw(instance)
      instance.lodging.sandbox?.kill()
      return
    }
    guard !left.isBeingCleared else { return }
    left.isBeingCleared = true
    let (function, key) = (instance.function, instance.key)
    left.sandbox.clear().whenComplete { result in
      host.assumeIsolated { host in
        guard let instance = host[function].instances[key], let left = instance.lodging.vacancy else { return }
        switch result {
        case .success: host.lodgings.vacated(left, by: instance, in: host)
        // It is ending by itself, over a limit or from outside, and will be gone.
        case .failure: host.lodgings.giveUp(instance)
        }
      }
    }
    _ = host.schedule(after: Lodgings.clearingLimit) { host in
      if let instance = host[function].instances[key], instance.lodging.vacancy != nil {
        host.lodgings.giveUp(instance)
      }
    }
  }

  /// The instance does not leave its sandbox after all.
  func withdraw(_ instance: Instance) {
    guard let left = instance.lodging.vacancy else { return }
    instance.lodging.stay()
    _ = vacant[instance.function.position].remove(left)
    left.cleared.fail(ProcessError(code: .shutDown, message: "The sandbox has ended."))
  }

  /// The instance leaves nothing, and its sandbox ends with it.
  private func giveUp(_ instance: Instance) {
    instance.lodging.isSound = false
    withdraw(instance)
    instance.lodging.sandbox?.kill()
  }

  /// The programs are gone; the sandbox is nobody's.
  private func vacated(_ left: VacantSandbox, by instance: Instance, in host: isolated HostCore) {
    let function = instance.function
    let memory = left.sandbox.memoryUsedBytes()
    instance.lodging.vacate()
    left.tenant.current = nil
    left.sandbox.forgetMemoryPeak()
    host.ends.instanceGone(instance, memoryUsedBytes: memory, in: host)
    left.cleared.succeed()
    // As long as an instance may be idle, its environment may be without one.
    let (tenant, now) = (left.tenant, host.clock.now())
    left.vacantSince = now
    _ = host.schedule(after: host[function].configuration.idleLimit) { host in
      host.lodgings.idleLimitPassed(tenant, since: now, of: function, in: host)
    }
  }

  private func idleLimitPassed(
    _ tenant: SandboxTenant, since time: Timestamp, of function: FunctionIndex, in host: isolated HostCore
  ) {
    let left = vacant[function.position].all.first { $0.tenant === tenant && $0.vacantSince == time }
    guard let left, vacant[function.position].remove(left) else { return }
    giveUp(left, of: function, in: host)
  }

  // MARK: Without an instance

  /// A sandbox that no instance has is to go, or has gone.
  private func giveUp(_ left: VacantSandbox, of function: FunctionIndex, in host: isolated HostCore) {
    // Its last instance ends it, if it is not through with it.
    guard let key = left.tenant.current, let instance = host[function].instances[key] else {
      return left.sandbox.kill()
    }
    instance.lodging.isSound = false
    if left.isBeingCleared { end(instance, in: host) }
  }

  /// A sandbox has ended without being asked to.
  private func vacantGone(_ tenant: SandboxTenant, of function: FunctionIndex) {
    guard let left = vacant[function.position].all.first(where: { $0.tenant === tenant }) else { return }
    _ = vacant[function.position].remove(left)
  }

  /// The settings of a version changed: what was left of its instances is not for those with the new ones.
  func giveUpAll(of version: FunctionVersion, _ function: FunctionIndex, in host: isolated HostCore) {
    for left in vacant[function.position].removeAll(of: version) { giveUp(left, of: function, in: host) }
  }

  /// Ends what is left of the sandboxes. Completes when no process of theirs is left.
  func stop(on loop: any EventLoop) -> EventLoopFuture<Void> { sandboxes.stop(on: loop) }
}
