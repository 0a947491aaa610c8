package import Lifecycle
package import Logging
internal import Synchronization
package import WindowStore

/// The way of events from their sources into windows and totals, and from there into the store.
///
/// A source offers events at any time and never waits. ``start()`` opens the store and continues from it; ``run()`` folds
/// and saves until its task is cancelled; ``finish()`` saves a last time and gives the store back. Readers ask through
/// ``read(at:_:)``, from any thread, before, during and after that. The pipeline has no clock: it is handed one.
package final class EventPipeline: Sendable {
  /// Opens the store; runs on a thread that may wait.
  package typealias StoreOpening = @Sendable () throws(StoreError) -> any CheckpointStore

  let configuration: PipelineConfiguration
  let queue: EventQueue
  let folding: Mutex<Folding>
  let time: PipelineTime
  let logger: Logger
  let storeThread = StoreThread()
  let state = Mutex(State())
  private let openStore: StoreOpening

  struct State {
    var store: (any CheckpointStore)?
    var saving = SavingStatistics()
    /// When the store was last seen where it belongs.
    var lookedAt: Timestamp?
  }

  /// - Parameters:
  ///   - time: What the pipeline goes by.
  ///   - logger: Where failures to save are told, once for each kind.
  ///   - openStore: Called once, by ``start()``.
  package init(
    _ configuration: PipelineConfiguration, time: PipelineTime, logger: Logger, openStore: @escaping StoreOpening
  ) {
    self.configuration = configuration
    self.time = time
    self.logger = logger
    self.openStore = openStore
    queue = EventQueue(limit: configuration.eventsLimit)
    folding = Mutex(Folding(configuration.aggregator, queue: queue))
  }

  // MARK: Sources

  /// Takes an event of a source in this process. Never waits: if ``PipelineConfiguration/eventsLimit`` events wait already,
  /// it is dropped and counted. May be called from any thread, at any time.
  ///
  /// - Complexity: A lock and an append.
  package func offer(_ event: LifecycleEvent) { queue.offer(event) }

  /// Events that wait to be folded, and those that were dropped because too many waited.
  package var queued: (waiting: Int, dropped: UInt64) { queue.counts }

  // MARK: Readers

  /// Folds what waits, lets time pass, and reads: whoever was just answered finds its own invocation.
  ///
  /// - Parameters:
  ///   - now: The clock.
  ///   - body: Runs under the pipeline's lock: it computes, and neither waits nor calls the pipeline.
  package func read<Value: Sendable>(at now: Timestamp, _ body: (inout Folding) -> Value) -> Value {
    folding.withLock { folding in
      folding.catchUp(now)
      return body(&folding)
    }
  }

  /// The store; `nil` before ``start()`` and after ``finish()``.
  package var store: (any CheckpointStore)? { state.withLock { $0.store } }

  /// How saving went.
  package var saving: SavingStatistics { state.withLock { $0.saving } }

  // MARK: Life

  /// Opens the store and continues from what is in it.
  ///
  /// - Throws: ``StoreError`` if it cannot be opened or read; then it is closed again.
  package func start() async throws(StoreError) {
    let store = try await storeThread.run { () throws(StoreError) in try self.restored() }
    state.withLock { $0.store = store }
  }

  private func restored() throws(StoreError) -> any CheckpointStore {
    let store = try openStore()
    do {
      if let checkpoint = try store.load() { folding.withLock { $0.restore(checkpoint) } }
    } catch {
      // It is the failure to load that matters; one to close what was only read adds nothing.
      try? store.close()
      throw error
    }
    return store
  }

  /// Folds and saves until the task is cancelled.
  ///
  /// Between two turns it sleeps until an event arrives or something is due, so that an idle pipeline wakes only to look
  /// after its store, once every ``PipelineConfiguration/checkpointInterval``.
  package func run() async {
    while !Task.isCancelled {
      await turn()
      let due = nextDue(time.now())
      // What was left undone in this turn is done in the next, but not without a pause.
      let length = max(due, configuration.gatheringInterval)
      if await queue.arrival(orAfter: { [time] in await time.pause(length) }) {
        await time.pause(configuration.gatheringInterval)
      }
    }
  }

  /// How long until something has to be done although nothing arrives; zero or less if it is time.
  private func nextDue(_ now: Timestamp) -> Nanoseconds {
    let interval = configuration.checkpointInterval
    let folding = folding.withLock { $0.nextDue(now, interval: interval) }
    return min(folding, Nanoseconds.remaining(of: interval, since: state.withLock { $0.lookedAt }, now))
  }

  /// Folds what arrived and saves a checkpoint if one is due.
  package func turn() async {
    let now = time.now()
    let checkpoint = read(at: now) { $0.nextCheckpoint(now, interval: configuration.checkpointInterval) }
    if let checkpoint { await save(checkpoint) } else { await lookAfterStore(now) }
  }
}

extension Nanoseconds {
  /// How much of an interval is left; zero or less if it is over, if it never began, or if the clock went back behind its
  /// beginning: a clock that is set back must not stop what is done at intervals.
  static func remaining(of interval: Nanoseconds, since start: Timestamp?, _ now: Timestamp) -> Nanoseconds {
    guard let start, now >= start else { return .zero }
    return start + interval - now
  }
}
