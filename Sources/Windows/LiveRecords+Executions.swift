import Lifecycle

extension LiveRecords {
  // The end of an execution is the one that was reported; while there is none, the stop of its instance; while there
  // is none of that either, it is in progress. Whatever arrives later replaces what was presumed, so that the order of
  // events does not matter.

  mutating func invocationStarted(
    _ started: InvocationStarted, instance: InstanceID?, _ position: Int, _ scopes: inout Scopes
  ) {
    if recent.contains(started.request) {
      scopes.statistics.eventsDuplicate &+= 1
      return
    }
    if let known = executions[started.request] {
      // Admission may be reported first, and the instance that was found for it later.
      if let instance, known.instance == nil {
        executions[started.request]?.instance = instance
        bind(started.request, to: instance, known.position, &scopes)
      } else {
        scopes.statistics.eventsDuplicate &+= 1
      }
      return
    }
    executions[started.request] = RunningExecution(
      position: position, instance: instance, start: started.time, pool: started.pool, isRemote: isRemote)
    scopes.changeTimelines(.executions, of: position) { $0.insertStart(started.time, tag: started.pool.rawValue) }
    scopes.functions[position].executionStarted(at: started.time)
    scopes.account.concurrentExecutions += 1
    scopes.touch(position, from: started.time, to: started.time)
    if scopes.grid.index(of: started.time) < scopes.firstWindow {
      // Nothing runs that long: its end is on the way or lost, and says itself how long it was.
      scopes.statistics.eventsLate &+= 1
      presumeEnd(started.request, at: started.time, &scopes)
    }
    if let instance { bind(started.request, to: instance, position, &scopes) }
  }

  /// Makes an execution its instance's, and ends it with an instance that has stopped already.
  private mutating func bind(_ request: RequestID, to instance: InstanceID, _ position: Int, _ scopes: inout Scopes) {
    guard executions[request]?.presumedEnd == nil else { return }
    updateInstance(instance, position, &scopes) { $0.running.append(request) }
    if let stopped = instances[instance]?.stopped { presumeEnd(request, at: stopped, &scopes) }
  }

  mutating func invocationFinished(
    _ finished: InvocationFinished, _ instance: InstanceID?, _ position: Int, _ scopes: inout Scopes
  ) {
    guard recent.insert(finished.request) else {
      scopes.statistics.eventsDuplicate &+= 1
      return
    }
    count(finished, instance, position, &scopes)
  }

  /// Counts an end that was not counted before.
  ///
  /// - Parameter instance: Its invocations are counted, too; `nil` if it has none, or if they are counted already.
  mutating func count(
    _ finished: InvocationFinished, _ instance: InstanceID?, _ position: Int, _ scopes: inout Scopes
  ) {
    let window = scopes.grid.index(of: finished.start)
    if let running = executions.removeValue(forKey: finished.request) {
      scopes.count(FinishedSample(finished), position)
      settle(running, finished, position, &scopes)
      if let bound = running.instance {
        updateInstance(bound, running.position, &scopes) { record in record.running.removeAll { $0 == finished.request }
        }
      }
      scopes.touch(position, from: finished.start, to: finished.end)
    } else if window < scopes.firstWindow || !scopes.take(finished, position, inWindow: window) {
      let end = finished.end
      scopes.count(FinishedSample(finished), position)
      scopes.changeTimelines(.executions, of: position) {
        $0.insert(from: finished.start, to: end, tag: finished.pool.rawValue)
      }
      scopes.functions[position].executionStarted(at: finished.start)
      scopes.functions[position].executionEnded(finished.start, at: end)
      scopes.touch(position, from: finished.start, to: end)
    }
    if let instance { updateInstance(instance, position, &scopes) { $0.invocations &+= 1 } }
  }

  /// Ends an execution that was in progress, and corrects what its start or a stopped instance had made of it.
  private mutating func settle(
    _ running: RunningExecution, _ finished: InvocationFinished, _ position: Int, _ scopes: inout Scopes
  ) {
    let before = running.pool.rawValue
    let tag = finished.pool.rawValue
    if let presumed = running.presumedEnd {
      scopes.changeTimelines(.executions, of: running.position) {
        $0.removeEnd(presumed, start: running.start, tag: before)
      }
      scopes.functions[running.position].executionResumed(running.start, endedAt: max(presumed, running.start))
      scopes.account.concurrentExecutions += 1
      scopes.touch(running.position, from: running.start, to: presumed)
    }
    if running.start != finished.start || before != tag || running.position != position {
      scopes.changeTimelines(.executions, of: running.position) { $0.removeStart(running.start, tag: before) }
      scopes.functions[running.position].executionNotStarted(at: running.start)
      scopes.changeTimelines(.executions, of: position) { $0.insertStart(finished.start, tag: tag) }
      scopes.functions[position].executionStarted(at: finished.start)
      scopes.touch(running.position, from: running.start, to: running.start)
    }
    scopes.changeTimelines(.executions, of: position) { $0.insertEnd(finished.end, start: finished.start, tag: tag) }
    scopes.functions[position].executionEnded(finished.start, at: finished.end)
    scopes.account.concurrentExecutions -= 1
  }

  /// Ends an execution with its instance, until its own end is reported.
  mutating func presumeEnd(_ request: RequestID, at time: Timestamp, _ scopes: inout Scopes) {
    guard let running = executions[request], running.presumedEnd == nil else { return }
    executions[request]?.presumedEnd = time
    let tag = running.pool.rawValue
    scopes.changeTimelines(.executions, of: running.position) { $0.insertEnd(time, start: running.start, tag: tag) }
    scopes.functions[running.position].executionEnded(running.start, at: max(time, running.start))
    scopes.account.concurrentExecutions -= 1
    scopes.touch(running.position, from: running.start, to: max(time, running.start))
  }

  /// Ends executions that can no longer be running: no function runs longer than finality.
  ///
  /// They are kept for as long again, so that an end that comes after all takes the place of the presumed one.
  mutating func giveUpLostExecutions(before horizon: Timestamp, _ scopes: inout Scopes) {
    for (request, running) in executions where running.start < horizon {
      if let presumed = running.presumedEnd {
        guard presumed < horizon else { continue }
        executions[request] = nil
      } else {
        presumeEnd(request, at: running.start + scopes.configuration.finality, &scopes)
        scopes.statistics.executionsLost &+= 1
      }
      if let instance = running.instance, instances.contains(instance) {
        updateInstance(instance, running.position, &scopes) { record in record.running.removeAll { $0 == request } }
      }
    }
  }
}
