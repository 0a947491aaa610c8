import Lifecycle

/// The merged stream of all functions. Peaks do not add up, so the account's peaks are computed here.
struct AccountState: Sendable {
  /// Marked: executions that took from the unreserved pool.
  var timelines: ScopeTimelines
  /// Executions in progress: the sum over functions.
  var concurrentExecutions: Int64 = 0
  var limits: AccountLimitsChanged?
  /// The sum of what functions set aside: their reserved concurrency or, where there is none, their provisioned one.
  var claimed = StepFunction()

  init(grid: WindowGrid) { timelines = ScopeTimelines(grid: grid, marking: .unreserved) }

  /// Whether any concurrency is set aside, so that every window has a peak of it.
  var isClaimed: Bool { claimed.steps.contains { $0.value != 0 } }

  mutating func dropWindows(before window: Int64, grid: WindowGrid) {
    timelines.dropWindows(before: window)
    claimed.forget(before: grid.start(window))
  }

  /// The windows from one on of which anything was reported, or had been, in ascending order.
  func reportedWindows(from window: Int64) -> [Int64] { timelines.reportedWindows(from: window).sorted() }

  /// The windows before a boundary in which something happened or lasted, or that changed since the last checkpoint, in
  /// ascending order; of those without an event only the ones from `first` on.
  func windowsInUse(before boundary: Int64, lastingFrom first: Int64) -> [Int64] {
    var found = timelines.windowsInUse(before: boundary, lastingFrom: first)
    if isClaimed { found.formUnion(ConcurrencyTimeline.windows(from: first, before: boundary)) }
    return found.sorted()
  }

  mutating func peaks(inWindow window: Int64, grid: WindowGrid) -> Peaks {
    var (peaks, unreserved) = timelines.peaks(inWindow: window)
    peaks.unreservedConcurrency = unreserved
    for part in timelines.markedPeaks(unreserved, beside: claimed, in: grid.range(window)) {
      peaks.claimedConcurrency = max(peaks.claimedConcurrency, part.peak + part.value)
    }
    return peaks
  }

  mutating func rollup(inWindow window: Int64, grid: WindowGrid, now: Timestamp) -> Rollup {
    var rollup = Rollup()
    rollup.peaks = peaks(inWindow: window, grid: grid)
    rollup.concurrencyNanoseconds = timelines.executions.integral(inWindow: window, until: now)
    return rollup
  }
}
