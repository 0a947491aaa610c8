public import Lifecycle

extension Aggregator {
  /// What changed since the last checkpoint.
  ///
  /// - Complexity: O(functions + what changed).
  public mutating func checkpoint(now: Timestamp) -> Checkpoint {
    advance(to: now)
    var checkpoint = Checkpoint(time: now)
    checkpoint.windows = finals
    checkpoint.lateTallies = lateTallies.map { key, tally in
      LateTally(function: key.function, start: grid.start(key.window), tally: tally)
    }
    finals = []
    lateTallies = [:]
    let current = grid.index(of: now)
    var isInProgress = false
    for position in functions.indices {
      isInProgress = isInProgress || functions[position].isInProgress
      collect(position, now, into: &checkpoint)
      functions[position].markStored(next: current)
    }
    if account.timelines.changedFrom != .max {
      let first = max(firstWindow, account.timelines.changedFrom)
      let last = max(first, current)
      for window in Array(first...last) + account.reportedWindows(from: last + 1) {
        let rollup = account.rollup(inWindow: window, grid: grid, now: now)
        checkpoint.windows.append(
          WindowCheckpoint(scope: .account, start: grid.start(window), rollup: rollup, isFinal: false))
      }
    }
    account.timelines.markStored(lastingFrom: isInProgress || account.isClaimed ? current : nil)
    checkpoint.live = liveState()
    return checkpoint
  }

  private mutating func collect(_ position: Int, _ now: Timestamp, into checkpoint: inout Checkpoint) {
    let function = functions[position].function
    if functions[position].isChanged || functions[position].isInProgress {
      checkpoint.functions.append(
        FunctionCheckpoint(
          function: function, firstSeen: functions[position].firstSeen, totals: functions[position].totals,
          concurrencyNanoseconds: functions[position].concurrencyNanoseconds(now: now),
          endedConcurrencyNanoseconds: functions[position].endedConcurrencyNanoseconds,
          limits: functions[position].limits, endedPeaks: functions[position].endedPeaks.stored(grid)))
    }
    guard functions[position].timelines.changedFrom != .max else { return }
    let first = max(firstWindow, functions[position].timelines.changedFrom)
    let last = max(first, grid.index(of: now))
    for window in Array(first...last) + functions[position].reportedWindows(from: last + 1) {
      let rollup = functions[position].rollup(inWindow: window, grid: grid, now: now)
      checkpoint.windows.append(
        WindowCheckpoint(scope: .function(function), start: grid.start(window), rollup: rollup, isFinal: false))
    }
    for kind in TimelineKind.allCases {
      let timeline = functions[position].timelines[kind]
      for window in timeline.windowsWithEdges(from: first) {
        checkpoint.timelines.append(
          TimelineCheckpoint(
            function: function, kind: kind, start: grid.start(window), edges: timeline.edges(inWindow: window)))
      }
    }
  }

  private func liveState() -> LiveState {
    var live = LiveState()
    live.accountLimits = account.limits
    live.executions = executions.map { request, running in
      LiveExecution(
        request: request, function: functions[running.position].function, instance: running.instance,
        start: running.start, pool: running.pool, presumedEnd: running.presumedEnd)
    }
    live.instances = instances.map { instance, record in
      LiveInstance(
        instance: instance, function: functions[record.position].function,
        initializationType: record.initializationType, started: record.started, stopped: record.stopped,
        initialization: record.initialization, isReady: record.isReady, invocations: record.invocations)
    }
    live.overlaps = overlaps.map { request, overlap in
      LiveOverlap(
        request: request, function: functions[overlap.position].function, instance: overlap.instance,
        start: overlap.start, end: overlap.end, presumedEnd: overlap.presumedEnd)
    }
    return live
  }

  /// Makes the contents of a checkpoint that could not be stored due again with the next one.
  public mutating func checkpointFailed(_ checkpoint: Checkpoint) {
    finals = checkpoint.windows.filter(\.isFinal) + finals
    boundFinals()
    for late in checkpoint.lateTallies {
      let key = LateKey(function: late.function, window: grid.index(of: late.start))
      lateTallies[key, default: Tally()].merge(late.tally)
    }
    for position in functions.indices { functions[position].markAllChanged(from: firstWindow) }
    account.timelines.markAllChanged(from: firstWindow)
  }

  /// Continues from what a store kept.
  ///
  /// Requests that had finished are not remembered: a sender that repeats them is told apart by its sequence.
  public init(_ configuration: AggregatorConfiguration, restoring checkpoint: Checkpoint) {
    self.init(configuration)
    advance(to: checkpoint.time)
    for stored in checkpoint.functions {
      let position = position(of: stored.function, firstSeen: stored.firstSeen)
      functions[position].totals = stored.totals
      for limits in stored.limits { functionLimitsChanged(limits, position) }
      for ended in stored.endedPeaks {
        functions[position].endedPeaks.add(grid.index(of: ended.start), ended.peaks)
      }
    }
    for window in checkpoint.windows where !window.isFinal { restore(window) }
    restoreLive(checkpoint.live)
    restoreTimelines(checkpoint)
    var running: [Int: [Timestamp]] = [:]
    for (_, execution) in executions where execution.presumedEnd == nil {
      running[execution.position, default: []].append(execution.start)
    }
    account.concurrentExecutions = Int64(running.values.reduce(0) { $0 + $1.count })
    for stored in checkpoint.functions {
      let position = position(of: stored.function, firstSeen: stored.firstSeen)
      functions[position].restoreConcurrency(
        shown: stored.concurrencyNanoseconds, ended: stored.endedConcurrencyNanoseconds,
        running: running[position] ?? [])
    }
  }

  /// The position of a function that was known before. The limit does not hold for it, as its totals go on.
  private mutating func position(of function: FunctionID, firstSeen: Timestamp) -> Int {
    positions[function] ?? add(function, firstSeen: firstSeen)
  }

  private mutating func restore(_ stored: WindowCheckpoint) {
    let window = grid.index(of: stored.start)
    guard window >= firstWindow else {
      // Its finality came while nobody was there to see it.
      finals.append(
        WindowCheckpoint(scope: stored.scope, start: stored.start, rollup: stored.rollup, isFinal: true))
      return
    }
    // Peaks and integrals follow from the edges.
    guard case .function(let function) = stored.scope else { return }
    let position = position(of: function, at: stored.start)
    functions[position].restore(window: window, tally: stored.rollup.tally)
  }

  private mutating func restoreLive(_ live: LiveState) {
    account.limits = live.accountLimits
    for stored in live.instances {
      var record = InstanceRecord(position: position(of: stored.function, at: stored.started ?? Timestamp(seconds: 0)))
      record.initializationType = stored.initializationType
      record.started = stored.started
      record.stopped = stored.stopped
      record.initialization = stored.initialization
      record.isReady = stored.isReady
      record.invocations = stored.invocations
      instances[stored.instance] = record
      countInstance(record.position, from: nil, to: record.state)
    }
    for stored in live.executions {
      let position = position(of: stored.function, at: stored.start)
      executions[stored.request] = RunningExecution(
        position: position, instance: stored.instance, start: stored.start, pool: stored.pool,
        presumedEnd: stored.presumedEnd)
      if let instance = stored.instance, stored.presumedEnd == nil {
        updateInstance(instance, position) { $0.running.append(stored.request) }
      }
    }
    for stored in live.overlaps {
      let position = position(of: stored.function, at: stored.start ?? stored.end ?? Timestamp(seconds: 0))
      overlaps[stored.request] = Overlap(
        position: position, instance: stored.instance, start: stored.start, end: stored.end,
        presumedEnd: stored.presumedEnd)
      if stored.start != nil && stored.end == nil && stored.presumedEnd == nil { functions[position].liveOverlaps += 1 }
    }
  }

  private mutating func restoreTimelines(_ checkpoint: Checkpoint) {
    var merged: [MergedKey: [UInt64]] = [:]
    for stored in checkpoint.timelines {
      let window = grid.index(of: stored.start)
      let position = position(of: stored.function, at: stored.start)
      functions[position].timelines[stored.kind].restore(window: window, edges: stored.edges)
      merged[MergedKey(kind: stored.kind, window: window), default: []] += stored.edges
    }
    for (key, edges) in merged.sorted(by: { $0.key.window < $1.key.window }) {
      account.timelines[key.kind].restore(window: key.window, edges: edges.sorted())
    }
    restoreBases()
  }

  private struct MergedKey: Hashable {
    var kind: TimelineKind
    var window: Int64
  }

  /// What is in progress now is known, so what was in progress before the first window follows from the edges since.
  private mutating func restoreBases() {
    var running = Array(repeating: ConcurrencyTimeline.Level(), count: functions.count)
    var accountRunning = ConcurrencyTimeline.Level()
    for (_, execution) in executions where execution.presumedEnd == nil {
      running[execution.position].all += 1
      if execution.pool == .provisioned { running[execution.position].marked += 1 }
      accountRunning.all += 1
      if execution.pool == .unreserved { accountRunning.marked += 1 }
    }
    var alive: Int64 = 0
    var overlapping: Int64 = 0
    for position in functions.indices {
      functions[position].timelines.executions.restoreBase(current: running[position])
      let instances = Int64(functions[position].timelines.instanceStates.total)
      functions[position].timelines.instances.restoreBase(current: .init(all: instances))
      functions[position].timelines.overlaps.restoreBase(current: .init(all: functions[position].liveOverlaps))
      alive += instances
      overlapping += functions[position].liveOverlaps
    }
    account.timelines.executions.restoreBase(current: accountRunning)
    account.timelines.instances.restoreBase(current: .init(all: alive))
    account.timelines.overlaps.restoreBase(current: .init(all: overlapping))
  }
}
