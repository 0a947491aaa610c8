import Lifecycle

extension Scopes {
  /// Has no counter go below what it shows now.
  mutating func noteReading(at now: Timestamp) {
    for position in functions.indices { _ = functions[position].concurrencyNanoseconds(now: now) }
  }

  /// One function, with the peaks of a window.
  mutating func snapshot(at position: Int, closed: Int64, now: Timestamp) -> FunctionSnapshot {
    var snapshot = FunctionSnapshot(
      function: functions[position].function, firstSeen: functions[position].firstSeen)
    snapshot.totals = functions[position].totals
    snapshot.concurrencyNanoseconds = functions[position].concurrencyNanoseconds(now: now)
    snapshot.concurrentExecutions = functions[position].concurrentExecutions
    snapshot.instances = functions[position].timelines.instanceStates
    snapshot.overlappingExecutions = functions[position].liveOverlaps
    snapshot.limits = functions[position].currentLimits
    snapshot.isGone = functions[position].isGone
    snapshot.lastClosed = functions[position].peaks(inWindow: closed, grid: grid)
    snapshot.exemplars = functions[position].exemplars
    snapshot.lastClosedEnded = functions[position].endedPeaks[closed]
    return snapshot
  }

  /// Windows to look at.
  struct WindowSpan {
    var first: Int64
    /// Not one of them.
    var end: Int64
    /// That of the clock.
    var current: Int64

    // What lasts is not carried into windows that have not begun; only what was reported for them is shown.
    var begun: Int64 { min(end, current + 1) }

    func holds(_ window: Int64) -> Bool { window >= first && window < end }
  }

  /// The windows that are not final and overlap `[from, to)`.
  func span(from: Timestamp, to: Timestamp, now: Timestamp) -> WindowSpan {
    WindowSpan(
      first: max(firstWindow, grid.index(of: from)), end: grid.index(of: to - Nanoseconds(1)) + 1,
      current: grid.index(of: now))
  }

  /// A window of a scope.
  struct Place: Comparable {
    var window: Int64
    /// The position of the function; -1 for the account.
    var position: Int

    static func < (left: Place, right: Place) -> Bool { (left.window, left.position) < (right.window, right.position) }
  }

  func accountPlaces(_ span: WindowSpan) -> [Place] {
    let used = account.windowsInUse(before: span.begun, lastingFrom: span.first)
    return (used + account.reportedWindows(from: span.begun)).filter(span.holds).map { Place(window: $0, position: -1) }
  }

  func functionPlaces(_ position: Int, _ span: WindowSpan) -> [Place] {
    let used = functions[position].windowsInUse(before: span.begun, lastingFrom: span.first)
    return (used + functions[position].reportedWindows(from: span.begun)).filter(span.holds).map {
      Place(window: $0, position: position)
    }
  }

  mutating func rollup(_ place: Place, _ now: Timestamp) -> WindowRollup? {
    let isOfAccount = place.position < 0
    let rollup =
      isOfAccount
      ? account.rollup(inWindow: place.window, grid: grid, now: now)
      : functions[place.position].rollup(inWindow: place.window, grid: grid, now: now)
    guard !rollup.isEmpty else { return nil }
    let start = grid.start(place.window)
    return WindowRollup(
      scope: isOfAccount ? .account : .function(functions[place.position].function), start: start,
      length: configuration.window, isClosed: start + configuration.window + configuration.grace <= now, rollup: rollup)
  }
}
