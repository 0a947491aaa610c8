import Lifecycle

extension LiveRecords {
  /// What is in progress, for a store.
  func state(_ scopes: Scopes) -> LiveState {
    var live = LiveState()
    live.accountLimits = scopes.account.limits
    live.executions = executions.map { request, running in
      LiveExecution(
        request: request, function: scopes.functions[running.position].function, instance: running.instance,
        start: running.start, pool: running.pool, presumedEnd: running.presumedEnd, isRemote: running.isRemote)
    }
    live.instances = instances.map { instance, record in
      LiveInstance(
        instance: instance, function: scopes.functions[record.position].function,
        initializationType: record.initializationType, started: record.started, stopped: record.stopped,
        initialization: record.initialization, isReady: record.isReady, invocations: record.invocations,
        warmUp: record.warmUp, isRemote: record.isRemote)
    }
    live.overlaps = overlaps.map { request, overlap in
      LiveOverlap(
        request: request, function: scopes.functions[overlap.position].function, instance: overlap.instance,
        start: overlap.start, end: overlap.end, presumedEnd: overlap.presumedEnd, isRemote: overlap.isRemote)
    }
    return live
  }

  /// Takes what a store kept of what was in progress.
  mutating func restore(_ live: LiveState, _ scopes: inout Scopes) {
    for stored in live.instances {
      var record = InstanceRecord(
        position: scopes.position(of: stored.function, at: stored.started ?? Timestamp(seconds: 0)),
        isRemote: stored.isRemote)
      record.initializationType = stored.initializationType
      record.started = stored.started
      record.stopped = stored.stopped
      record.initialization = stored.initialization
      record.isReady = stored.isReady
      record.invocations = stored.invocations
      record.warmUp = stored.warmUp
      instances[stored.instance] = record
      countInstance(record.position, from: nil, to: record.state, &scopes)
    }
    for stored in live.executions {
      let position = scopes.position(of: stored.function, at: stored.start)
      executions[stored.request] = RunningExecution(
        position: position, instance: stored.instance, start: stored.start, pool: stored.pool,
        isRemote: stored.isRemote, presumedEnd: stored.presumedEnd)
      if let instance = stored.instance, stored.presumedEnd == nil {
        updateInstance(instance, position, &scopes) { $0.running.append(stored.request) }
      }
    }
    for stored in live.overlaps {
      let position = scopes.position(of: stored.function, at: stored.start ?? stored.end ?? Timestamp(seconds: 0))
      overlaps[stored.request] = Overlap(
        position: position, instance: stored.instance, isRemote: stored.isRemote, start: stored.start, end: stored.end,
        presumedEnd: stored.presumedEnd)
      if stored.start != nil && stored.end == nil && stored.presumedEnd == nil {
        scopes.functions[position].liveOverlaps += 1
      }
    }
  }

  /// How many executions are in progress, now that all are known.
  func levels(functions count: Int) -> ExecutionLevels {
    var levels = ExecutionLevels(functions: Array(repeating: ConcurrencyTimeline.Level(), count: count))
    for (_, execution) in executions where execution.presumedEnd == nil {
      levels.functions[execution.position].all += 1
      if execution.pool == .provisioned { levels.functions[execution.position].marked += 1 }
      levels.account.all += 1
      if execution.pool == .unreserved { levels.account.marked += 1 }
    }
    return levels
  }

  /// By position of the function, when the executions in progress started.
  func startsOfRunning() -> [Int: [Timestamp]] {
    var running: [Int: [Timestamp]] = [:]
    for (_, execution) in executions where execution.presumedEnd == nil {
      running[execution.position, default: []].append(execution.start)
    }
    return running
  }
}
