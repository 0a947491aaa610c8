import Lifecycle

/// An instance, as far as it has been seen.
struct InstanceRecord: Sendable {
  var position: Int
  var initializationType = InitializationType.onDemand
  var started: Timestamp?
  var stopped: Timestamp?
  var initialization: Nanoseconds?
  var warmUp: Nanoseconds?
  var isReady = false
  var invocations: UInt64 = 0
  /// Executions in progress in it.
  var running: [RequestID] = []

  /// What it is doing now; `nil` if it is not alive.
  var state: InstanceState? {
    guard started != nil && stopped == nil else { return nil }
    if !running.isEmpty { return .busy }
    return isReady ? .idle : .initializing
  }

  /// Changes the record, and says whose it is and what the instance was doing before and does after.
  fileprivate mutating func changing(
    _ change: (inout InstanceRecord) -> Void
  ) -> (position: Int, before: InstanceState?, after: InstanceState?) {
    let before = state
    change(&self)
    return (position, before, state)
  }
}

extension Aggregator {
  /// Changes what is known of an instance and keeps the counts by state in step.
  mutating func updateInstance(_ instance: InstanceID, _ position: Int, _ change: (inout InstanceRecord) -> Void) {
    // One access in place, so that the record is not copied.
    guard let (owner, before, after) = instances.modify(instance, { $0.changing(change) }) else {
      var record = InstanceRecord(position: position)
      change(&record)
      countInstance(position, from: nil, to: record.state)
      instances[instance] = record
      return
    }
    countInstance(owner, from: before, to: after)
  }

  /// Keeps the counts by state in step with an instance that did one thing and does another; `nil` is not to be alive.
  mutating func countInstance(_ position: Int, from before: InstanceState?, to after: InstanceState?) {
    guard before != after else { return }
    if let before {
      functions[position].timelines.instanceStates[before] &-= 1
      account.timelines.instanceStates[before] &-= 1
    }
    if let after {
      functions[position].timelines.instanceStates[after] &+= 1
      account.timelines.instanceStates[after] &+= 1
    }
  }

  mutating func instanceStarted(_ started: InstanceStarted, _ instance: InstanceID, _ position: Int) {
    if instances[instance]?.started != nil {
      ownStatistics.eventsDuplicate &+= 1
      return
    }
    updateInstance(instance, position) { record in
      // Whatever was reported before under another version: an instance is of the function that it was started for.
      record.position = position
      record.started = started.time
      record.initializationType = started.initializationType
    }
    changeTimelines(.instances, of: position) { $0.insertStart(started.time) }
    touch(position, from: started.time, to: started.time)
    if let stopped = instances[instance]?.stopped { endInstance(position, started.time, stopped) }
  }

  mutating func instanceReady(_ ready: InstanceReady, _ instance: InstanceID, _ position: Int) {
    count(position, at: ready.time) { tally in
      tally.initializations[ready.initializationType] &+= 1
      tally.initialization.record(ready.duration.count)
      if ready.status != .success { tally.initializationFailures &+= 1 }
    }
    updateInstance(instance, position) { record in
      record.initialization = ready.duration
      if ready.status == .success { record.isReady = true }
    }
  }

  mutating func instanceStopped(_ stopped: InstanceStopped, _ instance: InstanceID, _ position: Int) {
    if instances[instance]?.stopped != nil {
      ownStatistics.eventsDuplicate &+= 1
      return
    }
    count(position, at: stopped.time) { tally in
      tally.instanceStops[stopped.reason] &+= 1
      tally.instanceLifetime.record(stopped.lifetime.count)
    }
    updateInstance(instance, position) { $0.stopped = stopped.time }
    if let record = instances[instance], let started = record.started {
      endInstance(record.position, started, stopped.time)
    }
    for request in instances[instance]?.running ?? [] { presumeEnd(request, at: stopped.time) }
    presumeOverlapsEnded(at: stopped.time) { $0.instance == instance }
  }

  private mutating func endInstance(_ position: Int, _ started: Timestamp, _ stopped: Timestamp) {
    changeTimelines(.instances, of: position) { $0.insertEnd(stopped, start: started) }
    touch(position, from: started, to: max(started, stopped))
  }

  // MARK: Limits

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
