import HTTPServer
import HostRules
import Lifecycle
import Logging
import NIOCore
import NIOHTTP1
import Sandboxes

extension HostCore {
  // MARK: Start

  /// Starts the programs of an instance whose sandbox is there: the extensions if it has any, else the runtime.
  func startPrograms(of instance: Instance) {
    let names = self[instance.function].extensionNames
    guard !names.isEmpty else { return startRuntime(of: instance) }
    instance.extensions = InstanceExtensions(externals: names)
    for name in names { startExtension(name, of: instance) }
  }

  private func startExtension(_ name: String, of instance: Instance) {
    let state = self[instance.function]
    let own = state.layerExtensions.contains(name) ? LayerFolders.extensions : state.configuration.extensions
    guard let directory = own, let api = instance.server?.endpoint else { return }
    let (function, key) = (instance.function, instance.key)
    let specification = ProcessSpecification(
      command: ["\(directory)/\(name)"], environment: environment(of: instance, api: api).extensionVariables,
      directory: directory)
    instance.sandbox?.launch(.extension(name), specification).whenFailure { error in
      self.assumeIsolated { core in
        guard let instance = core[function].instances[key] else { return }
        core.extensionEnded(name, of: instance, "Extension.LaunchError", "\(error)")
      }
    }
  }

  // MARK: Calls

  /// A call of an extension. One that waits is completed when there is an event.
  func extensionCalled(
    _ route: ExtensionsAPI.Route, _ request: HTTPRequest, _ promise: EventLoopPromise<HTTPResponse>,
    from instance: Instance
  ) {
    do {
      switch route {
      case .register: promise.succeed(try register(request, in: instance))
      case .next: try extensionNext(ExtensionsAPI.identifier(request), ParkedCall(request, promise), in: instance)
      case .initializationError: promise.succeed(try extensionFailed(request, .initializationError, in: instance))
      case .exitError: promise.succeed(try extensionFailed(request, .exitError, in: instance))
      }
    } catch let refusal as ExtensionsAPI.Refusal {
      promise.succeed(refusal.response)
    } catch let refusal as ExtensionMachine.Refusal {
      promise.succeed(refusal.response)
    } catch {
      promise.succeed(RuntimeAPI.error(.internalServerError, "Extension.InternalServerError", "\(error)"))
    }
  }

  private func register(_ request: HTTPRequest, in instance: Instance) throws -> HTTPResponse {
    let registration = try ExtensionsAPI.registration(request)
    // An internal extension may be the first that is heard of.
    var extensions = instance.extensions ?? InstanceExtensions(externals: [])
    if !instance.machine.isRuntimeInitializing { extensions.machine.closeRegistration() }
    let identifier = newRequestID().value
    try extensions.machine.register(registration.name, registration.events, as: identifier)
    if instance.extensions == nil { openTelemetry(of: instance) }
    instance.extensions = extensions
    if extensions.machine.areExternalsRegistered, instance.machine.runtime != .running { startRuntime(of: instance) }
    let function = self[instance.function]
    let variables = environment(of: instance, api: "")
    return ExtensionsAPI.registered(
      registration, as: identifier, function: function.id.name, version: instance.version.text,
      handler: variables.handler, account: identity.account)
  }

  /// An internal extension is the first that is heard of: what happened to its instance so far is told after the fact.
  private func openTelemetry(of instance: Instance) {
    guard instance.telemetry == nil, instance.machine.isInitializing else { return }
    instance.telemetry = InstanceTelemetry()
    tellStart(of: instance)
    tellInitStart(of: instance, at: instance.machine.startedAt ?? clock.now())
  }

  private func extensionNext(
    _ identifier: Identifier128, _ call: ParkedCall, in instance: Instance
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
      tellState(of: member, in: instance, at: clock.now())
    }
    extensions.parked[identifier] = call
    instance.extensions = extensions
    if reply == .shutdown { tellShutdown(identifier, of: instance) }
    extensionsMayBeDone(instance)
  }

  private func extensionFailed(
    _ request: HTTPRequest, _ state: ExtensionMachine.State, in instance: Instance
  ) throws -> HTTPResponse {
    let identifier = try ExtensionsAPI.identifier(request)
    let reported = try ExtensionsAPI.errorType(request)
    guard let name = instance.extensions?.machine.member(identifier)?.name else {
      throw ExtensionMachine.Refusal.unknown(identifier)
    }
    try instance.extensions?.machine.fail(identifier, state)
    let type = state == .initializationError ? "Extension.InitError" : "Extension.ExitError"
    extensionBroke(name, of: instance, type, "the extension \(name) reported \(reported)")
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

  private func extensionsMayBeDone(_ instance: Instance) {
    guard instance.machine.isAwaitingExtensions, instance.extensions?.isSettled == true else { return }
    let now = clock.now()
    if instance.machine.isInitializing { initialized(instance, at: now) } else { settled(instance, at: now) }
  }

  /// Tells extensions of an event that its runtime is given.
  func tellExtensions(of invocation: Invocation, in instance: Instance, deadline: Timestamp) {
    guard let told = instance.extensions?.machine.handOver() else { return }
    for identifier in told {
      instance.extensions?.answer(
        identifier,
        ExtensionsAPI.invoke(
          request: invocation.request, arn: invocation.submission.arn, trace: invocation.submission.trace,
          deadline: deadline, event: newRequestID().value))
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
  func releaseHeldSlot(of instance: Instance) {
    guard let invocation = instance.extensions?.held else { return }
    instance.extensions?.held = nil
    releaseSlot(of: invocation)
  }

  // MARK: Failures

  /// The program of an extension is gone.
  func extensionEnded(_ name: String, of instance: Instance, _ type: String, _ message: String) {
    guard let actions = instance.extensions?.machine.exited(name) else {
      return extensionBroke(name, of: instance, type, message)
    }
    perform(actions, endOf: instance, at: clock.now())
  }

  /// Without one of its extensions an instance is nothing.
  private func extensionBroke(_ name: String, of instance: Instance, _ type: String, _ message: String) {
    guard !instance.machine.isEnding else { return }
    let now = clock.now()
    logger.warning(
      "An extension failed, and its instance is ended.",
      metadata: [
        "function": "\(self[instance.function].id.name)", "extension": "\(name)", "type": "\(type)",
        "message": "\(message)",
      ])
    if let member = instance.extensions?.machine.members.first(where: { $0.name == name }) {
      let state = type == "Extension.LaunchError" ? "LaunchError" : member.state.rawValue
      tellState(of: member, state, errorType: type, in: instance, at: now)
    }
    let fault = { (request: RequestID) -> FunctionFault in .extensionFailed(request, type, message) }
    guard !instance.machine.isInitializing else { return initializationFailed(instance, .error, at: now, fault: fault) }
    if let invocation = instance.invocation {
      finish(invocation, in: instance, .failure(fault(invocation.request)), at: now)
    }
    tellReport(instance, endingIn: fault(instance.progress?.request ?? RequestID(.zero)), at: now)
    remove(instance, .failure, at: now)
  }
}
