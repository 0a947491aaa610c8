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
  /// - Parameter endpoint: The agent's. It need not answer yet.
  /// - Throws: ``CommandFailure`` if the host's port cannot be used; nothing is left running then.
  static func run(_ settings: KelvinConfiguration, reportingTo endpoint: HTTPEndpoint, logger: Logger) async throws {
    prepareProcess()
    var configuration = ReporterConfiguration(endpoint: endpoint)
    if let token = try AgentCredentials.token(isConfigured: false) {
      configuration.headers.append("Authorization", "Bearer \(token)")
    }
    configuration.compress = { Gzip.compressed($0) }
    var random = SystemRandomNumberGenerator()
    let reporter = LifecycleReporter(configuration, source: SourceID(.random(using: &random))) { sentence in
      logger.warning("\(sentence)")
    }
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
    let signals = StopSignals { await group.triggerGracefulShutdown() }
    var address = settings.host.listen
    address.port = host.port ?? address.port
    let lines = Banner.lines(agentElsewhere: "http://\(endpoint)", host: address, settings.functions, host.isolation)
    Console.message(lines.joined(separator: "\n"))
    do {
      try await group.run()
    } catch {
      throw CommandFailure.failure("Kelvin stopped because of an error: \(error)")
    }
    withExtendedLifetime(signals) {}
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
      guard statistics.dropped > 0 else { return }
      logger.error(
        "events did not reach the agent",
        metadata: [
          "dropped": "\(statistics.dropped)", "problem": "\(statistics.problem ?? "there was no room for them")",
        ])
    }
  }
}
