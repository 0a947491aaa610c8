import AWSClient
import Access
import Agent
import BlockingHTTP
import Configuration
import FunctionHost
import Lifecycle
import LifecycleReporter
import Logging
import ServiceLifecycle

/// A host whose agent is another process, on this machine or elsewhere.
extension Serving {
  /// Runs the functions of the settings until SIGINT or SIGTERM, and tells an agent of them.
  ///
  /// - Parameters:
  ///   - path: Where the settings were read, for reading them again.
  ///   - agent: Its address. It need not answer yet.
  ///   - spillPath: A file for what the agent does not take in time; `nil` for none.
  /// - Throws: ``CommandFailure`` if the host's port cannot be used; nothing is left running then.
  static func run(
    _ settings: KelvinConfiguration, from path: String, reportingTo agent: ServerAddress, spillPath: String?,
    logger: Logger
  ) async throws {
    prepareProcess()
    var configuration = ReporterConfiguration(agent: agent.description) { exchange(with: agent) }
    configuration.spillPath = spillPath
    if let token = try AgentCredentials.token(for: .ingest, isConfigured: false) {
      configuration.headers.append("Authorization", "Bearer \(token)")
    }
    configuration.compress = { Gzip.compressed($0) }
    var random = SystemRandomNumberGenerator()
    let reporter = LifecycleReporter(configuration, source: SourceID(.random(using: &random))) { sentence in
      logger.warning("\(sentence)")
    }
    try RuntimeFiles.write(for: settings)
    let host = try host(settings, clock: SystemClock.steady(), logger: logger) { reporter.offer($0) }
    do throws(HostError) {
      try await host.start()
    } catch {
      await reporter.finish(within: .zero)
      throw failure(error)
    }
    // Stopped in the opposite order: the host's last events reach the reporter.
    let services: [ServiceGroupConfiguration.ServiceConfiguration] = [
      .init(service: Reporting(reporter: reporter, logger: logger)), .init(service: host),
    ]
    let group = ServiceGroup(configuration: ServiceGroupConfiguration(services: services, logger: logger))
    let reloader = Reloader(path, settings, host: host, agent: nil, logger: logger)
    await host.onReloadRequest { await reloader.reload() }
    let signals = StopSignals(
      stop: { await group.triggerGracefulShutdown() }, reload: { _ = await reloader.reload() })
    var address = settings.host.listen
    address.port = host.port ?? address.port
    let lines = Banner.lines(
      agentElsewhere: agent.description, host: address, settings.functions, sockets: settings.webSockets.map(\.name),
      host.isolation)
    Console.message(lines.joined(separator: "\n"))
    do {
      try await group.run()
    } catch {
      throw CommandFailure.failure("Kelvin stopped because of an error: \(error)")
    }
    withExtendedLifetime(signals) {}
  }

  /// What sends to an agent, over one connection as long as it lasts.
  private static func exchange(with agent: ServerAddress) -> ReporterConfiguration.Exchange {
    if let authority = agent.secure {
      let connections = ExchangeConnections(trusting: AgentCredentials.authoritiesFile)
      return { (request, timeout) throws(HTTPClientError) in
        do throws(AWSClientError) {
          return HTTPReply(
            try connections.answer(to: HTTPExchange(request, to: authority, timeout: timeout)))
        } catch {
          throw HTTPClientError(.system, error.message)
        }
      }
    }
    let connections = agent.endpoints.map { HTTPConnection($0) }
    return { (request, timeout) throws(HTTPClientError) in
      var refusal = HTTPClientError(.refused, "no address of the agent is known")
      for connection in connections {
        do throws(HTTPClientError) {
          return try connection.send(request, timeout: timeout)
        } catch  where error.code == .refused {
          // The other address of localhost.
          refusal = error
        }
      }
      throw refusal
    }
  }

  /// Ends a reporter once its host has ended, with time to send what is left.
  private struct Reporting: Service {
    /// How long the agent may take for that.
    private static let lastSending = Nanoseconds.seconds(10)

    let reporter: LifecycleReporter
    let logger: Logger

    func run() async throws {
      // It throws only if the task is cancelled, after which the reporter ends just the same.
      try? await gracefulShutdown()
      let statistics = await reporter.finish(within: Self.lastSending)
      if statistics.spilled > 0 {
        logger.warning(
          "events did not reach the agent yet, and are kept for the next host with the same file",
          metadata: ["events": "\(statistics.spilled)", "problem": "\(statistics.problem ?? "time was up")"])
      }
      guard statistics.dropped > 0 else { return }
      logger.error(
        "events did not reach the agent",
        metadata: [
          "dropped": "\(statistics.dropped)", "problem": "\(statistics.problem ?? "there was no room for them")",
        ])
    }
  }
}
