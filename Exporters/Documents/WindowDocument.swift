public import Lifecycle
public import Windows

/// One window of one function, or of the account, as readers of the API see it.
public struct WindowDocument: Sendable, Equatable {
  /// `nil` for the account, all functions together; then there is no such member.
  public var function: String?
  /// `nil` for `$LATEST`; then there is no such member.
  public var version: String?
  public var start: Timestamp
  /// Not part of the window.
  public var end: Timestamp
  public var closed: Bool
  public var invocations: UInt64 = 0
  public var invocationsByTrigger: [NamedCount] = []
  public var errors: UInt64 = 0
  public var throttles: UInt64 = 0
  public var throttlesByReason: [NamedCount] = []
  public var timeouts: UInt64 = 0
  public var timeoutsBySource: [NamedCount] = []
  public var crashes: UInt64 = 0
  public var outOfMemory: UInt64 = 0
  public var coldStarts: UInt64 = 0
  public var initializations: UInt64 = 0
  public var initializationsByType: [NamedCount] = []
  public var initializationFailures: UInt64 = 0
  public var warmUpFailures: UInt64 = 0
  public var provisionedInvocations: UInt64 = 0
  public var spillover: UInt64 = 0
  public var instanceStops: UInt64 = 0
  public var instanceStopsByReason: [NamedCount] = []
  public var concurrencyMax: Int64 = 0
  public var instancesMax: Int64 = 0
  public var provisionedConcurrencyMax: Int64 = 0
  /// From 0 to 1.
  public var provisionedUtilizationMax: Double = 0
  /// Only of the account.
  public var unreservedConcurrencyMax: Int64?
  /// Only of the account.
  public var claimedConcurrencyMax: Int64?
  public var concurrencyNanoseconds: Int128 = 0
  public var billedNanoseconds: Int128 = 0
  public var overlappingMax: Int64 = 0
  public var duration = DistributionDocument(.duration)
  public var initialization = DistributionDocument(.duration)
  public var warmUp = DistributionDocument(.duration)
  public var memoryUsed = DistributionDocument(.bytes)
  public var instanceLifetime = DistributionDocument(.duration)

  /// A window in which nothing happened.
  public init(function: String?, version: String? = nil, start: Timestamp, end: Timestamp, closed: Bool) {
    self.function = function
    self.version = version
    self.start = start
    self.end = end
    self.closed = closed
  }

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
