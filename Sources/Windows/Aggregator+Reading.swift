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
    let first = max(firstWindow, grid.index(of: from))
    let current = grid.index(of: now)
    let last = min(grid.index(of: to - Nanoseconds(1)), max(current, latestWindow))
    guard first <= last else { return [] }
    var rollups: [WindowRollup] = []
    for window in first...last {
      let start = grid.start(window)
      let isClosed = start + configuration.window + configuration.grace <= now
      func append(_ scope: Scope, _ rollup: Rollup) {
        guard !rollup.isEmpty else { return }
        rollups.append(
          WindowRollup(scope: scope, start: start, length: configuration.window, isClosed: isClosed, rollup: rollup))
      }
      // What lasts is not carried into windows that have not begun; only what was reported for them is shown.
      if window <= current || account.hasEvents(inWindow: window) {
        append(.account, account.rollup(inWindow: window, grid: grid, now: now))
      }
      for position in functions.indices
      where window <= current || functions[position].hasEvents(inWindow: window) {
        append(
          .function(functions[position].function),
          functions[position].rollup(inWindow: window, grid: grid, now: now))
      }
    }
    return rollups
  }

  /// The last window of which anything was reported.
  private var latestWindow: Int64 {
    functions.reduce(Int64.min) { max($0, $1.latestWindow) }
  }
}
