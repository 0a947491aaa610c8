import HTTPServer
import HostRules
import LambdaAPI
import Lifecycle
import Logging
import NIOCore
import NIOHTTP1
import Sandboxes

/// Ends instances, whether they are to be ended or end by themselves, until nothing of them is left. Used on the host's
/// loop.
final class InstanceEnds {
  /// Completes when no instance is left; set while the host stops.
  private var whenEmpty: EventLoopPromise<Void>?

  /// Ends every instance, because the host stops.
  ///
  /// - Returns: Completes when none is left.
  func endAll(at now: Timestamp, in host: isolated HostCore) -> EventLoopPromise<Void> {
    let promise = host.loop.makePromise(of: Void.self)
    whenEmpty = promise
    for function in host.functions {
      for instance in function.instances.values { remove(instance, .shutdown, at: now, in: host) }
    }
    if host.functions.allSatisfy(\.instances.isEmpty) { promise.succeed() }
    return promise
  }

  /// Ends an instance that its pool still counts.
  func remove(
    _ instance: Instance, _ reason: StopReason, at now: Timestamp, killAfter grace: Nanoseconds = .zero,
    in host: isolated HostCore
  ) {
    end(instance, reason, at: now, killAfter: grace, in: host)
    host.dispatcher.tell(.removed, of: instance, at: now, in: host)
  }

  /// Ends an instance that its pool has forgotten, or forgets with this.
  func end(
    _ instance: Instance, _ reason: StopReason, at now: Timestamp, killAfter grace: Nanoseconds = .zero,
    in host: isolated HostCore
  ) {
    if !instance.machine.isEnding {
      instance.restartTimer(nil)
      host.reporter.tellReport(instance, endingFor: reason, at: now, in: host)
      host.thaw(instance)
    }
    let budget = instance.extensions?.machine.budget ?? .zero
    switch instance.machine.end(reason, within: grace, budget: budget, at: now) {
    case .begin(let overlapsEnded):
      for request in overlapsEnded { host.overlapEnded(request, in: instance, at: now) }
      shutDown(instance, killAfter: grace, at: now, in: host)
    case .kill: killAll(instance, in: host)
    case .nothing: break
    }
  }

  /// A program of the instance is gone. Without its runtime an instance is nothing: the rest is ended, too.
  func programEnded(
    _ program: InstanceProgram, _ ending: ProcessExit.Status, _ function: FunctionIndex, _ key: InstanceKey,
    in host: isolated HostCore
  ) {
    guard let instance = host[function].instances[key] else { return }
    // Memory is the instance's: which of its programs the kernel names first says nothing.
    if case .extension(let name) = program, ending != .outOfMemory || instance.machine.isEnding {
      return host.extensions.extensionEnded(name, of: instance, "Extension.Crash", ending.extensionSentence, in: host)
    }
    let now = host.clock.now()
    if program == .runtime { instance.machine.runtimeEnded() }
    if ending == .outOfMemory { instance.lodging.isSound = false }
    let fault = { (request: RequestID) -> FunctionFault in .exited(request, ending) }
    switch instance.machine.phase {
    case .created, .initializing: host.starts.initializationFailed(instance, .error, at: now, in: host, fault: fault)
    case .serving(let service): serviceFailed(instance, in: service.activity, at: now, in: host, fault: fault)
    // It ended by itself within its grace, or as it was asked to.
    case .ending: runtimeEnded(whileEnding: instance, at: now, in: host)
    }
    if case .extension(let name) = program {
      host.extensions.extensionEnded(name, of: instance, "Extension.Crash", ending.extensionSentence, in: host)
    } else {
      host.reporter.outputEnded(of: instance)
    }
  }

  /// A program of an instance that serves is gone, and the rest of it is ended.
  private func serviceFailed(
    _ instance: Instance, in activity: InstanceMachine.Activity, at now: Timestamp, in host: isolated HostCore,
    fault: (RequestID) -> FunctionFault
  ) {
    switch activity {
    case .running:
      if let invocation = instance.invocation {
        host.finish(invocation, in: instance, .failure(fault(invocation.request)), at: now)
      }
      remove(instance, .failure, at: now, in: host)
    // A program that knows nothing of the abort signal ends of it.
    case .overdue where host[instance.function].configuration.abortSignal != nil:
      remove(instance, .timeout, at: now, in: host)
    case .idle, .frozen, .overdue, .answered, .awaitingExtensions:
      host.reporter.tellReport(
        instance, endingIn: fault(instance.reports.progress?.request ?? RequestID(.zero)), at: now, in: host)
      remove(instance, .failure, at: now, in: host)
    }
  }

  /// Nothing is left of the instance; `nil`: there never was anything.
  func sandboxGone(
    _ function: FunctionIndex, _ key: InstanceKey, _ summary: SandboxSummary?, in host: isolated HostCore
  ) {
    guard let instance = host[function].instances[key] else { return }
    host.lodgings.withdraw(instance)
    if instance.machine.isInitializing {
      // Ended from outside, before any of its programs could tell.
      host.starts.couldNotStart(
        instance, ProcessError(code: .launcher, message: "The sandbox has ended."), at: host.clock.now(), in: host)
      guard host[function].instances[key] != nil else { return }
    }
    if summary?.isOutOfStorage == true {
      host.logger.warning(
        "An instance kept more temporary files than its limit and was ended.",
        metadata: [
          "function": "\(host[function].id.name)",
          "limit": "\(host[function].temporaryStorageBytes(of: instance.version))",
        ])
    }
    if summary?.isOutOfMemory == true {
      host.logger.warning(
        "An instance held more than its memory limit and was ended.",
        metadata: [
          "function": "\(host[function].id.name)", "limit": "\(host[function].memoryBytes(of: instance.version))",
          "instance": "\(instance.id.value.uuidText)",
        ])
    }
    instanceGone(instance, memoryUsedBytes: summary?.memoryUsedBytes ?? 0, in: host)
  }

  /// Nothing of the instance runs any more.
  func instanceGone(_ instance: Instance, memoryUsedBytes: Int64, in host: isolated HostCore) {
    host.reporter.reportDropped(of: instance, in: host)
    let now = host.clock.now()
    instance.noteMemory(memoryUsedBytes, at: now)
    // It stopped when it was killed. That the kernel takes some milliseconds to clear away is not its life: the instance that
    // was started in its place meanwhile is not a second one at once.
    let stopped = instance.machine.end?.killedAt ?? now
    host.emit(
      instance,
      .instanceStopped(
        InstanceStopped(
          time: stopped, reason: instance.machine.end?.reason ?? .failure,
          lifetime: stopped - (instance.machine.startedAt ?? stopped),
          invocationsServed: instance.servedCount)))
    forget(instance, in: host)
  }

  /// Nothing of the instance is left, or there never was anything.
  func forget(_ instance: Instance, in host: isolated HostCore) {
    instance.restartTimer(nil)
    dismiss(instance)
    host.reporter.ended(instance)
    _ = instance.server?.drain(within: .milliseconds(100))
    host[instance.function].instances[instance.key] = nil
    if host.isStopping, host.functions.allSatisfy(\.instances.isEmpty) { whenEmpty?.succeed() }
  }

  // MARK: Its steps

  /// Ends the programs of an instance.
  ///
  /// Without extensions that is SIGKILL at once: an idle runtime waits for an event and has nothing to lose, and every
  /// other reason to end an instance is that it can no longer be trusted. With extensions it has steps, and a budget.
  ///
  /// - Parameter grace: How long a runtime that ends by itself is given for that.
  func shutDown(_ instance: Instance, killAfter grace: Nanoseconds, at now: Timestamp, in host: isolated HostCore) {
    host.extensions.releaseHeldSlot(of: instance, in: host)
    switch instance.machine.end?.manner {
    case .inSteps:
      if grace == .zero { host.lodgings.announceVacancy(of: instance, in: host) }
      instance.reports.telemetry?.flush()
      let isAlive = instance.machine.runtime == .running
      perform(instance.extensions?.machine.end(isRuntimeAlive: isAlive) ?? [], endOf: instance, at: now, in: host)
    case .byItself:
      _ = instance.extensions?.machine.end(isRuntimeAlive: false)
      let (function, key) = (instance.function, instance.key)
      instance.restartTimer(
        host.schedule(after: grace) { core in
          if let instance = core[function].instances[key] { core.ends.killAll(instance, in: core) }
        })
      dismiss(instance)
    case .atOnce, nil:
      _ = instance.extensions?.machine.end(isRuntimeAlive: false)
      killAll(instance, in: host)
    }
  }

  /// Does the steps of an instance's end.
  func perform(
    _ actions: [ExtensionMachine.Action], endOf instance: Instance, at now: Timestamp, in host: isolated HostCore
  ) {
    for action in actions {
      switch action {
      case .terminateRuntime(let time):
        if instance.machine.end?.isByItself != true { instance.lodging.sandbox?.signal(.runtime, .terminate) }
        wait(time, endOf: instance, in: host)
      case .killRuntime: instance.lodging.sandbox?.signal(.runtime, .kill)
      case .killExtension(let name): instance.lodging.sandbox?.signal(.extension(name), .kill)
      case .await(let time): wait(time, endOf: instance, in: host)
      case .finish: killAll(instance, in: host)
      case .tellShutdown(let told):
        for identifier in told { host.extensions.tellShutdown(identifier, of: instance, in: host) }
      }
    }
  }

  /// The runtime of an instance that ends is gone.
  func runtimeEnded(whileEnding instance: Instance, at now: Timestamp, in host: isolated HostCore) {
    guard let deadline = instance.machine.end?.extensionsDeadline else { return killAll(instance, in: host) }
    let left = max(.zero, deadline - now)
    perform(instance.extensions?.machine.runtimeExited(left: left) ?? [], endOf: instance, at: now, in: host)
  }

  private func wait(_ time: Nanoseconds, endOf instance: Instance, in host: isolated HostCore) {
    let (function, key) = (instance.function, instance.key)
    instance.restartTimer(
      host.schedule(after: time) { core in
        guard let instance = core[function].instances[key] else { return }
        core.ends.perform(
          instance.extensions?.machine.timePassed() ?? [], endOf: instance, at: core.clock.now(), in: core)
      })
  }

  func killAll(_ instance: Instance, in host: isolated HostCore) {
    instance.restartTimer(nil)
    instance.machine.kill(at: host.clock.now())
    // Calls that wait are let go of once all is gone: who is killed is not to see an answer first.
    host.lodgings.end(instance, in: host)
  }

  /// Lets go of the calls that wait for an event.
  func dismiss(_ instance: Instance) {
    let response = HTTPResponse(status: .internalServerError, closesConnection: true)
    instance.runtime.dismiss(with: response)
    let parked = instance.extensions?.parked ?? [:]
    instance.extensions?.parked = [:]
    for promise in parked.values { promise.succeed(response) }
  }
}
