/// The largest values of one window. Merging windows takes the larger of each.
public struct Peaks: Sendable, Equatable {
  /// The most executions in progress at one instant.
  public var concurrency: Int64 = 0
  /// Of those, the most that held provisioned concurrency.
  public var provisionedConcurrency: Int64 = 0
  /// The largest share of allocated provisioned concurrency in use, from 0 to 1 (above 1 only while a pool shrinks).
  public var provisionedUtilization: Double = 0
  /// The most instances alive at one instant.
  public var instances: Int64 = 0
  /// The most timed-out handlers still running at one instant.
  public var overlapping: Int64 = 0
  /// Only of the account: the most executions at once that took from the unreserved pool.
  public var unreservedConcurrency: Int64 = 0
  /// Only of the account: the most concurrency that was taken or set aside (AWS: ClaimedAccountConcurrency).
  public var claimedConcurrency: Int64 = 0

  /// The peaks of a window in which nothing happened: the neutral element.
  public init() {}

  /// Takes the larger of each value.
  public mutating func merge(_ other: Peaks) {
    concurrency = max(concurrency, other.concurrency)
    provisionedConcurrency = max(provisionedConcurrency, other.provisionedConcurrency)
    provisionedUtilization = max(provisionedUtilization, other.provisionedUtilization)
    instances = max(instances, other.instances)
    overlapping = max(overlapping, other.overlapping)
    unreservedConcurrency = max(unreservedConcurrency, other.unreservedConcurrency)
    claimedConcurrency = max(claimedConcurrency, other.claimedConcurrency)
  }
}

/// The activity of one function, of an event source, or of the account, in one window, or in several that were merged.
///
/// A commutative monoid over windows and over late additions: sums add, peaks take the larger. Peaks of different
/// functions do not add up to those of the account, which are therefore computed on the merged stream.
public struct Rollup: Sendable, Equatable {
  /// What was counted in the window.
  public var tally = Tally()
  /// The largest values in the window.
  public var peaks = Peaks()
  /// The integral of concurrency over the window, in nanoseconds.
  public var concurrencyNanoseconds: Int128 = 0
  /// Only of an event source: what happened there. All else is empty then.
  public var eventSource = EventSourceRollup()

  /// A window in which nothing happened: the neutral element.
  public init() {}

  /// A window of which only counts are known.
  public init(tally: Tally) { self.tally = tally }

  /// A window of an event source.
  public init(_ eventSource: EventSourceRollup) { self.eventSource = eventSource }

  /// Adds another window of the same function, or of the account, or more of the same window.
  public mutating func merge(_ other: Rollup) {
    tally.merge(other.tally)
    peaks.merge(other.peaks)
    concurrencyNanoseconds &+= other.concurrencyNanoseconds
    eventSource.merge(other.eventSource)
  }

  /// Whether nothing happened: no count, no execution, no instance.
  public var isEmpty: Bool { self == Rollup() }
}
