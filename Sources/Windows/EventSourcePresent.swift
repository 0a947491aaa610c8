public import Lifecycle

/// What there is at an event source now, as it told last.
public struct EventSourcePresent: Sendable, Equatable {
  /// A level, and from when on it holds.
  public struct Held: Sendable, Equatable {
    /// Which level.
    public var level: EventSourceLevel
    /// When it was told.
    public var time: Timestamp
    /// How many there are; at least 0.
    public var value: Int64

    /// Makes a level that holds from `time` on.
    public init(level: EventSourceLevel, time: Timestamp, value: Int64) {
      self.level = level
      self.time = time
      self.value = value
    }
  }

  /// Those that were told, each once.
  public var levels: [Held] = []
  /// Since when the oldest thing that waits has waited; `nil`: nothing waits, or nothing was told of it.
  public var oldest: Timestamp?
  /// When that was told; `nil`: never.
  public var oldestTold: Timestamp?
  /// Whether it was taken out, or the process that had it has ended.
  public var isGone = false

  /// Nothing was told.
  public init() {}

  /// How many there are; `nil` if that was never told.
  public subscript(level: EventSourceLevel) -> Int64? { levels.first { $0.level == level }?.value }

  /// Whether anything waits or is in progress, so that windows have it without an event.
  public var isLasting: Bool { oldest != nil || levels.contains { $0.value > 0 } }

  /// The age of the oldest thing that waits; `nil` if nothing was ever told of it.
  public func oldestAge(at now: Timestamp) -> Nanoseconds? {
    guard oldestTold != nil else { return nil }
    return oldest.map { max(.zero, now - $0) } ?? .zero
  }
}
