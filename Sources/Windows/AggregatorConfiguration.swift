public import Lifecycle

/// The length of an aggregator's windows, and its limits.
public struct AggregatorConfiguration: Sendable, Hashable {
  /// The length of a window: 1 s to 1 h.
  public var window: Nanoseconds
  /// How long after its end a window is closed.
  public var grace: Nanoseconds
  /// How long after its end a window is final: the longest Lambda timeout and a minute. The last closed window is not
  /// final yet, however long ago it ended.
  public var finality: Nanoseconds
  /// How far ahead of the clock an event's time may lie.
  public var futureTolerance: Nanoseconds
  /// How many functions are counted separately; events of further ones are counted under ``otherFunctionName``.
  public var functionsLimit: Int
  /// How many event sources are counted separately; what is counted of further ones is counted under ``otherFunctionName``, by trigger.
  public var eventSourcesLimit: Int
  /// At least how many finished requests are remembered, so that they are not counted twice.
  public var recentRequestsLimit: Int
  /// How many final windows, and how many late counts, wait for a checkpoint at most; what comes beyond is counted as
  /// lost.
  public var unsavedWindowsLimit: Int

  /// The name under which functions, or event sources, beyond the limit are counted together.
  public static let otherFunctionName = "_other"

  /// Makes a configuration; what is not given is Kelvin's default.
  ///
  /// - Precondition: `window` is from 1 s to 1 h, `grace` is not negative and shorter than `finality`, and each limit
  /// is at least 1.
  public init(
    window: Nanoseconds = .seconds(60), grace: Nanoseconds = .seconds(1), finality: Nanoseconds = .seconds(960),
    futureTolerance: Nanoseconds = .seconds(300), functionsLimit: Int = 10_000, recentRequestsLimit: Int = 65_536,
    unsavedWindowsLimit: Int = 200_000, eventSourcesLimit: Int = 1_000
  ) {
    precondition(
      window >= .seconds(1) && window <= .seconds(3_600), "BUG: windows of \(window.count) ns; 1 s to 1 h are possible")
    precondition(grace.count >= 0 && finality > grace, "BUG: windows are closed before they are final")
    precondition(
      functionsLimit > 0 && recentRequestsLimit > 0 && unsavedWindowsLimit > 0 && eventSourcesLimit > 0,
      "BUG: limits are at least 1")
    self.window = window
    self.grace = grace
    self.finality = finality
    self.futureTolerance = futureTolerance
    self.functionsLimit = functionsLimit
    self.recentRequestsLimit = recentRequestsLimit
    self.unsavedWindowsLimit = unsavedWindowsLimit
    self.eventSourcesLimit = eventSourcesLimit
  }
}
