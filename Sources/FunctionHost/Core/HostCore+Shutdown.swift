import HTTPServer
import HostRules
import Lifecycle
import NIOCore
import NIOHTTP1
import Sandboxes

extension HostCore {
  /// Ends the programs of an instance.
  ///
  /// Without extensions that is SIGKILL at once: an idle runtime waits for an event and has nothing to lose, and every
  /// other reason to end an instance is that it can no longer be trusted. With extensions it has steps, and a budget.
  ///
  /// - Parameter grace: How long a runtime that ends by itself is given for that.
  func shutDown(_ instance: Instance, killAfter grace: Nanoseconds, at now: Timestamp) {
    releaseHeldSlot(of: instance)
    switch instance.machine.end?.manner {
    case .inSteps:
      if grace == .zero { announceVacancy(of: instance) }
      instance.telemetry?.flush()
      let isAlive = instance.machine.runtime == .running
      perform(instance.extensions?.machine.end(isRuntimeAlive: isAlive) ?? [], endOf: instance, at: now)
    case .byItself:
      _ = instance.extensions?.machine.end(isRuntimeAlive: false)
      let (function, key) = (instance.function, instance.key)
      instance.restartTimer(
        schedule(after: grace) { core in
          if let instance = core[function].instances[key] { core.killAll(instance) }
        })
      dismiss(instance)
    case .atOnce, nil:
      _ = instance.extensions?.machine.end(isRuntimeAlive: false)
      killAll(instance)
    }
  }

  /// Does the steps of an instance's end.
  func perform(_ actions: [ExtensionMachine.Action], endOf instance: Instance, at now: Timestamp) {
    for action in actions {
      switch action {
      case .terminateRuntime(let time):
        if instance.machine.end?.isByItself != true { instance.sandbox?.signal(.runtime, .terminate) }
        wait(time, endOf: instance)
      case .killRuntime: instance.sandbox?.signal(.runtime, .kill)
      case .killExtension(let name): instance.sandbox?.signal(.extension(name), .kill)
      case .await(let time): wait(time, endOf: instance)
      case .finish: killAll(instance)
      case .tellShutdown(let told):
        for identifier in told { tellShutdown(identifier, of: instance) }
      }
    }
  }

  /// The runtime of an instance that ends is gone.
  func runtimeEnded(whileEnding instance: Instance, at now: Timestamp) {
    guard let deadline = instance.machine.end?.extensionsDeadline else { return killAll(instance) }
    let left = max(.zero, deadline - now)
    perform(instance.extensions?.machine.runtimeExited(left: left) ?? [], endOf: instance, at: now)
  }

  /// How long an extension's end is kept from it at most while its listener has not acknowledged what happened before.
  private static let lastWordsLimit = TimeAmount.milliseconds(500)

  /// Answers a call that waits with the end, once the extension has been told what led to it: the reports of its telemetry.
  func tellShutdown(_ identifier: Identifier128, of instance: Instance) {
    let name = instance.extensions?.machine.member(identifier)?.name
    // The runtime's last words, too.
    instance.telemetry?.flush()
    guard let subscriber = instance.telemetry?.subscribers.first(where: { $0.name == name }), !subscriber.isIdle else {
      return answerShutdown(identifier, of: instance)
    }
    let (function, key) = (instance.function, instance.key)
    let told = loop.makePromise(of: Void.self)
    subscriber.idle().cascade(to: told)
    let timer = loop.scheduleTask(in: HostCore.lastWordsLimit) { told.succeed() }
    told.futureResult.whenComplete { _ in
      timer.cancel()
      self.assumeIsolated { core in
        if let instance = core[function].instances[key] { core.answerShutdown(identifier, of: instance) }
      }
    }
  }

  private func answerShutdown(_ identifier: Identifier128, of instance: Instance) {
    let event = ExtensionsAPI.shutdown(
      ShutdownReason(instance.machine.end?.reason ?? .failure),
      deadline: clock.wallTime(of: instance.machine.end?.extensionsDeadline ?? clock.now()),
      event: newRequestID().value)
    instance.extensions?.answer(identifier, event)
  }

  private func wait(_ time: Nanoseconds, endOf instance: Instance) {
    let (function, key) = (instance.function, instance.key)
    instance.restartTimer(
      schedule(after: time) { core in
        guard let instance = core[function].instances[key] else { return }
        core.perform(instance.extensions?.machine.timePassed() ?? [], endOf: instance, at: core.clock.now())
      })
  }

  func killAll(_ instance: Instance) {
    instance.restartTimer(nil)
    instance.machine.kill(at: clock.now())
    // Calls that wait are let go of once all is gone: who is killed is not to see an answer first.
    endSandbox(of: instance)
  }

  /// Lets go of the calls that wait for an event.
  func dismiss(_ instance: Instance) {
    let response = HTTPResponse(status: .internalServerError, closesConnection: true)
    instance.parked?.succeed(response)
    instance.parked = nil
    let parked = instance.extensions?.parked ?? [:]
    instance.extensions?.parked = [:]
    for promise in parked.values { promise.succeed(response) }
  }
}
