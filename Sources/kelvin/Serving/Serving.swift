import Agent
import Catalogue
import Configuration
import FunctionHost
import Glibc
import Documents
import Lifecycle
import Logging
import Sandboxes
import ServiceLifecycle

/// Runs agent and host until a signal stops them.
enum Serving {
  /// Claims the ports and the data directory, says where all answers, and serves until SIGINT or SIGTERM.
  ///
  /// - Parameters:
  ///   - path: Where the settings were read, for reading them again; `nil`: nowhere.
  ///   - hostsFunctions: Whether the functions of the settings are run; else there is only an agent.
  /// - Throws: ``CommandFailure`` if a port or the data directory cannot be used; nothing is left running then.
  static func run(
    _ settings: KelvinConfiguration, from path: String?, hostsFunctions: Bool, logger: Logger
  ) async throws {
    prepareProcess()
    var agentConfiguration = AgentConfiguration(settings.agent)
    try ListenerSecurity(settings.agent, logger: logger).apply(to: &agentConfiguration)
    agentConfiguration.waitsForHost = hostsFunctions
    agentConfiguration.allowedHosts = settings.host.allowedHosts
    // One for both: an event of the host is never late or early by the agent's clock.
    let clock = SystemClock.steady()
    let agent = Agent(configuration: agentConfiguration, clock: clock, logger: logger)
    // Checked before anything is claimed; started after the agent, so that no event is lost.
    let host = hostsFunctions ? try host(settings, clock: clock, logger: logger, sink: agent.sink) : nil
    try await start(agent)
    do throws(CommandFailure) {
      if hostsFunctions { try RuntimeFiles.write(for: settings) }
    } catch {
      await end(agent, logger: logger)
      throw error
    }
    do throws(HostError) {
      try await host?.start()
    } catch {
      await end(agent, logger: logger)
      throw failure(error)
    }
    let reloader = path.map { Reloader($0, settings, host: host, agent: agent, logger: logger) }
    if let reloader {
      agent.host.onReloadRequest { await reloader.reload() }
      await host?.onReloadRequest { await reloader.reload() }
    }
    try await serve(agent, host, reloader, logger: logger) {
      announce(settings, agent: agent, host: host, isSecure: agentConfiguration.tls != nil)
    }
  }

  static func prepareProcess() {
    // A reader of standard error that goes away must not end the functions, nor a file that may grow no further.
    _ = signal(SIGPIPE, SIG_IGN)
    _ = signal(SIGXFSZ, SIG_IGN)
    // Before the agent takes its share of what may be open.
    OpenFiles.raiseLimit()
  }

  static func host(
    _ settings: KelvinConfiguration, clock: SteadyClock, logger: Logger,
    sink: @escaping @Sendable (LifecycleEvent) -> Void
  ) throws -> FunctionHost {
    do throws(HostError) {
      return try FunctionHost(
        configuration: HostConfiguration(settings, environment: Console.environment), clock: clock, logger: logger,
        sink: sink)
    } catch {
      throw failure(error)
    }
  }

  private static func start(_ agent: Agent) async throws {
    do {
      try await agent.start()
    } catch {
      let message = Sentence.text(error.message)
      throw error.code == .configuration ? CommandFailure.usage(message) : CommandFailure.failure(message)
    }
  }

  static func failure(_ error: HostError) -> CommandFailure {
    let message = Sentence.text(error.message)
    return error.code == .configuration ? .usage(message) : .failure(message)
  }

  /// Gives up what a started agent holds, as at the end of a graceful stop.
  private static func end(_ agent: Agent, logger: Logger) async {
    let services: [ServiceGroupConfiguration.ServiceConfiguration] = [
      .init(service: agent),
      .init(service: OverAtOnce(), successTerminationBehavior: .gracefullyShutdownGroup),
    ]
    let group = ServiceGroup(configuration: ServiceGroupConfiguration(services: services, logger: logger))
    // The agent has started and says itself what it cannot save; what is reported is why the host did not start.
    try? await group.run()
  }

  /// Ends the group that it is in.
  private struct OverAtOnce: Service {
    func run() async throws {}
  }

  private static func announce(
    _ settings: KelvinConfiguration, agent: Agent, host: FunctionHost?, isSecure: Bool
  ) {
    var agentAddress = settings.agent.listen
    agentAddress.port = agent.port ?? agentAddress.port
    var hostAddress: ListenAddress?
    if let host {
      var address = settings.host.listen
      address.port = host.port ?? address.port
      let (listen, functions) = ("\(address)", settings.functions.count)
      let describe = { @Sendable (isolation: Isolation?) in
        agent.host.describe(
          listen: listen, functions: functions, isolation: isolation.map(StatusDocument.IsolationDocument.init),
          startFailures: { host.startFailures.mapValues(document) })
      }
      agent.host.readCounts { host.counts.map { ($0.listeners, HostStatistics($0)) } }
      host.onIsolationChange { describe($0) }
      describe(host.isolation)
      hostAddress = address
    }
    let lines = Banner.lines(
      agent: agentAddress, isSecure: isSecure, host: hostAddress, functions: settings.functions,
      sockets: host == nil ? [] : settings.webSockets.map(\.name), isolation: host?.isolation)
    Console.message(lines.joined(separator: "\n"))
  }

  /// What the host says of a function that cannot start, in the words of the status.
  private static func document(_ failure: StartFailure) -> FunctionDocument.StartFailure {
    FunctionDocument.StartFailure(time: failure.time, reason: failure.reason, lines: failure.lines)
  }

  /// - Parameter announce: Says where all answers; called once signals are taken, so that who reads it may send one.
  private static func serve(
    _ agent: Agent, _ host: FunctionHost?, _ reloader: Reloader?, logger: Logger, announce: () -> Void
  ) async throws {
    // Stopped in the opposite order: the host's last events reach the agent.
    var services: [ServiceGroupConfiguration.ServiceConfiguration] = [.init(service: agent)]
    if let host { services.append(.init(service: host)) }
    let group = ServiceGroup(configuration: ServiceGroupConfiguration(services: services, logger: logger))
    var reload: (@Sendable () async -> Void)?
    if let reloader { reload = { _ = await reloader.reload() } }
    let signals = StopSignals(stop: { await group.triggerGracefulShutdown() }, reload: reload)
    announce()
    do {
      try await group.run()
    } catch let error as AgentError {
      throw CommandFailure.failure(Sentence.text(error.message))
    } catch {
      throw CommandFailure.failure("Kelvin stopped because of an error: \(error)")
    }
    withExtendedLifetime(signals) {}
  }
}

extension AgentConfiguration {
  /// What the file says, in the words of the agent.
  fileprivate init(_ settings: AgentSettings) {
    self.init(dataDirectory: settings.dataDirectory)
    host = settings.listen.host
    port = settings.listen.port
    window = settings.window
    requestsPerSecond = Int(settings.requestsPerSecond)
    socketPath = settings.socket
    version = kelvinVersion
    if let folder = Console.environment[Self.chartsVariable] { chartsDirectory = folder }
  }

  /// Names the folder of `dygraph.min.js` where it is not that of Debian's package.
  private static let chartsVariable = "KELVIN_DYGRAPHS"
}

extension StatusDocument.IsolationDocument {
  /// What the host enforces, in the words of the status.
  fileprivate init(_ isolation: Isolation) {
    let memory =
      switch isolation.memory {
      case .controlGroup(let version): "control-group-v\(version)"
      case .sampling: "sampling"
      }
    self.init(
      summary: isolation.summary, memory: memory,
      temporaryStorage: isolation.storage == .fileSystem ? "file-system" : "folder",
      processes: isolation.hasOwnProcesses ? "namespace" : "groups", shortcomings: isolation.shortcomings)
  }
}

extension HostStatistics {
  /// What the host dropped, in the words of the metrics.
  fileprivate init(_ counts: HostCounts) {
    self.init()
    unreadLogLines = counts.unreadLogLines
    unwrittenLogLines = counts.unwrittenLogLines
    failedTelemetryDeliveries = counts.failedTelemetryDeliveries
    droppedTelemetryRecords = counts.droppedTelemetryRecords
    asynchronousEventsRefused = counts.asynchronousEventsRefused
    asynchronousEventsFailed = counts.asynchronousEventsFailed
    asynchronousEventsExpired = counts.asynchronousEventsExpired
  }
}
