import Lifecycle

extension Scopes {
  /// What changed since the last checkpoint, but for what is in progress.
  mutating func checkpoint(now: Timestamp) -> Checkpoint {
    var checkpoint = Checkpoint(time: now)
    checkpoint.windows = finals
    checkpoint.statistics = statistics
    checkpoint.lateTallies = lateTallies.map { key, tally in
      LateTally(function: key.function, start: grid.start(key.window), tally: tally)
    }
    finals = []
    lateTallies = [:]
    eventSources.collect(now, first: firstWindow, into: &checkpoint)
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

  /// Makes the contents of a checkpoint that could not be stored due again with the next one.
  mutating func checkpointFailed(_ checkpoint: Checkpoint) {
    finals = checkpoint.windows.filter(\.isFinal) + finals
    boundFinals()
    for late in checkpoint.lateTallies {
      let key = LateKey(function: late.function, window: grid.index(of: late.start))
      lateTallies[key, default: Tally()].merge(late.tally)
    }
    for position in functions.indices { functions[position].markAllChanged(from: firstWindow) }
    account.timelines.markAllChanged(from: firstWindow)
    eventSources.checkpointFailed(checkpoint, first: firstWindow)
  }

  /// Takes what a store kept of functions and windows; timelines follow when it is known what is in progress.
  mutating func restore(_ checkpoint: Checkpoint) {
    statistics = checkpoint.statistics
    for stored in checkpoint.functions {
      let position = position(of: stored.function, firstSeen: stored.firstSeen)
      functions[position].totals = stored.totals
      for limits in stored.limits { functionLimitsChanged(limits, position) }
      for ended in stored.endedPeaks {
        functions[position].endedPeaks.add(grid.index(of: ended.start), ended.peaks)
      }
    }
    eventSources.restore(checkpoint.eventSources)
    for window in checkpoint.windows where !window.isFinal { restore(window) }
    account.limits = checkpoint.live.accountLimits
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
    if case .source(let source) = stored.scope {
      return eventSources.restore(stored.rollup.eventSource, of: source, inWindow: window)
    }
    // Peaks and integrals follow from the edges.
    guard case .function(let function) = stored.scope else { return }
    let position = position(of: function, at: stored.start)
    functions[position].restore(window: window, tally: stored.rollup.tally)
  }

  /// - Parameter executions: What is in progress.
  mutating func restoreTimelines(_ checkpoint: Checkpoint, executions: ExecutionLevels) {
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
    restoreBases(executions)
  }

  private struct MergedKey: Hashable {
    var kind: TimelineKind
    var window: Int64
  }

  /// What is in progress now is known, so what was in progress before the first window follows from the edges since.
  private mutating func restoreBases(_ executions: ExecutionLevels) {
    var alive: Int64 = 0
    var overlapping: Int64 = 0
    for position in functions.indices {
      functions[position].timelines.executions.restoreBase(current: executions.functions[position])
      let instances = Int64(functions[position].timelines.instanceStates.total)
      functions[position].timelines.instances.restoreBase(current: .init(all: instances))
      functions[position].timelines.overlaps.restoreBase(current: .init(all: functions[position].liveOverlaps))
      alive += instances
      overlapping += functions[position].liveOverlaps
    }
    account.timelines.executions.restoreBase(current: executions.account)
    account.timelines.instances.restoreBase(current: .init(all: alive))
    account.timelines.overlaps.restoreBase(current: .init(all: overlapping))
  }

  /// Continues the integrals of concurrency.
  ///
  /// - Parameter running: By position of the function, the starts of what is in progress.
  mutating func restoreConcurrency(_ stored: [FunctionCheckpoint], running: [Int: [Timestamp]]) {
    account.concurrentExecutions = Int64(running.values.reduce(0) { $0 + $1.count })
    for stored in stored {
      let position = position(of: stored.function, firstSeen: stored.firstSeen)
      functions[position].restoreConcurrency(
        shown: stored.concurrencyNanoseconds, ended: stored.endedConcurrencyNanoseconds,
        running: running[position] ?? [])
    }
  }
}

/// How many executions are in progress.
struct ExecutionLevels {
  /// By position; provisioned ones are marked.
  var functions: [ConcurrencyTimeline.Level]
  /// Unreserved ones are marked.
  var account = ConcurrencyTimeline.Level()
}
