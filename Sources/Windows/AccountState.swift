import Lifecycle

/// The merged stream of all functions: peaks do not add up, so they are found here.
struct AccountState: Sendable {
  /// Marked: executions that took from the unreserved pool.
  var executions: ConcurrencyTimeline
  var instances: ConcurrencyTimeline
  var overlaps: ConcurrencyTimeline
  /// Executions in progress: the sum over functions.
  var concurrentExecutions: Int64 = 0
  /// Instances alive: the sum over functions.
  var instanceStates = WordCounts<InstanceState>()
  var limits: AccountLimitsChanged?
  /// The sum of what functions set aside: their reserved concurrency or, where there is none, their provisioned one.
  var claimed = StepFunction()
  private(set) var changedFrom = Int64.max
  private(set) var changedThrough = Int64.min

  init(grid: WindowGrid) {
    executions = ConcurrencyTimeline(grid: grid, markedTag: ConcurrencyPool.unreserved.rawValue)
    instances = ConcurrencyTimeline(grid: grid)
    overlaps = ConcurrencyTimeline(grid: grid)
  }

  /// Whether any concurrency is set aside, so that every window has a peak of it.
  var isClaimed: Bool { claimed.steps.contains { $0.value != 0 } }

  mutating func touch(_ window: Int64, through last: Int64) {
    changedFrom = min(changedFrom, window)
    changedThrough = max(changedThrough, last)
  }

  mutating func markStored(next window: Int64, inProgress: Bool) {
    changedFrom = inProgress ? window : .max
  }

  mutating func markAllChanged(from window: Int64) { changedFrom = window }

  mutating func dropWindows(before window: Int64, grid: WindowGrid) {
    executions.dropWindows(before: window)
    instances.dropWindows(before: window)
    overlaps.dropWindows(before: window)
    claimed.forget(before: grid.start(window))
  }

  /// The windows from one on of which anything was reported, or had been, in ascending order.
  func reportedWindows(from window: Int64) -> [Int64] {
    var found: Set<Int64> = []
    for timeline in [executions, instances, overlaps] {
      found.formUnion(timeline.windowsWithEdges(from: window))
    }
    return found.sorted()
  }

  /// The windows before a boundary in which something happened or lasted, or that changed since the last checkpoint, in
  /// ascending order; of those without an event only the ones from `first` on.
  func windowsInUse(before boundary: Int64, lastingFrom first: Int64) -> [Int64] {
    var found: Set<Int64> = []
    for timeline in [executions, instances, overlaps] {
      found.formUnion(timeline.windowsInUse(before: boundary, lastingFrom: first))
    }
    let changed = max(isClaimed ? first : changedFrom, first)
    found.formUnion(
      ConcurrencyTimeline.windows(from: changed, before: isClaimed ? boundary : min(boundary, changedThrough + 1)))
    return found.sorted()
  }

  mutating func peaks(inWindow window: Int64, grid: WindowGrid) -> Peaks {
    var peaks = Peaks()
    let level = executions.peak(inWindow: window)
    peaks.concurrency = level.all
    peaks.unreservedConcurrency = level.marked
    peaks.instances = instances.peak(inWindow: window).all
    peaks.overlapping = overlaps.peak(inWindow: window).all
    let stretches = claimed.stretches(from: grid.start(window), to: grid.end(window))
    if stretches.count == 1 {
      peaks.claimedConcurrency = level.marked + stretches[0].value
    } else {
      for stretch in stretches {
        let used = executions.peak(from: stretch.from, to: stretch.to).marked
        peaks.claimedConcurrency = max(peaks.claimedConcurrency, used + stretch.value)
      }
    }
    return peaks
  }

  mutating func rollup(inWindow window: Int64, grid: WindowGrid, now: Timestamp) -> Rollup {
    var rollup = Rollup()
    rollup.peaks = peaks(inWindow: window, grid: grid)
    rollup.concurrencyNanoseconds = executions.integral(inWindow: window, until: now)
    return rollup
  }
}
