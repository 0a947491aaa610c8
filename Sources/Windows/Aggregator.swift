public import Lifecycle

/// Folds lifecycle events into windows and totals.
///
/// Events come in any order, and any order gives the same windows and totals as long as they come before their window
/// is final. The aggregator has no clock: every call says what time it is. It is a value with one owner; it does no
/// input or output.
///
/// - Complexity: A finished invocation costs O(1) amortised when executions end in order, and a move within one chunk
///   of a timeline otherwise. Nothing is allocated per event once windows, timelines and distributions have grown.
public struct Aggregator: Sendable {
  /// How time is cut, and what is bounded.
  public let configuration: AggregatorConfiguration
  let grid: WindowGrid
  var functions: [FunctionState] = []
  var positions: [FunctionID: Int] = [:]
  var account: AccountState
  var executions = IdentifierMap<RequestID, RunningExecution>()
  var overlaps = IdentifierMap<RequestID, Overlap>()
  var instances = IdentifierMap<InstanceID, InstanceRecord>()
  var recent: RecentRequests
  /// The first window that is not final.
  var firstWindow: Int64 = .min
  var finals: [WindowCheckpoint] = []
  var lateTallies: [LateKey: Tally] = [:]
  var ownStatistics = AggregatorStatistics()
  /// The function of the last event; events come in runs of one function.
  var lastPosition = -1

  /// Makes an aggregator that has seen nothing; time begins with its first call.
  public init(_ configuration: AggregatorConfiguration) {
    self.configuration = configuration
    grid = WindowGrid(length: configuration.window)
    account = AccountState(grid: grid)
    recent = RecentRequests(limit: configuration.recentRequestsLimit)
  }

  /// Counts an event, or says why not.
  ///
  /// - Parameter now: The clock; decides only whether the event lies too far in the future.
  /// - Returns: `nil` if it was counted or had been counted before.
  @discardableResult
  public mutating func apply(_ event: LifecycleEvent, now: Timestamp) -> Rejection? {
    if firstWindow == .min { advance(to: now) }
    ownStatistics.eventsReceived &+= 1
    let rejection = route(event, latest: now + configuration.futureTolerance)
    if let rejection { ownStatistics.eventsRejected[rejection] &+= 1 }
    return rejection
  }

  private mutating func route(_ event: LifecycleEvent, latest: Timestamp) -> Rejection? {
    if let rejection = admissible(event.kind.time, latest) { return rejection }
    if let end = event.kind.end, let rejection = admissible(end, latest) { return rejection }
    switch event.subject {
    case .account:
      switch event.kind {
      case .accountLimitsChanged(let limits): accountLimitsChanged(limits)
      case .functionsListed(let listed): functionsListed(listed)
      default: return .subject
      }
    case .function(let function):
      guard isNamed(function) else { return .functionName }
      // What is rejected makes no function known.
      guard event.kind.isOfFunctions else { return .subject }
      return applyToFunction(event.kind, position(of: function, at: event.kind.time))
    case .instance(let instance, let function):
      guard isNamed(function) else { return .functionName }
      guard !event.kind.isOfAccount else { return .subject }
      return applyToInstance(event.kind, instance, position(of: function, instance, at: event.kind.time))
    }
    return nil
  }

  private func admissible(_ time: Timestamp, _ latest: Timestamp) -> Rejection? {
    if time.nanoseconds < 0 { return .beforeEpoch }
    return time > latest ? .future : nil
  }

  private func isNamed(_ function: FunctionID) -> Bool {
    let bytes = function.name.utf8.count
    return bytes > 0 && bytes <= FunctionID.nameBytesLimit && function.version.utf8.count <= FunctionID.nameBytesLimit
  }

  private mutating func applyToFunction(_ kind: LifecycleEvent.Kind, _ position: Int) -> Rejection? {
    switch kind {
    case .throttled(let throttled):
      count(position, at: throttled.time) { $0.throttles[throttled.reason] &+= 1 }
    case .limitsChanged(let limits):
      functionLimitsChanged(limits, position)
    case .invocationStarted(let started):
      invocationStarted(started, instance: nil, position)
    case .invocationFinished(let finished):
      invocationFinished(finished, nil, position)
    default:
      return .subject
    }
    return nil
  }

  private mutating func applyToInstance(
    _ kind: LifecycleEvent.Kind, _ instance: InstanceID, _ position: Int
  ) -> Rejection? {
    switch kind {
    case .instanceStarted(let started): instanceStarted(started, instance, position)
    case .warmedUp(let warmUp):
      count(position, at: warmUp.time) { tally in
        tally.warmUp.record(warmUp.duration.count)
        if !warmUp.succeeded { tally.warmUpFailures &+= 1 }
      }
      updateInstance(instance, position) { $0.warmUp = warmUp.duration }
    case .instanceReady(let ready): instanceReady(ready, instance, position)
    case .invocationStarted(let started): invocationStarted(started, instance: instance, position)
    case .invocationHandedOver(let handedOver): invocationStarted(handedOver.started, instance: instance, position)
    case .invocationFinished(let finished): invocationFinished(finished, instance, position)
    case .overlapStarted(let started): overlapStarted(started, instance, position)
    case .overlapEnded(let ended): overlapEnded(ended, instance, position)
    case .instanceStopped(let stopped): instanceStopped(stopped, instance, position)
    default: return applyToFunction(kind, position)
    }
    return nil
  }

  /// The position of the function of an instance: the instance's own, if it is known.
  private mutating func position(of function: FunctionID, _ instance: InstanceID, at time: Timestamp) -> Int {
    // Looking up sixteen random bytes costs a fraction of hashing two strings.
    if let known = instances.modify(instance, { $0.position }), functions[known].function == function { return known }
    return position(of: function, at: time)
  }

  /// The position of a function, which is made known if it is new.
  mutating func position(of function: FunctionID, at time: Timestamp) -> Int {
    if lastPosition >= 0, functions[lastPosition].function == function { return lastPosition }
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
    ownStatistics.eventsLate &+= 1
    add(&functions[position].totals)
    functions[position].touch(firstWindow, through: firstWindow)
    let key = LateKey(function: functions[position].function, window: window)
    if lateTallies.count >= configuration.unsavedWindowsLimit && lateTallies[key] == nil {
      ownStatistics.windowsLost &+= 1
    } else {
      add(&lateTallies[key, default: Tally()])
    }
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

/// A final window of a function.
struct LateKey: Hashable, Sendable {
  var function: FunctionID
  var window: Int64
}

extension LifecycleEvent.Kind {
  /// Whether a function can be the subject.
  fileprivate var isOfFunctions: Bool {
    switch self {
    case .throttled, .limitsChanged, .invocationStarted, .invocationFinished: true
    default: false
    }
  }

  /// Whether the account alone can be the subject.
  fileprivate var isOfAccount: Bool {
    switch self {
    case .accountLimitsChanged, .functionsListed: true
    default: false
    }
  }

  /// The last instant of an event that has a length.
  fileprivate var end: Timestamp? {
    switch self {
    case .invocationHandedOver(let event): event.time
    case .invocationFinished(let event): event.end
    default: nil
    }
  }

  /// The instant that decides whether the event is taken.
  var time: Timestamp {
    switch self {
    case .instanceStarted(let event): event.time
    case .warmedUp(let event): event.time
    case .instanceReady(let event): event.time
    case .invocationStarted(let event): event.time
    case .invocationHandedOver(let event): event.start
    case .invocationFinished(let event): event.start
    case .overlapStarted(let event): event.time
    case .overlapEnded(let event): event.time
    case .throttled(let event): event.time
    case .instanceStopped(let event): event.time
    case .limitsChanged(let event): event.time
    case .accountLimitsChanged(let event): event.time
    case .functionsListed(let event): event.time
    }
  }
}
