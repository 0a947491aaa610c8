import Lifecycle

/// What overlaps in one scope, a function or the account: executions, instances and overlaps over time, and which windows they
/// changed.
///
/// The account's are those of all functions merged: every edge of a function is one of the account, too.
struct ScopeTimelines: Sendable {
  var executions: ConcurrencyTimeline
  var instances: ConcurrencyTimeline
  var overlaps: ConcurrencyTimeline
  /// Live instances by what they do now.
  var instanceStates = WordCounts<InstanceState>()
  /// The first window that changed since the last checkpoint; `Int64.max` if none did.
  private(set) var changedFrom = Int64.max
  /// The last window that ever changed.
  private(set) var changedThrough = Int64.min

  /// - Parameters:
  ///   - grid: The windows.
  ///   - pool: Executions that hold concurrency of this pool are counted apart as well.
  init(grid: WindowGrid, marking pool: ConcurrencyPool) {
    executions = ConcurrencyTimeline(grid: grid, markedTag: pool.rawValue)
    instances = ConcurrencyTimeline(grid: grid)
    overlaps = ConcurrencyTimeline(grid: grid)
  }

  subscript(kind: TimelineKind) -> ConcurrencyTimeline {
    get {
      switch kind {
      case .executions: executions
      case .instances: instances
      case .overlaps: overlaps
      }
    }
    _modify {
      switch kind {
      case .executions: yield &executions
      case .instances: yield &instances
      case .overlaps: yield &overlaps
      }
    }
  }

  // MARK: What has to be stored again

  /// Notes that windows from one through another have to be stored again.
  mutating func touch(_ window: Int64, through last: Int64) {
    changedFrom = min(changedFrom, window)
    changedThrough = max(changedThrough, last)
  }

  /// - Parameter window: The first that changes without an event, as something lasts; `nil` if nothing does.
  mutating func markStored(lastingFrom window: Int64?) { changedFrom = window ?? .max }

  mutating func markAllChanged(from window: Int64) { changedFrom = window }

  mutating func dropWindows(before window: Int64) {
    executions.dropWindows(before: window)
    instances.dropWindows(before: window)
    overlaps.dropWindows(before: window)
  }

  // MARK: Reading

  /// The windows from one on that have edges, or had, in no order.
  func reportedWindows(from window: Int64) -> Set<Int64> {
    var found: Set<Int64> = []
    for kind in TimelineKind.allCases { found.formUnion(self[kind].windowsWithEdges(from: window)) }
    return found
  }

  /// The windows before a boundary in which anything began, ended or lasted, or that changed since the last checkpoint, in no
  /// order; of those without an edge only the ones from `first` on.
  func windowsInUse(before boundary: Int64, lastingFrom first: Int64) -> Set<Int64> {
    var found: Set<Int64> = []
    for kind in TimelineKind.allCases {
      found.formUnion(self[kind].windowsInUse(before: boundary, lastingFrom: first))
    }
    // What was stored of a window and is taken back has to be stored again, though nothing is left in it.
    found.formUnion(
      ConcurrencyTimeline.windows(from: max(changedFrom, first), before: min(boundary, changedThrough + 1)))
    return found
  }

  /// The peaks that every scope has of a window, and the peak of the executions that are marked.
  mutating func peaks(inWindow window: Int64) -> (peaks: Peaks, marked: Int64) {
    var peaks = Peaks()
    let level = executions.peak(inWindow: window)
    peaks.concurrency = level.all
    peaks.instances = instances.peak(inWindow: window).all
    peaks.overlapping = overlaps.peak(inWindow: window).all
    return (peaks, level.marked)
  }

  /// The most marked executions at once beside each value that a step function had in a window.
  ///
  /// - Parameters:
  ///   - peak: That of the whole window.
  ///   - window: In nanoseconds since the epoch, the end not included.
  mutating func markedPeaks(
    _ peak: Int64, beside steps: StepFunction, in window: Range<Timestamp>
  ) -> [(peak: Int64, value: Int64)] {
    let stretches = steps.stretches(from: window.lowerBound, to: window.upperBound)
    // Asking for a part of a window walks over its edges, so it is asked for only where the value changed.
    if stretches.count == 1 { return [(peak, stretches[0].value)] }
    return stretches.map { (executions.peak(from: $0.from, to: $0.to).marked, $0.value) }
  }
}
