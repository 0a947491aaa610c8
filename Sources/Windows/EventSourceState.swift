import Lifecycle

/// Everything that the aggregator knows about one event source.
///
/// Counts and durations are exact in any order. Levels are a step function: each value that was told counts in its window, and goes on
/// to count in those behind it until the next one. That is exact if a source's events come in the order of their times, as those of one
/// process do; the aggregator puts the events of one batch into that order. A value that comes after
/// a later one was told counts only in the window of its own instant, and of the oldest thing that waits only with its age then.
struct EventSourceState: Sendable {
  /// Through how many windows a value is carried at most when the next one is told: more than are ever open, unless the clock jumped.
  private static let carriedLimit: Int64 = 2_048

  let source: EventSourceID
  let firstSeen: Timestamp
  var totals = EventSourceTally()
  private(set) var present = EventSourcePresent()
  /// Whether another process has it.
  var isRemote = false
  /// Windows that are not final, in ascending order. What lasts from one into the next is in the next only if something was told there.
  private var windows: [Window] = []
  /// Whether totals or what is there changed since the last checkpoint.
  private(set) var isChanged = true
  /// The first window that has to be stored again; `.max` for none.
  private(set) var changedFrom = Int64.max

  private struct Window: Sendable {
    var window: Int64
    var rollup = EventSourceRollup()
  }

  init(source: EventSourceID, firstSeen: Timestamp) {
    self.source = source
    self.firstSeen = firstSeen
  }

  init(_ stored: EventSourceCheckpoint) {
    source = stored.source
    firstSeen = stored.firstSeen
    totals = stored.totals
    present = stored.present
    isRemote = stored.isRemote
  }

  /// Whether it stands for the sources beyond the limit, of which levels mean nothing together.
  private var isOther: Bool { source.name == AggregatorConfiguration.otherFunctionName }

  // MARK: Changing

  private mutating func position(_ window: Int64) -> Int {
    if let last = windows.last, last.window == window { return windows.count - 1 }
    let position = firstPosition(from: window)
    if position == windows.count || windows[position].window != window {
      windows.insert(Window(window: window), at: position)
    }
    return position
  }

  /// The position of the first window that is not before one; that behind the last if there is none.
  private func firstPosition(from window: Int64) -> Int {
    var (low, high) = (0, windows.count)
    while low < high {
      let middle = (low + high) / 2
      if windows[middle].window < window { low = middle + 1 } else { high = middle }
    }
    return low
  }

  private mutating func change(_ window: Int64, _ body: (inout EventSourceRollup) -> Void) {
    let position = position(window)
    body(&windows[position].rollup)
  }

  /// Takes what changed at `time`.
  ///
  /// - Parameter first: The first window that is not final. What is counted before it is only in the totals.
  mutating func apply(_ activity: EventSourceActivity, _ grid: WindowGrid, first: Int64) {
    let window = grid.index(of: activity.time)
    isChanged = true
    changedFrom = min(changedFrom, max(first, window))
    for change in activity.changes {
      totals.add(change)
      if window >= first, change.addsUp { self.change(window) { $0.tally.add(change) } }
      if isOther { continue }
      switch change {
      case .level(let level, let value): set(level, value, at: activity.time, grid, first: first)
      case .oldest(let since): set(oldest: since, at: activity.time, grid, first: first)
      case .gone: end(at: activity.time, grid, first: first)
      case .counted, .measured: break
      }
    }
    // Also an event without changes says that the source is there.
    if !isOther, activity.changes.last != .gone { present.isGone = false }
  }

  /// Has nothing wait and nothing be in progress from an instant on.
  mutating func end(at time: Timestamp, _ grid: WindowGrid, first: Int64) {
    for held in present.levels { set(held.level, 0, at: max(time, held.time), grid, first: first) }
    if let told = present.oldestTold { set(oldest: nil, at: max(time, told), grid, first: first) }
    present.isGone = true
    isChanged = true
    changedFrom = min(changedFrom, max(first, grid.index(of: time)))
  }

  private mutating func set(
    _ level: EventSourceLevel, _ value: Int64, at time: Timestamp, _ grid: WindowGrid, first: Int64
  ) {
    let window = grid.index(of: time)
    if let position = present.levels.firstIndex(where: { $0.level == level }) {
      let held = present.levels[position]
      if time >= held.time {
        let next = grid.index(of: held.time) &+ 1
        changedFrom = min(changedFrom, max(first, next))
        if held.value > 0 {
          // At the first instant of its window the new value holds already.
          let last = grid.start(window) == time ? window &- 1 : window
          for window in lasting(from: max(first, next), through: last) {
            change(window) { $0.peaks.raise(level, to: held.value) }
          }
        }
        present.levels[position].time = time
        present.levels[position].value = value
      }
    } else {
      present.levels.append(EventSourcePresent.Held(level: level, time: time, value: value))
    }
    if value > 0, window >= first { change(window) { $0.peaks.raise(level, to: value) } }
  }

  private mutating func set(oldest since: Timestamp?, at time: Timestamp, _ grid: WindowGrid, first: Int64) {
    let window = grid.index(of: time)
    if time >= present.oldestTold ?? time {
      if let oldest = present.oldest, let told = present.oldestTold {
        let begin = grid.index(of: told)
        changedFrom = min(changedFrom, max(first, begin))
        let last = grid.start(window) == time ? window &- 1 : window
        for window in lasting(from: max(first, begin), through: last) {
          raise(window, min(time, grid.end(window)) - oldest)
        }
      }
      (present.oldest, present.oldestTold) = (since, time)
    }
    if let since, window >= first { raise(window, time - since) }
  }

  private func lasting(from first: Int64, through last: Int64) -> Range<Int64> {
    ConcurrencyTimeline.windows(from: max(first, last &- EventSourceState.carriedLimit), before: last &+ 1)
  }

  private mutating func raise(_ window: Int64, _ age: Nanoseconds) {
    guard age > .zero else { return }
    change(window) { $0.peaks.oldestAge = max($0.peaks.oldestAge, age) }
  }

  mutating func restore(window: Int64, rollup: EventSourceRollup) { change(window) { $0 = rollup } }

  // MARK: Windows

  mutating func dropWindows(before window: Int64) {
    if let first = windows.first, first.window < window { windows.removeAll { $0.window < window } }
  }

  /// - Parameter window: That of the clock.
  mutating func markStored(next window: Int64) {
    isChanged = false
    // What lasts changes windows without an event.
    changedFrom = present.isLasting ? window : .max
  }

  mutating func markAllChanged(from window: Int64) {
    isChanged = true
    changedFrom = window
  }

  /// The windows from one on of which anything was told, in ascending order.
  func reportedWindows(from window: Int64) -> [Int64] { windows.map(\.window).filter { $0 >= window } }

  /// The windows before a boundary in which something was told or lasted, in ascending order; of those without an event only the ones
  /// from `first` on.
  func windowsInUse(before boundary: Int64, lastingFrom first: Int64, _ grid: WindowGrid) -> [Int64] {
    var found = Set(windows.map(\.window).filter { $0 < boundary })
    if let since = lastingSince {
      found.formUnion(ConcurrencyTimeline.windows(from: max(first, grid.index(of: since)), before: boundary))
    }
    return found.sorted()
  }

  /// Since when at the latest anything that is there was.
  private var lastingSince: Timestamp? {
    let levels = present.levels.filter { $0.value > 0 }.map(\.time)
    return (levels + (present.oldest == nil ? [] : [present.oldestTold].compactMap { $0 })).min()
  }

  /// What happened in a window that is not final, and what was there.
  func rollup(inWindow window: Int64, _ grid: WindowGrid, now: Timestamp) -> EventSourceRollup {
    let position = firstPosition(from: window)
    let isTold = position < windows.count && windows[position].window == window
    var rollup = isTold ? windows[position].rollup : EventSourceRollup()
    // What lasts is not carried into windows that have not begun.
    guard window <= grid.index(of: now) else { return rollup }
    for held in present.levels where held.value > 0 && grid.index(of: held.time) < window {
      rollup.peaks.raise(held.level, to: held.value)
    }
    if let oldest = present.oldest, let told = present.oldestTold, grid.index(of: told) <= window {
      let age = min(grid.end(window), max(now, told)) - oldest
      rollup.peaks.oldestAge = max(rollup.peaks.oldestAge, age)
    }
    return rollup
  }
}

extension EventSourceChange {
  /// Whether it is counted or measured.
  fileprivate var addsUp: Bool {
    switch self {
    case .counted, .measured: true
    case .level, .oldest, .gone: false
    }
  }

  /// Whether its amount can be true: neither negative nor so large that sums lose it.
  var isPossible: Bool {
    switch self {
    case .counted(_, let count): (0...EventSourceChange.amountMax).contains(count)
    case .level(_, let value): (0...EventSourceChange.amountMax).contains(value)
    case .measured(_, let length): length.count >= 0
    case .oldest(let since): since.map { $0.nanoseconds >= 0 } ?? true
    case .gone: true
    }
  }

  /// 2^53: up to it every reader's numbers are exact.
  private static let amountMax: Int64 = 1 << 53
}
