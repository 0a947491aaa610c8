import HTTPServer
import HostRules
import LambdaAPI
import Lifecycle
import Logging
import NIOCore
import NIOHTTP1
import Sandboxes

/// Answers the calls of extensions, tells them what happens to their instances, and follows what they do. Used on the
/// host's loop.
///
/// What there is of an instance's extensions is in its ``InstanceExtensions``.
final class ExtensionCalls {
  // MARK: Calls

  /// Does what an extension asks for; what that throws is its answer.
  func answer(_ call: InstanceCall, _ body: () throws -> Void) {
    do {
      try body()
    } catch let refusal as ExtensionsAPI.Refusal {
      call.promise.succeed(refusal.response)
    } catch let refusal as ExtensionMachine.Refusal {
      call.promise.succeed(refusal.response)
    } catch {
      call.promise.succeed(RuntimeAPI.error(.internalServerError, "Extension.InternalServerError", "\(error)"))
    }
  }

  func register(_ request: HTTPRequest, in instance: Instance, in host: isolated HostCore) throws
    -> HTTPResponse
  {
    let registration = try ExtensionsAPI.registration(request)
    // An internal extension may be the first that is heard of.
    var extensions = instance.extensions ?? InstanceExtensions(externals: [])
    if !instance.machine.isRuntimeInitializing { extensions.machine.closeRegistration() }
    let identifier = host.newRequestID().value
    try extensions.machine.register(registration.name, registration.events, as: identifier)
    if instance.extensions == nil { host.reporter.openTelemetry(of: instance, in: host) }
    instance.extensions = extensions
    if extensions.machine.areExternalsRegistered, instance.machine.runtime != .running {
      host.starts.startRuntime(of: instance, in: host)
    }
    let function = host[instance.function]
    let variables = host.starts.environment(of: instance, in: host)
    return ExtensionsAPI.registered(
      registration, as: identifier, function: function.id.name, version: instance.version.text,
      handler: variables.handler, account: host.identity.account)
  }

  func extensionNext(
    _ identifier: Identifier128, _ call: ParkedCall, in instance: Instance, in host: isolated HostCore
  ) throws {
    guard var extensions = instance.extensions else { throw ExtensionMachine.Refusal.unknown(identifier) }
    // It asks twice, or its connection was lost and it asks again.
    if let parked = extensions.parked[identifier] {
      guard InstanceVisitors.isGone(parked.peer, from: instance.server?.localAddress) else {
        throw ExtensionMachine.Refusal.invalidState(
          from: .ready, to: .ready, name: extensions.machine.member(identifier)?.name ?? "")
      }
      extensions.answer(
        identifier,
        RuntimeAPI.error(.forbidden, "Extension.InvalidExtensionState", "Another call of event/next took its place"))
    }
    let wasInitializing = extensions.machine.member(identifier)?.state == .registered
    let reply = try extensions.machine.next(identifier)
    if wasInitializing, let member = extensions.machine.member(identifier) {
      host.reporter.tellState(of: member, in: instance, at: host.clock.now(), in: host)
    }
    extensions.parked[identifier] = call
    instance.extensions = extensions
    if reply == .shutdown { tellShutdown(identifier, of: instance, in: host) }
    extensionsMayBeDone(instance, in: host)
  }

  func extensionFailed(
    _ request: HTTPRequest, _ state: ExtensionMachine.State, in instance: Instance, in host: isolated HostCore
  ) throws -> HTTPResponse {
    let identifier = try ExtensionsAPI.identifier(request)
    let reported = try ExtensionsAPI.errorType(request)
    guard let name = instance.extensions?.machine.member(identifier)?.name else {
      throw ExtensionMachine.Refusal.unknown(identifier)
    }
    try instance.extensions?.machine.fail(identifier, state)
    let type = state == .initializationError ? "Extension.InitError" : "Extension.ExitError"
    extensionBroke(name, of: instance, type, "the extension \(name) reported \(reported)", in: host)
    return RuntimeAPI.accepted
  }

  // MARK: What follows

  /// The runtime has asked for an event.
  ///
  /// - Returns: Whether extensions have to be waited for.
  func awaitExtensions(of instance: Instance) -> Bool {
    guard instance.extensions != nil else { return false }
    instance.extensions?.machine.closeRegistration()
    return instance.extensions?.isSettled == false
  }

  private func extensionsMayBeDone(_ instance: Instance, in host: isolated HostCore) {
    guard instance.machine.isAwaitingExtensions, instance.extensions?.isSettled == true else { return }
    let now = host.clock.now()
    if instance.machine.isInitializing {
      host.starts.initialized(instance, at: now, in: host)
    } else {
      host.runtimes.settled(instance, at: now, in: host)
    }
  }

  /// Tells extensions of an event that its runtime is given.
  func tellExtensions(of invocation: Invocation, in instance: Instance, deadline: Timestamp, in host: isolated HostCore)
  {
    guard let told = instance.extensions?.machine.handOver() else { return }
    for identifier in told {
      instance.extensions?.answer(
        identifier,
        ExtensionsAPI.invoke(
          request: invocation.request, arn: invocation.submission.arn, trace: invocation.submission.trace,
          deadline: deadline, event: host.newRequestID().value))
    }
  }

  /// Whether the slot of an invocation that has its answer is kept until extensions are done with it.
  func holdsSlot(_ invocation: Invocation, in instance: Instance) -> Bool {
    guard instance.extensions?.machine.takesInvocations == true, instance.extensions?.held == nil,
      instance.machine.readyAt != nil
    else { return false }
    instance.extensions?.held = invocation
    return true
  }

  /// Gives back the slot that was kept for extensions, if one was.
  func releaseHeldSlot(of instance: Instance, in host: isolated HostCore) {
    guard let invocation = instance.extensions?.held else { return }
    instance.extensions?.held = nil
    host.releaseSlot(of: invocation)
  }

  // MARK: Failures

  /// The program of an extension is gone.
  func extensionEnded(
    _ name: String, of instance: Instance, _ type: String, _ message: String, in host: isolated HostCore
  ) {
    guard let actions = instance.extensions?.machine.exited(name) else {
      return extensionBroke(name, of: instance, type, message, in: host)
    }
    host.ends.perform(actions, endOf: instance, at: host.clock.now(), in: host)
  }

  /// Without one of its extensions an instance is nothing.
  private func extensionBroke(
    _ name: String, of instance: Instance, _ type: String, _ message: String, in host: isolated HostCore
  ) {
    guard !instance.machine.isEnding else { return }
    let now = host.clock.now()
    host.logger.warning(
      "An extension failed, and its instance is ended.",
      metadata: [
        "function": "\(host[instance.function].id.name)", "extension": "\(name)", "type": "\(type)",
        "message": "\(message)",
      ])
    if let member = instance.extensions?.machine.members.first(where: { $0.name == name }) {
      let state = type == "Extension.LaunchError" ? "LaunchError" : member.state.rawValue
      host.reporter.tellState(of: member, state, errorType: type, in: instance, at: now, in: host)
    }
    let fault = { (request: RequestID) -> FunctionFault in .extensionFailed(request, type, message) }
    guard !instance.machine.isInitializing else {
      return host.starts.initializationFailed(instance, .error, at: now, in: host, fault: fault)
    }
    if let invocation = instance.invocation {
      host.finish(invocation, in: instance, .failure(fault(invocation.request)), at: now)
    }
    host.reporter.tellReport(
      instance, endingIn: fault(instance.reports.progress?.request ?? RequestID(.zero)), at: now, in: host)
    host.ends.remove(instance, .failure, at: now, in: host)
  }

  // MARK: The end

  /// How long an extension's end is kept from it at most while its listener has not acknowledged what happened before.
  private static let lastWordsLimit = TimeAmount.milliseconds(500)

  /// Answers a call that waits with the end, once the extension has been told what led to it: the reports of its telemetry.
  func tellShutdown(_ identifier: Identifier128, of instance: Instance, in host: isolated HostCore) {
    let name = instance.extensions?.machine.member(identifier)?.name
    // The runtime's last words, too.
    instance.reports.telemetry?.flush()
    guard let subscriber = instance.reports.telemetry?.subscribers.first(where: { $0.name == name }), !subscriber.isIdle
    else {
      return answerShutdown(identifier, of: instance, in: host)
    }
    let (function, key) = (instance.function, instance.key)
    let told = host.loop.makePromise(of: Void.self)
    subscriber.idle().cascade(to: told)
    let timer = host.loop.scheduleTask(in: ExtensionCalls.lastWordsLimit) { told.succeed() }
    told.futureResult.whenComplete { _ in
      timer.cancel()
      host.assumeIsolated { core in
        if let instance = core[function].instances[key] {
          core.extensions.answerShutdown(identifier, of: instance, in: core)
        }
      }
    }
  }

  private func answerShutdown(_ identifier: Identifier128, of instance: Instance, in host: isolated HostCore) {
    let event = ExtensionsAPI.shutdown(
      ShutdownReason(instance.machine.end?.reason ?? .failure),
      deadline: host.clock.wallTime(of: instance.machine.end?.extensionsDeadline ?? host.clock.now()),
      event: host.newRequestID().value)
    instance.extensions?.answer(identifier, event)
  }
}
