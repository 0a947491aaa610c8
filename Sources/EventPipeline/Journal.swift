package import Lifecycle
package import WindowStore
package import Windows

/// Where events are kept until a checkpoint contains them: accepted batches from before their acknowledgement, and events of this
/// process from before whoever caused them is answered.
///
/// The pipeline appends, applies, saves checkpoints that say how far they reach, and truncates; at its start it replays what
/// the last checkpoint does not contain. So a batch that was acknowledged is applied once, wherever the process ends, and no
/// counter that was read goes down.
///
/// Batches and the entries of this process have positions of their own: a batch waits for the disk, and an event of this process
/// never does. A mark among the entries says where the batches between them were applied.
///
/// `record` never waits, and may be called from any thread. Every other call may block; these follow each other.
package protocol Journal: Sendable {
  /// Keeps batches, in one commit: when this returns they are durable, and if it throws none of them is kept.
  ///
  /// - Parameter batches: In the order in which they came.
  /// - Returns: The result of each, in the same order. A batch is a duplicate if its sequence is not higher than the
  ///   highest that was kept of its source: before, since truncated, or earlier among `batches`.
  /// - Throws: ``StoreError``, with ``StoreError/Code/full`` if there is no room.
  func append(_ batches: [EventBatch]) throws(StoreError) -> [JournalOutcome]

  /// Hands over batches that are kept and lie after a position, in the order in which they were appended.
  ///
  /// - Throws: ``StoreError`` if they cannot be read; `body` may have been called for some by then.
  func replay(
    after position: JournalPosition, _ body: (EventBatch, JournalPosition) -> Void
  ) throws(StoreError)

  /// Forgets batches up to and including a position, because a durable checkpoint contains them; which sequences were kept
  /// of which source is not forgotten. Positions that follow are higher than all before.
  ///
  /// - Throws: ``StoreError`` if they are still there; that costs room alone.
  func truncate(through position: JournalPosition) throws(StoreError)

  /// Records an event of a source in this process. A kill of the process loses none that this returned for; a loss of power may
  /// lose those since ``maintain()`` last returned. One that finds no room is counted in ``JournalStatistics/eventsSkipped``.
  func record(_ event: LifecycleEvent)

  /// Records what was applied and read, behind the events so far.
  ///
  /// - Returns: The position of the mark; that of the last entry if there is no room for it.
  func record(_ mark: JournalMark) -> JournalPosition

  /// Hands over the entries that are kept and lie after a position, in the order in which they were recorded. Entries that
  /// are recorded from then on have positions above it.
  ///
  /// - Throws: ``StoreError`` if they cannot be read; `body` may have been called for some by then.
  func replayEntries(after position: JournalPosition, _ body: (JournalEntry, JournalPosition) -> Void)
    throws(StoreError)

  /// Forgets entries up to and including a position, because a durable checkpoint contains them.
  ///
  /// - Throws: ``StoreError`` if they are still there; that costs room alone.
  func truncateEntries(through position: JournalPosition) throws(StoreError)

  /// Whether entries are neither on the disk nor in a checkpoint.
  var isDirty: Bool { get }

  /// Whether room for entries has to be prepared soon.
  var needsRoom: Bool { get }

  /// Has all entries on the disk.
  ///
  /// - Throws: ``StoreError`` if the disk does not take them.
  func synchronize() throws(StoreError)

  /// Has all entries on the disk, prepares room for further ones, and looks whether the journal still is where it was.
  ///
  /// - Throws: ``StoreError`` if one of that fails; it is tried again with the next call.
  func maintain() throws(StoreError)

  /// Ends all access. What a checkpoint contains is removed.
  func close()

  /// What it holds, and what it did.
  var statistics: JournalStatistics { get }
}

/// The result of giving a batch to a journal.
package enum JournalOutcome: Sendable, Equatable {
  /// It is kept, and has to be applied.
  case kept(JournalPosition)
  /// It was kept before, and must not be applied again.
  case duplicate
}

/// What a journal keeps of this process.
package enum JournalEntry: Sendable, Equatable {
  /// A source in this process offered an event.
  case event(LifecycleEvent)
  /// All entries before were applied.
  case mark(JournalMark)
}

/// Says that all events before it were applied, and what followed. With marks, replay does the same as was done at first.
package struct JournalMark: Sendable, Equatable {
  /// The clock when it was done.
  package var time: Timestamp
  /// Whether somebody read what came out: from here on counters do not go below it.
  package var isRead: Bool
  /// The last batch that was applied, at the same time and behind the events; that of the mark before if none was.
  package var batches: JournalPosition

  /// Makes a mark.
  package init(time: Timestamp, isRead: Bool, batches: JournalPosition) {
    self.time = time
    self.isRead = isRead
    self.batches = batches
  }
}

/// What a journal holds and did since it was opened.
package struct JournalStatistics: Sendable, Equatable {
  /// What it takes on the disk that no checkpoint contains, in bytes.
  package var bytes: Int64 = 0
  /// Batches that no checkpoint contains.
  package var batches: UInt64 = 0
  /// Entries of this process that no checkpoint contains.
  package var entries: UInt64 = 0
  /// How often batches were kept.
  package var commits: UInt64 = 0
  /// How long the disk took for all commits together.
  package var commitTime = Nanoseconds.zero
  /// Batches and entries that were replayed at the start.
  package var replayed: UInt64 = 0
  /// Records that could not be read, and were passed over.
  package var damaged: UInt64 = 0
  /// Events of this process that found no room: they count, and a kill before the next checkpoint loses them.
  package var eventsSkipped: UInt64 = 0

  /// Nothing held and nothing done.
  package init() {}
}
