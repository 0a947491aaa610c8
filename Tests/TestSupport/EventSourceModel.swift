public import Lifecycle
public import Windows

/// What windows of an event source have, computed from the list of all its events: slowly, and in no way like the aggregator.
public struct EventSourceModel {
  private let events: [EventSourceActivity]

  /// - Parameter events: In the order of their times; of one instant, in the order in which they were told.
  public init(_ events: [EventSourceActivity]) { self.events = events }

  /// The window `[from, to)` as it is at `now`.
  public func rollup(from: Timestamp, to: Timestamp, now: Timestamp) -> EventSourceRollup {
    var rollup = EventSourceRollup()
    for event in events where event.time >= from && event.time < to {
      for change in event.changes {
        switch change {
        case .counted(let counter, let count): rollup.tally[counter] += UInt64(count)
        case .measured(let duration, let length): rollup.tally[duration].record(length.count)
        case .level, .oldest, .gone: break
        }
      }
    }
    for level in EventSourceLevel.allCases { rollup.peaks[level] = peak(level, from, to, now) }
    rollup.peaks.oldestAge = oldestAge(from, to, now)
    return rollup
  }

  private func peak(_ level: EventSourceLevel, _ from: Timestamp, _ to: Timestamp, _ now: Timestamp) -> Int64 {
    let told: [(time: Timestamp, value: Int64)] = events.flatMap { event in
      event.changes.compactMap { change in
        switch change {
        case .level(level, let value): (event.time, value)
        case .gone: (event.time, 0)
        default: nil
        }
      }
    }
    let inside = told.filter { $0.time >= from && $0.time < to }.map(\.value)
    // At its first instant, what was told then holds already.
    let isToldAtFirst = told.contains { $0.time == from }
    let held = from <= now && !isToldAtFirst ? told.last { $0.time < from }?.value ?? 0 : 0
    return max(held, inside.max() ?? 0)
  }

  private func oldestAge(_ from: Timestamp, _ to: Timestamp, _ now: Timestamp) -> Nanoseconds {
    let told: [(time: Timestamp, since: Timestamp?)] = events.flatMap { event in
      event.changes.compactMap { change in
        switch change {
        case .oldest(let since): (event.time, since)
        case .gone: (event.time, nil)
        default: nil
        }
      }
    }
    var greatest = Nanoseconds.zero
    for (position, one) in told.enumerated() {
      guard let since = one.since else { continue }
      let isLast = position == told.count - 1
      let end = isLast ? max(now, one.time) : told[position + 1].time
      // It holds on [time, end); the one that holds now, and one that held for an instant, at that instant.
      let isThere =
        one.time < to && (end > from || (one.time == end && end >= from)) && (from <= now || one.time >= from)
      if isThere { greatest = max(greatest, min(end, to) - since) }
    }
    return greatest
  }
}
