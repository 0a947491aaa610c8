public import Lifecycle

/// What a store keeps so that an aggregator can continue: everything when it is loaded, only changes when it is saved.
public struct Checkpoint: Sendable {
  /// The clock when it was taken.
  public var time: Timestamp
  /// The functions whose totals, limits or peaks changed, or that have something in progress; all when loaded.
  public var functions: [FunctionCheckpoint] = []
  /// The windows that changed or became final; when loaded, all that were not final when they were saved.
  public var windows: [WindowCheckpoint] = []
  /// Counts that came after their window was final, to be added to the stored rollup. Empty when loaded.
  public var lateTallies: [LateTally] = []
  /// The event sources of which anything changed; all when loaded.
  public var eventSources: [EventSourceCheckpoint] = []
  /// Counts of event sources that came after their window was final, to be added to the stored rollup. Empty when loaded.
  public var lateSourceTallies: [LateSourceTally] = []
  /// Edges of windows that are not final yet.
  public var timelines: [TimelineCheckpoint] = []
  /// What is in progress: always all of it.
  public var live = LiveState()
  /// What senders that do not number what they send told since the checkpoint before; when loaded, what they told last.
  public var told: [ToldLife] = []
  /// The last batch of the journal that is contained; replay begins after it.
  public var journal = JournalPosition.start
  /// The last entry of this process in the journal that is contained; replay begins after it.
  public var entries = JournalPosition.start
  /// What the aggregator counted about itself, but for the number of functions.
  public var statistics = AggregatorStatistics()

  /// Makes a checkpoint in which nothing changed.
  public init(time: Timestamp) { self.time = time }
}

/// A place in the journal, of a batch or of an entry of this process; the later it was appended, the higher.
public struct JournalPosition: Hashable, Comparable, Sendable {
  /// Greater for everything that is appended; 0 before the first.
  public var number: UInt64

  /// Before the first.
  public static let start = JournalPosition(0)

  /// Makes a position of a number that a journal has given out.
  public init(_ number: UInt64) { self.number = number }

  /// Whether the left one was appended earlier.
  public static func < (left: JournalPosition, right: JournalPosition) -> Bool { left.number < right.number }
}

/// The totals of a function.
public struct FunctionCheckpoint: Sendable, Equatable {
  /// Whose totals they are.
  public var function: FunctionID
  /// The time of the first event that was counted of the function.
  public var firstSeen: Timestamp
  /// What was counted since then.
  public var totals: Tally
  /// The integral of concurrency as it was shown last, in nanoseconds.
  public var concurrencyNanoseconds: Int128
  /// The part of it that is of executions that have ended; what is running adds the rest.
  public var endedConcurrencyNanoseconds: Int128
  /// The limits that held in any window that is not final, in ascending order of time; the last ones hold now.
  public var limits: [FunctionLimitsChanged]
  /// The largest values of the latest windows by the ends of invocations, of those windows in which any ended.
  public var endedPeaks: [StoredEndedPeaks]

  /// Makes the totals of a function as they are to be stored.
  public init(
    function: FunctionID, firstSeen: Timestamp, totals: Tally, concurrencyNanoseconds: Int128,
    endedConcurrencyNanoseconds: Int128, limits: [FunctionLimitsChanged], endedPeaks: [StoredEndedPeaks] = []
  ) {
    self.function = function
    self.firstSeen = firstSeen
    self.totals = totals
    self.concurrencyNanoseconds = concurrencyNanoseconds
    self.endedConcurrencyNanoseconds = endedConcurrencyNanoseconds
    self.limits = limits
    self.endedPeaks = endedPeaks
  }
}

/// The ``EndedPeaks`` of one window.
public struct StoredEndedPeaks: Sendable, Equatable {
  /// The start of the window.
  public var start: Timestamp
  /// The largest values of the invocations that ended in it.
  public var peaks: EndedPeaks

  /// Makes the peaks of a window that starts at `start`.
  public init(start: Timestamp, peaks: EndedPeaks) {
    self.start = start
    self.peaks = peaks
  }
}

/// A window as it is now; it replaces what was stored for the same scope and start, and an empty one deletes it.
public struct WindowCheckpoint: Sendable, Equatable {
  /// The function, or the account.
  public var scope: Scope
  /// The start of the window.
  public var start: Timestamp
  /// All that happened in it, not only what is new. That of the account has an empty tally.
  public var rollup: Rollup
  /// Whether it takes no more events, so that it can be merged into coarser tiers. Reported once for each window.
  public var isFinal: Bool

  /// Makes a window as it is now.
  public init(scope: Scope, start: Timestamp, rollup: Rollup, isFinal: Bool) {
    self.scope = scope
    self.start = start
    self.rollup = rollup
    self.isFinal = isFinal
  }
}

/// Counts to be added to a final window, in every tier.
public struct LateTally: Sendable, Equatable {
  /// Whose counts they are.
  public var function: FunctionID
  /// The start of the final window.
  public var start: Timestamp
  /// Only what came late.
  public var tally: Tally

  /// Makes counts for the final window that starts at `start`.
  public init(function: FunctionID, start: Timestamp, tally: Tally) {
    self.function = function
    self.start = start
    self.tally = tally
  }
}

/// The totals of an event source, and what there is now.
public struct EventSourceCheckpoint: Sendable, Equatable {
  /// Which source it is.
  public var source: EventSourceID
  /// The time of the first event that was counted of it.
  public var firstSeen: Timestamp
  /// What was counted since then.
  public var totals: EventSourceTally
  /// What it told last.
  public var present: EventSourcePresent
  /// Whether another process has it, so that what is there lasts when this one ends.
  public var isRemote: Bool

  /// Makes a source as it is to be stored.
  public init(
    source: EventSourceID, firstSeen: Timestamp, totals: EventSourceTally, present: EventSourcePresent, isRemote: Bool
  ) {
    self.source = source
    self.firstSeen = firstSeen
    self.totals = totals
    self.present = present
    self.isRemote = isRemote
  }
}

/// Counts of an event source to be added to a final window, in every tier.
public struct LateSourceTally: Sendable, Equatable {
  /// Whose counts they are.
  public var source: EventSourceID
  /// The start of the final window.
  public var start: Timestamp
  /// Only what came late.
  public var tally: EventSourceTally

  /// Makes counts for the final window that starts at `start`.
  public init(source: EventSourceID, start: Timestamp, tally: EventSourceTally) {
    self.source = source
    self.start = start
    self.tally = tally
  }
}

/// Which timeline of a function.
public enum TimelineKind: UInt8, Word {
  /// Executions, from admission to their end; tagged with their pool.
  case executions
  /// Instances, from the start of their process to their end.
  case instances
  /// Timed-out handlers, while they run beside another invocation.
  case overlaps

  /// Kelvin's own word, the same as the case. Stores keep the raw value.
  public var name: String {
    switch self {
    case .executions: "executions"
    case .instances: "instances"
    case .overlaps: "overlaps"
    }
  }
}

/// The edges of one timeline in one window, in ascending order, as ``ConcurrencyTimeline`` packs them.
public struct TimelineCheckpoint: Sendable, Equatable {
  /// Whose timeline it is.
  public var function: FunctionID
  /// Which of the function's timelines.
  public var kind: TimelineKind
  /// The start of the window.
  public var start: Timestamp
  /// In ascending order; unpacked, they mean something only with the window's start.
  public var edges: [UInt64]

  /// Makes the edges of one timeline in the window that starts at `start`.
  public init(function: FunctionID, kind: TimelineKind, start: Timestamp, edges: [UInt64]) {
    self.function = function
    self.kind = kind
    self.start = start
    self.edges = edges
  }
}

/// What is in progress: small, and replaced as a whole.
public struct LiveState: Sendable, Equatable {
  /// Executions in progress, and those whose end is only presumed.
  public var executions: [LiveExecution] = []
  /// Instances that are alive or stopped a short time ago.
  public var instances: [LiveInstance] = []
  /// Timed-out handlers that run on or stopped a short time ago.
  public var overlaps: [LiveOverlap] = []
  /// The account's limits; `nil` until a source reported them.
  public var accountLimits: AccountLimitsChanged?

  /// Nothing in progress.
  public init() {}
}

/// An execution that has started and not finished.
public struct LiveExecution: Sendable, Equatable {
  /// Which invocation it is.
  public var request: RequestID
  /// The function that it is an execution of.
  public var function: FunctionID
  /// `nil` while no instance was found for it.
  public var instance: InstanceID?
  /// When it was admitted.
  public var start: Timestamp
  /// Whose slot it holds.
  public var pool: ConcurrencyPool
  /// Where its end was put because its instance stopped; replaced if it turns out to have finished.
  public var presumedEnd: Timestamp?
  /// Whether another process reported it, so that it may go on when this one ends.
  public var isRemote: Bool

  /// Makes an execution without an end of its own.
  public init(
    request: RequestID, function: FunctionID, instance: InstanceID?, start: Timestamp, pool: ConcurrencyPool,
    presumedEnd: Timestamp?, isRemote: Bool = false
  ) {
    self.isRemote = isRemote
    self.request = request
    self.function = function
    self.instance = instance
    self.start = start
    self.pool = pool
    self.presumedEnd = presumedEnd
  }
}

/// An instance that is alive, or that stopped so recently that events of it may still come.
public struct LiveInstance: Sendable, Equatable {
  /// Which instance it is.
  public var instance: InstanceID
  /// The function that it was started for.
  public var function: FunctionID
  /// Why it was started; on demand while its start has not been seen.
  public var initializationType: InitializationType
  /// `nil` while its start has not been seen.
  public var started: Timestamp?
  /// `nil` while it is alive.
  public var stopped: Timestamp?
  /// How long its newest initialization took; `nil` before one has ended.
  public var initialization: Nanoseconds?
  /// Whether an initialization of it succeeded.
  public var isReady: Bool
  /// How many invocations have finished in it.
  public var invocations: UInt64
  /// How long its warm-up took; `nil` before one has ended, and from stores that did not keep it.
  public var warmUp: Nanoseconds?
  /// Whether another process reported it, so that it may go on when this one ends.
  public var isRemote: Bool

  /// Makes an instance as far as it has been seen.
  public init(
    instance: InstanceID, function: FunctionID, initializationType: InitializationType, started: Timestamp?,
    stopped: Timestamp?, initialization: Nanoseconds?, isReady: Bool, invocations: UInt64, warmUp: Nanoseconds?,
    isRemote: Bool = false
  ) {
    self.isRemote = isRemote
    self.instance = instance
    self.function = function
    self.initializationType = initializationType
    self.started = started
    self.stopped = stopped
    self.initialization = initialization
    self.isReady = isReady
    self.invocations = invocations
    self.warmUp = warmUp
  }
}

/// A timed-out handler that still runs beside the next invocation, or ended so recently that events may still come.
public struct LiveOverlap: Sendable, Equatable {
  /// The invocation that timed out.
  public var request: RequestID
  /// The function that it is an execution of.
  public var function: FunctionID
  /// The instance that serves another invocation beside it.
  public var instance: InstanceID
  /// When its instance took the next event; `nil` while that has not been seen.
  public var start: Timestamp?
  /// When it stopped; `nil` while that has not been seen.
  public var end: Timestamp?
  /// Where its end was put because its instance stopped; replaced if its own end is seen.
  public var presumedEnd: Timestamp?
  /// Whether another process reported it, so that it may go on when this one ends.
  public var isRemote: Bool

  /// Makes an overlap as far as it has been seen: of `start` and `end`, one at least is known.
  public init(
    request: RequestID, function: FunctionID, instance: InstanceID, start: Timestamp?, end: Timestamp?,
    presumedEnd: Timestamp?, isRemote: Bool = false
  ) {
    self.isRemote = isRemote
    self.request = request
    self.function = function
    self.instance = instance
    self.start = start
    self.end = end
    self.presumedEnd = presumedEnd
  }
}
