package import Lifecycle
package import Logging
internal import Synchronization
package import WindowStore
package import Windows

/// The way of events from their sources into windows and totals, and from there into the store.
///
/// A source in this process offers events at any time and never waits; other sources submit batches and are told what became
/// of them. `start()` opens the store and continues from it; `run()` journals, folds and saves until its task is
/// cancelled; `finish()` saves a last time and gives the store back. Readers ask through `read(at:_:)`, from any thread,
/// before, during and after that. The pipeline has no clock: it is handed one.
package final class EventPipeline: Sendable {
  /// What keeps checkpoints, and what keeps batches until then; `nil` where no source needs acknowledgement.
  package typealias Stores = (store: any CheckpointStore, journal: (any Journal)?)
  /// Opens both; runs on a thread that may wait.
  package typealias StoreOpening = @Sendable () throws(StoreError) -> Stores

  let configuration: PipelineConfiguration
  let queue: EventQueue
  let folding: Mutex<Folding>
  let time: PipelineTime
  let logger: Logger
  let storeThread = StoreThread(label: "kelvin.store")
  /// Another one, so that no batch waits for a checkpoint to be written.
  let journalThread = StoreThread(label: "kelvin.journal")
  let state = Mutex(State())
  let sourceRegistry: Mutex<SourceRegistry>
  private let openStores: StoreOpening

  struct State {
    var store: (any CheckpointStore)?
    var journal: (any Journal)?
    /// When the journal was last written and given room.
    var tendedAt: Timestamp?
    /// Why that, or removing from it, failed last, by what failed.
    var journalProblems: [String: String] = [:]
    var batches = BatchStatistics()
    var saving = SavingStatistics()
    /// When the store was last seen where it belongs.
    var lookedAt: Timestamp?
  }

  /// Makes a pipeline that holds nothing and refuses batches until `start()`.
  ///
  /// - Parameters:
  ///   - time: The clock of the pipeline.
  ///   - logger: Logs failures to save, once for each kind.
  ///   - openStores: Called once, by `start()`.
  package init(
    _ configuration: PipelineConfiguration, time: PipelineTime, logger: Logger, openStores: @escaping StoreOpening
  ) {
    self.configuration = configuration
    self.time = time
    self.logger = logger
    self.openStores = openStores
    queue = EventQueue(eventsLimit: configuration.eventsLimit, batchEventsLimit: configuration.batchEventsLimit)
    folding = Mutex(Folding(configuration.aggregator, queue: queue))
    sourceRegistry = Mutex(SourceRegistry(limit: configuration.sourcesLimit))
  }

  // MARK: Sources

  /// Takes an event of a source in this process. Never waits: if ``PipelineConfiguration/eventsLimit`` events wait already,
  /// it is dropped and counted. May be called from any thread, at any time.
  ///
  /// - Complexity: A lock and an append.
  package func offer(_ event: LifecycleEvent) { queue.offer(event) }

  /// Journals and applies a batch.
  ///
  /// Back-pressure: a source that waits for one batch before it sends the next one cannot outrun the pipeline, and where
  /// too many sources send at once, batches are refused. A cancelled task still waits for the completion.
  ///
  /// - Parameter rejected: Events of it that could not be read; they are counted if the batch is accepted.
  /// - Returns: The result. All but ``Completion/refused(_:)`` acknowledge it.
  /// - Complexity: One commit of the journal, which batches that wait at the same time share.
  package func submit(_ batch: EventBatch, rejected: [RejectedEvent] = []) async -> Completion {
    let completion = await queue.submit(batch)
    let now = time.now()
    state.withLock { $0.batches.count(completion) }
    if completion.isApplied, !rejected.isEmpty { folding.withLock { $0.count(rejected: rejected) } }
    let report = SourceRegistry.Report(batch, rejected: rejected.count)
    sourceRegistry.withLock { $0.count(report, completion, at: now) }
    return completion
  }

  /// What was heard of each source of batches; of all that have no row of their own together, at the end.
  package var sources: [SourceStatistics] { sourceRegistry.withLock { $0.statistics } }

  /// The results of all batches.
  package var batches: BatchStatistics { state.withLock { $0.batches } }

  /// What waits, and what was dropped because too much did.
  package var queued: QueueStatistics { queue.statistics }

  // MARK: Readers

  /// Folds what waits, lets time pass, and reads: a caller that has just got its answer finds its own invocation.
  ///
  /// - Parameters:
  ///   - now: The clock.
  ///   - body: Runs under the pipeline's lock: it computes, and neither waits nor calls the pipeline.
  package func read<Value: Sendable>(at now: Timestamp, _ body: (inout Folding) -> Value) -> Value {
    folding.withLock { folding in
      folding.catchUp(now, isRead: true)
      return body(&folding)
    }
  }

  /// What the journal holds and did; `nil` where there is none, before `start()` and after `finish()`.
  package var journal: JournalStatistics? { state.withLock { $0.journal }?.statistics }

  /// The store; `nil` before `start()` and after `finish()`.
  package var store: (any CheckpointStore)? { state.withLock { $0.store } }

  /// How saving went.
  package var saving: SavingStatistics { state.withLock { $0.saving } }

  // MARK: Life

  /// Opens the store and continues from what is in it and in the journal.
  ///
  /// - Parameter knowing: Is handed what senders that do not number what they send told last, before any batch is taken.
  /// - Throws: ``StoreError`` if either cannot be opened or read; then the store is closed again.
  package func start(knowing: @Sendable ([ToldLife]) -> Void = { _ in }) async throws(StoreError) {
    let (stores, told) = try await storeThread.run { () throws(StoreError) in try self.restored() }
    knowing(told)
    state.withLock { ($0.store, $0.journal) = (stores.store, stores.journal) }
    queue.refuseBatches(stores.journal == nil ? .noJournal : nil)
  }

  private func restored() throws(StoreError) -> (Stores, [ToldLife]) {
    let stores = try openStores()
    let told: [ToldLife]
    do {
      let checkpoint = try stores.store.load()
      let now = time.now()
      told = try folding.withLock { folding throws(StoreError) in
        try folding.recover(checkpoint, stores.journal, now)
      }
      let invocations = folding.withLock { $0.invocations(now) }
      let saved = stores.store.savedInvocations
      stores.store.recovered(invocations: invocations > saved ? invocations - saved : 0)
      if let checkpoint { tellOfFuture(checkpoint.time - now) }
      queue.record(in: stores.journal)
    } catch {
      // It is the failure to load that matters; one to close what was only read adds nothing.
      try? stores.store.close()
      throw error
    }
    return (stores, told)
  }

  /// Says it if the last checkpoint was taken later than now, because the clock was set back since.
  private func tellOfFuture(_ ahead: Nanoseconds) {
    guard ahead >= .seconds(1) else { return }
    logger.warning(
      """
      the last checkpoint is \(ahead.count / 1_000_000_000) s ahead of the clock, which has been set back since: \
      windows that were final then still count events, but keep their maxima
      """)
  }

  /// Journals, folds and saves until the task is cancelled; then every batch that was submitted is completed, and further
  /// ones are refused.
  ///
  /// Between two turns it sleeps until something arrives or is due, so that an idle pipeline wakes only to look after its
  /// store, once every `PipelineConfiguration.lookInterval`.
  package func run() async {
    while !Task.isCancelled {
      await turn()
      let due = nextDue(time.now())
      // What was left undone in this turn is done in the next, but not without a pause.
      let length = max(due, configuration.gatheringInterval)
      guard await queue.arrival(of: .anything, orAfter: { [time] in await time.pause(length) }) else { continue }
      // Events gather; whoever waits for the completion of a batch does not wait for that.
      await queue.arrival(
        of: .batch,
        orAfter: { [time, configuration] in
          await time.pause(configuration.gatheringInterval)
        })
    }
    await endBatches()
  }

  /// How long until something has to be done although nothing arrives; zero or less if it is time.
  private func nextDue(_ now: Timestamp) -> Nanoseconds {
    let folding = folding.withLock { $0.nextDue(now, interval: configuration.checkpointInterval) }
    let store = Nanoseconds.remaining(of: configuration.lookInterval, since: state.withLock { $0.lookedAt }, now)
    return min(folding, store, nextSynchronization(now) ?? store)
  }

  /// Journals and folds what arrived, and saves a checkpoint if one is due.
  package func turn() async {
    await journalBatches()
    let now = time.now()
    let checkpoint = folding.withLock { folding in
      folding.catchUp(now, isRead: false)
      return folding.nextCheckpoint(now, interval: configuration.checkpointInterval)
    }
    if let checkpoint { await save(checkpoint) } else { await lookAfterStore(now) }
    await lookAfterJournal(now)
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
