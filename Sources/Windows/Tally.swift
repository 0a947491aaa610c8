public import Lifecycle

/// What can be added up about a function: counts and distributions.
///
/// A commutative monoid: `Tally()` is neutral, and any order and grouping of merges gives the same tally.
public struct Tally: Sendable, Equatable {
  /// Finished invocations, by what brought them.
  public var invocations = WordCounts<Trigger>()
  /// Invocations that did not end in success, timeouts and crashes included (as CloudWatch's Errors).
  public var errors: UInt64 = 0
  public var timeouts = WordCounts<TimeoutSource>()
  public var crashes: UInt64 = 0
  public var outOfMemory: UInt64 = 0
  /// Refused invocations; not part of ``invocations`` or ``errors``.
  public var throttles = WordCounts<ThrottleReason>()
  /// Invocations that waited for an on-demand initialization.
  public var coldStarts: UInt64 = 0
  public var initializations = WordCounts<InitializationType>()
  public var initializationFailures: UInt64 = 0
  public var warmUpFailures: UInt64 = 0
  /// Invocations that ran on provisioned concurrency.
  public var provisionedInvocations: UInt64 = 0
  /// Invocations that ran on demand because the provisioned pool was full.
  public var spilloverInvocations: UInt64 = 0
  public var instanceStops = WordCounts<StopReason>()
  /// Billed time in nanoseconds.
  public var billedNanoseconds: Int128 = 0
  /// Time from hand-over to the end of each invocation.
  public var duration = Distribution(.duration)
  public var initialization = Distribution(.duration)
  public var warmUp = Distribution(.duration)
  public var memoryUsed = Distribution(.bytes)
  public var instanceLifetime = Distribution(.duration)

  public init() {}

  public mutating func merge(_ other: Tally) {
    invocations.merge(other.invocations)
    errors &+= other.errors
    timeouts.merge(other.timeouts)
    crashes &+= other.crashes
    outOfMemory &+= other.outOfMemory
    throttles.merge(other.throttles)
    coldStarts &+= other.coldStarts
    initializations.merge(other.initializations)
    initializationFailures &+= other.initializationFailures
    warmUpFailures &+= other.warmUpFailures
    provisionedInvocations &+= other.provisionedInvocations
    spilloverInvocations &+= other.spilloverInvocations
    instanceStops.merge(other.instanceStops)
    billedNanoseconds &+= other.billedNanoseconds
    duration.merge(other.duration)
    initialization.merge(other.initialization)
    warmUp.merge(other.warmUp)
    memoryUsed.merge(other.memoryUsed)
    instanceLifetime.merge(other.instanceLifetime)
  }
}
