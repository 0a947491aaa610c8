import Lifecycle

extension LiveRecords {
  /// Changes what is known of an instance and keeps the counts by state in step.
  mutating func updateInstance(
    _ instance: InstanceID, _ position: Int, _ scopes: inout Scopes, _ change: (inout InstanceRecord) -> Void
  ) {
    // One access in place, so that the record is not copied.
    guard let (owner, before, after) = instances.modify(instance, { $0.changing(change) }) else {
      var record = InstanceRecord(position: position, isRemote: isRemote)
      change(&record)
      countInstance(position, from: nil, to: record.state, &scopes)
      instances[instance] = record
      return
    }
    countInstance(owner, from: before, to: after, &scopes)
  }

  /// Keeps the counts by state in step with an instance that did one thing and does another; `nil` is not to be alive.
  mutating func countInstance(
    _ position: Int, from before: InstanceState?, to after: InstanceState?, _ scopes: inout Scopes
  ) {
    guard before != after else { return }
    if let before {
      scopes.functions[position].timelines.instanceStates[before] &-= 1
      scopes.account.timelines.instanceStates[before] &-= 1
    }
    if let after {
      scopes.functions[position].timelines.instanceStates[after] &+= 1
      scopes.account.timelines.instanceStates[after] &+= 1
    }
  }

  mutating func instanceStarted(
    _ started: InstanceStarted, _ instance: InstanceID, _ position: Int, _ scopes: inout Scopes
  ) {
    if instances[instance]?.started != nil {
      scopes.statistics.eventsDuplicate &+= 1
      return
    }
    updateInstance(instance, position, &scopes) { record in
      // Whatever was reported before under another version: an instance is of the function that it was started for.
      record.position = position
      record.started = started.time
      record.initializationType = started.initializationType
    }
    scopes.changeTimelines(.instances, of: position) { $0.insertStart(started.time) }
    scopes.touch(position, from: started.time, to: started.time)
    if let stopped = instances[instance]?.stopped { endInstance(position, started.time, stopped, &scopes) }
  }

  mutating func instanceReady(_ ready: InstanceReady, _ instance: InstanceID, _ position: Int, _ scopes: inout Scopes) {
    scopes.count(position, at: ready.time) { tally in
      tally.initializations[ready.initializationType] &+= 1
      tally.initialization.record(ready.duration.count)
      if ready.status != .success { tally.initializationFailures &+= 1 }
    }
    updateInstance(instance, position, &scopes) { record in
      record.initialization = ready.duration
      if ready.status == .success { record.isReady = true }
    }
  }

  mutating func instanceStopped(
    _ stopped: InstanceStopped, _ instance: InstanceID, _ position: Int, _ scopes: inout Scopes
  ) {
    if instances[instance]?.stopped != nil {
      scopes.statistics.eventsDuplicate &+= 1
      return
    }
    scopes.count(position, at: stopped.time) { tally in
      tally.instanceStops[stopped.reason] &+= 1
      tally.instanceLifetime.record(stopped.lifetime.count)
    }
    updateInstance(instance, position, &scopes) { $0.stopped = stopped.time }
    if let record = instances[instance], let started = record.started {
      endInstance(record.position, started, stopped.time, &scopes)
    }
    for request in instances[instance]?.running ?? [] { presumeEnd(request, at: stopped.time, &scopes) }
    presumeOverlapsEnded(at: stopped.time, &scopes) { $0.instance == instance }
  }

  private mutating func endInstance(_ position: Int, _ started: Timestamp, _ stopped: Timestamp, _ scopes: inout Scopes)
  {
    scopes.changeTimelines(.instances, of: position) { $0.insertEnd(stopped, start: started) }
    scopes.touch(position, from: started, to: max(started, stopped))
  }
}
