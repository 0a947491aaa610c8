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
    for position in functions.indices {
      snapshots.append(snapshot(at: position, closed: closed, now: now))
    }
    snapshots.sort { $0.function < $1.function }
    return Snapshot(
      time: now, windowLength: configuration.window, lastClosedWindowEnd: grid.end(closed), functions: snapshots,
      account: AccountSnapshot(
        concurrentExecutions: account.concurrentExecutions, concurrencyLimit: account.limits?.concurrency,
        lastClosed: account.peaks(inWindow: closed, grid: grid)),
      statistics: statistics)
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

  /// The live instances, in ascending order of function, then of start.
  public func instances(now: Timestamp) -> [InstanceSnapshot] {
    instances.compactMap { snapshot(of: $0, $1) }.sorted { left, right in
      if left.function != right.function { return left.function < right.function }
      return left.started == right.started ? left.instance < right.instance : left.started < right.started
    }
  }

  /// An instance; `nil` if it is not alive.
  func snapshot(of instance: InstanceID, _ record: InstanceRecord) -> InstanceSnapshot? {
    guard let state = record.state, let started = record.started else { return nil }
    return InstanceSnapshot(
      function: functions[record.position].function, instance: instance, state: state,
      initializationType: record.initializationType, started: started, initialization: record.initialization,
      warmUp: record.warmUp, invocations: record.invocations)
  }

  /// The windows that are not final, that overlap `[from, to)`, and in which something happened, of every scope.
  ///
  /// - Returns: In ascending order of start.
  public mutating func windows(from: Timestamp, to: Timestamp, now: Timestamp) -> [WindowRollup] {
    advance(to: now)
    let span = span(from: from, to: to, now: now)
    var places = accountPlaces(span)
    for position in functions.indices { places += functionPlaces(position, span) }
    places.sort()
    return places.compactMap { rollup($0, now) }
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
