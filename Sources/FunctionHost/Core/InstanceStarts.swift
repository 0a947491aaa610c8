import HTTPServer
import HostRules
import LambdaAPI
import LambdaRecords
import Lifecycle
import Logging
import NIOCore
import Sandboxes

/// Starts instances and follows them until they are initialized, or are given up. Used on the host's loop.
final class InstanceStarts {
  /// The functions whose newest initialization failed.
  private let failures: StartFailures

  init(_ failures: StartFailures) { self.failures = failures }

  /// Starts an instance: first its Runtime API, then its process, which is told where that is.
  func startInstance(
    _ instance: Instance, inside invocation: Invocation?, at now: Timestamp, in host: isolated HostCore
  ) {
    let (function, key) = (instance.function, instance.key)
    host[function].instances[key] = instance
    host.reporter.starting(instance, hasExtensions: !host[function].extensionNames.isEmpty)
    if let invocation {
      invocation.isCold = true
      host.begin(invocation, in: instance, at: now)
    }
    RuntimeAPI.bind(InstanceVisitors.address(using: &host.generator), for: function, key, of: host).whenComplete {
      result in
      host.assumeIsolated { $0.starts.runtimeAPIBound(function, key, result, in: $0) }
    }
  }

  private func runtimeAPIBound(
    _ function: FunctionIndex, _ key: InstanceKey, _ result: Result<HTTPServer, any Error>, in host: isolated HostCore
  ) {
    guard let instance = host[function].instances[key] else {
      if case .success(let server) = result { _ = server.close() }
      return
    }
    let now = host.clock.now()
    // Ended while its Runtime API was being bound: there is no process, and nothing was said about it yet.
    guard instance.machine.start(at: now) else {
      if case .success(let server) = result { _ = server.close() }
      host.ends.forget(instance, in: host)
      return
    }
    instance.reports.logStream =
      host.lodgings.assign(instance, in: host)
      ?? LogStreamName(of: instance.id, version: instance.version.text, at: now).text
    host.emit(
      instance,
      .instanceStarted(
        InstanceStarted(
          time: now, initializationType: instance.initializationType,
          memoryLimitBytes: host[function].memoryBytes(of: instance.version))))
    host.reporter.tellInitStart(of: instance, at: now, in: host)
    switch result {
    case .success(let server):
      instance.server = server
      host.lodgings.moveIn(instance, in: host)
    case .failure(let error):
      host.lodgings.decline(instance, in: host)
      couldNotStart(instance, error, at: now, in: host)
    }
  }

  /// The instance has its sandbox.
  func lodged(_ instance: Instance, in host: isolated HostCore) {
    // From here on: when a thousand start at once, the time until the machine has made each its sandbox is not the function's.
    if !instance.isBound { limitInitialization(of: instance, in: host) }
    startPrograms(of: instance, in: host)
  }

  /// Starts the programs of an instance whose sandbox is there: the extensions if it has any, else the runtime.
  func startPrograms(of instance: Instance, in host: isolated HostCore) {
    let names = host[instance.function].extensionNames
    guard !names.isEmpty else { return startRuntime(of: instance, in: host) }
    instance.extensions = InstanceExtensions(externals: names)
    for name in names { startExtension(name, of: instance, in: host) }
  }

  private func startExtension(_ name: String, of instance: Instance, in host: isolated HostCore) {
    let state = host[instance.function]
    let own = state.layerExtensions.contains(name) ? LayerFolders.extensions : state.configuration.extensions
    guard let directory = own else { return }
    let (function, key) = (instance.function, instance.key)
    let specification = ProcessSpecification(
      command: ["\(directory)/\(name)"], environment: environment(of: instance, in: host).extensionVariables,
      directory: directory)
    instance.lodging.sandbox?.launch(.extension(name), specification).whenFailure { error in
      host.assumeIsolated { core in
        guard let instance = core[function].instances[key] else { return }
        core.extensions.extensionEnded(name, of: instance, "Extension.LaunchError", "\(error)", in: core)
      }
    }
  }

  func startRuntime(of instance: Instance, in host: isolated HostCore) {
    guard let sandbox = instance.lodging.sandbox, !instance.machine.isEnding else { return }
    let (function, key) = (instance.function, instance.key)
    instance.machine.runtimeStarted()
    sandbox.launch(.runtime, specification(of: instance, in: host)).whenFailure { error in
      host.assumeIsolated { core in
        guard let instance = core[function].instances[key] else { return }
        instance.machine.runtimeEnded()
        core.starts.couldNotStart(instance, error, at: core.clock.now(), in: core)
      }
    }
  }

  func couldNotStart(_ instance: Instance, _ error: any Error, at now: Timestamp, in host: isolated HostCore) {
    // It may be the sandbox that is to blame.
    instance.lodging.isSound = false
    // Ended while it was being started: that was the host's own will.
    if instance.machine.isInitializing {
      host.logger.error(
        "An instance cannot be started.",
        metadata: ["function": "\(host[instance.function].id.name)", "error": "\(error)"])
      initializationFailed(instance, .error, at: now, in: host) { .notStarted($0, error) }
    }
    if instance.lodging.sandbox == nil { host.ends.sandboxGone(instance.function, instance.key, nil, in: host) }
  }

  /// The runtime's program.
  func specification(of instance: Instance, in host: isolated HostCore) -> ProcessSpecification {
    let function = host[instance.function].configuration
    return ProcessSpecification(
      command: function.command, environment: environment(of: instance, in: host).variables,
      directory: function.directory)
  }

  func environment(of instance: Instance, in host: isolated HostCore) -> InstanceEnvironment {
    let function = host[instance.function]
    var environment = InstanceEnvironment(
      function: function.configuration, own: function.environment(of: instance.version), instance: instance.id,
      runtimeAPI: instance.server?.endpoint ?? "", memoryBytes: function.memoryBytes(of: instance.version),
      version: instance.version, initializationType: instance.initializationType,
      base: host.configuration.baseEnvironment)
    environment.logStream = instance.reports.logStream
    environment.identity = host.identity
    return environment
  }

  private func limitInitialization(of instance: Instance, in host: isolated HostCore) {
    let (function, key) = (instance.function, instance.key)
    let limit = initializationLimit(of: instance, in: host)
    instance.restartTimer(
      host.schedule(after: limit) { core in
        guard let instance = core[function].instances[key], instance.machine.isInitializing else { return }
        core.starts.initializationFailed(instance, .timeout, at: core.clock.now(), in: core) { request in
          .timedOut(request, after: limit, source: .initialization)
        }
      })
  }

  /// A provisioned instance has longer, because nobody waits for it.
  private func initializationLimit(of instance: Instance, in host: isolated HostCore) -> Nanoseconds {
    let function = host[instance.function]
    switch instance.key.pool {
    case .onDemand: return function.configuration.initializationLimit
    case .provisioned:
      return min(
        FunctionSpecification.timeoutMax,
        max(function.configuration.provisionedInitializationLimit, function.timeout(of: instance.version)))
    }
  }

  /// The repeated initialization inside an invocation took all the time that the invocation has.
  func boundInitializationOverran(_ instance: Instance, at now: Timestamp, in host: isolated HostCore) {
    let timeout = instance.invocation?.timeout ?? host[instance.function].timeout(of: instance.version)
    initializationFailed(instance, .timeout, at: now, in: host) {
      .timedOut($0, after: timeout, source: .initialization)
    }
  }

  /// An initialization is over without success; the instance is ended, and what waits for it has another, or this error.
  func initializationFailed(
    _ instance: Instance, _ status: InitializationStatus, at now: Timestamp, killAfter grace: Nanoseconds = .zero,
    in host: isolated HostCore,
    fault: (RequestID) -> FunctionFault
  ) {
    reportInitialization(of: instance, status, at: now, in: host)
    host.reporter.tellInitialized(
      instance, status == .timeout ? .timeout : .error,
      status == .timeout ? nil : fault(RequestID(.zero)).errorType, at: now, in: host)
    let consequence =
      instance.isProvisioned
      ? "The provisioned pool tries again"
      : instance.isBound ? "The invocation fails" : "The host tries again inside the next invocation that waits"
    noteStartFailure(of: instance, status, fault(RequestID(.zero)), consequence: consequence, at: now, in: host)
    if let invocation = instance.invocation {
      let fault = fault(invocation.request)
      host.reporter.tellReport(instance, endingIn: fault, at: now, in: host)
      host.finish(invocation, in: instance, .failure(fault), at: now)
    }
    host.ends.end(instance, status == .timeout ? .timeout : .failure, at: now, killAfter: grace, in: host)
    host.dispatcher.tell(.initializationFailed(status), of: instance, at: now, in: host)
  }

  private func reportInitialization(
    of instance: Instance, _ status: InitializationStatus, at now: Timestamp, in host: isolated HostCore
  ) {
    guard let startedAt = instance.machine.startedAt else { return }
    host.emit(
      instance,
      .instanceReady(
        InstanceReady(
          time: now, duration: now - startedAt, initializationType: instance.initializationType,
          phase: instance.isBound ? .invocation : .initialization, status: status)))
  }

  /// The first `next` of the runtime, and of every extension.
  func initialized(_ instance: Instance, at now: Timestamp, in host: isolated HostCore) {
    instance.machine.becomeReady(at: now)
    failures[host[instance.function].id.name] = nil
    if !instance.isBound { instance.restartTimer(nil) }
    reportInitialization(of: instance, .success, at: now, in: host)
    host.reporter.tellInitialized(instance, .success, nil, at: now, in: host)
    host.becameAvailable(instance, at: now)
  }

  // MARK: Failures

  /// Takes note of an initialization that failed, and says why.
  ///
  /// - Parameter consequence: What comes of it.
  func noteStartFailure(
    of instance: Instance, _ status: InitializationStatus, _ fault: FunctionFault, consequence: String,
    at now: Timestamp, in host: isolated HostCore
  ) {
    let name = host[instance.function].id.name
    let failure = StartFailure(status, fault, output: instance.reports.startOutput, at: now)
    failures[name] = failure
    let log = host.reporter.logs == nil ? "" : " The whole log: kelvin logs \(name)"
    host.logger.warning(
      "The function \(name) cannot start: \(failure.text). \(consequence).\(log)",
      metadata: ["function": "\(name)", "status": "\(status.name)"])
  }
}
