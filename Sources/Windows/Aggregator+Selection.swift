public import Lifecycle

/// What all scopes.functions together do now.
public struct Activity: Sendable, Equatable {
  /// How many scopes.functions are known.
  public var functions = 0
  /// Executions in progress.
  public var concurrentExecutions: Int64 = 0
  /// Instances alive.
  public var instances = WordCounts<InstanceState>()
  /// The account's limit; `nil` until a source reported it.
  public var concurrencyLimit: Int64?

  /// Nothing known and nothing in progress.
  public init() {}
}

/// Readings that cost what they ask for, whatever the number of scopes.functions.
extension Aggregator {
  /// Whether anything of a function has ever been seen.
  public func knows(_ function: FunctionID) -> Bool { scopes.positions[function] != nil }

  /// The event sources that were ever seen, in ascending order.
  public mutating func eventSources(now: Timestamp) -> [EventSourceSnapshot] {
    advance(to: now)
    return scopes.eventSources.snapshots(closed: max(scopes.lastClosed(now), scopes.firstWindow), now: now)
  }

  /// Whether anything of an event source has ever been seen.
  public func knows(_ source: EventSourceID) -> Bool { scopes.eventSources.positions[source] != nil }

  /// The names of all event sources of a trigger that were ever seen, in ascending order.
  public func eventSources(of trigger: Trigger) -> [String] {
    scopes.eventSources.states.map(\.source).filter { $0.trigger == trigger }.map(\.name).sorted()
  }

  /// What all scopes.functions together do now.
  public func activity() -> Activity {
    var activity = Activity()
    activity.functions = scopes.functions.count
    activity.concurrentExecutions = scopes.account.concurrentExecutions
    activity.instances = scopes.account.timelines.instanceStates
    activity.concurrencyLimit = scopes.account.limits?.concurrency
    return activity
  }

  /// Some scopes.functions, in the order in which they are asked for; unknown ones are left out.
  ///
  /// - Complexity: O(scopes.functions asked for).
  public mutating func snapshots(of asked: [FunctionID], now: Timestamp) -> [FunctionSnapshot] {
    advance(to: now)
    scopes.countFinished()
    let closed = max(scopes.lastClosed(now), scopes.firstWindow)
    return asked.compactMap { scopes.positions[$0] }.map { scopes.snapshot(at: $0, closed: closed, now: now) }
  }

  /// The live instances of one function, in ascending order of start.
  ///
  /// - Complexity: O(instances of all scopes.functions), and sorting those of this one.
  public func instances(of function: FunctionID) -> [InstanceSnapshot] {
    guard let position = scopes.positions[function] else { return [] }
    return live.instances.compactMap { instance, record in
      record.position == position ? snapshot(of: instance, record) : nil
    }.sorted { ($0.started, $0.instance) < ($1.started, $1.instance) }
  }

  /// The windows of one scope that are not final, that overlap `[from, to)`, and in which something happened.
  ///
  /// - Returns: In ascending order of start.
  public mutating func windows(of scope: Scope, from: Timestamp, to: Timestamp, now: Timestamp) -> [WindowRollup] {
    advance(to: now)
    scopes.countFinished()
    let span = scopes.span(from: from, to: to, now: now)
    if case .source(let source) = scope { return scopes.eventSources.windows(of: source, span, now: now) }
    let places: [Scopes.Place] =
      switch scope {
      case .source: []
      case .account: scopes.accountPlaces(span)
      case .function(let function): scopes.positions[function].map { scopes.functionPlaces($0, span) } ?? []
      }
    return places.sorted().compactMap { scopes.rollup($0, now) }
  }
}
