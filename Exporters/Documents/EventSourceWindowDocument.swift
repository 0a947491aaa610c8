package import Lifecycle
import Text
package import Windows

/// What a ``WindowDocument`` has of an event source in place of the numbers of functions.
package struct EventSourceWindowDocument: Sendable, Equatable {
  /// Which source it is.
  package var source: EventSourceID
  /// In the order of the counters.
  private var counts = Array(repeating: UInt64(0), count: EventSourceCounter.allCases.count)
  /// In the order of the levels.
  private var maxima = Array(repeating: Int64(0), count: EventSourceLevel.allCases.count)
  /// The greatest age of the oldest thing that waited.
  package var oldestAge = Nanoseconds.zero
  /// In the order of the durations.
  private var distributions = Array(
    repeating: DistributionDocument(.duration), count: EventSourceDuration.allCases.count)

  /// A window in which nothing happened.
  package init(_ source: EventSourceID) { self.source = source }

  /// Converts a rollup.
  package init(_ source: EventSourceID, _ rollup: EventSourceRollup) {
    self.init(source)
    for counter in EventSourceCounter.allCases { self[counter] = rollup.tally[counter] }
    for level in EventSourceLevel.allCases { self[level] = rollup.peaks[level] }
    oldestAge = rollup.peaks.oldestAge
    for duration in EventSourceDuration.allCases where !rollup.tally[duration].isEmpty {
      self[duration] = DistributionDocument(rollup.tally[duration])
    }
  }

  /// How often something happened.
  package subscript(counter: EventSourceCounter) -> UInt64 {
    get { counts[Int(counter.rawValue)] }
    set { counts[Int(counter.rawValue)] = newValue }
  }

  /// The most that there was at one instant.
  package subscript(level: EventSourceLevel) -> Int64 {
    get { maxima[Int(level.rawValue)] }
    set { maxima[Int(level.rawValue)] = newValue }
  }

  /// How long something took.
  package subscript(duration: EventSourceDuration) -> DistributionDocument {
    get { distributions[Int(duration.rawValue)] }
    set { distributions[Int(duration.rawValue)] = newValue }
  }

  /// Whether nothing happened and nothing was there.
  package var isIdle: Bool { self == EventSourceWindowDocument(source) }

  // MARK: JSON

  /// Writes the numbers that sources of this kind have.
  func writeNumbers(to writer: inout JSONWriter) {
    for number in EventSourceNumber.all(of: source.trigger) {
      switch number.content {
      case .count(let counter): writer.member(number.member, self[counter])
      case .level(let level): writer.member(number.member, self[level])
      case .oldestAge: writer.member(number.member, nanoseconds: Int128(oldestAge.count))
      case .distribution(let duration):
        writer.key(number.member)
        self[duration].write(to: &writer)
      }
    }
  }

  /// Reads a member, or passes over one that sources of this kind do not have.
  mutating func read(_ name: String, _ reader: inout JSONReader) throws(JSONError) {
    guard let number = EventSourceNumber.all(of: source.trigger).first(where: { $0.member == name }) else {
      return try reader.skip()
    }
    switch number.content {
    case .count(let counter): self[counter] = try reader.unsigned()
    case .level(let level): self[level] = try reader.signed()
    case .oldestAge: oldestAge = try reader.duration()
    case .distribution(let duration): self[duration] = try DistributionDocument(.duration, from: &reader)
    }
  }
}
