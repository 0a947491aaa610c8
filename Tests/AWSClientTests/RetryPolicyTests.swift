import AWSClient
import Testing

private func refusal(_ status: Int, _ code: String = "X", retryAfter: Int? = nil) -> AWSClientError {
  AWSClientError(
    .refused, "no", refusal: .init(code: code, message: "", status: status, retryAfterSeconds: retryAfter))
}

/// The longest pause of those that chance may choose.
private func longest(_ range: ClosedRange<Int64>) -> Int64 { range.upperBound }

@Suite struct `A policy of repetitions` {
  @Test func `doubles the longest pause up to its limit, and chooses from none on`() {
    let policy = RetryPolicy(attemptsLimit: 100)
    let pauses = (1...9).map { policy.delay(after: refusal(503), attempt: $0, random: longest) }
    #expect(
      pauses == [
        .milliseconds(500), .seconds(1), .seconds(2), .seconds(4), .seconds(8), .seconds(16), .seconds(20),
        .seconds(20), .seconds(20),
      ])
    #expect(policy.delay(after: refusal(503), attempt: 99, random: { $0.lowerBound }) == .zero)
    #expect(policy.delay(after: refusal(503), attempt: 1, random: { _ in 123_456_789 }) == .nanoseconds(123_456_789))
  }

  @Test func `tries three times unless it is told something else`() {
    #expect(RetryPolicy().delay(after: refusal(500), attempt: 2, random: longest) == .seconds(1))
    #expect(RetryPolicy().delay(after: refusal(500), attempt: 3, random: longest) == nil)
    #expect(RetryPolicy(attemptsLimit: 1).delay(after: refusal(500), attempt: 1, random: longest) == nil)
  }

  @Test(arguments: [429, 500, 502, 503, 504])
  func `repeats what may be over in a moment`(_ status: Int) {
    #expect(RetryPolicy().delay(after: refusal(status), attempt: 1, random: longest) != nil)
  }

  @Test(arguments: ["ThrottlingException", "Throttling", "RequestLimitExceeded", "SlowDown"])
  func `knows throttling by its name, whatever the status`(_ code: String) {
    #expect(RetryPolicy().delay(after: refusal(400, code), attempt: 1, random: longest) != nil)
  }

  @Test(arguments: [400, 403, 404, 409, 412, 413, 501])
  func `repeats no refusal that will be the same`(_ status: Int) {
    #expect(RetryPolicy().delay(after: refusal(status, retryAfter: 1), attempt: 1, random: longest) == nil)
  }

  @Test(arguments: [
    (0, Duration.zero), (2, .seconds(2)), (30, .seconds(30)), (31, .milliseconds(500)), (-1, .milliseconds(500)),
  ])
  func `waits as long as the server says, within reason`(_ seconds: Int, _ pause: Duration) {
    #expect(RetryPolicy().delay(after: refusal(429, retryAfter: seconds), attempt: 1, random: longest) == pause)
  }

  @Test func `repeats connections that fail, unless it is told not to, and nothing else without an answer`() {
    let failed = AWSClientError(.unreachable, "closed", isConnectionFailure: true)
    #expect(RetryPolicy().delay(after: failed, attempt: 1, random: longest) == .milliseconds(500))
    #expect(RetryPolicy(repeatsConnections: false).delay(after: failed, attempt: 1, random: longest) == nil)
    for code in [AWSClientError.Code.unreachable, .timedOut, .malformed, .credentials, .settings] {
      #expect(RetryPolicy().delay(after: AWSClientError(code, "x"), attempt: 1, random: longest) == nil)
    }
  }
}
