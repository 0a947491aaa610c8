import Lifecycle

/// When an invocation was, and how that is known.
struct LifeInterval: Equatable, Sendable {
  var start: Timestamp
  var end: Timestamp
  /// Whether the start was computed from the end.
  var isStartInferred: Bool
  /// Start and end mean nothing otherwise.
  var isTimed: Bool
}

/// The times in which one instance served, of all of its invocations that were placed so far, in the order of their ends.
///
/// Invocations may be placed in any order: what matters are those before and behind in time, not those that were read before.
struct ServedTimes: Sendable {
  /// How far apart two times may be that are the same but for what was cut off.
  private static let rounding = Nanoseconds.milliseconds(5)
  /// Times of lines are cut to this.
  static let grain = Nanoseconds.milliseconds(1)

  /// 16 bytes each: whether the start is inferred is its lowest bit.
  private struct Span {
    var packedStart: Int64
    var end: Timestamp

    init(_ interval: LifeInterval) {
      packedStart = interval.start.nanoseconds & ~1 | (interval.isStartInferred ? 1 : 0)
      end = interval.end
    }

    var start: Timestamp { Timestamp(nanoseconds: packedStart & ~1) }
    var isStartInferred: Bool { packedStart & 1 == 1 }
  }

  private var spans: [Span] = []

  /// Places invocations so that none overlaps another one, as far as cut times and inferred starts explain that.
  ///
  /// - Parameters:
  ///   - intervals: In the order of their ends.
  ///   - overlaps: Raised by those that overlap all the same.
  /// - Returns: The intervals, moved by as little as that takes.
  /// - Complexity: O(intervals + invocations placed before that end later than the first of them).
  mutating func place(_ intervals: [LifeInterval], _ overlaps: inout UInt64) -> [LifeInterval] {
    guard let first = intervals.first else { return [] }
    let later = Array(spans[position(of: first.end)...])
    spans.removeLast(later.count)
    var next = 0
    var placed: [LifeInterval] = []
    placed.reserveCapacity(intervals.count)
    for interval in intervals {
      while next < later.count, later[next].end <= interval.end {
        spans.append(later[next])
        next += 1
      }
      var interval = interval
      // One of no length counts as one of a nanosecond.
      interval.end = max(interval.end, interval.start + Nanoseconds(1))
      var isApart = true
      if let before = spans.last { isApart = begin(&interval, after: before) }
      if next < later.count { isApart = end(&interval, before: later[next]) && isApart }
      if !isApart { overlaps &+= 1 }
      spans.append(Span(interval))
      placed.append(interval)
    }
    spans += later[next...]
    return placed
  }

  /// The first one that ends at a time or later.
  private func position(of end: Timestamp) -> Int {
    var low = 0
    var high = spans.count
    // Mostly all of them end before.
    if let last = spans.last, last.end < end { return high }
    while low < high {
      let middle = (low + high) / 2
      if spans[middle].end < end { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// Has an invocation begin when another one has ended; it may then last up to the end of the millisecond of its end.
  ///
  /// - Returns: Whether it could.
  private func begin(_ interval: inout LifeInterval, after before: Span) -> Bool {
    guard interval.start < before.end else { return true }
    guard interval.isStartInferred || before.end - interval.start <= ServedTimes.rounding else { return false }
    let length = interval.end - interval.start
    interval.start = before.end
    let least = interval.start + Nanoseconds(1)
    interval.end = max(least, min(interval.start + length, interval.end + ServedTimes.grain))
    return true
  }

  /// Has an invocation end when another one begins that was placed before.
  ///
  /// - Returns: Whether it could.
  private func end(_ interval: inout LifeInterval, before next: Span) -> Bool {
    guard interval.end > next.start else { return true }
    guard next.isStartInferred || interval.end - next.start <= ServedTimes.rounding else { return false }
    interval.end = next.start
    interval.start = min(interval.start, interval.end - Nanoseconds(1))
    return true
  }
}
