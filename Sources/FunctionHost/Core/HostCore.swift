import HTTPServer
import HostRules
import LambdaAPI
package import Lifecycle
import Logging
import NIOCore
import QueueStore
import Sandboxes

/// The middle of a host, confined to one event loop, which is the executor of this actor: whatever arrives on a socket of
/// the host is already where the state is, and no lock is ever taken.
///
/// It follows invocations from their submission to their end. All else has an owner, which keeps the state of its task and
/// is told what happened: the ``Dispatcher`` brings invocations and instances together, ``InstanceStarts`` and
/// ``InstanceEnds`` have instances begin and end, ``Lodgings`` has their sandboxes, ``RuntimeCalls`` and
/// ``ExtensionCalls`` answer their programs, and the ``Reporter`` tells what they do. ``Front``, ``ControlPlane``,
/// ``AsynchronousSource`` and ``Queues`` are where callers and events come from.
actor HostCore {
  nonisolated let loop: any EventLoop
  nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.executor.asUnownedSerialExecutor() }

  private(set) var configuration: HostConfiguration
  /// The region and account that the host claims to be.
  nonisolated let identity: HostIdentity
  let clock: SteadyClock
  let logger: Logger
  private let sink: @Sendable (LifecycleEvent) -> Void

  let dispatcher: Dispatcher
  let starts: InstanceStarts
  let ends = InstanceEnds()
  let lodgings: Lodgings
  let runtimes = RuntimeCalls()
  let extensions = ExtensionCalls()
  let reporter: Reporter
  let asynchronous: AsynchronousSource
  let queues: Queues
  /// What the queues and the asynchronous events are kept in. Any thread may close it.
  nonisolated let queueStore: QueueStore
  let front: Front
  let controlPlane: ControlPlane
  let webSockets: WebSockets
  let schedules: ScheduleSource
  /// The memory that requests in flight may hold.
  private(set) var bodies: HostBodies
  /// What all callers share of it.
  nonisolated let callersBudget: BodyBudget
  nonisolated let startFailures = StartFailures()
  /// Counts of everything that is no event. Any thread may read them.
  nonisolated let statistics: HostCounters

  var functions: [HostedFunction]
  /// The functions of the configuration; without those that are retired.
  private(set) var indices: [String: FunctionIndex]
  var isStopping = false
  /// Completes when no invocation is in progress any more; set while the host stops.
  var whenIdle: EventLoopPromise<Void>?
  var generator = KernelRandom()

  init(
    _ configuration: HostConfiguration, loop: any EventLoop, clock: SteadyClock, sandboxes: any SandboxMaker,
    logger: Logger, sink: @escaping @Sendable (LifecycleEvent) -> Void
  ) throws(HostError) {
    let admission = try HostCore.validate(configuration, at: clock.now())
    let counters = HostCounters()
    statistics = counters
    self.loop = loop
    self.configuration = configuration
    self.clock = clock
    lodgings = Lodgings(sandboxes, functions: configuration.functions.count)
    front = Front(configuration)
    webSockets = WebSockets(configuration, connectionsMax: FrontLimits.socketsMax)
    schedules = ScheduleSource(configuration, on: loop, clock: clock, logger: logger)
    controlPlane = ControlPlane(functions: configuration.functions.count)
    bodies = HostBodies(functions: configuration.functions.count)
    callersBudget = bodies.callers
    identity = configuration.identity
    let logs = configuration.logDirectory.map {
      HostLogs(
        directory: $0, functions: configuration.functions.map { ($0.name, $0.logFormat) }, on: loop, clock: clock,
        counters: counters, logger: logger)
    }
    reporter = Reporter(logs: logs)
    starts = InstanceStarts(startFailures)
    self.logger = logger
    self.sink = sink
    asynchronous = AsynchronousSource(configuration.asynchronous)
    let now = clock.now()
    queues = try Queues(directory: configuration.dataDirectory, on: loop, at: now)
    queueStore = queues.store
    functions = configuration.functions.enumerated().map { position, function in
      var generator = KernelRandom()
      let index = FunctionIndex(position: position)
      return HostedFunction(
        function, index: index, deployment: Deployment(at: now, using: &generator), identity: configuration.identity)
    }
    dispatcher = Dispatcher(admission, functions, at: now)
    for position in functions.indices {
      functions[position].take(try FunctionExtensions(of: configuration.functions[position], logger: logger))
    }
    indices = Dictionary(
      uniqueKeysWithValues: configuration.functions.enumerated().map { ($1.name, FunctionIndex(position: $0)) })
  }

  /// Tells the functions and the limits that the host starts with.
  func announceLimits() {
    let now = clock.now()
    tellAccount(at: now)
    for function in functions { dispatcher.tellLimits(of: function.index, at: now, in: self) }
    webSockets.announce(in: self)
    schedules.announce(in: self)
  }

  /// Tells the account's limit and the functions that there are: those that there were before are gone.
  private func tellAccount(at now: Timestamp) {
    emit(.account, .accountLimitsChanged(.init(time: now, concurrency: Int64(configuration.accountConcurrency))))
    emit(.account, .functionsListed(.init(time: now, names: configuration.functions.map(\.name))))
  }

  /// Starts the provisioned instances that the host was configured with, and gives what lies in queues to functions.
  func startServing() {
    dispatcher.startProvisioned(in: self)
    queues.configure(configuration.queues, in: self)
    asynchronous.restore(queues.takeEvents(), in: self)
  }

  /// Begins to run what schedules say.
  func startSchedules() { schedules.start(in: self) }

  /// Starts an instance of each function whose code may configure what must be known before the first request.
  func startAhead() {
    for function in functions { startAhead(function.index) }
  }

  /// The same of one function.
  func startAhead(_ index: FunctionIndex) {
    let function = self[index]
    guard function.configuration.startsAhead, function.configuration.provisioned ?? 0 == 0, !function.isRetired else {
      return
    }
    dispatcher.startAhead(index, in: self)
  }

  func emit(_ subject: LifecycleEvent.Subject, _ kind: LifecycleEvent.Kind) { sink(LifecycleEvent(subject, kind)) }

  /// Tells what changed at an event source just now.
  func tell(_ source: EventSourceID, at time: Timestamp, _ changes: [EventSourceChange]) {
    emit(.source(source), .sourceChanged(EventSourceActivity(time: time, changes)))
  }

  func emit(_ instance: Instance, _ kind: LifecycleEvent.Kind) {
    emit(.instance(instance.id, of: self[instance.function].id), kind)
  }

  /// What the log says of an instance that a line is about.
  func metadata(of instance: Instance) -> Logger.Metadata {
    ["function": "\(self[instance.function].id.name)", "instance": "\(instance.id.value.uuidText)"]
  }

  func newRequestID() -> RequestID { RequestID(.random(using: &generator)) }

  func newInstanceID() -> InstanceID { InstanceID(.random(using: &generator)) }

  subscript(index: FunctionIndex) -> HostedFunction {
    _read { yield functions[index.position] }
    _modify { yield &functions[index.position] }
  }

  /// Runs `body` on this actor after `delay`; at once is possible, before is not.
  func schedule(after delay: Nanoseconds, _ body: @escaping @Sendable (isolated HostCore) -> Void) -> Scheduled<Void> {
    loop.scheduleTask(in: .nanoseconds(max(0, delay.count))) { self.assumeIsolated(body) }
  }

  func snapshot() -> [HostedInstance] {
    functions.flatMap { function in
      function.instances.values.compactMap { instance in
        guard !instance.machine.isEnding, let startedAt = instance.machine.startedAt else { return nil }
        return HostedInstance(
          function: function.id, version: instance.version.text, instance: instance.id,
          initializationType: instance.initializationType, state: instance.machine.state, startedAt: startedAt,
          readyAt: instance.machine.readyAt, initializationDuration: instance.machine.initializationDuration,
          invocationsServed: instance.servedCount, memoryUsedBytes: instance.memoryUsedBytes(at: clock.now()))
      }
    }
  }

  /// Says what is wrong with a configuration, if anything is.
  @discardableResult
  static func validate(_ configuration: HostConfiguration, at now: Timestamp) throws(HostError) -> Admission {
    var names: Set<String> = []
    for function in configuration.functions {
      guard FunctionReference.isName(function.name) else {
        throw HostError(
          .configuration,
          "'\(function.name)' cannot name a function: use 1 to \(FunctionID.nameBytesLimit) letters, digits, - and _.")
      }
      guard names.insert(function.name).inserted else {
        throw HostError(.configuration, "The name '\(function.name)' is configured twice.")
      }
      if let problem = function.environmentProblem {
        throw HostError(.configuration, "The function '\(function.name)': \(problem).")
      }
      guard !function.command.isEmpty else {
        throw HostError(.configuration, "The function '\(function.name)' has no command.")
      }
      if let directory = function.extensions { _ = try ExtensionFiles.names(in: directory, of: function.name) }
      let timeout = function.timeout ?? FunctionSpecification.defaultTimeout
      guard timeout > .zero, timeout <= FunctionSpecification.timeoutMax else {
        throw HostError(
          .configuration, "The timeout of '\(function.name)' must be above 0 and at most 900 s.")
      }
      guard function.abortLimit.map({ $0 > .zero && $0 <= FunctionSpecification.timeoutMax }) ?? true else {
        throw HostError(
          .configuration, "The abort limit of '\(function.name)' must be above 0 and at most 900 s.")
      }
    }
    try WebSocketSpecification.validate(configuration.webSockets, functions: names)
    try ScheduleSpecification.validate(configuration.schedules, functions: names)
    let account = Admission.Account(
      concurrency: configuration.accountConcurrency, unreservedMinimum: configuration.unreservedMinimum,
      limitsRequestRate: configuration.limitsRequestRate, scaleOutRate: configuration.scaleOutRate)
    do throws(AccountProblem) {
      return try Admission(account, functions: configuration.functions.map { ($0.reserved, $0.provisioned) }, at: now)
    } catch {
      throw HostError(.configuration, error.message)
    }
  }

  /// Listens where callers come.
  static func bindFront(of core: isolated HostCore) -> EventLoopFuture<HTTPServer> {
    let (limits, answers) = (FrontLimits.limits(of: core), FrontLimits.answers(of: core))
    let (address, port) = (core.configuration.address, core.configuration.port)
    return HTTPServer.bind(
      host: address, port: port, on: core.loop, limits: limits, answers: answers, routes: FrontRoutes.shared,
      statistics: core.statistics.front, logger: core.logger
    ) { request, loop in
      let promise = loop.makePromise(of: HTTPResponse.self)
      core.assumeIsolated { $0.front.serve(request, promise, in: $0) }
      return promise.futureResult
    }.map { server in
      core.assumeIsolated { $0.front.port = server.port }
      return server
    }
  }
}

/// What a reload does to the host's state that only this file may change.
extension HostCore {
  func setReload(_ reload: @escaping ConfigurationReload) { front.reload = reload }

  /// See ``FunctionHost/reload(_:)``.
  func reload(_ next: HostConfiguration) throws(HostError) -> HostChanges {
    try HostReload(next, in: self).make(in: self)
  }

  /// The name stands for this function from now on; `nil`: for none.
  func setIndex(_ index: FunctionIndex?, of name: String) { indices[name] = index }

  /// Takes one more function, of which nothing is known yet.
  func append(_ function: HostedFunction) {
    functions.append(function)
    bodies.addFunction()
    lodgings.addFunction()
    controlPlane.addFunction()
  }

  /// The configuration is another one; what its functions are has been changed already.
  func adopt(_ next: HostConfiguration, at now: Timestamp) {
    configuration = next
    front.take(next)
    webSockets.take(next)
    schedules.take(next, in: self)
    webSockets.announce(in: self)
    schedules.announce(in: self)
    tellAccount(at: now)
  }
}

/// An instance as it is now, for a reader of the host's state.
package struct HostedInstance: Hashable, Sendable {
  /// The function that it serves.
  package var function: FunctionID
  /// The version that it runs: `$LATEST` or a number.
  package var version: String
  /// What it is called in events and in logs.
  package var instance: InstanceID
  /// Why it was started.
  package var initializationType: InitializationType
  /// What it is doing now.
  package var state: InstanceState
  /// When its process was started.
  package var startedAt: Timestamp
  /// When it asked for its first event; `nil` while it initializes.
  package var readyAt: Timestamp?
  /// Process start until the first request for an event; zero while it initializes.
  package var initializationDuration: Nanoseconds
  /// Invocations that it was handed and finished.
  package var invocationsServed: Int64
  /// The most memory that it has used so far, in bytes; 0 if that is not known.
  package var memoryUsedBytes: Int64
}
