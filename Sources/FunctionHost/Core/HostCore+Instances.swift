import HTTPServer
import HostRules
import Lifecycle
import Logging
import NIOCore
import NIOHTTP1
import Sandboxes

extension HostCore {
  /// Starts an instance: first its Runtime API, then its process, which is told where that is.
  func startInstance(_ instance: Instance, inside invocation: Invocation?, at now: Timestamp) {
    let (function, key) = (instance.function, instance.key)
    self[function].instances[key] = instance
    // From the start, so that those that subscribe are told all of it.
    if !self[function].extensionNames.isEmpty { instance.telemetry = InstanceTelemetry() }
    if let invocation {
      invocation.isCold = true
      begin(invocation, in: instance, at: now)
    }
    RuntimeAPI.bind(InstanceVisitors.address(using: &generator), for: function, key, of: self).whenComplete { result in
      self.assumeIsolated { $0.runtimeAPIBound(function, key, result) }
    }
  }

  private func runtimeAPIBound(_ function: FunctionIndex, _ key: InstanceKey, _ result: Result<HTTPServer, any Error>) {
    guard let instance = self[function].instances[key] else {
      if case .success(let server) = result { _ = server.close() }
      return
    }
    let now = clock.now()
    // Ended while its Runtime API was being bound: there is no process, and nothing was said about it yet.
    guard instance.machine.start(at: now) else {
      if case .success(let server) = result { _ = server.close() }
      forget(instance)
      return
    }
    instance.limits = SandboxLimits(
      memoryBytes: self[function].memoryBytes(of: instance.version),
      temporaryStorageBytes: self[function].temporaryStorageBytes(of: instance.version))
    let vacant = self[function].vacantSandboxes.take(for: instance, waits: !instance.isBound)
    instance.logStream =
      vacant?.logStream ?? LogStream.name(of: instance.id, version: instance.version.text, at: now)
    emit(
      instance,
      .instanceStarted(
        InstanceStarted(
          time: now, initializationType: instance.initializationType,
          memoryLimitBytes: self[function].memoryBytes(of: instance.version))))
    tellInitStart(of: instance, at: now)
    let server: HTTPServer
    switch result {
    case .success(let bound): server = bound
    case .failure(let error):
      if let vacant { giveUp(vacant, of: function) }
      couldNotStart(instance, error, at: now)
      return
    }
    instance.server = server
    if let vacant { adopt(vacant, by: instance) } else { makeSandbox(of: instance, api: server.endpoint) }
  }

  /// Makes a sandbox that nobody had before.
  func makeSandbox(of instance: Instance, api: String) {
    let (function, key) = (instance.function, instance.key)
    let tenant = SandboxTenant(key)
    instance.tenant = tenant
    sandboxes.make(
      SandboxSpecification(
        memoryLimitBytes: instance.limits.memoryBytes,
        temporaryStorageLimitBytes: instance.limits.temporaryStorageBytes,
        directory: self[function].configuration.directory,
        paths: specification(of: instance, api: api).paths
          + [self[function].configuration.extensions].compactMap(\.self),
        layers: self[function].configuration.layers), on: loop,
      observer: observer(of: function, tenant)
    ).whenComplete { result in
      self.assumeIsolated { $0.sandboxMade(function, key, result) }
    }
  }

  func sandboxMade(_ function: FunctionIndex, _ key: InstanceKey, _ result: Result<any Sandbox, any Error>) {
    guard let instance = self[function].instances[key] else { return }
    switch result {
    case .success(let sandbox):
      instance.sandbox = sandbox
      guard !instance.machine.isEnding else { return endSandbox(of: instance) }
      // From here on: when a thousand start at once, the time until the machine has made each its sandbox is not the function's.
      if !instance.isBound { limitInitialization(of: instance) }
      startPrograms(of: instance)
    case .failure(let error): couldNotStart(instance, error, at: clock.now())
    }
  }

  func startRuntime(of instance: Instance) {
    guard let sandbox = instance.sandbox, let api = instance.server?.endpoint, !instance.machine.isEnding else {
      return
    }
    let (function, key) = (instance.function, instance.key)
    instance.machine.runtimeStarted()
    sandbox.launch(.runtime, specification(of: instance, api: api)).whenFailure { error in
      self.assumeIsolated { core in
        guard let instance = core[function].instances[key] else { return }
        instance.machine.runtimeEnded()
        core.couldNotStart(instance, error, at: core.clock.now())
      }
    }
  }

  func couldNotStart(_ instance: Instance, _ error: any Error, at now: Timestamp) {
    // It may be the sandbox that is to blame.
    instance.isSandboxSound = false
    // Ended while it was being started: that was the host's own will.
    if instance.machine.isInitializing {
      logger.error(
        "An instance cannot be started.",
        metadata: ["function": "\(self[instance.function].id.name)", "error": "\(error)"])
      initializationFailed(instance, .error, at: now) { .notStarted($0, error) }
    }
    if instance.sandbox == nil { sandboxGone(instance.function, instance.key, nil) }
  }

  private func specification(of instance: Instance, api: String) -> ProcessSpecification {
    let function = self[instance.function].configuration
    return ProcessSpecification(
      command: function.command, environment: environment(of: instance, api: api).variables,
      directory: function.directory)
  }

  func environment(of instance: Instance, api: String) -> InstanceEnvironment {
    let function = self[instance.function]
    var environment = InstanceEnvironment(
      function: function.configuration, own: function.environment(of: instance.version), instance: instance.id,
      runtimeAPI: api, memoryBytes: function.memoryBytes(of: instance.version),
      version: instance.version, initializationType: instance.initializationType, base: configuration.baseEnvironment)
    environment.logStream = instance.logStream
    environment.identity = identity
    return environment
  }

  private nonisolated func observer(of function: FunctionIndex, _ tenant: SandboxTenant) -> SandboxObserver {
    SandboxObserver(
      wrote: { program, lines in
        guard let key = tenant.current else { return }
        self.assumeIsolated { $0.programWrote(lines, program, function, key) }
      },
      dropped: { _, lines, bytes in
        guard let key = tenant.current else { return }
        self.assumeIsolated { $0.outputDropped(lines, bytes, function, key) }
      },
      ended: { program, ending in
        guard let key = tenant.current else { return }
        self.assumeIsolated { $0.programEnded(program, ending, function, key) }
      },
      gone: { summary in
        self.assumeIsolated { core in
          guard let key = tenant.current else { return core.vacantSandboxGone(tenant, of: function) }
          core.sandboxGone(function, key, summary)
        }
      })
  }

  private func limitInitialization(of instance: Instance) {
    let (function, key) = (instance.function, instance.key)
    let limit = initializationLimit(of: instance)
    instance.restartTimer(
      schedule(after: limit) { core in
        guard let instance = core[function].instances[key], instance.machine.isInitializing else { return }
        core.initializationFailed(instance, .timeout, at: core.clock.now()) { request in
          .timedOut(request, after: limit, source: .initialization)
        }
      })
  }

  /// A provisioned instance has longer, because nobody waits for it.
  private func initializationLimit(of instance: Instance) -> Nanoseconds {
    let function = self[instance.function]
    switch instance.key.pool {
    case .onDemand: return function.configuration.initializationLimit
    case .provisioned:
      return min(
        FunctionConfiguration.timeoutMax,
        max(function.configuration.provisionedInitializationLimit, function.timeout(of: instance.version)))
    }
  }

  /// The repeated initialization inside an invocation took all the time that the invocation has.
  func boundInitializationOverran(_ instance: Instance, at now: Timestamp) {
    let timeout = instance.invocation?.timeout ?? self[instance.function].timeout(of: instance.version)
    initializationFailed(instance, .timeout, at: now) { .timedOut($0, after: timeout, source: .initialization) }
  }

  /// An initialization is over without success; the instance is ended, and what waits for it has another, or this error.
  func initializationFailed(
    _ instance: Instance, _ status: InitializationStatus, at now: Timestamp, killAfter grace: Nanoseconds = .zero,
    fault: (RequestID) -> FunctionFault
  ) {
    reportInitialization(of: instance, status, at: now)
    tellInitialized(
      instance, status == .timeout ? .timeout : .error,
      status == .timeout ? nil : fault(RequestID(.zero)).errorType, at: now)
    let consequence =
      instance.isProvisioned
      ? "The provisioned pool tries again"
      : instance.isBound ? "The invocation fails" : "The host tries again inside the next invocation that waits"
    noteStartFailure(of: instance, status, fault(RequestID(.zero)), consequence: consequence, at: now)
    if let invocation = instance.invocation {
      let fault = fault(invocation.request)
      tellReport(instance, endingIn: fault, at: now)
      finish(invocation, in: instance, .failure(fault), at: now)
    }
    end(instance, status == .timeout ? .timeout : .failure, at: now, killAfter: grace)
    tellPool(.initializationFailed(status), of: instance, at: now)
  }

  private func reportInitialization(of instance: Instance, _ status: InitializationStatus, at now: Timestamp) {
    guard let startedAt = instance.machine.startedAt else { return }
    emit(
      instance,
      .instanceReady(
        InstanceReady(
          time: now, duration: now - startedAt, initializationType: instance.initializationType,
          phase: instance.isBound ? .invocation : .initialization, status: status)))
  }

  /// The first `next` of the runtime, and of every extension.
  func initialized(_ instance: Instance, at now: Timestamp) {
    instance.machine.becomeReady(at: now)
    startFailures[self[instance.function].id.name] = nil
    if !instance.isBound { instance.restartTimer(nil) }
    reportInitialization(of: instance, .success, at: now)
    tellInitialized(instance, .success, nil, at: now)
    poolBecameAvailable(instance, at: now)
  }

  /// Ends an instance that its pool has forgotten, or forgets with this.
  func end(_ instance: Instance, _ reason: StopReason, at now: Timestamp, killAfter grace: Nanoseconds = .zero) {
    if !instance.machine.isEnding {
      instance.restartTimer(nil)
      tellReport(instance, endingFor: reason, at: now)
      thaw(instance)
    }
    let budget = instance.extensions?.machine.budget ?? .zero
    switch instance.machine.end(reason, within: grace, budget: budget, at: now) {
    case .begin(let overlapsEnded):
      for request in overlapsEnded { overlapEnded(request, in: instance, at: now) }
      shutDown(instance, killAfter: grace, at: now)
    case .kill: killAll(instance)
    case .nothing: break
    }
  }

  func overlapEnded(_ request: RequestID, in instance: Instance, at now: Timestamp) {
    let id = instance.eventIDs.removeValue(forKey: request) ?? request
    emit(instance, .overlapEnded(OverlapEnded(request: id, time: now)))
    freezeIfIdle(instance)
  }

  private func programWrote(
    _ lines: [String], _ program: InstanceProgram, _ function: FunctionIndex, _ key: InstanceKey
  ) {
    guard let instance = self[function].instances[key] else { return }
    let now = clock.now()
    for line in lines {
      if instance.machine.readyAt == nil { instance.startOutput.append(line) }
      tell(instance, at: now, line: line, of: program)
      logger.debug(
        "\(line)",
        metadata: ["function": "\(self[function].id.name)", "instance": "\(instance.id.value.uuidText)"])
    }
  }

  /// A program wrote faster than its lines were taken.
  private func outputDropped(_ lines: Int, _ bytes: Int, _ function: FunctionIndex, _ key: InstanceKey) {
    logs?.lose(lines, bytes, "they came faster than the host could read them", of: function.position)
    guard let instance = self[function].instances[key] else { return }
    if instance.linesDropped == 0 {
      logger.warning(
        "An instance prints faster than the host can read; lines are dropped.",
        metadata: ["function": "\(self[function].id.name)", "instance": "\(instance.id.value.uuidText)"])
    }
    instance.linesDropped += lines
    instance.bytesDropped += bytes
    tell(instance, at: clock.now(), .logsDropped(records: lines, bytes: bytes, reason: TelemetryBuffer.reason))
  }

  private func reportDropped(of instance: Instance) {
    guard instance.linesDropped > 0 else { return }
    logger.warning(
      "Output of an instance was dropped.",
      metadata: [
        "function": "\(self[instance.function].id.name)", "instance": "\(instance.id.value.uuidText)",
        "lines": "\(instance.linesDropped)", "bytes": "\(instance.bytesDropped)",
      ])
  }

  /// A program of the instance is gone. Without its runtime an instance is nothing: the rest is ended, too.
  private func programEnded(
    _ program: InstanceProgram, _ ending: ProcessExit.Status, _ function: FunctionIndex, _ key: InstanceKey
  ) {
    guard let instance = self[function].instances[key] else { return }
    // Memory is the instance's: which of its programs the kernel names first says nothing.
    if case .extension(let name) = program, ending != .outOfMemory || instance.machine.isEnding {
      return extensionEnded(name, of: instance, "Extension.Crash", ending.extensionSentence)
    }
    let now = clock.now()
    if program == .runtime { instance.machine.runtimeEnded() }
    if ending == .outOfMemory { instance.isSandboxSound = false }
    let fault = { (request: RequestID) -> FunctionFault in .exited(request, ending) }
    switch instance.machine.phase {
    case .created, .initializing: initializationFailed(instance, .error, at: now, fault: fault)
    case .serving(let service): serviceFailed(instance, in: service.activity, at: now, fault: fault)
    // It ended by itself within its grace, or as it was asked to.
    case .ending: runtimeEnded(whileEnding: instance, at: now)
    }
    if case .extension(let name) = program {
      extensionEnded(name, of: instance, "Extension.Crash", ending.extensionSentence)
    } else {
      outputEnded(of: instance)
    }
  }

  /// A program of an instance that serves is gone, and the rest of it is ended.
  private func serviceFailed(
    _ instance: Instance, in activity: InstanceMachine.Activity, at now: Timestamp, fault: (RequestID) -> FunctionFault
  ) {
    switch activity {
    case .running:
      if let invocation = instance.invocation {
        finish(invocation, in: instance, .failure(fault(invocation.request)), at: now)
      }
      remove(instance, .failure, at: now)
    // A program that knows nothing of the abort signal ends of it.
    case .overdue where self[instance.function].configuration.abortSignal != nil: remove(instance, .timeout, at: now)
    case .idle, .frozen, .overdue, .answered, .awaitingExtensions:
      tellReport(instance, endingIn: fault(instance.progress?.request ?? RequestID(.zero)), at: now)
      remove(instance, .failure, at: now)
    }
  }

  /// Nothing is left of the instance; `nil`: there never was anything.
  private func sandboxGone(_ function: FunctionIndex, _ key: InstanceKey, _ summary: SandboxSummary?) {
    guard let instance = self[function].instances[key] else { return }
    withdraw(instance)
    if instance.machine.isInitializing {
      // Ended from outside, before any of its programs could tell.
      couldNotStart(instance, ProcessError(code: .launcher, message: "The sandbox has ended."), at: clock.now())
      guard self[function].instances[key] != nil else { return }
    }
    if summary?.isOutOfStorage == true {
      logger.warning(
        "An instance kept more temporary files than its limit and was ended.",
        metadata: [
          "function": "\(self[function].id.name)",
          "limit": "\(self[function].temporaryStorageBytes(of: instance.version))",
        ])
    }
    if summary?.isOutOfMemory == true {
      logger.warning(
        "An instance held more than its memory limit and was ended.",
        metadata: [
          "function": "\(self[function].id.name)", "limit": "\(self[function].memoryBytes(of: instance.version))",
          "instance": "\(instance.id.value.uuidText)",
        ])
    }
    instanceGone(instance, memoryUsedBytes: summary?.memoryUsedBytes ?? 0)
  }

  /// Nothing of the instance runs any more.
  func instanceGone(_ instance: Instance, memoryUsedBytes: Int64) {
    reportDropped(of: instance)
    let now = clock.now()
    instance.noteMemory(memoryUsedBytes, at: now)
    // It stopped when it was killed. That the kernel takes some milliseconds to clear away is not its life: the instance that
    // was started in its place meanwhile is not a second one at once.
    let stopped = instance.machine.end?.killedAt ?? now
    emit(
      instance,
      .instanceStopped(
        InstanceStopped(
          time: stopped, reason: instance.machine.end?.reason ?? .failure,
          lifetime: stopped - (instance.machine.startedAt ?? stopped),
          invocationsServed: instance.servedCount)))
    forget(instance)
  }

  /// The program is gone whose output the tail of an invocation waits for.
  private func outputEnded(of instance: Instance) {
    if let tail = instance.tail { tails.outputEnded(tail) }
  }

  private func forget(_ instance: Instance) {
    instance.restartTimer(nil)
    dismiss(instance)
    instance.telemetry?.close()
    outputEnded(of: instance)
    _ = instance.server?.drain(within: .milliseconds(100))
    self[instance.function].instances[instance.key] = nil
    if isStopping, functions.allSatisfy(\.instances.isEmpty) { whenEmpty?.succeed() }
  }
}
