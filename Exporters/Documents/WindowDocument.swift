public import Lifecycle
public import Windows

/// One window of one function, or of the account, as readers of the API see it.
public struct WindowDocument: Sendable, Equatable {
  /// `nil` for the account, all functions together; then there is no such member.
  public var function: String?
  /// `nil` for `$LATEST`; then there is no such member.
  public var version: String?
  /// The window's start, which is part of it.
  public var start: Timestamp
  /// Not part of the window.
  public var end: Timestamp
  /// Whether the clock has passed ``end`` by a second. A closed window still takes what comes late.
  public var closed: Bool
  /// Invocations that started in the window and have finished.
  public var invocations: UInt64 = 0
  /// The parts of ``invocations``, by what brought them.
  public var invocationsByTrigger: [NamedCount] = []
  /// Those of ``invocations`` that did not end in success, timeouts and crashes included.
  public var errors: UInt64 = 0
  /// Invocations that were refused in the window; not part of ``invocations`` or ``errors``.
  public var throttles: UInt64 = 0
  /// The parts of ``throttles``, by the limit that refused them.
  public var throttlesByReason: [NamedCount] = []
  /// Those of ``invocations`` whose caller saw a 504.
  public var timeouts: UInt64 = 0
  /// The parts of ``timeouts``, by whose deadline it was.
  public var timeoutsBySource: [NamedCount] = []
  /// Those of ``invocations`` in which the process ended, out of memory not included.
  public var crashes: UInt64 = 0
  /// Those of ``invocations`` in which the process was ended because it broke its memory limit.
  public var outOfMemory: UInt64 = 0
  /// Those of ``invocations`` that waited for an on-demand initialization.
  public var coldStarts: UInt64 = 0
  /// Initializations that ended in the window, those that failed included.
  public var initializations: UInt64 = 0
  /// The parts of ``initializations``, by why the instance was initialized.
  public var initializationsByType: [NamedCount] = []
  /// Those of ``initializations`` that ended in an error or ran out of time.
  public var initializationFailures: UInt64 = 0
  /// Warm-up hooks that failed in the window.
  public var warmUpFailures: UInt64 = 0
  /// Those of ``invocations`` that ran on provisioned concurrency.
  public var provisionedInvocations: UInt64 = 0
  /// Those of ``invocations`` that ran on demand because the provisioned pool was full.
  public var spillover: UInt64 = 0
  /// Instances that stopped in the window.
  public var instanceStops: UInt64 = 0
  /// The parts of ``instanceStops``, by why they stopped.
  public var instanceStopsByReason: [NamedCount] = []
  /// The most executions in progress at one instant of the window; exact. Those of functions do not add up to the
  /// account's.
  public var concurrencyMax: Int64 = 0
  /// The most instances alive at one instant of the window.
  public var instancesMax: Int64 = 0
  /// The most executions at one instant that held provisioned concurrency. Always 0 for the account.
  public var provisionedConcurrencyMax: Int64 = 0
  /// From 0 to 1.
  public var provisionedUtilizationMax: Double = 0
  /// Only of the account.
  public var unreservedConcurrencyMax: Int64?
  /// Only of the account.
  public var claimedConcurrencyMax: Int64?
  /// The integral of concurrency over the window, in nanoseconds. Divided by the window's length, it is the mean.
  public var concurrencyNanoseconds: Int128 = 0
  /// The billed time of ``invocations``, in nanoseconds.
  public var billedNanoseconds: Int128 = 0
  /// The most timed-out handlers that still ran at one instant.
  public var overlappingMax: Int64 = 0
  /// How long each of ``invocations`` ran, from its hand-over to an instance.
  public var duration = DistributionDocument(.duration)
  /// How long each of ``initializations`` took, warm-up included.
  public var initialization = DistributionDocument(.duration)
  /// How long each warm-up hook took that ended in the window.
  public var warmUp = DistributionDocument(.duration)
  /// The most memory that the instance had used by the end of each of ``invocations``, in bytes.
  public var memoryUsed = DistributionDocument(.bytes)
  /// How long each instance lived that stopped in the window.
  public var instanceLifetime = DistributionDocument(.duration)

  /// A window in which nothing happened.
  public init(function: String?, version: String? = nil, start: Timestamp, end: Timestamp, closed: Bool) {
    self.function = function
    self.version = version
    self.start = start
    self.end = end
    self.closed = closed
  }

  /// Converts a rollup; words that were not counted are left out of the maps.
  ///
  /// - Parameter window: Of the account, only with the tally that is to be shown.
  public init(_ window: WindowRollup) {
    self.init(function: nil, start: window.start, end: window.end, closed: window.isClosed)
    let peaks = window.rollup.peaks
    switch window.scope {
    case .account:
      unreservedConcurrencyMax = peaks.unreservedConcurrency
      claimedConcurrencyMax = peaks.claimedConcurrency
    case .function(let identity):
      function = identity.name
      version = identity.version == FunctionID.latest ? nil : identity.version
    }
    take(window.rollup.tally)
    concurrencyMax = peaks.concurrency
    instancesMax = peaks.instances
    provisionedConcurrencyMax = peaks.provisionedConcurrency
    provisionedUtilizationMax = peaks.provisionedUtilization
    overlappingMax = peaks.overlapping
    concurrencyNanoseconds = window.rollup.concurrencyNanoseconds
  }

  private mutating func take(_ tally: Tally) {
    invocations = tally.invocations.total
    invocationsByTrigger = [NamedCount](tally.invocations)
    errors = tally.errors
    throttles = tally.throttles.total
    throttlesByReason = [NamedCount](tally.throttles)
    timeouts = tally.timeouts.total
    timeoutsBySource = [NamedCount](tally.timeouts)
    crashes = tally.crashes
    outOfMemory = tally.outOfMemory
    coldStarts = tally.coldStarts
    initializations = tally.initializations.total
    initializationsByType = [NamedCount](tally.initializations)
    initializationFailures = tally.initializationFailures
    warmUpFailures = tally.warmUpFailures
    provisionedInvocations = tally.provisionedInvocations
    spillover = tally.spilloverInvocations
    instanceStops = tally.instanceStops.total
    instanceStopsByReason = [NamedCount](tally.instanceStops)
    billedNanoseconds = tally.billedNanoseconds
    duration = DistributionDocument(tally.duration)
    initialization = DistributionDocument(tally.initialization)
    warmUp = DistributionDocument(tally.warmUp)
    memoryUsed = DistributionDocument(tally.memoryUsed)
    instanceLifetime = DistributionDocument(tally.instanceLifetime)
  }
}
