internal import EventJournal
internal import EventPipeline
internal import Catalogue
internal import HTTPServer
internal import Documents
package import Lifecycle
package import Logging
internal import NIOCore
internal import NIOPosix
internal import TLSListener
import ServiceLifecycle
internal import Synchronization
internal import WindowStore
internal import Windows

/// The service that receives lifecycle events, folds them into windows, keeps them, and answers readers.
///
/// Events are offered to ``sink``; ``start()`` opens the store and listens; ``run()`` folds and saves until shutdown
/// begins, and ends with a last checkpoint.
package final class Agent: Service {
  let configuration: AgentConfiguration
  let pipeline: EventPipeline
  let clock: SteadyClock
  let logger: Logger
  let threads: NIOThreadPool
  /// For reading what is sent, which may be megabytes, so that no scrape waits behind it. One reader of each kind works at a time.
  static let readingThreads: NIOThreadPool = {
    let threads = NIOThreadPool(numberOfThreads: 2)
    threads.start()
    return threads
  }()
  let metricsWriters = MetricsWriters()
  let assets: PageAssets
  let live: LiveStreams
  let batchReader = BatchReader()
  let records = RecordIntake()
  let imports: ImportWork
  /// The function host of this process, if there is one.
  package let host = HostLink()
  /// What the agent's server did.
  let http = ListenerStatistics("agent", AgentRoutes.table)
  private let state = Mutex(State())

  struct State {
    var started: Timestamp?
    var server: HTTPServer?
    /// The one in the file system.
    var socketServer: HTTPServer?
    var clockWatch = ClockWatch()
  }

  /// Makes an agent that does nothing yet.
  ///
  /// - Parameters:
  ///   - configuration: Nothing of it is touched before ``start()``.
  ///   - clock: The clock of this process, and of the sources in it.
  ///   - logger: Logs failures to save, once for each kind.
  package convenience init(configuration: AgentConfiguration, clock: SteadyClock, logger: Logger) {
    self.init(
      configuration: configuration, clock: clock, logger: logger,
      openStores: { configuration throws(StoreError) in
        let store = try WindowStore.open(
          directory: configuration.dataDirectory, window: configuration.window,
          retention: Retention(window: configuration.window))
        do throws(StoreError) {
          let journal = try FileJournal.open(
            directory: configuration.dataDirectory, identity: store.identity,
            elapsed: { clock.now() - Timestamp(nanoseconds: 0) }, logger: logger)
          return (store, journal)
        } catch {
          // The reason is why there is no journal.
          try? store.close()
          throw error
        }
      })
  }

  init(
    configuration: AgentConfiguration, clock: SteadyClock, logger: Logger,
    openStores: @escaping @Sendable (AgentConfiguration) throws(StoreError) -> EventPipeline.Stores
  ) {
    self.configuration = configuration
    self.logger = logger
    self.clock = clock
    pipeline = EventPipeline(configuration.pipeline, time: Self.time(clock), logger: logger) { () throws(StoreError) in
      try openStores(configuration)
    }
    threads = .singleton
    imports = ImportWork(
      now: { clock.now() }, live: { [pipeline] in pipeline.liveWindows(of: $0, clock.now()) }, logger: logger)
    assets = PageAssets(chartsDirectory: configuration.chartsDirectory)
    live = LiveStreams(limit: configuration.liveStreamsLimit, interval: configuration.liveInterval)
    live.serve { [weak self] queries in
      guard let self else { return (Timestamp(nanoseconds: 0), []) }
      let now = self.clock.now()
      let window = self.configuration.window
      let failures = self.host.startFailures
      return (now, self.pipeline.read(at: now) { $0.live(queries, window: window, failures, now) })
    }
  }

  private static func time(_ clock: SteadyClock) -> PipelineTime {
    PipelineTime(now: { clock.now() }) { length in
      // Cancellation ends the sleep, and the pipeline looks at it next.
      try? await Task.sleep(for: .nanoseconds(length.count))
    }
  }

  /// Takes an event. Never waits: if ``AgentConfiguration/inboxLimit`` events are waiting already, it is dropped and
  /// counted. May be called from any thread, from before ``start()`` on.
  package var sink: @Sendable (LifecycleEvent) -> Void { { [pipeline] in pipeline.offer($0) } }

  /// The port that the agent listens on; `nil` before ``start()``.
  package var port: Int? { state.withLock { $0.server?.port } }

  // MARK: Life

  /// Listens, opens the store and continues from it; when this returns, readers are answered.
  ///
  /// - Throws: ``AgentError``; then nothing is left open.
  package func start() async throws(AgentError) {
    try configuration.check()
    let server = try await listen()
    let socketServer: HTTPServer?
    do {
      socketServer = try await listenAtSocket()
    } catch {
      await drain(server)
      throw error
    }
    do {
      try await pipeline.start(knowing: { [records] in records.open(knowing: $0) })
    } catch {
      await drain(server)
      if let socketServer { await drain(socketServer) }
      throw AgentError(error)
    }
    for sentence in pipeline.store.map({ StoreNotices.atStart($0.history) }) ?? [] {
      logger.warning("\(sentence)", metadata: ["store": "\(configuration.dataDirectory)"])
    }
    if let store = pipeline.store?.imports { imports.start(store) }
    state.withLock { state in
      state.server = server
      state.socketServer = socketServer
      state.started = clock.now()
    }
  }

  private func listen() async throws(AgentError) -> HTTPServer {
    do {
      let door = AgentDoor(configuration, clock: clock, statistics: http)
      return try await HTTPServer.bind(
        host: configuration.host, port: configuration.port, on: MultiThreadedEventLoopGroup.singleton,
        limits: AgentLimits.limits(), answers: answers(door), routes: AgentRoutes.table, statistics: http,
        secure: secure, logger: logger, handler: handler(door)
      ).get()
    } catch {
      throw AgentError(listening: error)
    }
  }

  /// For processes that may open the file: who they are is known by that, so they need no other credentials.
  private func listenAtSocket() async throws(AgentError) -> HTTPServer? {
    guard let path = configuration.socketPath else { return nil }
    var trusting = configuration
    trusting.access = nil
    let door = AgentDoor(trusting, clock: clock, statistics: http)
    do {
      return try await HTTPServer.bind(
        unixSocket: path, on: MultiThreadedEventLoopGroup.singleton, limits: AgentLimits.limits(),
        answers: answers(door),
        routes: AgentRoutes.table, statistics: http, logger: logger, handler: handler(door)
      ).get()
    } catch {
      throw AgentError(listening: error)
    }
  }

  private func answers(_ door: AgentDoor) -> HTTPServerAnswers {
    var answers = AgentLimits.answers()
    answers.bodyForbidden = { door.bodyRefusal($0, $1) }
    return answers
  }

  private func handler(_ door: AgentDoor) -> HTTPServer.Handler {
    { [weak self, threads] request, loop in
      door.admit(request, on: loop, threads: threads) { [weak self] in
        guard let self else { return loop.makeSucceededFuture(Routes.starting) }
        return self.answer(request, on: loop)
      }
    }
  }

  /// Puts TLS under a connection, where it is configured.
  private var secure: (@Sendable (any Channel) throws -> Void)? {
    guard let tls = configuration.tls else { return nil }
    return { [http] channel in
      try channel.pipeline.syncOperations.addHandler(TLSHandler(tls(), failed: { http.count(.handshake) }))
    }
  }

  /// Folds and saves until shutdown begins or the task is cancelled, then saves a last time and stops listening.
  /// Starts first if ``start()`` was not called.
  ///
  /// - Throws: ``AgentError`` at the end, once everything is closed, with ``AgentError/Code/store`` if anything could not be
  ///   saved, or if the store was removed meanwhile.
  package func run() async throws {
    if port == nil { try await start() }
    await cancelWhenGracefulShutdown {
      await withTaskGroup { group in
        group.addTask { await self.pipeline.run() }
        group.addTask { await self.watchClock() }
        await group.waitForAll()
      }
    }
    if let problem = await stop() { throw problem }
  }

  private func watchClock() async {
    while !Task.isCancelled {
      lookAtClock()
      // Cancellation ends the sleep; the loop looks at it next.
      try? await Task.sleep(for: .seconds(10))
    }
  }

  /// Says it if the system's clock was set.
  ///
  /// - Returns: What the metrics tell of it.
  @discardableResult
  func lookAtClock() -> (lead: Nanoseconds, steps: UInt64) {
    let lead = clock.wallClockLead
    let (step, steps) = state.withLock { state in (state.clockWatch.look(lead), state.clockWatch.steps) }
    if let step { logger.warning("\(ClockNotices.set(by: step, lead: lead))") }
    return (lead, steps)
  }

  /// Folds what arrived and saves a checkpoint if one is due.
  func tick() async { await pipeline.turn() }

  /// Stops listening, saves what changed and gives the data directory back.
  ///
  /// - Returns: What the process has to say at its end: what was not saved, or that the store was removed.
  @discardableResult
  func stop() async -> AgentError? {
    let servers = state.withLock { [$0.server, $0.socketServer].compactMap { $0 } }
    for server in servers { await drain(server) }
    await imports.stop()
    guard let ending = await pipeline.finish() else { return nil }
    state.withLock { ($0.server, $0.socketServer) = (nil, nil) }
    return ending.unsaved.map(StoreNotices.unsaved) ?? ending.removal.map { AgentError(.store, $0) }
  }

  private func drain(_ server: HTTPServer) async {
    // Draining never fails.
    try? await server.drain(within: .seconds(5)).get()
  }

  // MARK: What the routes read

  /// Whether there is something to read.
  var isReady: Bool { state.withLock { $0.started != nil } && pipeline.store != nil }
  /// Whether the whole process does what it was started for.
  var isProcessReady: Bool {
    isReady && (!configuration.waitsForHost || host.document != nil)
  }
  /// Functions as documents, with what the host of this process says of their starts.
  func documents(_ functions: [FunctionSnapshot]) -> [FunctionDocument] { host.startFailures.documents(functions) }
  var store: (any CheckpointStore)? { pipeline.store }
  var saving: SavingStatistics { pipeline.saving }
  var life: (started: Timestamp?, server: HTTPServer?) { state.withLock { ($0.started, $0.server) } }
}

extension AgentConfiguration {
  /// - Throws: ``AgentError`` with ``AgentError/Code/configuration`` for what no agent can do.
  func check() throws(AgentError) {
    let isLoopback = host == "localhost" || host == "::1" || IPv4.isLoopback(host)
    guard isLoopback || access != nil || knowsClients else {
      throw AgentError(
        .configuration,
        """
        the agent does not listen on \(host) without credentials, because everyone who reaches that address could read its \
        data; name a tokenFile or a webConfigFile with users in the section agent, or listen on 127.0.0.1
        """)
    }
    guard window >= .seconds(1), window <= .seconds(3_600) else {
      throw AgentError(.configuration, "a window cannot be \(window.seconds) s long; write 1 s to 1 h")
    }
    guard !dataDirectory.isEmpty else { throw AgentError(.configuration, "no data directory is configured") }
  }
}

enum IPv4 {
  /// Whether a text is an address of 127.0.0.0/8.
  static func isLoopback(_ text: String) -> Bool {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
  }
}
