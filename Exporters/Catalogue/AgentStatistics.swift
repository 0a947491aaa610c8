public import Lifecycle

/// What the agent shows about itself beside a snapshot.
public struct AgentStatistics: Sendable {
  /// Kelvin's version.
  public var version: String
  /// The events that wait to be counted.
  public var queue = EventQueueStatistics()
  /// The batches of sources in other processes; `nil` where none are taken.
  public var batches: BatchCounts?
  /// Those sources, by name. Of as many as are told apart; the last may be that of all others.
  public var sources: [SourceCounts] = []
  /// `nil` where nothing is kept.
  public var checkpoints: CheckpointStatistics?
  /// `nil` where nothing is kept.
  public var store: StoreStatistics?
  /// `nil` where there is no journal.
  public var journal: JournalCounts?
  /// The listeners of the process, the agent's first. Empty where nobody listens.
  public var http: [HTTPStatistics] = []
  /// `nil` where no function host runs.
  public var host: HostStatistics?
  /// `nil` where no clock runs.
  public var clock: ClockStatistics?
  /// `nil` where the system does not tell.
  public var process: ProcessStatistics?

  /// Makes statistics in which nothing but the version is known.
  public init(version: String) { self.version = version }
}

/// The queue between the sources of events and the aggregator.
public struct EventQueueStatistics: Sendable, Equatable {
  /// Events that wait now.
  public var depth: Int64 = 0
  /// The most that may wait.
  public var limit: Int64 = 0
  /// Events that were dropped because the queue was full, since the agent started.
  public var dropped: UInt64 = 0

  /// An empty queue without a limit.
  public init() {}
}

/// The batches of all sources in other processes, since the agent started.
public struct BatchCounts: Sendable, Equatable {
  /// Batches that count.
  public var accepted: UInt64
  /// Batches that had been accepted before.
  public var duplicates: UInt64
  /// Batches that were refused, and that are sent again.
  public var refused: UInt64

  /// Makes counts of batches.
  public init(accepted: UInt64, duplicates: UInt64, refused: UInt64) {
    self.accepted = accepted
    self.duplicates = duplicates
    self.refused = refused
  }
}

/// What one source in another process sent, since the agent started.
public struct SourceCounts: Sendable, Equatable {
  /// The name of all sources that are not told apart.
  public static let othersName = "_other"

  /// 32 hexadecimal digits, or ``othersName``.
  public var name: String
  /// When it was heard last.
  public var lastHeard: Timestamp
  /// How long after its newest event its last batch was acknowledged.
  public var lag = Nanoseconds.zero
  /// Events of accepted batches.
  public var events: UInt64 = 0
  /// Events that were rejected.
  public var rejected: UInt64 = 0
  /// Batches that had been accepted before.
  public var duplicateBatches: UInt64 = 0
  /// Batches that never came although later ones did.
  public var missingBatches: UInt64 = 0

  /// Makes the counts of a source that has sent nothing.
  public init(name: String, lastHeard: Timestamp) {
    self.name = name
    self.lastHeard = lastHeard
  }
}

/// The checkpoints that the agent writes into its store, since it started.
public struct CheckpointStatistics: Sendable, Equatable {
  /// Checkpoints that the store has taken.
  public var succeeded: UInt64 = 0
  /// Checkpoints that could not be written; what they held goes into the next.
  public var failed: UInt64 = 0
  /// When the last one that succeeded ended; `nil` before the first.
  public var last: Timestamp?
  /// How long it took.
  public var lastDuration: Nanoseconds = .zero

  /// Before the first checkpoint.
  public init() {}
}

/// What happened to the store since the agent started.
public struct StoreStatistics: Sendable, Equatable {
  /// How often its directory or a file of it was found removed, replaced or cut.
  public var removals: UInt64 = 0
  /// Checkpoints that had been written and were not there any more when it was opened.
  public var checkpointsLost: UInt64 = 0
  /// Rows that could not be read, or held what cannot be.
  public var damagedRows: UInt64 = 0

  /// Before anything was found wrong.
  public init() {}
}

/// The journal: what no checkpoint contains yet, and what was done since the agent started.
public struct JournalCounts: Sendable, Equatable {
  /// What no checkpoint contains, in bytes on the disk.
  public var bytes: Int64 = 0
  /// Batches of other processes that no checkpoint contains.
  public var batches: Int64 = 0
  /// Entries of this process that no checkpoint contains.
  public var entries: Int64 = 0
  /// How often batches were brought to the disk.
  public var commits: UInt64 = 0
  /// How long the disk took for that.
  public var commitTime = Nanoseconds.zero
  /// Records that were replayed at the start.
  public var replayed: UInt64 = 0
  /// Records that could not be read.
  public var damaged: UInt64 = 0
  /// Events of this process for which there was no room.
  public var skipped: UInt64 = 0

  /// An empty journal.
  public init() {}
}

/// How the agent's own clock differs from the system's clock.
public struct ClockStatistics: Sendable, Equatable {
  /// How far the system's clock is ahead; negative if it is behind.
  public var offset: Nanoseconds
  /// How often it was found set, since the agent started.
  public var steps: UInt64

  /// Makes what one look at both clocks gave.
  public init(offset: Nanoseconds, steps: UInt64) {
    self.offset = offset
    self.steps = steps
  }
}

/// The agent's process as the system sees it.
public struct ProcessStatistics: Sendable, Equatable {
  /// When it started.
  public var started: Timestamp
  /// User and system time.
  public var cpu: Nanoseconds
  /// Memory that is in RAM.
  public var residentBytes: Int64
  /// Address space, used or not.
  public var virtualBytes: Int64
  /// File descriptors that are open.
  public var openFiles: Int64
  /// `nil`: unlimited.
  public var openFilesLimit: Int64?
  /// Threads, the main one included.
  public var threads: Int64

  /// Makes what one look at `/proc` gave.
  public init(
    started: Timestamp, cpu: Nanoseconds, residentBytes: Int64, virtualBytes: Int64, openFiles: Int64,
    openFilesLimit: Int64?, threads: Int64
  ) {
    self.started = started
    self.cpu = cpu
    self.residentBytes = residentBytes
    self.virtualBytes = virtualBytes
    self.openFiles = openFiles
    self.openFilesLimit = openFilesLimit
    self.threads = threads
  }
}
