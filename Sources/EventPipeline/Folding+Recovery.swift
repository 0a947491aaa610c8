internal import Lifecycle
internal import WindowStore
internal import Windows

/// Continuing after another process.
extension Folding {
  /// Applies what the journal keeps and the checkpoint does not contain, as it was applied at first: batches where a mark says so,
  /// those that had not been applied yet last. Then ends what was in progress in the process that is gone.
  ///
  /// - Parameters:
  ///   - checkpoint: `nil` before the first.
  ///   - journal: `nil` where there is none.
  ///   - now: The clock.
  /// - Returns: What anonymous senders told last, in both.
  /// - Throws: ``StoreError`` if the journal cannot be read.
  mutating func recover(
    _ checkpoint: Checkpoint?, _ journal: (any Journal)?, _ now: Timestamp
  ) throws(StoreError) -> [ToldLife] {
    if let checkpoint {
      aggregator = Aggregator(aggregator.configuration, restoring: checkpoint)
      boundary = aggregator.finalBoundary
      (applied, recorded) = (checkpoint.journal, checkpoint.entries)
      isChanged = true
    }
    var replay = Replay(lastSeen: checkpoint?.time)
    if let journal {
      try journal.replay(after: applied) { replay.batches.append(($0, $1)) }
      try journal.replayEntries(after: recorded) { replay.take($0, at: $1, &self) }
      replay.finish(now, &self)
    }
    if let lastSeen = replay.lastSeen { aggregator.abandonLive(at: lastSeen) }
    return (checkpoint?.told ?? []) + toldSince
  }

  /// Does again what marks tell.
  private struct Replay {
    /// The last instant at which the process is known to have run.
    var lastSeen: Timestamp?
    /// Those that were not applied yet.
    var batches: [(batch: EventBatch, position: JournalPosition)] = []
    private var events: [LifecycleEvent] = []
    private var batchesApplied = 0

    init(lastSeen: Timestamp?) { self.lastSeen = lastSeen }

    mutating func take(_ entry: JournalEntry, at position: JournalPosition, _ folding: inout Folding) {
      switch entry {
      case .event(let event):
        events.append(event)
      case .mark(let mark):
        apply(through: mark.batches, mark.time, &folding)
        folding.recorded = position
        if mark.isRead { folding.aggregator.noteReading(at: mark.time) }
        folding.advance(mark.time)
        ran(at: mark.time)
      }
    }

    /// Applies what was offered and accepted behind the last mark.
    mutating func finish(_ now: Timestamp, _ folding: inout Folding) {
      // None of its events was in the future of the process that is gone; this one's clock may have been set back.
      for event in events where event.kind.latest <= now { ran(at: event.kind.latest) }
      apply(through: JournalPosition(.max), now, &folding)
    }

    private mutating func ran(at time: Timestamp) { lastSeen = max(lastSeen ?? time, time) }

    private mutating func apply(through position: JournalPosition, _ time: Timestamp, _ folding: inout Folding) {
      folding.aggregator.apply(events, now: time)
      if !events.isEmpty { folding.isChanged = true }
      events.removeAll(keepingCapacity: true)
      while batchesApplied < batches.count, batches[batchesApplied].position <= position {
        folding.apply([batches[batchesApplied].batch], time)
        folding.applied = batches[batchesApplied].position
        batchesApplied += 1
      }
    }
  }
}
