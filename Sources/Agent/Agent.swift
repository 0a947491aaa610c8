internal import Catalogue
internal import HTTPServer
public import JSON
public import Lifecycle
public import Logging
internal import NIOCore
internal import NIOPosix
public import ServiceLifecycle
internal import Synchronization
internal import WindowStore
internal import Windows

/// The service that receives lifecycle events, folds them into windows, keeps them, and answers readers.
///
/// Events are offered to ``sink``; ``start()`` opens the store and listens; ``run()`` folds and saves until shutdown
/// begins, and ends with a last checkpoint.
public final class Agent: Service {
  let configuration: AgentConfiguration
  let inbox: Inbox
  let folding: Mutex<Folding>
  let clock: @Sendable () -> Timestamp
  let logger: Logger
  let threads: NIOThreadPool
  let metricsWriters = MetricsWriters()
  let assets: PageAssets
  let live: LiveStreams
  /// Where the store is opened, written and closed: slow readers have other threads, so that no checkpoint waits for them.
  private let savers = NIOThreadPool(numberOfThreads: 1)
  private let openStore: @Sendable (AgentConfiguration) throws(StoreError) -> any CheckpointStore
  private let state = Mutex(State())

  struct State {
    var started: Timestamp?
    var store: (any CheckpointStore)?
    var server: HTTPServer?
    var host: StatusDocument.HostDocument?
    var saving = SavingStatistics()
  }

  /// - Parameters:
  ///   - configuration: Nothing of it is touched before ``start()``.
  ///   - logger: Where failures to save are told, once for each kind.
  public convenience init(configuration: AgentConfiguration, logger: Logger) {
    self.init(
      configuration: configuration, logger: logger, clock: SystemClock.now,
      openStore: { configuration throws(StoreError) in
        try WindowStore.open(
          directory: configuration.dataDirectory, window: configuration.window,
          retention: Retention(window: configuration.window))
      })
  }

  init(
    configuration: AgentConfiguration, logger: Logger, clock: @escaping @Sendable () -> Timestamp,
    openStore: @escaping @Sendable (AgentConfiguration) throws(StoreError) -> any CheckpointStore
  ) {
    self.configuration = configuration
    self.logger = logger
    self.clock = clock
    self.openStore = openStore
    inbox = Inbox(limit: configuration.inboxLimit)
    folding = Mutex(Folding(configuration.aggregator, inbox: inbox))
    threads = .singleton
    assets = PageAssets(chartsDirectory: configuration.chartsDirectory)
    live = LiveStreams(limit: configuration.liveStreamsLimit, interval: configuration.liveInterval)
    live.serve { [weak self] queries in
      guard let self else { return (Timestamp(nanoseconds: 0), []) }
      let now = self.clock()
      return (now, self.folding.withLock { $0.live(queries, now) })
    }
  }

  /// Takes an event. Never waits: if ``AgentConfiguration/inboxLimit`` events are waiting already, it is dropped and
  /// counted. May be called from any thread, from before ``start()`` on.
  public var sink: @Sendable (LifecycleEvent) -> Void { { [inbox] in inbox.offer($0) } }

  /// The port that the agent listens on; `nil` before ``start()``.
  public var port: Int? { state.withLock { $0.server?.port } }

  /// Names the function host of this process in `/api/v1/status`, and says by that that it listens.
  public func describeHost(
    listen: String, functions: Int, isolation: StatusDocument.IsolationDocument? = nil
  ) {
    state.withLock {
      $0.host = StatusDocument.HostDocument(listen: listen, functions: Int64(functions), isolation: isolation)
    }
  }

  // MARK: Life

  /// Listens, opens the store and continues from it; when this returns, readers are answered.
  ///
  /// - Throws: ``AgentError``; then nothing is left open.
  public func start() async throws(AgentError) {
    try configuration.check()
    let server = try await listen()
    savers.start()
    do {
      let store = try await onThread { () throws(StoreError) in try self.restored() }
      state.withLock { state in
        state.store = store
        state.server = server
        state.started = clock()
      }
    } catch {
      await drain(server)
      await endSavers()
      throw error
    }
  }

  private func listen() async throws(AgentError) -> HTTPServer {
    do {
      let door = AgentDoor(allowedHosts: configuration.allowedHosts)
      return try await HTTPServer.bind(
        host: configuration.host, port: configuration.port, on: MultiThreadedEventLoopGroup.singleton,
        limits: AgentLimits.limits(), answers: AgentLimits.answers(), logger: logger
      ) { [weak self] request, loop in
        if let refusal = door.refusal(request) { return loop.makeSucceededFuture(refusal) }
        guard let self else { return loop.makeSucceededFuture(Routes.starting) }
        return self.answer(request, on: loop)
      }.get()
    } catch {
      throw AgentError(listening: error)
    }
  }

  private func restored() throws(StoreError) -> any CheckpointStore {
    let store = try openStore(configuration)
    do {
      if let checkpoint = try store.load() { folding.withLock { $0.restore(checkpoint) } }
    } catch {
      // It is the failure to load that matters; one to close what was only read adds nothing.
      try? store.close()
      throw error
    }
    if store.damagedRows > 0 {
      logger.warning(
        "rows of the store could not be read and were passed over", metadata: ["rows": "\(store.damagedRows)"])
    }
    return store
  }

  /// Folds and saves until shutdown begins or the task is cancelled, then saves a last time and stops listening.
  /// Starts first if ``start()`` was not called.
  public func run() async throws {
    if port == nil { try await start() }
    await cancelWhenGracefulShutdown { await self.loop() }
    await stop()
  }

  private func loop() async {
    while !Task.isCancelled {
      await tick()
      // Cancellation ends the sleep; the loop looks at it next.
      try? await Task.sleep(for: .milliseconds(20))
    }
  }

  /// Folds what arrived and saves a checkpoint if one is due.
  func tick() async {
    let now = clock()
    let checkpoint = folding.withLock { folding in
      folding.catchUp(now)
      return folding.nextCheckpoint(now, interval: configuration.checkpointInterval)
    }
    if let checkpoint { await save(checkpoint) }
  }

  /// Stops listening, saves what changed and gives the data directory back.
  func stop() async {
    let (server, store) = state.withLock { ($0.server, $0.store) }
    if let server { await drain(server) }
    guard let store else { return }
    folding.withLock { $0.lastCheckpoint(clock()) }
    while let checkpoint = folding.withLock({ $0.nextCheckpoint(clock(), interval: .seconds(3_600)) }) {
      guard await save(checkpoint) else { break }
    }
    do {
      try await onThread { () throws(StoreError) in try store.close() }
    } catch {
      logger.warning("the store was not closed", metadata: ["error": "\(error)"])
    }
    state.withLock { state in
      state.store = nil
      state.server = nil
    }
    await endSavers()
  }

  private func endSavers() async {
    // Nothing waits in it any more, and it can only fail by having ended already.
    try? await savers.shutdownGracefully()
  }

  private func drain(_ server: HTTPServer) async {
    // Draining never fails.
    try? await server.drain(within: .seconds(5)).get()
  }

  /// - Returns: Whether it was saved.
  @discardableResult
  private func save(_ checkpoint: Checkpoint) async -> Bool {
    guard let store = state.withLock({ $0.store }) else { return false }
    let began = clock()
    do {
      try await onThread { () throws(StoreError) in try store.save(checkpoint) }
      folding.withLock { $0.saved(checkpoint) }
      let ended = clock()
      let recovered = state.withLock { $0.saving.succeeded(at: ended, after: ended - began) }
      if recovered { logger.notice("checkpoints are saved again") }
      return true
    } catch {
      folding.withLock { $0.failed(checkpoint) }
      let isNew = state.withLock { $0.saving.failed(error) }
      if isNew { logger.error("a checkpoint was not saved; it is tried again", metadata: ["error": "\(error)"]) }
      return false
    }
  }

  /// Runs what blocks on a thread that may wait; a cancelled task waits for it all the same, so that a checkpoint is
  /// never taken for one that failed.
  private func onThread<Value: Sendable>(
    _ body: @escaping @Sendable () throws(StoreError) -> Value
  ) async throws(AgentError) -> Value {
    do {
      return try await savers.runIfActive(eventLoop: MultiThreadedEventLoopGroup.singleton.any(), body).get()
    } catch {
      throw (error as? StoreError).map(AgentError.init) ?? AgentError(.store, "the store cannot be used", cause: error)
    }
  }

  // MARK: What the routes read

  /// Whether there is something to read.
  var isReady: Bool { state.withLock { $0.store != nil } }
  /// Whether the whole process does what it was started for.
  var isProcessReady: Bool {
    state.withLock { $0.store != nil && ($0.host != nil || !configuration.waitsForHost) }
  }
  var store: (any CheckpointStore)? { state.withLock { $0.store } }
  var saving: SavingStatistics { state.withLock { $0.saving } }
  var life: (started: Timestamp?, host: StatusDocument.HostDocument?, server: HTTPServer?) {
    state.withLock { ($0.started, $0.host, $0.server) }
  }
}

/// How saving went.
struct SavingStatistics: Sendable {
  private(set) var checkpoints = CheckpointStatistics()
  /// Why the last checkpoint was not saved; `nil` if it was.
  private(set) var problem: String?

  /// - Returns: Whether this ends a run of failures.
  mutating func succeeded(at end: Timestamp, after duration: Nanoseconds) -> Bool {
    defer { problem = nil }
    checkpoints.succeeded &+= 1
    checkpoints.last = end
    checkpoints.lastDuration = duration
    return problem != nil
  }

  /// - Returns: Whether the failure is of another kind than the last one.
  mutating func failed(_ error: AgentError) -> Bool {
    checkpoints.failed &+= 1
    defer { problem = error.message }
    return problem != error.message
  }
}

extension AgentConfiguration {
  /// - Throws: ``AgentError`` with ``AgentError/Code/configuration`` for what no agent can do.
  func check() throws(AgentError) {
    let isLoopback = host == "localhost" || host == "::1" || IPv4.isLoopback(host)
    guard isLoopback else {
      throw AgentError(
        .configuration,
        """
        the agent does not listen on \(host): everyone who reaches that address could read it; \
        listen on 127.0.0.1 and put a proxy with authentication before it
        """)
    }
    guard window >= .seconds(1), window <= .seconds(3_600) else {
      throw AgentError(.configuration, "windows of \(window.seconds) s are not possible; 1 s to 1 h are")
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
