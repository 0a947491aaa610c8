public import Lifecycle

/// What a store keeps so that an aggregator can be continued: all of it when loaded, what changed when saved.
public struct Checkpoint: Sendable {
  /// The clock when it was taken.
  public var time: Timestamp
  public var functions: [FunctionCheckpoint] = []
  public var windows: [WindowCheckpoint] = []
  /// Counts that came after their window was final, to be added to the stored rollup. Empty when loaded.
  public var lateTallies: [LateTally] = []
  /// Edges of windows that are not final yet.
  public var timelines: [TimelineCheckpoint] = []
  public var live = LiveState()
  /// The last batch of the journal that is contained; replay begins after it.
  public var journal = JournalPosition.start

  public init(time: Timestamp) { self.time = time }
}

/// A place in the journal of accepted batches; the later a batch was appended, the higher.
public struct JournalPosition: Hashable, Comparable, Sendable {
  public var number: UInt64

  /// Before the first batch.
  public static let start = JournalPosition(0)

  public init(_ number: UInt64) { self.number = number }

  public static func < (left: JournalPosition, right: JournalPosition) -> Bool { left.number < right.number }
}

/// The totals of a function.
public struct FunctionCheckpoint: Sendable, Equatable {
  public var function: FunctionID
  public var firstSeen: Timestamp
  public var totals: Tally
  /// The integral of concurrency as it was shown last, in nanoseconds.
  public var concurrencyNanoseconds: Int128
  /// The part of it that is of executions that have ended; what is running adds the rest.
  public var endedConcurrencyNanoseconds: Int128
  /// The limits that held in any window that is not final, in ascending order of time; the last ones hold now.
  public var limits: [FunctionLimitsChanged]
  /// The largest values of the latest windows by the ends of invocations, of those windows in which any ended.
  public var endedPeaks: [StoredEndedPeaks]

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
  public var peaks: EndedPeaks

  public init(start: Timestamp, peaks: EndedPeaks) {
    self.start = start
    self.peaks = peaks
  }
}

/// A window as it is now; it replaces what was stored for the same scope and start, and an empty one deletes it.
public struct WindowCheckpoint: Sendable, Equatable {
  public var scope: Scope
  public var start: Timestamp
  public var rollup: Rollup
  /// Whether it takes no more events, so that it can be merged into coarser tiers. Reported once for each window.
  public var isFinal: Bool

  public init(scope: Scope, start: Timestamp, rollup: Rollup, isFinal: Bool) {
    self.scope = scope
    self.start = start
    self.rollup = rollup
    self.isFinal = isFinal
  }
}

/// Counts to be added to a final window, in every tier.
public struct LateTally: Sendable, Equatable {
  public var function: FunctionID
  /// The start of the final window.
  public var start: Timestamp
  public var tally: Tally

  public init(function: FunctionID, start: Timestamp, tally: Tally) {
    self.function = function
    self.start = start
    self.tally = tally
  }
}

/// Which timeline of a function.
public enum TimelineKind: UInt8, Word {
  case executions, instances, overlaps

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
  public var function: FunctionID
  public var kind: TimelineKind
  /// The start of the window.
  public var start: Timestamp
  public var edges: [UInt64]

  public init(function: FunctionID, kind: TimelineKind, start: Timestamp, edges: [UInt64]) {
    self.function = function
    self.kind = kind
    self.start = start
    self.edges = edges
  }
}

/// What is in progress: small, and replaced as a whole.
public struct LiveState: Sendable, Equatable {
  public var executions: [LiveExecution] = []
  public var instances: [LiveInstance] = []
  public var overlaps: [LiveOverlap] = []
  public var accountLimits: AccountLimitsChanged?

  public init() {}
}

/// An execution that has started and not finished.
public struct LiveExecution: Sendable, Equatable {
  public var request: RequestID
  public var function: FunctionID
  /// `nil` while no instance was found for it.
  public var instance: InstanceID?
  public var start: Timestamp
  public var pool: ConcurrencyPool
  /// Where its end was put because its instance stopped; replaced if it turns out to have finished.
  public var presumedEnd: Timestamp?

  public init(
    request: RequestID, function: FunctionID, instance: InstanceID?, start: Timestamp, pool: ConcurrencyPool,
    presumedEnd: Timestamp?
  ) {
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
  public var instance: InstanceID
  public var function: FunctionID
  public var initializationType: InitializationType
  /// `nil` while its start has not been seen.
  public var started: Timestamp?
  public var stopped: Timestamp?
  public var initialization: Nanoseconds?
  /// Whether an initialization of it succeeded.
  public var isReady: Bool
  public var invocations: UInt64

  public init(
    instance: InstanceID, function: FunctionID, initializationType: InitializationType, started: Timestamp?,
    stopped: Timestamp?, initialization: Nanoseconds?, isReady: Bool, invocations: UInt64
  ) {
    self.instance = instance
    self.function = function
    self.initializationType = initializationType
    self.started = started
    self.stopped = stopped
    self.initialization = initialization
    self.isReady = isReady
    self.invocations = invocations
  }
}

/// A timed-out handler that still runs beside the next invocation, or ended so recently that events may still come.
public struct LiveOverlap: Sendable, Equatable {
  public var request: RequestID
  public var function: FunctionID
  public var instance: InstanceID
  /// When its instance took the next event; `nil` while that has not been seen.
  public var start: Timestamp?
  /// When it stopped; `nil` while that has not been seen.
  public var end: Timestamp?
  /// Where its end was put because its instance stopped; replaced if its own end is seen.
  public var presumedEnd: Timestamp?

  public init(
    request: RequestID, function: FunctionID, instance: InstanceID, start: Timestamp?, end: Timestamp?,
    presumedEnd: Timestamp?
  ) {
    self.request = request
    self.function = function
    self.instance = instance
    self.start = start
    self.end = end
    self.presumedEnd = presumedEnd
  }
}
