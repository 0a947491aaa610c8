import Lifecycle

// The rules of time, and what an invocation's lines make of its end.
extension LifeReconstruction {
  /// Hands on lives that are complete, the oldest first, until no more than `count` requests wait.
  ///
  /// A request that has not ended, as far as was read, waits once longer than others.
  ///
  /// - Parameter count: How many may wait: more may still be said of them. With 0, all is handed on that was said so far.
  package mutating func drain(keeping count: Int, _ take: (Life) -> Void) {
    emitReady(take)
    guard pending.count > count else { return }
    var chosen: [RequestID] = []
    var kept: [RequestID] = []
    let surplus = pending.count - count
    chosen.reserveCapacity(surplus)
    while orderHead < order.count, chosen.count < surplus {
      let id = order[orderHead]
      orderHead += 1
      guard let life = pending[id] else { continue }
      if count > 0, !life.isEnded, !life.wasKept {
        pending[id]?.wasKept = true
        kept.append(id)
      } else {
        chosen.append(id)
      }
    }
    order.removeFirst(orderHead)
    orderHead = 0
    order.append(contentsOf: kept)
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
    var interval: Interval
  }

  /// When an invocation was, and how that is known.
  private struct Interval {
    var start: Timestamp
    var end: Timestamp
    var isStartInferred: Bool
    var isTimed: Bool
  }

  mutating func handOn(_ chosen: [RequestID], _ take: (Life) -> Void) {
    var ended: [Ended] = []
    ended.reserveCapacity(chosen.count)
    for id in chosen {
      guard let life = pending.removeValue(forKey: id) else { continue }
      finished.insert(id)
      if life.isEnded {
        ended.append(Ended(request: id, life: life, interval: LifeReconstruction.interval(of: life)))
      } else if life.hasStart {
        let seen = streams[life.stream].lastSeen
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
      first = end
    }
    for index in ended.indices { handOn(&ended[index], take) }
  }

  /// Gives the signs of a stream to the invocations that were in progress then: of errors, and of initializations that these waited for.
  ///
  /// - Parameter range: The lives of the stream, in the order of their ends.
  private mutating func findSigns(in range: Range<Int>, _ ended: inout [Ended]) {
    let stream = ended[range.lowerBound].life.stream
    streams[stream].repeatTimes.removeAll { time in
      guard let first = LifeReconstruction.firstEnded(at: time, range, ended) else { return false }
      ended[first].life.waitedForInitialization = true
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

  private mutating func handOn(_ ended: inout Ended, _ take: (Life) -> Void) {
    let life = ended.life
    let stream = life.stream
    var interval = ended.interval
    if interval.isTimed, streams[stream].isNamed, !streams[stream].isManaged, let last = streams[stream].lastEnd,
      interval.start < last
    {
      // One instance serves one invocation at a time. Times of lines are cut to a millisecond.
      let isRounding = (last - interval.start).count <= 5_000_000
      if interval.isStartInferred || isRounding { interval.start = min(last, interval.end) } else { overlaps &+= 1 }
    }
    if interval.isTimed {
      streams[stream].lastEnd = max(streams[stream].lastEnd ?? interval.end, interval.end)
    }
    let report = life.report
    tellInitialization(of: life, at: interval.isTimed ? interval.start : nil)
    let outcome = LifeReconstruction.outcome(of: life)
    let duration = report?.duration ?? life.runtimeDuration ?? life.limit ?? (interval.end - interval.start)
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
      memoryUsedBytes: LifeReconstruction.bytes(report?.memoryUsedMegabytes), responseBytes: life.responseBytes ?? 0)
    take(
      .invocation(
        Life.Invocation(
          function: life.function ?? streams[stream].function, stream: stream, finished: finished,
          isTimed: interval.isTimed, isStartInferred: interval.isStartInferred)))
  }

  private static func bytes(_ megabytes: Int64?) -> Int64 {
    guard let megabytes, megabytes > 0, megabytes < 1 << 40 else { return 0 }
    return megabytes << 20
  }

  /// The initialization that only the report of its first invocation tells: on AWS that of nearly every instance.
  private mutating func tellInitialization(of life: PendingLife, at start: Timestamp?) {
    for (isRestore, told) in [(false, life.report?.initializationDuration), (true, life.report?.restoreDuration)] {
      guard let duration = told else { continue }
      let key = InitializationKey(life.stream, isRestore: isRestore, duration)
      initializations[key, default: InitializationCounts()].toldByInvocations += 1
      let counts = initializations[key] ?? InitializationCounts()
      guard counts.toldByInvocations > counts.told.count else { continue }
      initialize(life.stream, at: start, isRestore ? .snapStart : .onDemand, .initialization, .success, duration)
    }
  }

  /// The first year in which the line START is written when the invocation begins, and not before the initialization.
  private static let startLinesMeanStarts = Timestamp(seconds: 1_640_995_200)

  private static func interval(of life: PendingLife) -> Interval {
    let duration = life.report?.duration ?? life.runtimeDuration ?? life.limit
    let end = life.reportTime ?? life.endTime
    switch (life.startTime, end, duration) {
    case (let start?, let end?, let duration?):
      if start >= startLinesMeanStarts {
        // The report is written a moment after the end; if the lengths of time do not fit, both lines were cut to a millisecond.
        let begin = end - start < duration ? end - duration : start
        return Interval(start: begin, end: max(end, start), isStartInferred: false, isTimed: true)
      }
      return Interval(start: max(start, end - duration), end: end, isStartInferred: true, isTimed: true)
    case (let start?, let end?, nil): return Interval(start: start, end: end, isStartInferred: false, isTimed: true)
    case (let start?, nil, let duration?):
      return Interval(start: start, end: start + duration, isStartInferred: false, isTimed: true)
    case (nil, let end?, let duration?):
      return Interval(start: end - duration, end: end, isStartInferred: true, isTimed: true)
    default:
      // An end alone does not say how long it was, and a start alone not whether it has ended.
      let none = Timestamp(nanoseconds: 0)
      return Interval(start: none, end: none, isStartInferred: false, isTimed: false)
    }
  }

  private static func outcome(of life: PendingLife) -> Outcome {
    let told = life.report.flatMap { PendingLife.Failure($0.status, $0.errorType) }
    guard let failure = [told, life.failure].compactMap(\.self).max() else { return .success }
    switch failure {
    case .timeout: return .timeout
    case .outOfMemory: return .outOfMemory
    case .killed: return isMemoryUsedUp(life.report) ? .outOfMemory : .crash
    case .crash: return .crash
    case .error: return .error
    }
  }

  /// Whether a kill can have been for lack of memory: also if nothing says how much was used.
  private static func isMemoryUsedUp(_ report: PlatformEvent.Report?) -> Bool {
    guard let used = report?.memoryUsedMegabytes, let size = report?.memorySizeMegabytes else { return true }
    return used >= size - max(1, size / 10)
  }
}
