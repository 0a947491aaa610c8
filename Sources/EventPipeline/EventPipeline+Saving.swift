package import Lifecycle
internal import Logging
internal import Synchronization
package import WindowStore
internal import Windows

/// Saves checkpoints to the store, and handles a store that fails.
extension EventPipeline {
  /// What a pipeline has to say at its end.
  package struct Ending: Sendable {
    /// What could not be saved; `nil` if all was.
    package var unsaved: Unsaved?
    /// A sentence about the last time that the store was removed; `nil` if it never was.
    package var removal: String?
  }

  /// What is lost with the process.
  package struct Unsaved: Sendable {
    /// Why it could not be saved.
    package var reason: StoreError
    /// When a checkpoint was last saved; `nil` if none was.
    package var since: Timestamp?
    /// How many invocations were counted that the store does not have.
    package var invocations: UInt64
    /// All functions that were ever seen.
    package var functions: Int
    /// Whether the journal has all of it, so that the next process counts it.
    package var isJournaled: Bool
  }

  /// Saves what changed, closes the store and gives it back. Not to be called while ``run()`` runs.
  ///
  /// - Returns: What the process should say; `nil` if no store is open.
  package func finish() async -> Ending? {
    guard let store else { return nil }
    await endBatches()
    let reason = await saveLast(store)
    var loss = reason.map { unsaved($0, store) }
    if let reason { loss?.isJournaled = await isJournaled(reason) }
    let ending = Ending(unsaved: loss, removal: store.history.removal)
    do {
      try await storeThread.run { () throws(StoreError) in try store.close() }
    } catch {
      logger.warning("the store could not be closed", metadata: ["error": "\(error.message)"])
    }
    queue.record(in: nil)
    state.withLock { $0.journal }?.close()
    state.withLock { ($0.store, $0.journal) = (nil, nil) }
    return ending
  }

  private func unsaved(_ reason: StoreError, _ store: any CheckpointStore) -> Unsaved {
    let now = time.now()
    let (invocations, functions) = read(at: now) { ($0.invocations(now), $0.functionCount) }
    // What had been saved in a store that is gone for good is lost as well.
    let saved = reason.code == .gone ? 0 : store.savedInvocations
    return Unsaved(
      reason: reason, since: saving.checkpoints.last, invocations: invocations > saved ? invocations - saved : 0,
      functions: functions, isJournaled: false)
  }

  /// Whether the next process finds in the journal what the store has not.
  private func isJournaled(_ reason: StoreError) async -> Bool {
    // With the store went the folder of the journal.
    guard reason.code != .gone, let journal = state.withLock({ $0.journal }), journal.statistics.eventsSkipped == 0
    else { return false }
    do {
      try await journalThread.run { () throws(StoreError) in try journal.synchronize() }
      return true
    } catch {
      return false
    }
  }

  /// Saves what changed, with the room that was kept back if the disk is full.
  ///
  /// - Returns: Why it was not saved.
  private func saveLast(_ store: any CheckpointStore) async -> StoreError? {
    // Once as it is, once in a store that was made again, once in the room that was kept back.
    for attempt in 1...3 {
      folding.withLock { $0.lastCheckpoint(time.now()) }
      var problem: StoreError?
      while problem == nil,
        let checkpoint = folding.withLock({ $0.nextCheckpoint(time.now(), interval: .seconds(3_600)) })
      {
        problem = await save(checkpoint)
      }
      guard let problem else { return nil }
      let mayHelp = problem.code == .gone || problem.code == .full && store.releaseReserve()
      guard mayHelp, attempt < 3 else { return problem }
    }
    return nil
  }

  /// - Returns: Why it was not saved; `nil` if it was.
  @discardableResult
  func save(_ checkpoint: Checkpoint) async -> StoreError? {
    guard let store else { return StoreError(.failed, "the store is closed") }
    let began = time.now()
    do {
      try await storeThread.run { () throws(StoreError) in try store.save(checkpoint) }
      folding.withLock { $0.saved(checkpoint) }
      let ended = time.now()
      let recovered = state.withLock { state in
        state.lookedAt = ended
        return state.saving.succeeded(at: ended, after: ended - began)
      }
      if recovered { logger.notice("checkpoints are saved again") }
      await truncateJournal(checkpoint)
      return nil
    } catch {
      folding.withLock { $0.failed(checkpoint) }
      let isNew = state.withLock { $0.saving.failed(error) }
      if isNew {
        logger.error("a checkpoint could not be saved; Kelvin tries again", metadata: ["error": "\(error.message)"])
      }
      await restore(store, after: error)
      return error
    }
  }

  /// Looks whether the store still is where it was, when no checkpoint did so.
  func lookAfterStore(_ now: Timestamp) async {
    let isTime = state.withLock { state in
      let remaining = Nanoseconds.remaining(of: configuration.lookInterval, since: state.lookedAt, now)
      guard remaining <= .zero else { return false }
      state.lookedAt = now
      return true
    }
    guard isTime, let store else { return }
    do {
      try await storeThread.run { () throws(StoreError) in try store.verify() }
      if state.withLock({ $0.saving.found() }) { logger.notice("the store can be written again") }
    } catch {
      missed(error)
      await restore(store, after: error)
    }
  }

  /// Writes the store again if it was removed.
  private func restore(_ store: any CheckpointStore, after error: StoreError) async {
    guard error.code == .gone else { return }
    do {
      let restoration = try await storeThread.run { () throws(StoreError) in try store.restore(after: error.message) }
      if restoration == .empty { folding.withLock { $0.saveAnew(time.now()) } }
      logger.error("\(store.history.removal ?? error.message)")
      _ = state.withLock { $0.saving.found() }
    } catch {
      missed(error)
    }
  }

  private func missed(_ error: StoreError) {
    let isNew = state.withLock { $0.saving.missed(error) }
    if isNew {
      logger.error("the store cannot be written; Kelvin tries again", metadata: ["error": "\(error.message)"])
    }
  }
}
