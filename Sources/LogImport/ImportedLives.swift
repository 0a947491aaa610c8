import LambdaRecords
package import Lifecycle
import Windows

/// What was counted of a log, or of one function in it.
package struct LifeCounts: Equatable, Sendable {
  /// Invocations that have ended.
  package var invocations: UInt64 = 0
  /// Those of them that no line says the time of: they are in no window.
  package var untimed: UInt64 = 0
  /// Those that failed, timeouts and crashes included, as in CloudWatch.
  package var errors: UInt64 = 0
  /// Those that took too long.
  package var timeouts: UInt64 = 0
  /// Those in which the process ended; not for lack of memory.
  package var crashes: UInt64 = 0
  /// Those in which the memory was used up.
  package var outOfMemory: UInt64 = 0
  /// Those that waited for an initialization or a restore.
  package var coldStarts: UInt64 = 0
  /// Initializations and restores that have ended, however they did.
  package var initializations: UInt64 = 0
  /// Those of them that failed.
  package var initializationFailures: UInt64 = 0
  /// Invocations of which no line says that they have ended; they are in none of the other counts.
  package var unended: UInt64 = 0

  /// Nothing was counted.
  package init() {}

  mutating func add(_ life: Life) {
    switch life {
    case .unended: unended += 1
    case .initialization(let initialization):
      initializations += 1
      if initialization.ready.status != .success { initializationFailures += 1 }
    case .invocation(let invocation):
      invocations += 1
      if !invocation.isTimed { untimed += 1 }
      if invocation.finished.isColdStart { coldStarts += 1 }
      guard invocation.finished.outcome != .success else { return }
      errors += 1
      switch invocation.finished.outcome {
      case .timeout: timeouts += 1
      case .crash: crashes += 1
      case .outOfMemory: outOfMemory += 1
      case .success, .error: break
      }
    }
  }
}

/// The lives that logs tell of, counted and in windows.
package struct ImportedLives: Sendable {
  /// The name in the windows of functions that nothing names.
  static let unnamed = "unnamed"
  /// The fewest idle windows that are worth leaving out.
  private static let gapMin = 60
  /// How many windows in use cost as much to pass over as an idle one to walk over.
  private static let gapShare = 8
  /// All windows stay open: logs come in no order of time.
  private static let horizon = Timestamp(seconds: 9_000_000_000)

  /// Of all functions.
  package private(set) var counts = LifeCounts()
  /// By the name of the function; without those that nothing names.
  package private(set) var functions: [String: LifeCounts] = [:]
  /// Whether lines were of a function that nothing names.
  package private(set) var hasUnnamed = false
  /// How many starts were computed from ends.
  package private(set) var inferredStarts: UInt64 = 0
  /// How many lives lie before 1970 or after 2255; they are in no window.
  package private(set) var absurdTimes: UInt64 = 0
  /// The first and the last instant of all lives; `nil` if none has a time.
  package private(set) var span: ClosedRange<Timestamp>?
  var aggregator: Aggregator
  private var windowsInUse: Set<Int64> = []
  /// Those of the last life: the next one is mostly in the same.
  private var lastInUse: ClosedRange<Int64>?

  /// - Parameter functionsLimit: The most functions that are counted apart.
  init(window: Nanoseconds, functionsLimit: Int = 1_000_000) {
    let configuration = AggregatorConfiguration(
      window: window, finality: Nanoseconds(ImportedLives.horizon.nanoseconds), futureTolerance: .seconds(60),
      functionsLimit: functionsLimit, recentRequestsLimit: 1)
    aggregator = Aggregator(configuration)
  }

  mutating func take(_ life: Life) {
    counts.add(life)
    let function: String?
    switch life {
    case .invocation(let invocation): function = invocation.function
    case .unended(let unended): function = unended.function
    case .initialization(let initialization): function = initialization.function
    }
    if let function { functions[function, default: LifeCounts()].add(life) } else { hasUnnamed = true }
    let id = FunctionID(function ?? ImportedLives.unnamed)
    switch life {
    case .invocation(let invocation):
      guard invocation.isTimed else { return }
      if invocation.isStartInferred { inferredStarts += 1 }
      apply(LifecycleEvent(.function(id), .invocationFinished(invocation.finished)))
      extend(from: invocation.finished.start, to: invocation.finished.end)
    case .unended(let unended):
      guard let start = unended.start, let lastSeen = unended.lastSeen else { return }
      let started = InvocationStarted(request: unended.request, time: start, trigger: .direct, pool: .unreserved)
      apply(LifecycleEvent(.function(id), .invocationStarted(started)))
      aggregator.presumeEnd(of: unended.request, at: lastSeen)
      extend(from: start, to: lastSeen)
    case .initialization(let initialization):
      guard initialization.isTimed else { return }
      let instance = initialization.instance ?? InstanceID(.zero)
      apply(LifecycleEvent(.instance(instance, of: id), .instanceReady(initialization.ready)))
      extend(from: initialization.ready.time, to: initialization.ready.time)
    }
  }

  private mutating func apply(_ event: LifecycleEvent) {
    if aggregator.apply(event, now: ImportedLives.horizon) != nil { absurdTimes += 1 }
  }

  private mutating func extend(from start: Timestamp, to end: Timestamp) {
    guard start.nanoseconds >= 0, end <= ImportedLives.horizon else { return }
    let known = span ?? start...max(start, end)
    span = min(known.lowerBound, start)...max(known.upperBound, end, start)
    let grid = WindowGrid(length: aggregator.configuration.window)
    let windows = grid.index(of: start)...grid.index(of: max(start, end))
    if windows == lastInUse { return }
    lastInUse = windows
    windowsInUse.formUnion(windows)
  }

  /// The windows in which something happened, in parts in ascending order, with some idle ones between them.
  ///
  /// The aggregator walks over all windows of a span that it is asked for, but for each span over all that is in use: a gap is left out
  /// where that costs less.
  var usedWindows: [ClosedRange<Int64>] {
    let gap = Int64(max(ImportedLives.gapMin, windowsInUse.count / ImportedLives.gapShare))
    var parts: [ClosedRange<Int64>] = []
    for window in windowsInUse.sorted() {
      if let last = parts.last, window - last.upperBound <= gap {
        parts[parts.count - 1] = last.lowerBound...window
      } else {
        parts.append(window...window)
      }
    }
    return parts
  }

  /// The windows in which something happened and that begin in `[from, to)`, without what logs do not tell.
  mutating func windows(from: Timestamp, to: Timestamp) -> [WindowRollup] {
    guard let span else { return [] }
    let grid = WindowGrid(length: aggregator.configuration.window)
    let now = max(to, grid.end(grid.index(of: span.upperBound))) + .seconds(2)
    return aggregator.windows(from: from, to: to, now: now).compactMap { window in
      guard windowsInUse.contains(grid.index(of: window.start)) else { return nil }
      var window = window
      window.rollup.peaks.instances = 0
      window.rollup.peaks.claimedConcurrency = 0
      return window.rollup.isEmpty ? nil : window
    }
  }

  /// Whether every invocation failed, and none has a start: so it is where a log's system level is WARN.
  package var hasFailuresOnly: Bool {
    counts.invocations > 0 && counts.errors == counts.invocations && counts.unended == 0
      && inferredStarts + counts.untimed == counts.invocations
  }
}
