import Lifecycle

/// An initialization as a report of it, and the report of the invocation behind it, both tell it.
struct InitializationKey: Hashable, Sendable {
  var stream: Int
  var isRestore: Bool
  /// To a hundredth of a millisecond, as lines have it.
  var hundredths: Int64

  /// To the same precision.
  var duration: Nanoseconds { Nanoseconds(hundredths &* 10_000) }

  init(_ stream: Int, isRestore: Bool, _ duration: Nanoseconds) {
    self.stream = stream
    self.isRestore = isRestore
    hundredths = (duration.count &+ 5_000) / 10_000
  }
}

/// How often an initialization of one stream and length was told.
struct InitializationCounts: Sendable {
  /// By reports of their own, with the times that they came at, so that a repeated one does not count.
  var told: [Timestamp?] = []
  var toldByInvocations = 0
}

/// The initializations that had reports of their own, by their lengths: another container of the same log may not name its streams.
struct ToldInitializations: Sendable {
  private struct Told: Sendable {
    var stream: Int
    var isNamed: Bool
    var function: String?
    /// Containers may cut it to seconds, or have none.
    var time: Timestamp?
  }

  private var byLength: [InitializationKey: [Told]] = [:]

  /// Whether one was told before in a stream that may be the same one, as one of the two has no name. If not, it is noted.
  mutating func isCopy(_ key: InitializationKey, of stream: StreamRecord, at time: Timestamp?) -> Bool {
    let number = key.stream
    var key = key
    key.stream = -1
    let told = byLength[key, default: []]
    let isKnown = told.contains { other in
      guard other.stream != number, !other.isNamed || !stream.isNamed else { return false }
      if let one = other.function, let two = stream.function, one != two { return false }
      guard let one = other.time, let time else { return true }
      return (one - time).count.magnitude < 1_000_000_000
    }
    if !isKnown, told.count < LifeReconstruction.signsMax {
      byLength[key, default: []].append(
        Told(stream: number, isNamed: stream.isNamed, function: stream.function, time: time))
    }
    return isKnown
  }
}
