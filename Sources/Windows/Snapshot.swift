public import Lifecycle

/// Everything that a scrape shows, of one instant.
///
/// A value of its own: taking it copies counters and shares the arrays of the distributions, so that formatting it
/// needs no lock.
public struct Snapshot: Sendable {
  /// The instant that all of it is of.
  public var time: Timestamp
  /// The length of a window.
  public var windowLength: Nanoseconds
  /// The end of the last closed window, to which every ``FunctionSnapshot/lastClosed`` belongs.
  public var lastClosedWindowEnd: Timestamp
  /// In ascending order of their identities.
  public var functions: [FunctionSnapshot]
  /// All functions together.
  public var account: AccountSnapshot
  /// In ascending order of their identities.
  public var eventSources: [EventSourceSnapshot] = []
  /// What the aggregator counted about itself.
  public var statistics: AggregatorStatistics

  /// Makes a snapshot; `functions` are in ascending order of their identities.
  public init(
    time: Timestamp, windowLength: Nanoseconds, lastClosedWindowEnd: Timestamp, functions: [FunctionSnapshot],
    account: AccountSnapshot, statistics: AggregatorStatistics
  ) {
    self.time = time
    self.windowLength = windowLength
    self.lastClosedWindowEnd = lastClosedWindowEnd
    self.functions = functions
    self.account = account
    self.statistics = statistics
  }
}

/// One function, at the instant of a ``Snapshot``.
public struct FunctionSnapshot: Sendable {
  /// Which function it is.
  public var function: FunctionID
  /// When Kelvin first saw the function.
  public var firstSeen: Timestamp
  /// Since then; never goes down, survives restarts.
  public var totals: Tally
  /// The integral of concurrency since then, in nanoseconds; never goes down.
  public var concurrencyNanoseconds: Int128
  /// Executions in progress now.
  public var concurrentExecutions: Int64
  /// Instances alive now.
  public var instances: WordCounts<InstanceState>
  /// Handlers that have timed out and still run now.
  public var overlappingExecutions: Int64
  /// `nil` until a source reported them, and of a function that is gone.
  public var limits: FunctionLimitsChanged?
  /// Whether its source has it no more: its counts stay, gauges of it do not.
  public var isGone = false
  /// The peaks of the last closed window.
  public var lastClosed: Peaks
  /// Of the invocations that ended in the last closed window.
  public var lastClosedEnded: EndedPeaks
  /// Of the invocations since Kelvin was started.
  public var exemplars: InvocationExemplars

  /// Makes a function of which nothing was counted.
  public init(function: FunctionID, firstSeen: Timestamp) {
    self.function = function
    self.firstSeen = firstSeen
    totals = Tally()
    concurrencyNanoseconds = 0
    concurrentExecutions = 0
    instances = WordCounts()
    overlappingExecutions = 0
    limits = nil
    lastClosed = Peaks()
    lastClosedEnded = EndedPeaks()
    exemplars = InvocationExemplars()
  }
}

/// One event source, at the instant of a ``Snapshot``.
public struct EventSourceSnapshot: Sendable {
  /// Which source it is.
  public var source: EventSourceID
  /// When Kelvin first saw it.
  public var firstSeen: Timestamp
  /// Since then; never goes down, survives restarts.
  public var totals: EventSourceTally
  /// What there is now.
  public var present: EventSourcePresent
  /// The peaks of the last closed window.
  public var lastClosed: EventSourcePeaks

  /// Makes a source as it is at one instant.
  public init(
    source: EventSourceID, firstSeen: Timestamp, totals: EventSourceTally, present: EventSourcePresent,
    lastClosed: EventSourcePeaks
  ) {
    self.source = source
    self.firstSeen = firstSeen
    self.totals = totals
    self.present = present
    self.lastClosed = lastClosed
  }
}

/// The account, at the instant of a ``Snapshot``.
public struct AccountSnapshot: Sendable {
  /// Executions in progress now, over all functions.
  public var concurrentExecutions: Int64
  /// `nil` until a source reported it.
  public var concurrencyLimit: Int64?
  /// The peaks of the last closed window, of the merged stream of all functions.
  public var lastClosed: Peaks

  /// Makes the account as it is at one instant.
  public init(concurrentExecutions: Int64, concurrencyLimit: Int64?, lastClosed: Peaks) {
    self.concurrentExecutions = concurrentExecutions
    self.concurrencyLimit = concurrencyLimit
    self.lastClosed = lastClosed
  }
}

/// What the aggregator counts about itself, since it was made or restored.
public struct AggregatorStatistics: Sendable, Equatable {
  /// Events that arrived, whether counted or not.
  public var eventsReceived: UInt64 = 0
  /// Events that were ignored because they had been counted before.
  public var eventsDuplicate: UInt64 = 0
  /// Events whose window was final; they are in totals and stored sums, but not in peaks.
  public var eventsLate: UInt64 = 0
  /// Events that were not counted, by why.
  public var eventsRejected = WordCounts<Rejection>()
  /// Executions whose end was never reported; Kelvin gave them up after the longest possible time.
  public var executionsLost: UInt64 = 0
  /// Final windows, and late counts of final windows, that were given up because a store took none for too long.
  public var windowsLost: UInt64 = 0
  /// Functions that are known now, ``AggregatorConfiguration/otherFunctionName`` included.
  public var functions: Int = 0
  /// How many functions are counted separately.
  public var functionsLimit: Int = 0
  /// Event sources that are known now, those named ``AggregatorConfiguration/otherFunctionName`` included.
  public var eventSources: Int = 0
  /// How many event sources are counted separately.
  public var eventSourcesLimit: Int = 0

  /// Nothing counted yet.
  public init() {}
}

/// An instance that is alive.
public struct InstanceSnapshot: Sendable, Equatable {
  /// The function that it was started for.
  public var function: FunctionID
  /// Which instance it is.
  public var instance: InstanceID
  /// What it is doing now.
  public var state: InstanceState
  /// Why it was started.
  public var initializationType: InitializationType
  /// When its process was started.
  public var started: Timestamp
  /// How long the initialization took; `nil` while it runs.
  public var initialization: Nanoseconds?
  /// How long its warm-up took, inside the initialization; `nil` until it has ended, and without one.
  public var warmUp: Nanoseconds?
  /// How many invocations have finished in it.
  public var invocations: UInt64

  /// Makes an instance as it is at one instant.
  public init(
    function: FunctionID, instance: InstanceID, state: InstanceState, initializationType: InitializationType,
    started: Timestamp, initialization: Nanoseconds?, warmUp: Nanoseconds? = nil, invocations: UInt64
  ) {
    self.function = function
    self.instance = instance
    self.state = state
    self.initializationType = initializationType
    self.started = started
    self.initialization = initialization
    self.warmUp = warmUp
    self.invocations = invocations
  }
}

/// The scope of a rollup: a function, an event source, or the account.
public enum Scope: Hashable, Comparable, Sendable {
  /// All functions together. Its rollups hold peaks and the integral of the merged stream; their tally is empty in the
  /// aggregator and the store, and is the merge of the functions' tallies where it is shown.
  case account
  /// One function, all of its instances together.
  case function(FunctionID)
  /// A queue, a schedule or another event source.
  case source(EventSourceID)
}

/// A rollup with the span of time that it covers.
public struct WindowRollup: Sendable, Equatable {
  /// The function, or the account.
  public var scope: Scope
  /// The first instant of the span.
  public var start: Timestamp
  /// The length of the span.
  public var length: Nanoseconds
  /// Whether the clock has passed the end by the grace.
  public var isClosed: Bool
  /// What happened in the span.
  public var rollup: Rollup
  /// Whether all that is known comes from logs that were imported, which do not tell everything.
  public var isFromLogs = false

  /// Makes a window of one length, or a coarser one of several.
  public init(scope: Scope, start: Timestamp, length: Nanoseconds, isClosed: Bool, rollup: Rollup) {
    self.scope = scope
    self.start = start
    self.length = length
    self.isClosed = isClosed
    self.rollup = rollup
  }

  /// The first instant after the span; saturates.
  public var end: Timestamp { start + length }
}
