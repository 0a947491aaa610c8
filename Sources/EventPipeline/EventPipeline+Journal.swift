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
      let outcomes = try await storeThread.run { () throws(StoreError) in try journal.append(batches) }
      let now = time.now()
      return folding.withLock { folding in
        zip(batches, outcomes).map { batch, outcome in
          switch outcome {
          case .kept(let position):
            folding.apply(batch, at: position, now)
            return .applied
          case .duplicate:
            return .duplicate
          }
        }
      }
    } catch {
      return batches.map { _ in .refused(Refusal(error)) }
    }
  }

  /// Refuses batches from now on, and completes those that came before.
  func endBatches() async {
    queue.refuseBatches(.notRunning)
    await journalBatches()
  }

  /// Forgets the batches that a saved checkpoint contains.
  func truncateJournal(through position: JournalPosition) async {
    let (journal, truncated) = state.withLock { ($0.journal, $0.truncated) }
    guard let journal, position > truncated else { return }
    do {
      try await storeThread.run { () throws(StoreError) in try journal.truncate(through: position) }
      state.withLock { state in
        state.truncated = position
        state.truncationProblem = nil
      }
    } catch {
      // The next checkpoint tries again. Until then they take room: replay begins after the checkpoint all the same.
      let isNew = state.withLock { state in
        defer { state.truncationProblem = error.message }
        return state.truncationProblem != error.message
      }
      if isNew {
        logger.error(
          "batches that the store has saved could not be removed from the journal",
          metadata: ["error": "\(error.message)"])
      }
    }
  }
}
