import Lifecycle

/// What is counted of every scope: of each function, and of the account.
///
/// Knows windows and totals, but neither requests nor instances: ``LiveRecords`` says what happened to those.
struct Scopes: Sendable {
  let configuration: AggregatorConfiguration
  let grid: WindowGrid
  var functions: [FunctionState] = []
  /// Which function each of ``functions`` is, close together for comparisons.
  private(set) var identities: [FunctionID] = []
  private(set) var positions: [FunctionID: Int] = [:]
  var account: AccountState
  /// The first window that is not final.
  var firstWindow: Int64 = .min
  var finals: [WindowCheckpoint] = []
  var lateTallies: [LateKey: Tally] = [:]
  var eventSources: EventSourceScopes
  /// What is to be counted before anything is read.
  var finished = FinishedInvocations()
  /// Where they are sorted, kept for the next time.
  var finishedColumns = FinishedColumns()
  /// The counts about the aggregator itself, but for the number of functions.
  var statistics = AggregatorStatistics()
  /// The function of the last event; events come in runs of one function.
  private var lastPosition = -1

  init(_ configuration: AggregatorConfiguration) {
    self.configuration = configuration
    grid = WindowGrid(length: configuration.window)
    account = AccountState(grid: grid)
    eventSources = EventSourceScopes(configuration)
  }

  /// The position of a function, which is made known if it is new.
  mutating func position(of function: FunctionID, at time: Timestamp) -> Int {
    if lastPosition >= 0, identities[lastPosition] == function { return lastPosition }
    if let known = positions[function] {
      lastPosition = known
      return known
    }
    let other = FunctionID(AggregatorConfiguration.otherFunctionName)
    guard functions.count < configuration.functionsLimit || function == other else {
      return position(of: other, at: time)
    }
    return add(function, firstSeen: time)
  }

  /// Makes a function known, whatever the limit.
  ///
  /// - Returns: Its position.
  mutating func add(_ function: FunctionID, firstSeen: Timestamp) -> Int {
    var state = FunctionState(function: function, firstSeen: firstSeen, grid: grid)
    state.dropWindows(before: firstWindow)
    functions.append(state)
    identities.append(function)
    positions[function] = functions.count - 1
    lastPosition = functions.count - 1
    return lastPosition
  }

  /// Counts in the window of an instant; if that is final, in the totals and in what is to be added to the store.
  mutating func count(_ position: Int, at time: Timestamp, _ add: (inout Tally) -> Void) {
    let window = grid.index(of: time)
    guard window < firstWindow else {
      functions[position].count(inWindow: window, add)
      return
    }
    statistics.eventsLate &+= 1
    add(&functions[position].totals)
    functions[position].touch(firstWindow, through: firstWindow)
    let key = LateKey(function: functions[position].function, window: window)
    if lateTallies.count >= configuration.unsavedWindowsLimit && lateTallies[key] == nil {
      statistics.windowsLost &+= 1
    } else {
      add(&lateTallies[key, default: Tally()])
    }
  }

  /// Takes what changed at an event source.
  mutating func sourceChanged(_ source: EventSourceID, _ activity: EventSourceActivity, isRemote: Bool) {
    let arrival = eventSources.changed(source, activity, isRemote: isRemote, first: firstWindow)
    if arrival != .inTime { statistics.eventsLate &+= 1 }
    if arrival == .lost { statistics.windowsLost &+= 1 }
  }

  /// Changes a timeline of a function, and that of the account in the same way.
  mutating func changeTimelines(
    _ kind: TimelineKind, of position: Int, _ change: (inout ConcurrencyTimeline) -> Void
  ) {
    change(&functions[position].timelines[kind])
    change(&account.timelines[kind])
  }

  /// Notes that the peaks of the windows from one instant to another may have changed.
  mutating func touch(_ position: Int, from start: Timestamp, to end: Timestamp) {
    let window = max(firstWindow, grid.index(of: start))
    let last = max(window, grid.index(of: end))
    functions[position].touch(window, through: last)
    account.timelines.touch(window, through: last)
  }
}

extension Scopes {
  mutating func functionLimitsChanged(_ limits: FunctionLimitsChanged, _ position: Int) {
    account.claimed.add(functions[position].limitsChanged(limits))
    touch(position, from: limits.time, to: limits.time)
  }

  mutating func accountLimitsChanged(_ limits: AccountLimitsChanged) {
    if account.limits.map({ $0.time <= limits.time }) ?? true { account.limits = limits }
  }

  /// Whatever is not listed is gone; what was reported of it later than the list holds.
  ///
  /// - Complexity: O(functions).
  mutating func functionsListed(_ listed: FunctionsListed) {
    let names = Set(listed.names)
    for position in functions.indices {
      let name = functions[position].function.name
      // The counts of functions beyond the limit are nobody's own.
      guard !names.contains(name), name != AggregatorConfiguration.otherFunctionName, !functions[position].isGone,
        functions[position].limitsTime.map({ $0 < listed.time }) ?? true
      else { continue }
      functionLimitsChanged(.gone(at: listed.time), position)
    }
  }
}

/// A final window of a function.
struct LateKey: Hashable, Sendable {
  var function: FunctionID
  var window: Int64
}
