package import HTTPServer
package import Lifecycle
package import Logging
import NIOCore
import NIOPosix
import QueueStore
package import Sandboxes
import ServiceLifecycle
import Synchronization
import WindowStore

/// Runs functions on this machine: AWS's `Invoke` operation and function URLs on one port, instances behind them as
/// ordinary processes that speak the Runtime API.
///
/// ```swift
/// let host = try FunctionHost(configuration: configuration, launcher: path, clock: clock, logger: logger) { event in … }
/// try await host.start()  // throws if the port is taken
/// try await host.run()  // until graceful shutdown or cancellation
/// ```
package final class FunctionHost: Service, Sendable {
  private enum Phase {
    case created
    case starting
    case serving(Parts)
    case stopped
  }

  private struct Parts: Sendable {
    var group: MultiThreadedEventLoopGroup
    var core: HostCore
    var server: HTTPServer
    var keeper: ProcessKeeper
  }

  private let configuration: HostConfiguration
  private let launcher: String?
  private let logger: Logger
  private let clock: SteadyClock
  private let sink: @Sendable (LifecycleEvent) -> Void
  private let phase = Mutex<Phase>(.created)

  /// Checks a configuration; nothing is started.
  ///
  /// - Parameters:
  ///   - launcher: The path of `kelvin-launcher`; `nil` looks for it beside this program.
  ///   - clock: The clock of this process, for the times of events and everything else.
  ///   - logger: Where the host says what it does; a function's output is logged at the level `debug`.
  ///   - sink: Takes every lifecycle event, on the host's thread, in the order in which they happened. Must not block.
  /// - Throws: ``HostError`` with ``HostError/Code/configuration`` if the configuration contradicts itself or a limit.
  package init(
    configuration: HostConfiguration, launcher: String? = nil, clock: SteadyClock, logger: Logger,
    sink: @escaping @Sendable (LifecycleEvent) -> Void
  ) throws(HostError) {
    try HostCore.validate(configuration, at: clock.now())
    self.configuration = configuration
    self.launcher = launcher
    self.clock = clock
    self.logger = logger
    self.sink = sink
  }

  /// The port on which the host listens; `nil` before it does and after it has stopped.
  package var port: Int? { parts?.server.port }

  /// How instances that start now are isolated; `nil` before the host listens and after it has stopped.
  package var isolation: Isolation? { parts?.keeper.isolation }

  /// Calls `body` whenever that changes, on whatever thread. Does nothing unless the host listens.
  package func onIsolationChange(_ body: @escaping @Sendable (Isolation) -> Void) {
    parts?.keeper.onIsolationChange(body)
  }

  /// Listens and serves from then on. Does nothing if the host has been started already.
  ///
  /// A host that was started must be ended by ``run()``.
  ///
  /// - Throws: ``HostError`` with ``HostError/Code/address`` if the address cannot be listened on, with
  ///   ``HostError/Code/launcher`` if instances could not be started. Nothing is left running then.
  package func start() async throws(HostError) {
    let isFirst = phase.withLock { phase in
      guard case .created = phase else { return false }
      phase = .starting
      return true
    }
    guard isFirst else { return }
    do {
      let parts = try await startParts()
      phase.withLock { $0 = .serving(parts) }
    } catch {
      phase.withLock { $0 = .created }
      throw error
    }
  }

  /// Serves until graceful shutdown or cancellation, then stops: callers in progress are waited for up to the configured
  /// limit, and no process is left behind.
  package func run() async throws {
    try await start()
    try? await gracefulShutdown()  // Throws when the task is cancelled, which means the same here.
    await stop()
  }

  /// The instances that there are now, in no particular order. Reads one small file of /proc for each.
  package func snapshot() async -> [HostedInstance] {
    guard let core = parts?.core else { return [] }
    return await core.snapshot()
  }

  /// The functions whose newest initialization failed, by name, and why. Never waits for the host.
  package var startFailures: [String: StartFailure] { parts?.core.startFailures.all ?? [:] }

  /// Takes over what is different in another configuration, while the host runs: functions come, go and change, and so do their
  /// limits, and the account's. Instances of a function that changed are replaced; invocations in
  /// progress run to their end on the old ones. All else of `configuration` is passed over: it needs a restart.
  ///
  /// What was changed over AWS's API stays as it is, unless the same value differs between the two configurations.
  ///
  /// - Returns: What was different.
  /// - Throws: ``HostError`` with ``HostError/Code/configuration`` if the configuration contradicts itself or a limit, and with
  ///   ``HostError/Code/launcher`` if a function cannot run here. Nothing has changed then.
  package func reload(_ configuration: HostConfiguration) async throws(HostError) -> HostChanges {
    guard let parts else { throw HostError(.configuration, "The host does not serve, or is stopping.") }
    if let problem = LayerFolders.problem(configuration.functions, isolation: parts.keeper.isolation) { throw problem }
    return try await parts.core.reload(configuration)
  }

  /// Has `POST /-/reload` call this. Does nothing unless the host listens.
  package func onReloadRequest(_ reload: @escaping ConfigurationReload) async {
    await parts?.core.setReload(reload)
  }

  /// The host's counts so far; `nil` before it serves and after it has stopped. Never waits for the host.
  package var counts: HostCounts? { parts?.core.statistics.counts }

  /// The state of a host that serves.
  var core: HostCore? { parts?.core }

  private var parts: Parts? {
    phase.withLock { phase in
      if case .serving(let parts) = phase { parts } else { nil }
    }
  }

  private func startParts() async throws(HostError) -> Parts {
    let keeper: ProcessKeeper
    do throws(ProcessError) {
      let launcher = if let launcher { launcher } else { try LauncherLocation.find() }
      keeper = try ProcessKeeper(launcher: launcher, isolation: configuration.isolation) { [logger] sentence in
        logger.warning("\(sentence)")
      }
    } catch {
      throw HostError(.launcher, error.message, cause: error)
    }
    let layers = LayerFolders.problem(configuration.functions, isolation: keeper.isolation)
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let sandboxes = KeeperSandboxMaker(keeper: keeper)
    let loop = group.next()
    do {
      if let layers { throw layers }
      let core = try HostCore(
        configuration, loop: loop, clock: clock, sandboxes: sandboxes, logger: logger, sink: sink)
      await core.announceLimits()
      let server = try await HostCore.bindFront(of: core).get()
      await core.startServing()
      await core.startSchedules()
      await core.startAhead()
      logger.info("The function host listens.", metadata: ["address": "\(server.localAddress)"])
      logger.info("Instances are isolated.", metadata: ["enforced": "\(keeper.isolation.summary)"])
      return Parts(group: group, core: core, server: server, keeper: keeper)
    } catch {
      await FunctionHost.dismantle(sandboxes, group)
      if let error = error as? HostError { throw error }
      throw HostError(.address, "\(error)", cause: error)
    }
  }

  private static func dismantle(_ sandboxes: KeeperSandboxMaker, _ group: MultiThreadedEventLoopGroup) async {
    // Nothing has been started, so neither has anything to fail on.
    try? await sandboxes.stop(on: group.next()).get()
    try? await group.shutdownGracefully()
  }

  private func stop() async {
    let parts = phase.withLock { phase in
      defer { phase = .stopped }
      return if case .serving(let parts) = phase { parts } else { Parts?.none }
    }
    guard let parts else { return }
    await parts.core.stop(parts.server)
    do throws(StoreError) {
      // Waits for the disk: nothing else is left to do.
      try parts.core.queueStore.close()
    } catch {
      logger.error("The store of queues was not closed cleanly.", metadata: ["error": "\(error)"])
    }
    do {
      try await parts.group.shutdownGracefully()
    } catch {
      logger.error("The host's event loop did not stop.", metadata: ["error": "\(error)"])
    }
  }
}
