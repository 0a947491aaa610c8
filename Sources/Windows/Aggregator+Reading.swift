public import Lifecycle

extension Aggregator {
  /// The windows that end at or before this instant are final: they take no more events.
  public var finalBoundary: Timestamp {
    scopes.firstWindow == .min ? Timestamp(nanoseconds: .min) : scopes.grid.start(scopes.firstWindow)
  }

  /// The counts about the aggregator itself.
  public var statistics: AggregatorStatistics {
    var statistics = scopes.statistics
    statistics.functions = scopes.functions.count
    statistics.functionsLimit = configuration.functionsLimit
    statistics.eventSources = scopes.eventSources.states.count
    statistics.eventSourcesLimit = configuration.eventSourcesLimit
    return statistics
  }

  /// Everything that a scrape shows.
  ///
  /// Mutating, because chunks of timelines that were written to out of order are summed up on reading.
  ///
  /// - Complexity: O(scopes.functions); a function costs the copy of its counters.
  public mutating func snapshot(now: Timestamp) -> Snapshot {
    advance(to: now)
    scopes.countFinished()
    let closed = max(scopes.lastClosed(now), scopes.firstWindow)
    var snapshots: [FunctionSnapshot] = []
    snapshots.reserveCapacity(scopes.functions.count)
    for position in scopes.functions.indices {
      snapshots.append(scopes.snapshot(at: position, closed: closed, now: now))
    }
    snapshots.sort { $0.function < $1.function }
    var snapshot = Snapshot(
      time: now, windowLength: configuration.window, lastClosedWindowEnd: scopes.grid.end(closed), functions: snapshots,
      account: AccountSnapshot(
        concurrentExecutions: scopes.account.concurrentExecutions, concurrencyLimit: scopes.account.limits?.concurrency,
        lastClosed: scopes.account.peaks(inWindow: closed, grid: scopes.grid)),
      statistics: statistics)
    snapshot.eventSources = scopes.eventSources.snapshots(closed: closed, now: now)
    return snapshot
  }

  /// The live instances, in ascending order of function, then of start.
  public func instances(now: Timestamp) -> [InstanceSnapshot] {
    live.instances.compactMap { snapshot(of: $0, $1) }.sorted { left, right in
      if left.function != right.function { return left.function < right.function }
      return left.started == right.started ? left.instance < right.instance : left.started < right.started
    }
  }

  /// An instance; `nil` if it is not alive.
  func snapshot(of instance: InstanceID, _ record: InstanceRecord) -> InstanceSnapshot? {
    guard let state = record.state, let started = record.started else { return nil }
    return InstanceSnapshot(
      function: scopes.functions[record.position].function, instance: instance, state: state,
      initializationType: record.initializationType, started: started, initialization: record.initialization,
      warmUp: record.warmUp, invocations: record.invocations)
  }

  /// The windows that are not final, that overlap `[from, to)`, and in which something happened, of every scope.
  ///
  /// - Returns: In ascending order of start.
  public mutating func windows(from: Timestamp, to: Timestamp, now: Timestamp) -> [WindowRollup] {
    advance(to: now)
    scopes.countFinished()
    let span = scopes.span(from: from, to: to, now: now)
    var places = scopes.accountPlaces(span)
    for position in scopes.functions.indices { places += scopes.functionPlaces(position, span) }
    places.sort()
    return places.compactMap { scopes.rollup($0, now) }
  }
}
