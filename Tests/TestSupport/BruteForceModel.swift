public import Lifecycle
public import Windows

/// What windows and totals must be, computed from the list of all events in the plainest way, with no thought of cost.
///
/// Knows nothing of edges, chunks or increments: peaks are found by asking, at every instant at which anything starts,
/// how many intervals contain it.
public struct BruteForceModel: Sendable {
  public struct Interval: Sendable {
    public var start: Int64
    /// Exclusive; `nil` while it lasts.
    public var end: Int64?
    public var pool: ConcurrencyPool?

    func contains(_ instant: Int64) -> Bool { start <= instant && instant < (end ?? .max) }
  }

  private let events: [LifecycleEvent]
  private let window: Int64
  /// When each instance stopped, of those that did.
  private let stops: [InstanceID: Int64]
  private let functions: Set<FunctionID>
  /// What each scope did, found once.
  private var known: [Scope: ScopeIntervals] = [:]

  private struct ScopeIntervals: Sendable {
    var executions: [Interval]
    var lives: [Interval]
    var overlaps: [Interval]
  }

  public init(_ events: [LifecycleEvent], window: Nanoseconds) {
    self.events = events
    self.window = window.count
    functions = Set(events.compactMap { BruteForceModel.function($0) })
    var stops: [InstanceID: Int64] = [:]
    for event in events {
      guard case .instanceStopped(let stopped) = event.kind, let instance = BruteForceModel.instance(event) else {
        continue
      }
      stops[instance] = stops[instance] ?? stopped.time.nanoseconds
    }
    self.stops = stops
    for scope in [Scope.account] + functions.map({ Scope.function($0) }) {
      known[scope] = ScopeIntervals(
        executions: executions(of: scope), lives: lives(of: scope), overlaps: overlaps(of: scope))
    }
  }

  private static func function(_ event: LifecycleEvent) -> FunctionID? {
    switch event.subject {
    case .account, .source: nil
    case .function(let function), .instance(_, let function): function
    }
  }

  private static func instance(_ event: LifecycleEvent) -> InstanceID? {
    if case .instance(let instance, _) = event.subject { instance } else { nil }
  }

  private func events(of scope: Scope) -> [LifecycleEvent] {
    switch scope {
    case .account: events
    case .function(let wanted): events.filter { BruteForceModel.function($0) == wanted }
    case .source: []
    }
  }

  /// When an instance stopped, if it did.
  private func stop(of instance: InstanceID?) -> Int64? { instance.flatMap { stops[$0] } }

  /// The executions of a scope.
  private func executions(of scope: Scope) -> [Interval] {
    var intervals: [RequestID: Interval] = [:]
    var instances: [RequestID: InstanceID] = [:]
    for event in events(of: scope) {
      let started: InvocationStarted? =
        switch event.kind {
        case .invocationStarted(let started): started
        case .invocationHandedOver(let handedOver): handedOver.started
        default: nil
        }
      if let started {
        intervals[started.request] =
          intervals[started.request] ?? Interval(start: started.time.nanoseconds, pool: started.pool)
        if let instance = BruteForceModel.instance(event) { instances[started.request] = instance }
      }
    }
    for (request, interval) in intervals {
      intervals[request]?.end = stop(of: instances[request]).map { max($0, interval.start + 1) }
    }
    var finishedBefore: Set<RequestID> = []
    for event in events(of: scope) {
      guard case .invocationFinished(let finished) = event.kind else { continue }
      guard finishedBefore.insert(finished.request).inserted else { continue }
      let start = finished.start.nanoseconds
      let end = start + max(0, finished.wait.count) + max(0, finished.duration.count)
      intervals[finished.request] = Interval(start: start, end: max(end, start + 1), pool: finished.pool)
    }
    return Array(intervals.values)
  }

  /// The lives of the instances of a scope.
  private func lives(of scope: Scope) -> [Interval] {
    var intervals: [InstanceID: Interval] = [:]
    for event in events(of: scope) {
      guard case .instanceStarted(let started) = event.kind, let instance = BruteForceModel.instance(event) else {
        continue
      }
      let start = started.time.nanoseconds
      intervals[instance] =
        intervals[instance] ?? Interval(start: start, end: stop(of: instance).map { max($0, start + 1) })
    }
    return Array(intervals.values)
  }

  /// The overlaps of a scope.
  private func overlaps(of scope: Scope) -> [Interval] {
    var intervals: [RequestID: Interval] = [:]
    for event in events(of: scope) {
      guard case .overlapStarted(let started) = event.kind, intervals[started.request] == nil else { continue }
      let start = started.time.nanoseconds
      intervals[started.request] = Interval(
        start: start, end: stop(of: BruteForceModel.instance(event)).map { max($0, start + 1) })
    }
    var ended: Set<RequestID> = []
    for event in events(of: scope) {
      guard case .overlapEnded(let end) = event.kind, let interval = intervals[end.request] else { continue }
      guard ended.insert(end.request).inserted else { continue }
      intervals[end.request]?.end = max(end.time.nanoseconds, interval.start + 1)
    }
    return Array(intervals.values)
  }

  /// The most intervals that contain one instant of `[from, to)`.
  public static func peak(_ intervals: [Interval], from: Int64, to: Int64) -> Int64 {
    var instants = intervals.map(\.start).filter { $0 > from && $0 < to }
    instants.append(from)
    return instants.map { instant in Int64(intervals.count { $0.contains(instant) }) }.max() ?? 0
  }

  /// The rollup of a window, for a clock that reads `now`.
  public func rollup(of scope: Scope, window index: Int64, now: Timestamp) -> Rollup {
    let from = index * window
    let to = from + window
    var rollup = Rollup()
    let did = known[scope] ?? ScopeIntervals(executions: [], lives: [], overlaps: [])
    let executions = did.executions
    rollup.peaks.concurrency = BruteForceModel.peak(executions, from: from, to: to)
    rollup.peaks.instances = BruteForceModel.peak(did.lives, from: from, to: to)
    rollup.peaks.overlapping = BruteForceModel.peak(did.overlaps, from: from, to: to)
    for interval in executions {
      let until = min(interval.end ?? .max, to, now.nanoseconds)
      rollup.concurrencyNanoseconds += Int128(max(0, until - max(interval.start, from)))
    }
    switch scope {
    case .account:
      let unreserved = executions.filter { $0.pool == .unreserved }
      rollup.peaks.unreservedConcurrency = BruteForceModel.peak(unreserved, from: from, to: to)
      rollup.peaks.claimedConcurrency = claimed(unreserved, from: from, to: to)
    case .function(let function):
      let provisioned = executions.filter { $0.pool == .provisioned }
      rollup.peaks.provisionedConcurrency = BruteForceModel.peak(provisioned, from: from, to: to)
      rollup.peaks.provisionedUtilization = utilization(function, provisioned, from: from, to: to)
      rollup.tally = tally(of: function) { $0 >= from && $0 < to }
    // `EventSourceModel` is for those.
    case .source: break
    }
    return rollup
  }

  /// The counts of a function whose event times fulfil a condition.
  public func tally(of function: FunctionID, where holds: (Int64) -> Bool) -> Tally {
    var tally = Tally()
    var seen: Set<RequestID> = []
    var stoppedBefore: Set<InstanceID> = []
    for event in events(of: .function(function)) {
      switch event.kind {
      case .invocationFinished(let finished):
        if seen.insert(finished.request).inserted, holds(finished.start.nanoseconds) { count(finished, &tally) }
      case .throttled(let throttled) where holds(throttled.time.nanoseconds):
        tally.throttles[throttled.reason] += 1
        if throttled.trigger == .http {
          tally.httpThrottles += 1
          tally.httpResponses[.clientError] += 1
        }
      case .warmedUp(let warmUp) where holds(warmUp.time.nanoseconds):
        tally.warmUp.record(warmUp.duration.count)
        tally.warmUpFailures += warmUp.succeeded ? 0 : 1
      case .instanceReady(let ready) where holds(ready.time.nanoseconds):
        tally.initializations[ready.initializationType] += 1
        tally.initialization.record(ready.duration.count)
        tally.initializationFailures += ready.status == .success ? 0 : 1
      case .instanceStopped(let stopped):
        guard let instance = BruteForceModel.instance(event), stoppedBefore.insert(instance).inserted else { continue }
        guard holds(stopped.time.nanoseconds) else { continue }
        tally.instanceStops[stopped.reason] += 1
        tally.instanceLifetime.record(stopped.lifetime.count)
      default: continue
      }
    }
    return tally
  }

  private func count(_ finished: InvocationFinished, _ tally: inout Tally) {
    tally.invocations[finished.trigger] += 1
    tally.errors += finished.outcome == .success ? 0 : 1
    if finished.outcome == .timeout { tally.timeouts[finished.timeoutSource ?? .platform] += 1 }
    tally.crashes += finished.outcome == .crash ? 1 : 0
    tally.outOfMemory += finished.outcome == .outOfMemory ? 1 : 0
    tally.coldStarts += finished.isColdStart ? 1 : 0
    tally.spilloverInvocations += finished.isSpillover ? 1 : 0
    tally.provisionedInvocations += finished.pool == .provisioned ? 1 : 0
    tally.billedNanoseconds += Int128(max(0, finished.billed.count))
    tally.duration.record(finished.duration.count)
    if finished.trigger == .http {
      let status = finished.responseStatus
      let known = ResponseClass.allCases.first { $0.name == "\(status / 100)xx" }
      tally.httpResponses[known ?? .unknown] += 1
      tally.httpGatewayTimeouts += status == 504 ? 1 : 0
      tally.httpDuration.record(finished.duration.count)
    }
    if finished.memoryUsedBytes > 0 { tally.memoryUsed.record(finished.memoryUsedBytes) }
  }

  /// Statements of one function's limits, in order of time; of one instant, the larger value comes last.
  private func limits(
    _ function: FunctionID, _ value: (FunctionLimitsChanged) -> Int64
  ) -> [(time: Int64, value: Int64)] {
    events(of: .function(function)).compactMap { event in
      guard case .limitsChanged(let limits) = event.kind else { return nil }
      return (limits.time.nanoseconds, value(limits))
    }.sorted { ($0.0, $0.1) < ($1.0, $1.1) }
  }

  private func utilization(_ function: FunctionID, _ used: [Interval], from: Int64, to: Int64) -> Double {
    let steps = limits(function) { $0.provisioned?.allocated ?? 0 }
    var instants = steps.map(\.time) + used.map(\.start)
    instants = instants.filter { $0 > from && $0 < to } + [from]
    return instants.map { instant in
      let allocated = steps.last { $0.time <= instant }?.value ?? 0
      return allocated > 0 ? Double(used.count { $0.contains(instant) }) / Double(allocated) : 0
    }.max() ?? 0
  }

  private func claimed(_ unreserved: [Interval], from: Int64, to: Int64) -> Int64 {
    let steps = functions.map { limits($0) { $0.reserved ?? $0.provisioned?.allocated ?? 0 } }
    var instants = steps.flatMap { $0.map(\.time) } + unreserved.map(\.start)
    instants = instants.filter { $0 > from && $0 < to } + [from]
    return instants.map { instant in
      steps.reduce(Int64(unreserved.count { $0.contains(instant) })) { sum, own in
        sum + (own.last { $0.time <= instant }?.value ?? 0)
      }
    }.max() ?? 0
  }
}
