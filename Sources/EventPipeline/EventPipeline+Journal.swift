internal import Lifecycle
internal import Logging
internal import Synchronization
internal import WindowStore
internal import Windows

/// Batches on their way through the journal into the aggregator.
extension EventPipeline {
  /// Journals the batches that wait, in one commit, applies them, and tells their sources.
  func journalBatches() async {
    let waiting = queue.takeBatches()
    guard !waiting.isEmpty else { return }
    let completions = await completions(of: waiting.map(\.batch))
    for (batch, completion) in zip(waiting, completions) { batch.completion.resume(returning: completion) }
  }

  private func completions(of batches: [EventBatch]) async -> [Completion] {
    guard let journal = state.withLock({ $0.journal }) else {
      return batches.map { _ in .refused(.notRunning) }
    }
    do throws(StoreError) {
      let outcomes = try await journalThread.run { () throws(StoreError) in try journal.append(batches) }
      var kept: [EventBatch] = []
      var last = JournalPosition.start
      for (batch, outcome) in zip(batches, outcomes) {
        guard case .kept(let position) = outcome else { continue }
        kept.append(batch)
        last = position
      }
      var applied: [Completion] = []
      if !kept.isEmpty { applied = folding.withLock { $0.apply(kept, through: last, time.now()) } }
      var next = applied.makeIterator()
      return outcomes.map { $0 == .duplicate ? .duplicate : next.next() ?? .applied }
    } catch {
      return batches.map { _ in .refused(Refusal(error)) }
    }
  }

  /// Refuses batches from now on, and completes those that came before.
  func endBatches() async {
    queue.refuseBatches(.notRunning)
    await journalBatches()
  }

  /// Forgets what a saved checkpoint contains.
  func truncateJournal(_ checkpoint: Checkpoint) async {
    guard let journal = state.withLock({ $0.journal }) else { return }
    // If it fails, the next checkpoint tries again. Until then it takes room: replay begins after the checkpoint all the same.
    await tend("what the store has saved could not be removed from the journal") { () throws(StoreError) in
      try journal.truncate(through: checkpoint.journal)
      try journal.truncateEntries(through: checkpoint.entries)
    }
  }

  /// Has the journal on the disk once a second while anything is recorded, and gives it room for more.
  func lookAfterJournal(_ now: Timestamp) async {
    guard let journal = state.withLock({ $0.journal }) else { return }
    guard journal.needsRoom || nextSynchronization(now).map({ $0 <= .zero }) ?? false else { return }
    state.withLock { $0.tendedAt = now }
    await tend("the journal could not be written; events count, but a kill may lose some") { () throws(StoreError) in
      try journal.maintain()
    }
  }

  /// How long until the journal has to be on the disk; `nil` if all of it is.
  func nextSynchronization(_ now: Timestamp) -> Nanoseconds? {
    let (journal, tendedAt) = state.withLock { ($0.journal, $0.tendedAt) }
    guard let journal, journal.isDirty else { return nil }
    return Nanoseconds.remaining(of: Self.journalInterval, since: tendedAt, now)
  }

  /// Does what the next call does again if it fails; each reason is logged once.
  private func tend(_ failure: String, _ body: @escaping @Sendable () throws(StoreError) -> Void) async {
    do {
      try await journalThread.run(body)
      state.withLock { $0.journalProblems[failure] = nil }
    } catch {
      let isNew = state.withLock { $0.journalProblems.updateValue(error.message, forKey: failure) != error.message }
      if isNew { logger.error("\(failure)", metadata: ["error": "\(error.message)"]) }
    }
  }

  /// What a loss of power may cost of the events of this process.
  private static let journalInterval = Nanoseconds.seconds(1)
}
