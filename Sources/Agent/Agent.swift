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
    var startFailures: @Sendable () -> [String: FunctionDocument.StartFailure] = { [:] }
    var saving = SavingStatistics()
    /// When the store was last seen where it belongs.
    var lookedAt: Timestamp?
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
  ///
  /// - Parameter startFailures: Says which functions cannot start now, by name, and why; called for each answer that tells
  ///   of functions, from any thread. Must not block.
  public func describeHost(
    listen: String, functions: Int, isolation: StatusDocument.IsolationDocument? = nil,
    startFailures: @escaping @Sendable () -> [String: FunctionDocument.StartFailure] = { [:] }
  ) {
    state.withLock {
      $0.startFailures = startFailures
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
    for sentence in StoreNotices.atStart(store.history) {
      logger.warning("\(sentence)", metadata: ["store": "\(configuration.dataDirectory)"])
    }
    return store
  }

  /// Folds and saves until shutdown begins or the task is cancelled, then saves a last time and stops listening.
  /// Starts first if ``start()`` was not called.
  ///
  /// - Throws: ``AgentError`` at the end, once everything is closed, with ``AgentError/Code/store`` if anything could not be
  ///   saved, or if the store was taken away meanwhile.
  public func run() async throws {
    if port == nil { try await start() }
    await cancelWhenGracefulShutdown { await self.loop() }
    if let problem = await stop() { throw problem }
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
    if let checkpoint { await save(checkpoint) } else { await lookAfterStore(now) }
  }

  /// Stops listening, saves what changed and gives the data directory back.
  ///
  /// - Returns: What the process has to say at its end: what was not saved, or that the store was taken away.
  @discardableResult
  func stop() async -> AgentError? {
    let (server, store) = state.withLock { ($0.server, $0.store) }
    if let server { await drain(server) }
    guard let store else { return nil }
    let unsaved = await saveLast(store)
    let problem =
      unsaved.map { StoreNotices.unsaved($0, since: saving.checkpoints.last, counts(store, $0)) }
      ?? store.history.removal.map { AgentError(.store, $0) }
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
    return problem
  }

  /// Saves what changed, with the room that was kept back if the disk is full.
  ///
  /// - Returns: Why it was not saved.
  private func saveLast(_ store: any CheckpointStore) async -> AgentError? {
    // Once as it is, once in a store that was made again, once in the room that was kept back.
    for attempt in 1...3 {
      folding.withLock { $0.lastCheckpoint(clock()) }
      var problem: AgentError?
      while problem == nil,
        let checkpoint = folding.withLock({ $0.nextCheckpoint(clock(), interval: .seconds(3_600)) })
      {
        problem = await save(checkpoint)
      }
      guard let problem else { return nil }
      let mayHelp = problem.storeCode == .gone || problem.storeCode == .full && store.releaseReserve()
      guard mayHelp, attempt < 3 else { return problem }
    }
    return nil
  }

  private func counts(_ store: any CheckpointStore, _ problem: AgentError) -> StoreNotices.Counts {
    let (invocations, functions) = folding.withLock { $0.invocations(clock()) }
    // What had been saved in a store that is gone for good is lost as well.
    let saved = problem.storeCode == .gone ? 0 : store.savedInvocations
    return .init(invocations: invocations > saved ? invocations - saved : 0, functions: functions)
  }

  private func endSavers() async {
    // Nothing waits in it any more, and it can only fail by having ended already.
    try? await savers.shutdownGracefully()
  }

  private func drain(_ server: HTTPServer) async {
    // Draining never fails.
    try? await server.drain(within: .seconds(5)).get()
  }

  /// Looks whether the store still is where it was, when no checkpoint did so.
  private func lookAfterStore(_ now: Timestamp) async {
    let isTime = state.withLock { state in
      guard state.lookedAt.map({ now - $0 >= configuration.checkpointInterval || now < $0 }) ?? true else {
        return false
      }
      state.lookedAt = now
      return true
    }
    guard isTime, let store = state.withLock({ $0.store }) else { return }
    do {
      try await onThread { () throws(StoreError) in try store.verify() }
      if state.withLock({ $0.saving.found() }) { logger.notice("the store can be written again") }
    } catch {
      missed(error)
      await restore(store, after: error)
    }
  }

  /// Writes the store again if it was taken away.
  private func restore(_ store: any CheckpointStore, after error: AgentError) async {
    guard error.storeCode == .gone else { return }
    do {
      let restoration = try await onThread { () throws(StoreError) in try store.restore(after: error.message) }
      if restoration == .empty { folding.withLock { $0.saveAnew(clock()) } }
      logger.error("\(store.history.removal ?? error.message)")
      _ = state.withLock { $0.saving.found() }
    } catch {
      missed(error)
    }
  }

  private func missed(_ error: AgentError) {
    let isNew = state.withLock { $0.saving.missed(error) }
    if isNew { logger.error("the store cannot be written; it is tried again", metadata: ["error": "\(error)"]) }
  }

  /// - Returns: Why it was not saved; `nil` if it was.
  @discardableResult
  private func save(_ checkpoint: Checkpoint) async -> AgentError? {
    guard let store = state.withLock({ $0.store }) else { return AgentError(.store, "the store is closed") }
    let began = clock()
    do {
      try await onThread { () throws(StoreError) in try store.save(checkpoint) }
      folding.withLock { $0.saved(checkpoint) }
      let ended = clock()
      state.withLock { $0.lookedAt = ended }
      let recovered = state.withLock { $0.saving.succeeded(at: ended, after: ended - began) }
      if recovered { logger.notice("checkpoints are saved again") }
      return nil
    } catch {
      folding.withLock { $0.failed(checkpoint) }
      let isNew = state.withLock { $0.saving.failed(error) }
      if isNew { logger.error("a checkpoint was not saved; it is tried again", metadata: ["error": "\(error)"]) }
      await restore(store, after: error)
      return error
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
  /// Functions as documents, with what the host of this process says of their starts.
  func documents(_ functions: [FunctionSnapshot]) -> [FunctionDocument] {
    let failures = state.withLock { $0.startFailures }()
    return functions.map { function in
      var document = FunctionDocument(function)
      document.startFailure = document.version == nil ? failures[document.function] : nil
      return document
    }
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
  private var failure: String?
  /// Why the next one could not be, as was found between two; `nil` if all was well.
  private var absence: String?

  /// Why nothing can be saved; `nil` if it can.
  var problem: String? { absence ?? failure }

  /// - Returns: Whether this ends a run of failures.
  mutating func succeeded(at end: Timestamp, after duration: Nanoseconds) -> Bool {
    defer { (failure, absence) = (nil, nil) }
    checkpoints.succeeded &+= 1
    checkpoints.last = end
    checkpoints.lastDuration = duration
    return problem != nil
  }

  /// Takes note that the store is where it belongs.
  ///
  /// - Returns: Whether it was missed before.
  mutating func found() -> Bool {
    defer { absence = nil }
    return absence != nil
  }

  /// - Returns: Whether the store is missed for another reason than before.
  mutating func missed(_ error: AgentError) -> Bool {
    defer { absence = error.message }
    return problem != error.message
  }

  /// - Returns: Whether the failure is of another kind than the last one.
  mutating func failed(_ error: AgentError) -> Bool {
    checkpoints.failed &+= 1
    defer { failure = error.message }
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
