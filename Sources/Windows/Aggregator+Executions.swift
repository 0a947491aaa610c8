import Lifecycle

/// An execution that has started and not finished.
struct RunningExecution: Sendable {
  var position: Int
  var instance: InstanceID?
  var start: Timestamp
  var pool: ConcurrencyPool
  /// Where its end was put because its instance stopped.
  var presumedEnd: Timestamp?
}

/// A handler that timed out and ran on beside the next invocation, as far as it has been seen.
struct Overlap: Sendable {
  var position: Int
  var instance: InstanceID
  var start: Timestamp?
  var end: Timestamp?
  /// Where its end was put because its instance stopped.
  var presumedEnd: Timestamp?
}

extension Aggregator {
  // The end of an execution is the one that was reported; while there is none, the stop of its instance; while there
  // is none of that either, it is in progress. Whatever arrives later replaces what was presumed, so that the order of
  // events does not matter.

  mutating func invocationStarted(_ started: InvocationStarted, instance: InstanceID?, _ position: Int) {
    if recent.contains(started.request) {
      ownStatistics.eventsDuplicate &+= 1
      return
    }
    if let known = executions[started.request] {
      // Admission may be reported first, and the instance that was found for it later.
      if let instance, known.instance == nil {
        executions[started.request]?.instance = instance
        bind(started.request, to: instance, known.position)
      } else {
        ownStatistics.eventsDuplicate &+= 1
      }
      return
    }
    executions[started.request] = RunningExecution(
      position: position, instance: instance, start: started.time, pool: started.pool)
    changeTimelines(.executions, of: position) { $0.insertStart(started.time, tag: started.pool.rawValue) }
    functions[position].executionStarted(at: started.time)
    account.concurrentExecutions += 1
    touch(position, from: started.time, to: started.time)
    if grid.index(of: started.time) < firstWindow {
      // Nothing runs that long: its end is on the way or lost, and says itself how long it was.
      ownStatistics.eventsLate &+= 1
      presumeEnd(started.request, at: started.time)
    }
    if let instance { bind(started.request, to: instance, position) }
  }

  /// Makes an execution its instance's, and ends it with an instance that has stopped already.
  private mutating func bind(_ request: RequestID, to instance: InstanceID, _ position: Int) {
    guard executions[request]?.presumedEnd == nil else { return }
    updateInstance(instance, position) { $0.running.append(request) }
    if let stopped = instances[instance]?.stopped { presumeEnd(request, at: stopped) }
  }

  mutating func invocationFinished(_ finished: InvocationFinished, _ instance: InstanceID?, _ position: Int) {
    guard recent.insert(finished.request) else {
      ownStatistics.eventsDuplicate &+= 1
      return
    }
    let sample = FinishedSample(finished)
    let window = grid.index(of: finished.start)
    let endWindow = sample.end < grid.end(window) ? window : grid.index(of: sample.end)
    functions[position].exemplars.note(sample)
    functions[position].endedPeaks.add(
      endWindow, EndedPeaks(duration: finished.duration, memoryUsedBytes: finished.memoryUsedBytes))
    if let running = executions.removeValue(forKey: finished.request) {
      count(position, at: finished.start) { $0.add(sample) }
      settle(running, finished, position)
      if let bound = running.instance {
        updateInstance(bound, running.position) { record in record.running.removeAll { $0 == finished.request } }
      }
      touch(position, from: finished.start, to: sample.end)
    } else if window >= firstWindow {
      functions[position].count(sample, inWindow: window, through: endWindow)
      account.timelines.executions.insert(from: finished.start, to: sample.end, tag: finished.pool.rawValue)
      account.timelines.touch(window, through: endWindow)
    } else {
      count(position, at: finished.start) { $0.add(sample) }
      changeTimelines(.executions, of: position) {
        $0.insert(from: finished.start, to: sample.end, tag: finished.pool.rawValue)
      }
      functions[position].executionStarted(at: finished.start)
      functions[position].executionEnded(finished.start, at: sample.end)
      touch(position, from: finished.start, to: sample.end)
    }
    if let instance { updateInstance(instance, position) { $0.invocations &+= 1 } }
  }

  /// Ends an execution that was in progress, and corrects what its start or a stopped instance had made of it.
  private mutating func settle(_ running: RunningExecution, _ finished: InvocationFinished, _ position: Int) {
    let before = running.pool.rawValue
    let tag = finished.pool.rawValue
    if let presumed = running.presumedEnd {
      changeTimelines(.executions, of: running.position) { $0.removeEnd(presumed, start: running.start, tag: before) }
      functions[running.position].executionResumed(running.start, endedAt: max(presumed, running.start))
      account.concurrentExecutions += 1
      touch(running.position, from: running.start, to: presumed)
    }
    if running.start != finished.start || before != tag || running.position != position {
      changeTimelines(.executions, of: running.position) { $0.removeStart(running.start, tag: before) }
      functions[running.position].executionNotStarted(at: running.start)
      changeTimelines(.executions, of: position) { $0.insertStart(finished.start, tag: tag) }
      functions[position].executionStarted(at: finished.start)
      touch(running.position, from: running.start, to: running.start)
    }
    changeTimelines(.executions, of: position) { $0.insertEnd(finished.end, start: finished.start, tag: tag) }
    functions[position].executionEnded(finished.start, at: finished.end)
    account.concurrentExecutions -= 1
  }

  /// Ends an execution with its instance, until its own end is reported.
  mutating func presumeEnd(_ request: RequestID, at time: Timestamp) {
    guard let running = executions[request], running.presumedEnd == nil else { return }
    executions[request]?.presumedEnd = time
    let tag = running.pool.rawValue
    changeTimelines(.executions, of: running.position) { $0.insertEnd(time, start: running.start, tag: tag) }
    functions[running.position].executionEnded(running.start, at: max(time, running.start))
    account.concurrentExecutions -= 1
    touch(running.position, from: running.start, to: max(time, running.start))
  }

  /// Ends executions that can no longer be running: no function runs longer than finality.
  ///
  /// They are kept for as long again, so that an end that comes after all takes the place of the presumed one.
  mutating func giveUpLostExecutions(before horizon: Timestamp) {
    for (request, running) in executions where running.start < horizon {
      if let presumed = running.presumedEnd {
        guard presumed < horizon else { continue }
        executions[request] = nil
      } else {
        presumeEnd(request, at: running.start + configuration.finality)
        ownStatistics.executionsLost &+= 1
      }
      if let instance = running.instance, instances.contains(instance) {
        updateInstance(instance, running.position) { record in record.running.removeAll { $0 == request } }
      }
    }
  }

  // MARK: Overlaps

  mutating func overlapStarted(_ started: OverlapStarted, _ instance: InstanceID, _ position: Int) {
    var overlap = overlaps[started.request] ?? Overlap(position: position, instance: instance)
    guard overlap.start == nil else {
      ownStatistics.eventsDuplicate &+= 1
      return
    }
    overlap.start = started.time
    changeTimelines(.overlaps, of: overlap.position) { $0.insertStart(started.time) }
    functions[overlap.position].liveOverlaps += 1
    touch(overlap.position, from: started.time, to: started.time)
    if overlap.end == nil { overlap.presumedEnd = instances[instance]?.stopped }
    if let end = overlap.end ?? overlap.presumedEnd { endOverlap(overlap.position, started.time, end) }
    // What ended is kept until no more events of it are due, so that a repeated start is not counted again.
    overlaps[started.request] = overlap
  }

  mutating func overlapEnded(_ ended: OverlapEnded, _ instance: InstanceID, _ position: Int) {
    guard var overlap = overlaps[ended.request] else {
      overlaps[ended.request] = Overlap(position: position, instance: instance, end: ended.time)
      return
    }
    guard overlap.end == nil else {
      ownStatistics.eventsDuplicate &+= 1
      return
    }
    overlap.end = ended.time
    guard let start = overlap.start else {
      overlaps[ended.request] = overlap
      return
    }
    if let presumed = overlap.presumedEnd {
      changeTimelines(.overlaps, of: overlap.position) { $0.removeEnd(presumed, start: start, tag: 0) }
      functions[overlap.position].liveOverlaps += 1
      touch(overlap.position, from: start, to: presumed)
    }
    overlap.presumedEnd = nil
    endOverlap(overlap.position, start, ended.time)
    overlaps[ended.request] = overlap
  }

  private mutating func endOverlap(_ position: Int, _ start: Timestamp, _ end: Timestamp) {
    changeTimelines(.overlaps, of: position) { $0.insertEnd(end, start: start) }
    functions[position].liveOverlaps -= 1
    touch(position, from: start, to: max(start, end))
  }

  /// Ends overlaps that nobody will report any more: of instances that are not known to live, after finality.
  mutating func giveUpLostOverlaps(before horizon: Timestamp) {
    guard !overlaps.isEmpty else { return }
    for (request, overlap) in overlaps where overlap.end == nil && overlap.presumedEnd == nil {
      guard let start = overlap.start, start < horizon, instances[overlap.instance]?.state == nil else { continue }
      let end = start + configuration.finality
      overlaps[request]?.presumedEnd = end
      endOverlap(overlap.position, start, end)
    }
  }

  /// Ends overlaps with their instances, until their own ends are reported.
  mutating func presumeOverlapsEnded(at time: Timestamp, where isAffected: (Overlap) -> Bool) {
    for (request, overlap) in overlaps
    where overlap.end == nil && overlap.presumedEnd == nil && isAffected(overlap) {
      guard let start = overlap.start else { continue }
      overlaps[request]?.presumedEnd = time
      endOverlap(overlap.position, start, time)
    }
  }
}

/// A finished invocation with what is computed of it once for all that it is added to.
struct FinishedSample {
  let finished: InvocationFinished
  let end: Timestamp
  let duration: Distribution.Sample
  let memory: Distribution.Sample

  init(_ finished: InvocationFinished) {
    self.finished = finished
    end = finished.end
    duration = Distribution.Sample(.duration, finished.duration.count)
    memory = Distribution.Sample(.bytes, finished.memoryUsedBytes)
  }
}

extension Tally {
  /// Adds what a finished invocation says.
  mutating func add(_ sample: FinishedSample) {
    let finished = sample.finished
    invocations[finished.trigger] &+= 1
    if finished.outcome != .success { add(finished.outcome, finished.timeoutSource) }
    if finished.isColdStart { coldStarts &+= 1 }
    if finished.isSpillover { spilloverInvocations &+= 1 }
    if finished.pool == .provisioned { provisionedInvocations &+= 1 }
    billedNanoseconds &+= Int128(max(0, finished.billed.count))
    duration.record(sample.duration)
    if finished.memoryUsedBytes > 0 { memoryUsed.record(sample.memory) }
  }

  private mutating func add(_ outcome: Outcome, _ source: TimeoutSource?) {
    errors &+= 1
    switch outcome {
    case .timeout: timeouts[source ?? .platform] &+= 1
    case .crash: crashes &+= 1
    case .outOfMemory: outOfMemory &+= 1
    case .success, .error: break
    }
  }
}
