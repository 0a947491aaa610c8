public import Lifecycle

/// What can be added up about an event source: counts and distributions of lengths of time.
///
/// A commutative monoid: `EventSourceTally()` is neutral, and any order and grouping of merges gives the same tally. What was never
/// counted takes no memory.
public struct EventSourceTally: Sendable, Equatable {
  private static let countersCount = EventSourceCounter.allCases.count
  private static let durationsCount = EventSourceDuration.allCases.count

  /// By raw value; empty while nothing was counted.
  private var counts: [UInt64] = []
  /// By raw value; empty while nothing was measured.
  private var durations: [Distribution] = []

  /// Nothing counted: the neutral element.
  public init() {}

  /// How often something happened.
  public subscript(counter: EventSourceCounter) -> UInt64 {
    get { counts.isEmpty ? 0 : counts[Int(counter.rawValue)] }
    set {
      if counts.isEmpty {
        if newValue == 0 { return }
        counts = Array(repeating: 0, count: EventSourceTally.countersCount)
      }
      counts[Int(counter.rawValue)] = newValue
    }
  }

  /// How long something took.
  public subscript(duration: EventSourceDuration) -> Distribution {
    get { durations.isEmpty ? Distribution(.duration) : durations[Int(duration.rawValue)] }
    _modify {
      if durations.isEmpty {
        durations = Array(repeating: Distribution(.duration), count: EventSourceTally.durationsCount)
      }
      yield &durations[Int(duration.rawValue)]
    }
  }

  /// Adds what one change says; levels say nothing that adds up.
  mutating func add(_ change: EventSourceChange) {
    switch change {
    case .counted(let counter, let count): self[counter] &+= UInt64(max(0, count))
    case .measured(let duration, let length): self[duration].record(length.count)
    case .level, .oldest, .gone: break
    }
  }

  /// Adds the numbers of another tally.
  public mutating func merge(_ other: EventSourceTally) {
    for counter in EventSourceCounter.allCases where other[counter] > 0 { self[counter] &+= other[counter] }
    for duration in EventSourceDuration.allCases where !other[duration].isEmpty {
      self[duration].merge(other[duration])
    }
  }

  /// Whether both have counted and measured the same.
  public static func == (left: EventSourceTally, right: EventSourceTally) -> Bool {
    EventSourceCounter.allCases.allSatisfy { left[$0] == right[$0] }
      && EventSourceDuration.allCases.allSatisfy { left[$0] == right[$0] }
  }
}

/// The largest values of an event source in one window. Merging windows takes the larger of each.
public struct EventSourcePeaks: Sendable, Equatable {
  /// By raw value; empty while all are 0.
  private var levels: [Int64] = []
  /// The greatest age of the oldest thing that waited.
  public var oldestAge = Nanoseconds.zero

  /// The peaks of a window in which nothing was there: the neutral element.
  public init() {}

  /// The most that there was at one instant.
  public subscript(level: EventSourceLevel) -> Int64 {
    get { levels.isEmpty ? 0 : levels[Int(level.rawValue)] }
    set {
      if levels.isEmpty {
        if newValue == 0 { return }
        levels = Array(repeating: 0, count: EventSourceLevel.allCases.count)
      }
      levels[Int(level.rawValue)] = newValue
    }
  }

  /// Takes a level that there was.
  mutating func raise(_ level: EventSourceLevel, to value: Int64) {
    if value > self[level] { self[level] = value }
  }

  /// Takes the larger of each value.
  public mutating func merge(_ other: EventSourcePeaks) {
    for level in EventSourceLevel.allCases { raise(level, to: other[level]) }
    oldestAge = max(oldestAge, other.oldestAge)
  }

  /// Whether the largest values are the same.
  public static func == (left: EventSourcePeaks, right: EventSourcePeaks) -> Bool {
    left.oldestAge == right.oldestAge && EventSourceLevel.allCases.allSatisfy { left[$0] == right[$0] }
  }
}

/// What happened at an event source in one window, or in several that were merged.
///
/// A commutative monoid over windows and over late additions: counts and distributions add, peaks take the larger.
public struct EventSourceRollup: Sendable, Equatable {
  /// What was counted and measured in the window.
  public var tally = EventSourceTally()
  /// The largest values in the window.
  public var peaks = EventSourcePeaks()

  /// A window in which nothing happened and nothing was there: the neutral element.
  public init() {}

  /// Adds another window of the same source, or more of the same window.
  public mutating func merge(_ other: EventSourceRollup) {
    tally.merge(other.tally)
    peaks.merge(other.peaks)
  }

  /// Whether nothing happened and nothing was there.
  public var isEmpty: Bool { self == EventSourceRollup() }
}
