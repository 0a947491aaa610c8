import Lifecycle

/// All that the aggregator knows of one function.
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
  var executions: ConcurrencyTimeline
  var instances: ConcurrencyTimeline
  var overlaps: ConcurrencyTimeline
  /// By the ends of invocations.
  var endedPeaks = RecentEndedPeaks()
  /// Not kept over a restart.
  var exemplars = InvocationExemplars()
  /// Tallies of windows that are not final, in ascending order of window.
  private(set) var windows: [WindowTally] = []
  /// Live instances by what they do now.
  var instanceStates = WordCounts<InstanceState>()
  var liveOverlaps: Int64 = 0
  private var concurrency = ConcurrencyTotal()
  /// The first window that changed since the last checkpoint; `Int64.max` if none did.
  private(set) var changedFrom = Int64.max
  /// The last window that ever changed.
  private(set) var changedThrough = Int64.min
  /// Whether totals changed since the last checkpoint.
  private(set) var isChanged = true

  struct WindowTally: Sendable {
    var window: Int64
    var tally = Boxed(Tally())
  }

  init(function: FunctionID, firstSeen: Timestamp, grid: WindowGrid) {
    self.function = function
    self.firstSeen = firstSeen
    executions = ConcurrencyTimeline(grid: grid, markedTag: ConcurrencyPool.provisioned.rawValue)
    instances = ConcurrencyTimeline(grid: grid)
    overlaps = ConcurrencyTimeline(grid: grid)
  }

  // MARK: Counting

  /// Notes that windows from one through another have to be stored again.
  mutating func touch(_ window: Int64, through last: Int64) {
    changedFrom = min(changedFrom, window)
    changedThrough = max(changedThrough, last)
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

  /// Counts an invocation of which nothing was known before its end, in a window that is not final.
  ///
  /// All that a function does for its most frequent event, in one access to it.
  mutating func count(_ sample: FinishedSample, inWindow window: Int64, through last: Int64) {
    let position = tallyPosition(window)
    windows[position].tally.value.add(sample)
    totals.add(sample)
    executions.insert(from: sample.finished.start, to: sample.end, tag: sample.finished.pool.rawValue)
    concurrency.addEnded(sample.finished.start, sample.end)
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
    executions.dropWindows(before: window)
    instances.dropWindows(before: window)
    overlaps.dropWindows(before: window)
    if let first = windows.first, first.window < window { windows.removeAll { $0.window < window } }
  }

  mutating func markStored(next window: Int64) {
    isChanged = false
    // What is in progress changes windows by lasting, without an event.
    changedFrom = isInProgress ? window : .max
  }

  mutating func markAllChanged(from window: Int64) {
    isChanged = true
    changedFrom = window
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
  var isInProgress: Bool { concurrency.running > 0 || instanceStates.total > 0 || liveOverlaps > 0 }

  // MARK: Reading

  /// The windows from one on of which anything was reported, or had been, in ascending order.
  func reportedWindows(from window: Int64) -> [Int64] {
    var found = Set(windows.lazy.map(\.window).filter { $0 >= window })
    for timeline in [executions, instances, overlaps] {
      found.formUnion(timeline.windowsWithEdges(from: window))
    }
    return found.sorted()
  }

  /// The windows before a boundary in which something happened or lasted, or that changed since the last checkpoint, in
  /// ascending order; of those without an event only the ones from `first` on.
  func windowsInUse(before boundary: Int64, lastingFrom first: Int64) -> [Int64] {
    var found = Set(windows.lazy.map(\.window).filter { $0 < boundary })
    for timeline in [executions, instances, overlaps] {
      found.formUnion(timeline.windowsInUse(before: boundary, lastingFrom: first))
    }
    // What was stored of a window and is taken back has to be stored again, though nothing is left in it.
    found.formUnion(
      ConcurrencyTimeline.windows(from: max(changedFrom, first), before: min(boundary, changedThrough + 1)))
    return found.sorted()
  }

  /// The peaks of a window that is not final.
  mutating func peaks(inWindow window: Int64, grid: WindowGrid) -> Peaks {
    var peaks = Peaks()
    let level = executions.peak(inWindow: window)
    peaks.concurrency = level.all
    peaks.provisionedConcurrency = level.marked
    peaks.instances = instances.peak(inWindow: window).all
    peaks.overlapping = overlaps.peak(inWindow: window).all
    if level.marked > 0 { peaks.provisionedUtilization = utilization(inWindow: window, peak: level.marked, grid: grid) }
    return peaks
  }

  private mutating func utilization(inWindow window: Int64, peak: Int64, grid: WindowGrid) -> Double {
    var largest = 0.0
    let stretches = provisionedSteps.stretches(from: grid.start(window), to: grid.end(window))
    // Asking for a part of a window walks over its edges, so it is asked for only where allocation changed.
    if stretches.count == 1 { return stretches[0].value > 0 ? Double(peak) / Double(stretches[0].value) : 0 }
    for stretch in stretches where stretch.value > 0 {
      let used = executions.peak(from: stretch.from, to: stretch.to).marked
      largest = max(largest, Double(used) / Double(stretch.value))
    }
    return largest
  }

  /// What happened in a window that is not final.
  mutating func rollup(inWindow window: Int64, grid: WindowGrid, now: Timestamp) -> Rollup {
    var rollup = Rollup()
    rollup.peaks = peaks(inWindow: window, grid: grid)
    rollup.concurrencyNanoseconds = executions.integral(inWindow: window, until: now)
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

  mutating func addEnded(_ start: Timestamp, _ end: Timestamp) {
    ended += Int128(end.nanoseconds - start.nanoseconds)
  }

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
