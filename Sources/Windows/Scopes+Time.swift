import Lifecycle

extension Scopes {
  /// The last closed window.
  func lastClosed(_ now: Timestamp) -> Int64 { grid.index(of: now - configuration.grace) - 1 }

  /// Hands the windows before one to the next checkpoint, as they take no more events.
  mutating func finalize(until boundary: Int64, _ now: Timestamp) {
    // Every window that anything lasted through is one, and after a long sleep, or a jump of the clock, there are
    // millions of them: only the last ones are kept, the fewer the more functions there are.
    let lasting = max(
      20, min(21_600, Int64(configuration.unsavedWindowsLimit / 2 / (functions.count + eventSources.states.count + 1))))
    let first = max(firstWindow, boundary - lasting)
    for position in functions.indices {
      let function = functions[position].function
      for window in functions[position].windowsInUse(before: boundary, lastingFrom: first) {
        let rollup = functions[position].rollup(inWindow: window, grid: grid, now: now)
        finals.append(
          WindowCheckpoint(scope: .function(function), start: grid.start(window), rollup: rollup, isFinal: true))
      }
    }
    for window in account.windowsInUse(before: boundary, lastingFrom: first) {
      let rollup = account.rollup(inWindow: window, grid: grid, now: now)
      finals.append(WindowCheckpoint(scope: .account, start: grid.start(window), rollup: rollup, isFinal: true))
    }
    finals += eventSources.finals(until: boundary, lastingFrom: first, now)
  }

  /// Forgets the windows before one, which is the first that is not final from now on.
  mutating func forget(before boundary: Int64) {
    firstWindow = boundary
    boundFinals()
    for position in functions.indices { functions[position].dropWindows(before: boundary) }
    account.dropWindows(before: boundary, grid: grid)
    eventSources.forget(before: boundary)
    for position in functions.indices { functions[position].forgetLimits(before: grid.start(boundary)) }
  }

  /// Gives up the oldest final windows while a store takes none: totals keep their counts.
  mutating func boundFinals() {
    let surplus = finals.count - configuration.unsavedWindowsLimit
    guard surplus > 0 else { return }
    finals.removeFirst(surplus)
    statistics.windowsLost &+= UInt64(surplus)
  }
}
