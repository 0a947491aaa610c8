public import Lifecycle

extension Aggregator {
  /// The windows that end at or before this instant are final: they take no more events.
  public var finalBoundary: Timestamp { firstWindow == .min ? Timestamp(nanoseconds: .min) : grid.start(firstWindow) }

  /// The counts about the aggregator itself.
  public var statistics: AggregatorStatistics {
    var statistics = ownStatistics
    statistics.functions = functions.count
    statistics.functionsLimit = configuration.functionsLimit
    return statistics
  }

  /// The end of the last closed window.
  func lastClosed(_ now: Timestamp) -> Int64 { grid.index(of: now - configuration.grace) - 1 }

  /// Everything that a scrape shows.
  ///
  /// Mutating, because chunks of timelines that were written to out of order are summed up on reading.
  ///
  /// - Complexity: O(functions); a function costs the copy of its counters.
  public mutating func snapshot(now: Timestamp) -> Snapshot {
    advance(to: now)
    let closed = max(lastClosed(now), firstWindow)
    var snapshots: [FunctionSnapshot] = []
    snapshots.reserveCapacity(functions.count)
    var concurrent: Int64 = 0
    for position in functions.indices {
      var snapshot = FunctionSnapshot(
        function: functions[position].function, firstSeen: functions[position].firstSeen)
      snapshot.totals = functions[position].totals
      snapshot.concurrencyNanoseconds = functions[position].concurrencyNanoseconds(now: now)
      snapshot.concurrentExecutions = functions[position].concurrentExecutions
      snapshot.instances = functions[position].instanceStates
      snapshot.overlappingExecutions = functions[position].liveOverlaps
      snapshot.limits = functions[position].limits.last
      snapshot.lastClosed = functions[position].peaks(inWindow: closed, grid: grid)
      snapshot.exemplars = functions[position].exemplars
      snapshot.lastClosedEnded = functions[position].endedPeaks[closed]
      concurrent += snapshot.concurrentExecutions
      snapshots.append(snapshot)
    }
    snapshots.sort { $0.function < $1.function }
    return Snapshot(
      time: now, windowLength: configuration.window, lastClosedWindowEnd: grid.end(closed), functions: snapshots,
      account: AccountSnapshot(
        concurrentExecutions: concurrent, concurrencyLimit: account.limits?.concurrency,
        lastClosed: account.peaks(inWindow: closed, grid: grid)),
      statistics: statistics)
  }

  /// The live instances, in ascending order of function, then of start.
  public func instances(now: Timestamp) -> [InstanceSnapshot] {
    instances.compactMap { instance, record in
      guard let state = record.state, let started = record.started else { return nil }
      return InstanceSnapshot(
        function: functions[record.position].function, instance: instance, state: state,
        initializationType: record.initializationType, started: started, initialization: record.initialization,
        invocations: record.invocations)
    }.sorted { left, right in
      if left.function != right.function { return left.function < right.function }
      return left.started == right.started ? left.instance < right.instance : left.started < right.started
    }
  }

  /// The windows that are not final, that overlap `[from, to)`, and in which something happened, of every scope.
  ///
  /// - Returns: In ascending order of start.
  public mutating func windows(from: Timestamp, to: Timestamp, now: Timestamp) -> [WindowRollup] {
    advance(to: now)
    let current = grid.index(of: now)
    let first = max(firstWindow, grid.index(of: from))
    let end = grid.index(of: to - Nanoseconds(1)) + 1
    // What lasts is not carried into windows that have not begun; only what was reported for them is shown.
    let begun = min(end, current + 1)
    var places: [Place] = []
    for window in account.windowsInUse(before: begun, lastingFrom: first) + account.reportedWindows(from: begun)
    where window >= first && window < end { places.append(Place(window: window, position: -1)) }
    for position in functions.indices {
      let used = functions[position].windowsInUse(before: begun, lastingFrom: first)
      for window in used + functions[position].reportedWindows(from: begun) where window >= first && window < end {
        places.append(Place(window: window, position: position))
      }
    }
    places.sort()
    return places.compactMap { rollup($0, now) }
  }

  /// A window of a scope.
  private struct Place: Comparable {
    var window: Int64
    /// The position of the function; -1 for the account.
    var position: Int

    static func < (left: Place, right: Place) -> Bool { (left.window, left.position) < (right.window, right.position) }
  }

  private mutating func rollup(_ place: Place, _ now: Timestamp) -> WindowRollup? {
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
