public import Lifecycle

extension Aggregator {
  /// Lets time pass: windows whose finality has come are handed to the next checkpoint and forgotten here.
  ///
  /// A clock that goes back changes nothing.
  ///
  /// - Complexity: O(1) unless a window becomes final, then O(functions).
  public mutating func advance(to now: Timestamp) {
    // Gauges show the last closed window, so that is kept; a window longer than finality is final a window later.
    let boundary = min(grid.index(of: now - configuration.finality), lastClosed(now))
    guard boundary > firstWindow else { return }
    if firstWindow != .min {
      giveUpLostExecutions(before: now - configuration.finality)
      giveUpLostOverlaps(before: now - configuration.finality)
      finalize(until: boundary, now)
    }
    firstWindow = boundary
    boundFinals()
    for position in functions.indices { functions[position].dropWindows(before: boundary) }
    account.dropWindows(before: boundary, grid: grid)
    forgetStopped(before: grid.start(boundary))
  }

  /// The earliest time at which ``advance(to:)`` makes another window final; the far future before it was called first.
  public var nextFinality: Timestamp {
    guard firstWindow != .min else { return Timestamp(nanoseconds: .max) }
    // Both conditions of the boundary in ``advance(to:)``.
    return max(grid.end(firstWindow) + configuration.finality, grid.end(firstWindow &+ 1) + configuration.grace)
  }

  private mutating func finalize(until boundary: Int64, _ now: Timestamp) {
    // Every window that anything lasted through is one, and after a long sleep, or a jump of the clock, there are
    // millions of them: only the last ones are kept, the fewer the more functions there are.
    let lasting = max(20, min(21_600, Int64(configuration.unsavedWindowsLimit / 2 / (functions.count + 1))))
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
  }

  /// Gives up the oldest final windows while a store takes none: totals keep their counts.
  mutating func boundFinals() {
    let surplus = finals.count - configuration.unsavedWindowsLimit
    guard surplus > 0 else { return }
    finals.removeFirst(surplus)
    ownStatistics.windowsLost &+= UInt64(surplus)
  }

  /// Forgets instances and overlaps of which no more events are due.
  private mutating func forgetStopped(before horizon: Timestamp) {
    instances.removeAll { _, record in
      if let stopped = record.stopped { return stopped < horizon }
      return record.started == nil && record.running.isEmpty
    }
    overlaps.removeAll { _, overlap in
      (overlap.end ?? overlap.presumedEnd).map { $0 < horizon } ?? false
    }
    for position in functions.indices { functions[position].forgetLimits(before: horizon) }
  }

  /// Ends everything that is in progress, because the process it ran in is gone.
  ///
  /// - Parameter time: The last instant at which it is known to have run. Not counted as invocations: nobody saw how
  ///   they ended.
  public mutating func abandonLive(at time: Timestamp) {
    for (instance, record) in instances where record.started != nil && record.stopped == nil {
      let position = record.position
      updateInstance(instance, position) { $0.stopped = max(time, record.started ?? time) }
      changeTimelines(.instances, of: position) { $0.insertEnd(time, start: record.started ?? time) }
      touch(position, from: record.started ?? time, to: max(time, record.started ?? time))
    }
    presumeOverlapsEnded(at: time) { _ in true }
    for (request, _) in executions { presumeEnd(request, at: time) }
  }
}
