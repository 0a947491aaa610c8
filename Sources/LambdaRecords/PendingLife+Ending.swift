import Lifecycle

// What the lines of an invocation make of its times and its end.
extension PendingLife {
  /// The first year in which the line START is written when the invocation begins, and not before the initialization.
  private static let startLinesMeanStarts = Timestamp(seconds: 1_640_995_200)

  /// When it was, by what its lines say.
  var interval: LifeInterval {
    let end = reportTime ?? endTime
    switch (startTime, end, duration) {
    case (let start?, let end?, let duration?):
      if start >= PendingLife.startLinesMeanStarts {
        // The report is written a moment after the end; if the lengths of time do not fit, both lines were cut to a millisecond.
        let begin = end - start < duration ? end - duration : start
        return LifeInterval(start: begin, end: max(end, start), isStartInferred: false, isTimed: true)
      }
      let begin = max(start, end - duration)
      // What both times lack that were cut lies behind the report.
      let last = min(begin + duration, end + ServedTimes.grain)
      return LifeInterval(start: begin, end: max(end, last), isStartInferred: true, isTimed: true)
    case (let start?, let end?, nil): return LifeInterval(start: start, end: end, isStartInferred: false, isTimed: true)
    case (let start?, nil, let duration?):
      return LifeInterval(start: start, end: start + duration, isStartInferred: false, isTimed: true)
    case (nil, let end?, let duration?):
      return LifeInterval(start: end - duration, end: end, isStartInferred: true, isTimed: true)
    default:
      // An end alone does not say how long it was, and a start alone not whether it has ended.
      let none = Timestamp(nanoseconds: 0)
      return LifeInterval(start: none, end: none, isStartInferred: false, isTimed: false)
    }
  }

  /// Within which times lines of it lie, as far as is known; `nil` if it has none.
  var extent: (start: Timestamp, end: Timestamp)? {
    let interval = interval
    if interval.isTimed { return (interval.start, interval.end) }
    // It may have gone on for as long as invocations may take, before its end and behind its start.
    if let startTime { return (startTime, startTime + LifeReconstruction.invocationMax) }
    return (reportTime ?? endTime).map { ($0 - LifeReconstruction.invocationMax, $0) }
  }

  /// How long after the sign of a repeated initialization an invocation has ended at the latest that waited for it: one that follows within
  /// the longest invocation. Imports read a little more than this around what they compute.
  private static let signReach = LifeReconstruction.invocationMax + LifeReconstruction.invocationMax

  /// Takes the sign of a repeated initialization as one that it waited for, unless that was long before: then another one did, or none.
  mutating func waited(forInitializationAt time: Timestamp, until end: Timestamp) {
    if end <= time + PendingLife.signReach { waitedForInitialization = true }
  }

  /// How it ended.
  var outcome: Outcome {
    let told = report.flatMap { PendingLife.Failure($0.status, $0.errorType) }
    guard let failure = [told, failure].compactMap(\.self).max() else { return .success }
    switch failure {
    case .timeout: return .timeout
    case .outOfMemory: return .outOfMemory
    case .killed: return isMemoryUsedUp ? .outOfMemory : .crash
    case .crash: return .crash
    case .error: return .error
    }
  }

  /// Whether a kill can have been for lack of memory: also if nothing says how much was used.
  private var isMemoryUsedUp: Bool {
    guard let used = report?.memoryUsedMegabytes, let size = report?.memorySizeMegabytes else { return true }
    return used >= size - max(1, size / 10)
  }
}
