import Lifecycle

// Attempts of one request id are told apart by the times of their lines.
extension PendingLife {
  /// What a line says of time.
  enum LineKind {
    /// The beginning.
    case start
    /// The end, and how long it took.
    case report(Nanoseconds)
    /// The end.
    case end
    /// An instant within, or a moment after the end.
    case other
  }

  /// How far a line of this time is from where it would be if it were of this attempt, in nanoseconds; `nil` if it cannot be of it.
  func distance(to kind: LineKind, at time: Timestamp?) -> Int64? {
    if isDropped { return nil }
    guard let time else { return 0 }
    let gap = LifeReconstruction.attemptGap
    let longest = LifeReconstruction.invocationMax + gap
    func near(_ expected: Timestamp) -> Int64? {
      let apart = PendingLife.apart(time, expected)
      return apart <= gap.count ? apart : nil
    }
    let last = reportTime ?? endTime
    switch kind {
    case .start:
      if let startTime { return near(startTime) }
      guard let last else { return 0 }
      if let duration {
        return near(last - duration) ?? (time >= last - duration - gap && time <= last + gap ? gap.count : nil)
      }
      return time >= last - longest && time <= last + gap ? PendingLife.apart(last, time) : nil
    case .report(let duration):
      if let reportTime { return near(reportTime) }
      if let startTime, let fit = near(startTime + duration) { return fit }
      // Then its start is that of another attempt.
      if let endTime, let fit = near(endTime) { return startTime == nil ? fit : gap.count + 1 }
      return startTime == nil && endTime == nil ? 0 : nil
    case .end, .other:
      if let reportTime, let fit = near(reportTime) { return fit }
      if case .other = kind, let last {
        let first = startTime ?? duration.map { last - $0 } ?? last - LifeReconstruction.invocationMax
        return time >= first - gap && time <= last + gap ? 0 : nil
      }
      if let last { return near(last) }
      guard let startTime else { return 0 }
      return time >= startTime - gap && time <= startTime + longest ? PendingLife.apart(time, startTime) : nil
    }
  }

  /// How far two times lie apart, in nanoseconds; no more than there is room for.
  private static func apart(_ one: Timestamp, _ other: Timestamp) -> Int64 {
    Int64(clamping: (one - other).count.magnitude)
  }

  /// Gives up a start that a report shows to be another attempt's.
  ///
  /// - Returns: What is known of that one.
  mutating func takeOtherStart(_ kind: LineKind, at time: Timestamp?) -> PendingLife? {
    guard case .report(let reported) = kind, report == nil, let time, let start = startTime,
      PendingLife.apart(time, start + reported) > LifeReconstruction.attemptGap.count
    else { return nil }
    var other = PendingLife(stream: stream)
    other.function = function
    other.hasStart = true
    other.startTime = start
    hasStart = false
    startTime = nil
    return other
  }
}
