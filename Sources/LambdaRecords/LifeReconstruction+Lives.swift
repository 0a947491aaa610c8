import Lifecycle

// The rules of time, and what an invocation's lines make of its end.
extension LifeReconstruction {
  /// Hands on lives that are complete, the oldest first, until no more than `count` requests wait.
  ///
  /// A request that has not ended, as far as was read, waits for as long as invocations may take by the times of lines, and once longer
  /// than others in any case.
  ///
  /// - Parameter count: How many may wait: more may still be said of them. With 0, all is handed on that was said so far.
  package mutating func drain(keeping count: Int, _ take: (Life) -> Void) {
    emitReady(take)
    guard requests.pending.count > count else { return }
    var chosen: [RequestID] = []
    var kept: [RequestID] = []
    let surplus = requests.pending.count - count
    chosen.reserveCapacity(surplus)
    while requests.orderHead < requests.order.count, chosen.count < surplus {
      let id = requests.order[requests.orderHead]
      requests.orderHead += 1
      guard let life = requests.pending[id] else { continue }
      if count > 0, !life.isEnded, kept.count < LifeReconstruction.keptMax, life.mayEndSoon(after: lastTime) {
        requests.pending[id]?.wasKept = true
        kept.append(id)
      } else {
        chosen.append(id)
      }
    }
    // They stay the oldest ones.
    requests.order.replaceSubrange(..<requests.orderHead, with: kept)
    requests.orderHead = 0
    handOn(chosen, take)
    emitReady(take)
  }

  mutating func emitReady(_ take: (Life) -> Void) {
    for life in readyLives { take(life) }
    readyLives.removeAll(keepingCapacity: true)
  }

  private struct Ended {
    var request: RequestID
    var life: PendingLife
    var interval: LifeInterval
  }

  mutating func handOn(_ chosen: [RequestID], _ take: (Life) -> Void) {
    var ended: [Ended] = []
    ended.reserveCapacity(chosen.count)
    for id in chosen {
      guard let life = requests.pending.removeValue(forKey: id) else { continue }
      if life.isDropped {
        requests.finished.insertEmpty(id)
        continue
      }
      requests.finished.insert(id, life.extent)
      if life.isEnded {
        ended.append(Ended(request: id, life: life, interval: life.interval))
      } else if life.hasStart {
        let seen = requests.hasOtherAttempt(id, near: life.startTime) ? life.startTime : streams[life.stream].lastSeen
        let last = life.startTime.map { start in
          min(max(start, seen ?? start), start + LifeReconstruction.invocationMax)
        }
        take(
          .unended(
            Life.Unended(
              function: life.function ?? streams[life.stream].function, stream: life.stream, request: id,
              start: life.startTime, lastSeen: last)))
      }
    }
    ended.sort { left, right in
      if left.life.stream != right.life.stream { return left.life.stream < right.life.stream }
      return (left.interval.end, left.interval.start) < (right.interval.end, right.interval.start)
    }
    var first = 0
    while first < ended.count {
      var end = first + 1
      while end < ended.count, ended[end].life.stream == ended[first].life.stream { end += 1 }
      findSigns(in: first..<end, &ended)
      keepApart(first..<end, &ended)
      first = end
    }
    for invocation in ended { handOn(invocation, take) }
  }

  /// Has the invocations of one instance not overlap: it serves one at a time, and times of lines are cut to a millisecond.
  ///
  /// - Parameter range: The lives of the stream, in the order of their ends.
  private mutating func keepApart(_ range: Range<Int>, _ ended: inout [Ended]) {
    let stream = ended[range.lowerBound].life.stream
    guard streams[stream].isNamed, !streams[stream].isManaged else { return }
    let timed = range.filter { ended[$0].interval.isTimed }
    let placed = streams[stream].served.place(timed.map { ended[$0].interval }, &overlaps)
    for (index, interval) in zip(timed, placed) { ended[index].interval = interval }
  }

  /// Gives the signs of a stream to the invocations that were in progress then: of errors, and of initializations that these waited for.
  ///
  /// - Parameter range: The lives of the stream, in the order of their ends.
  private mutating func findSigns(in range: Range<Int>, _ ended: inout [Ended]) {
    let stream = ended[range.lowerBound].life.stream
    streams[stream].repeatTimes.removeAll { time in
      guard let first = LifeReconstruction.firstEnded(at: time, range, ended) else { return false }
      ended[first].life.waited(forInitializationAt: time, until: ended[first].interval.end)
      return true
    }
    streams[stream].errorTimes.removeAll { time in
      guard let first = LifeReconstruction.firstEnded(at: time, range, ended), ended[first].interval.start <= time
      else {
        return false
      }
      // Where another one was in progress as well, it may have been either.
      let next = first + 1
      if next < range.upperBound, ended[next].interval.start <= time { return true }
      ended[first].life.fail(.error)
      return true
    }
  }

  /// The first of some lives, in the order of their ends, that ended at a time or later.
  private static func firstEnded(at time: Timestamp, _ range: Range<Int>, _ ended: [Ended]) -> Int? {
    var low = range.lowerBound
    var high = range.upperBound
    while low < high {
      let middle = (low + high) / 2
      if ended[middle].interval.end < time { low = middle + 1 } else { high = middle }
    }
    return low < range.upperBound && ended[low].interval.isTimed ? low : nil
  }

  private mutating func handOn(_ ended: Ended, _ take: (Life) -> Void) {
    let life = ended.life
    let stream = life.stream
    let interval = ended.interval
    let report = life.report
    tellInitialization(of: life, at: interval.isTimed ? interval.start : nil)
    let outcome = life.outcome
    var duration = life.duration ?? (interval.end - interval.start)
    // Its slot was free for the next one by then.
    if interval.isTimed { duration = min(duration, interval.end - interval.start) }
    let finished = InvocationFinished(
      request: ended.request, start: interval.start,
      // What lies between start and end beyond the duration: the slot is held until the report.
      wait: Nanoseconds(max(0, (interval.end - interval.start).count &- duration.count)),
      duration: duration, trigger: .direct,
      pool: streams[stream].initializationType == .provisionedConcurrency ? .provisioned : .unreserved,
      isColdStart: life.waitedForInitialization || report?.initializationDuration != nil
        || report?.restoreDuration != nil,
      outcome: outcome, timeoutSource: outcome == .timeout ? .platform : nil,
      billed: .milliseconds(report?.billedMilliseconds ?? 0),
      memoryUsedBytes: report?.memoryUsedBytes ?? 0, responseBytes: life.responseBytes ?? 0)
    take(
      .invocation(
        Life.Invocation(
          function: life.function ?? streams[stream].function, stream: stream, finished: finished,
          isTimed: interval.isTimed, isStartInferred: interval.isStartInferred)))
  }

  /// The initialization that only the report of its first invocation tells: on AWS that of nearly every instance.
  private mutating func tellInitialization(of life: PendingLife, at start: Timestamp?) {
    for (isRestore, told) in [(false, life.report?.initializationDuration), (true, life.report?.restoreDuration)] {
      // Of zero length, it only says that there was one, which something else tells.
      guard let duration = told, duration > .zero else { continue }
      let key = InitializationKey(life.stream, isRestore: isRestore, duration)
      initializations[key, default: InitializationCounts()].toldByInvocations += 1
      let counts = initializations[key] ?? InitializationCounts()
      guard counts.toldByInvocations > counts.told.count else { continue }
      initialize(life.stream, at: start, isRestore ? .snapStart : .onDemand, .initialization, .success, duration)
    }
  }
}

extension PlatformEvent.Report {
  /// 0 where it is not known, or cannot be.
  fileprivate var memoryUsedBytes: Int64 {
    guard let megabytes = memoryUsedMegabytes, megabytes > 0, megabytes < 1 << 40 else { return 0 }
    return megabytes << 20
  }
}
