package import Lifecycle
package import WindowStore
package import Windows

/// Where accepted batches are kept from their acknowledgement until a checkpoint contains them.
///
/// The pipeline appends, applies, saves checkpoints that say how far they reach, and truncates; at its start it replays what
/// the last checkpoint does not contain. So a batch that was acknowledged is applied once, wherever the process ends. Every
/// call may block. Calls follow each other.
package protocol Journal: Sendable {
  /// Keeps batches, in one commit: when this returns they are durable, and if it throws none of them is kept.
  ///
  /// - Parameter batches: In the order in which they came.
  /// - Returns: The result of each, in the same order. A batch is a duplicate if its sequence is not higher than the
  ///   highest that was kept of its source: before, since truncated, or earlier among `batches`.
  /// - Throws: ``StoreError``, with ``StoreError/Code/full`` if there is no room.
  func append(_ batches: [EventBatch]) throws(StoreError) -> [JournalOutcome]

  /// Hands over what is kept and lies after a position, in the order in which it was appended.
  ///
  /// - Throws: ``StoreError`` if it cannot be read; `body` may have been called for some by then.
  func replay(
    after position: JournalPosition, _ body: (EventBatch, JournalPosition) -> Void
  ) throws(StoreError)

  /// Forgets batches up to and including a position, because a durable checkpoint contains them; which sequences were kept
  /// of which source is not forgotten. Positions that follow are higher than all before.
  ///
  /// - Throws: ``StoreError`` if they are still there; that costs room alone.
  func truncate(through position: JournalPosition) throws(StoreError)
}

/// The result of giving a batch to a journal.
package enum JournalOutcome: Sendable, Equatable {
  /// It is kept, and has to be applied.
  case kept(JournalPosition)
  /// It was kept before, and must not be applied again.
  case duplicate
}
