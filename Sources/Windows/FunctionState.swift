import Lifecycle

/// Everything that the aggregator knows about one function.
struct FunctionState: Sendable {
  let function: FunctionID
  let firstSeen: Timestamp
  var totals = Tally()
  /// The limits that held in any window that is not final, in ascending order of time.
  private(set) var limits: [FunctionLimitsChanged] = []
  /// Allocated provisioned concurrency over time.
  private(set) var provisionedSteps = StepFunction()
  /// What the function sets aside of the account's concurrency over time.
  private(set) var claimSteps = StepFunction()
  /// Marked: executions on provisioned concurrency.
  var timelines: ScopeTimelines
  /// By the ends of invocations.
  var endedPeaks = RecentEndedPeaks()
  /// Not kept over a restart.
  var exemplars = InvocationExemplars()
  /// Tallies of windows that are not final, in ascending order of window.
  private(set) var windows: [WindowTally] = []
  var liveOverlaps: Int64 = 0
  private var concurrency = ConcurrencyTotal()
  /// Whether totals changed since the last checkpoint.
  private(set) var isChanged = true

  struct WindowTally: Sendable {
    var window: Int64
    var tally = Boxed(Tally())
  }

  init(function: FunctionID, firstSeen: Timestamp, grid: WindowGrid) {
    self.function = function
    self.firstSeen = firstSeen
    timelines = ScopeTimelines(grid: grid, marking: .provisioned)
  }

  // MARK: Counting

  /// Notes that windows from one through another have to be stored again.
  mutating func touch(_ window: Int64, through last: Int64) {
    timelines.touch(window, through: last)
    isChanged = true
  }

  /// The position of a window's tally, which is made if there is none.
  mutating func tallyPosition(_ window: Int64) -> Int {
    let last = windows.count - 1
    if last >= 0 && windows[last].window == window { return last }
    let position = windows.firstIndex { $0.window >= window } ?? windows.count
    if position == windows.count || windows[position].window != window {
      // By itself it would grow to twice its size, of which there may be one for each of many functions.
      if windows.count == windows.capacity { windows.reserveCapacity(windows.count + 4) }
      windows.insert(WindowTally(window: window), at: position)
    }
    return position
  }

  /// Counts in a window that is not final, and in the totals.
  mutating func count(inWindow window: Int64, _ add: (inout Tally) -> Void) {
    let position = tallyPosition(window)
    add(&windows[position].tally.value)
    add(&totals)
    touch(window, through: window)
  }

  /// Counts invocations of which nothing was known before their ends, in the window of their starts, which is not final.
  ///
  /// - Parameters:
  ///   - edges: What of them lies in the window.
  ///   - nanoseconds: How long they were in progress, all together.
  ///   - last: The last window in which any of them was.
  mutating func count(
    _ invocations: FinishedColumns, _ rows: Range<Int>, _ edges: EdgeRun, nanoseconds: Int128, inWindow window: Int64,
    through last: Int64
  ) {
    let position = tallyPosition(window)
    windows[position].tally.value.add(invocations, rows)
    totals.add(invocations, rows)
    exemplars.note(invocations, rows)
    timelines.executions.insert(edges, inWindow: window, settles: true)
    concurrency.addEnded(nanoseconds)
    touch(window, through: last)
  }

  mutating func restore(window: Int64, tally: Tally) {
    windows[tallyPosition(window)].tally = Boxed(tally)
  }

  // MARK: Limits

  /// Takes limits, in any order of their time.
  ///
  /// - Returns: How what the function sets aside of the account's concurrency changes.
  mutating func limitsChanged(_ changed: FunctionLimitsChanged) -> StepFunction.Change {
    limits.insert(changed, at: limits.firstIndex { $0.time > changed.time } ?? limits.count)
    let allocated = FunctionState.bounded(changed.provisioned?.allocated ?? 0)
    _ = provisionedSteps.set(allocated, at: changed.time)
    return claimSteps.set(changed.reserved.map(FunctionState.bounded) ?? allocated, at: changed.time)
  }

  /// Whether the function was taken out, and did not come back.
  var isGone: Bool { limits.last?.isGone ?? false }

  /// The limits that hold now; `nil` if none were reported, and for a function that is gone.
  var currentLimits: FunctionLimitsChanged? { isGone ? nil : limits.last }

  /// When limits were reported last.
  var limitsTime: Timestamp? { limits.last?.time }

  /// Limits are added up over all functions, which must not overflow whatever a source reports.
  private static func bounded(_ limit: Int64) -> Int64 { min(max(0, limit), Int64(Int32.max)) }

  /// Forgets limits that no longer held at an instant.
  mutating func forgetLimits(before time: Timestamp) {
    provisionedSteps.forget(before: time)
    claimSteps.forget(before: time)
    if let last = limits.lastIndex(where: { $0.time <= time }), last > 0 { limits.removeFirst(last) }
  }

  mutating func dropWindows(before window: Int64) {
    timelines.dropWindows(before: window)
    if let first = windows.first, first.window < window { windows.removeAll { $0.window < window } }
  }

  mutating func markStored(next window: Int64) {
    isChanged = false
    // What is in progress changes windows by lasting, without an event.
    timelines.markStored(lastingFrom: isInProgress ? window : nil)
  }

  mutating func markAllChanged(from window: Int64) {
    isChanged = true
    timelines.markAllChanged(from: window)
  }

  // MARK: Executions

  mutating func executionStarted(at start: Timestamp) { concurrency.start(start) }

  mutating func executionEnded(_ start: Timestamp, at end: Timestamp) { concurrency.end(start, end) }

  /// Takes back an end that was only presumed.
  mutating func executionResumed(_ start: Timestamp, endedAt end: Timestamp) { concurrency.resume(start, end) }

  mutating func executionNotStarted(at start: Timestamp) { concurrency.unstart(start) }

  var concurrentExecutions: Int64 { concurrency.running }

  mutating func concurrencyNanoseconds(now: Timestamp) -> Int128 { concurrency.total(at: now) }

  var endedConcurrencyNanoseconds: Int128 { concurrency.ended }

  mutating func restoreConcurrency(shown: Int128, ended: Int128, running: [Timestamp]) {
    concurrency = ConcurrencyTotal(shown: shown, ended: ended, running: running)
  }

  /// Whether anything lasts on, so that windows change without events.
  var isInProgress: Bool { concurrency.running > 0 || timelines.instanceStates.total > 0 || liveOverlaps > 0 }

  // MARK: Reading

  /// The windows from one on of which anything was reported, or had been, in ascending order.
  func reportedWindows(from window: Int64) -> [Int64] {
    var found = timelines.reportedWindows(from: window)
    for counted in windows where counted.window >= window { found.insert(counted.window) }
    return found.sorted()
  }

  /// The windows before a boundary in which something happened or lasted, or that changed since the last checkpoint, in
  /// ascending order; of those without an event only the ones from `first` on.
  func windowsInUse(before boundary: Int64, lastingFrom first: Int64) -> [Int64] {
    var found = timelines.windowsInUse(before: boundary, lastingFrom: first)
    for counted in windows where counted.window < boundary { found.insert(counted.window) }
    return found.sorted()
  }

  /// The peaks of a window that is not final.
  mutating func peaks(inWindow window: Int64, grid: WindowGrid) -> Peaks {
    var (peaks, provisioned) = timelines.peaks(inWindow: window)
    peaks.provisionedConcurrency = provisioned
    guard provisioned > 0 else { return peaks }
    for part in timelines.markedPeaks(provisioned, beside: provisionedSteps, in: grid.range(window))
    where part.value > 0 {
      peaks.provisionedUtilization = max(peaks.provisionedUtilization, Double(part.peak) / Double(part.value))
    }
    return peaks
  }

  /// What happened in a window that is not final.
  mutating func rollup(inWindow window: Int64, grid: WindowGrid, now: Timestamp) -> Rollup {
    var rollup = Rollup()
    rollup.peaks = peaks(inWindow: window, grid: grid)
    rollup.concurrencyNanoseconds = timelines.executions.integral(inWindow: window, until: now)
    if let stored = windows.last(where: { $0.window <= window }), stored.window == window {
      rollup.tally = stored.tally.value
    }
    return rollup
  }
}

/// The integral of concurrency since a function was first seen, as a counter: it never goes down.
struct ConcurrencyTotal: Sendable {
  private(set) var running: Int64 = 0
  private var startsOfRunning: Int128 = 0
  private(set) var ended: Int128 = 0
  /// What was shown last. An execution that is reported late to have ended earlier than was thought must not make the
  /// counter go down.
  private var shown: Int128 = 0

  init() {}

  init(shown: Int128, ended: Int128, running starts: [Timestamp]) {
    running = Int64(starts.count)
    startsOfRunning = starts.reduce(0) { $0 + Int128($1.nanoseconds) }
    self.ended = ended
    self.shown = shown
  }

  mutating func start(_ start: Timestamp) {
    running += 1
    startsOfRunning += Int128(start.nanoseconds)
  }

  mutating func unstart(_ start: Timestamp) {
    running -= 1
    startsOfRunning -= Int128(start.nanoseconds)
  }

  mutating func addEnded(_ nanoseconds: Int128) { ended += nanoseconds }

  mutating func end(_ start: Timestamp, _ end: Timestamp) {
    unstart(start)
    ended += Int128(end.nanoseconds) - Int128(start.nanoseconds)
  }

  mutating func resume(_ start: Timestamp, _ end: Timestamp) {
    self.start(start)
    ended -= Int128(end.nanoseconds) - Int128(start.nanoseconds)
  }

  mutating func total(at now: Timestamp) -> Int128 {
    shown = max(shown, ended + Int128(running) * Int128(now.nanoseconds) - startsOfRunning)
    return shown
  }
}
