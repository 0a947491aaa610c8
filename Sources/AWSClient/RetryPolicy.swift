/// Which failed calls are repeated, how often, and after what time. Pure.
///
/// Repeated is what may be over in a moment: throttling, faults of the service (500, 502, 503, 504), and connections that
/// fail. The pause before a repetition is chosen from all lengths between none and a longest, which doubles with each attempt
/// (AWS calls this exponential back-off with full jitter): clients that failed together do not come back together.
package struct RetryPolicy: Hashable, Sendable {
  /// How often a call is tried in all, unless something else is configured.
  package static let attemptsUsual = 3
  /// The longest pause after the first attempt.
  package static let firstDelayMax = Duration.milliseconds(500)
  /// The longest pause of all.
  package static let delayMax = Duration.seconds(20)
  /// The longest pause that a server's `Retry-After` is believed.
  package static let retryAfterSecondsMax = 30

  /// How often a call is tried in all; at least 1.
  package var attemptsLimit: Int
  /// Whether a connection that fails is tried again. A server on this machine that nobody has started is not there a
  /// second later either, and a person waits for the answer.
  package var repeatsConnections: Bool

  /// Makes a policy of its parts.
  package init(attemptsLimit: Int = RetryPolicy.attemptsUsual, repeatsConnections: Bool = true) {
    self.attemptsLimit = attemptsLimit
    self.repeatsConnections = repeatsConnections
  }

  /// How long to wait before a call is repeated; `nil` if it is not.
  ///
  /// - Parameters:
  ///   - attempt: Which attempt failed, from 1.
  ///   - random: A number in a range, of nanoseconds.
  package func delay(
    after failure: AWSClientError, attempt: Int, random: (ClosedRange<Int64>) -> Int64
  ) -> Duration? {
    guard attempt < attemptsLimit else { return nil }
    if let refusal = failure.refusal {
      guard RetryPolicy.isPassing(refusal) else { return nil }
      if let seconds = refusal.retryAfterSeconds, (0...RetryPolicy.retryAfterSecondsMax).contains(seconds) {
        return .seconds(seconds)
      }
    } else {
      guard failure.isConnectionFailure, repeatsConnections else { return nil }
    }
    return .nanoseconds(random(0...RetryPolicy.longestNanoseconds(after: attempt)))
  }

  private static func longestNanoseconds(after attempt: Int) -> Int64 {
    // 500 ms, 1 s, 2 s and so on; beyond the sixth doubling all are the longest.
    let longest = firstDelayMax * (1 << min(6, attempt - 1))
    let (seconds, attoseconds) = min(delayMax, longest).components
    return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
  }

  private static func isPassing(_ refusal: AWSClientError.Refusal) -> Bool {
    [429, 500, 502, 503, 504].contains(refusal.status) || throttlingCodes.contains(refusal.code)
  }

  /// AWS's names for "too fast", of all services; those with another status than 429 are told apart only by them.
  private static let throttlingCodes: Set<String> = [
    "Throttling", "ThrottlingException", "ThrottledException", "RequestThrottledException", "RequestThrottled",
    "TooManyRequestsException", "ProvisionedThroughputExceededException", "RequestLimitExceeded",
    "BandwidthLimitExceeded", "SlowDown", "PriorRequestNotComplete", "TransactionInProgressException",
    "EC2ThrottledException",
  ]
}
