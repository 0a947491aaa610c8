import EventPipeline
import Lifecycle
import Synchronization
import WindowStore
import Windows

/// A journal that is kept as long as the test runs: the stand-in for the one on disk, and the first to pass its conformance
/// suite.
final class MemoryJournal: Journal {
  private struct Entry {
    var position: JournalPosition
    var batch: EventBatch
  }

  private struct Disk {
    var entries: [Entry] = []
    var highest: [SourceID: UInt64] = [:]
    var last = JournalPosition.start
    var appends = 0
    var roomForBatches = Int.max
    var own: [(position: JournalPosition, entry: JournalEntry)] = []
    var lastOwn = JournalPosition.start
    var ownTruncated = JournalPosition.start
    var truncationProblem: StoreError?

    mutating func take(_ batch: EventBatch) -> JournalOutcome {
      guard batch.source.isAnonymous || batch.sequence > highest[batch.source, default: 0] else { return .duplicate }
      highest[batch.source] = batch.sequence
      last = JournalPosition(last.number + 1)
      entries.append(Entry(position: last, batch: batch))
      return .kept(last)
    }
  }

  private let disk = Mutex(Disk())

  func append(_ batches: [EventBatch]) throws(StoreError) -> [JournalOutcome] {
    try disk.withLock { disk throws(StoreError) in
      // Of a copy, so that nothing is kept if there is no room for all.
      var new = disk
      new.appends += 1
      let outcomes = batches.map { new.take($0) }
      guard new.entries.count <= disk.roomForBatches else { throw StoreError(.full, "the journal is full") }
      disk = new
      return outcomes
    }
  }

  func replay(
    after position: JournalPosition, _ body: (EventBatch, JournalPosition) -> Void
  ) throws(StoreError) {
    for entry in disk.withLock({ $0.entries }) where entry.position > position { body(entry.batch, entry.position) }
  }

  func truncate(through position: JournalPosition) throws(StoreError) {
    try disk.withLock { disk throws(StoreError) in
      if let problem = disk.truncationProblem { throw problem }
      disk.entries.removeAll { $0.position <= position }
    }
  }

  func record(_ event: LifecycleEvent) { _ = record(.event(event)) }
  func record(_ mark: JournalMark) -> JournalPosition { record(.mark(mark)) }

  private func record(_ entry: JournalEntry) -> JournalPosition {
    disk.withLock { disk in
      disk.lastOwn = JournalPosition(disk.lastOwn.number + 1)
      disk.own.append((disk.lastOwn, entry))
      return disk.lastOwn
    }
  }

  func replayEntries(
    after position: JournalPosition, _ body: (JournalEntry, JournalPosition) -> Void
  ) throws(StoreError) {
    for (own, entry) in disk.withLock({ $0.own }) where own > position { body(entry, own) }
  }

  func truncateEntries(through position: JournalPosition) throws(StoreError) {
    disk.withLock { disk in
      disk.own.removeAll { $0.position <= position }
      disk.ownTruncated = max(disk.ownTruncated, position)
    }
  }

  var isDirty: Bool { false }
  var needsRoom: Bool { false }
  func synchronize() throws(StoreError) {}
  func maintain() throws(StoreError) {}
  func close() {}
  var statistics: JournalStatistics {
    disk.withLock { disk in
      var statistics = JournalStatistics()
      statistics.batches = UInt64(disk.entries.count)
      statistics.entries = UInt64(disk.own.count)
      return statistics
    }
  }

  /// Whether a batch was ever kept.
  func keeps(_ batch: EventBatch) -> Bool { disk.withLock { $0.highest[batch.source, default: 0] >= batch.sequence } }
  /// How many commits there were.
  var appends: Int { disk.withLock { $0.appends } }
  /// How many batches are kept.
  var count: Int { disk.withLock { $0.entries.count } }
  func leaveRoom(for batches: Int) { disk.withLock { $0.roomForBatches = batches } }
  func failTruncation(with problem: StoreError?) { disk.withLock { $0.truncationProblem = problem } }
}
