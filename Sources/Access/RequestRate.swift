package import Lifecycle
internal import Synchronization

/// How many requests each sender may make: a bucket of tokens for each, of which a second's worth gathers.
package final class RequestRate: Sendable {
  private struct Bucket {
    var tokens: Double
    var filled: Timestamp
  }

  private let perSecond: Double
  private let sendersMax: Int
  private let buckets = Mutex<[String: Bucket]>([:])

  /// Limits each sender to a number of requests per second.
  ///
  /// - Parameters:
  ///   - perSecond: At least 1.
  ///   - sendersMax: How many senders are remembered; beyond that, those that have been silent for a second are forgotten, and if that does
  ///     not suffice, all share what one has.
  package init(perSecond: Int, sendersMax: Int = 10_000) {
    precondition(perSecond > 0 && sendersMax > 0, "BUG: \(perSecond) requests per second of \(sendersMax) senders")
    self.perSecond = Double(perSecond)
    self.sendersMax = sendersMax
  }

  /// Whether a sender may make another request now; counts it if so.
  ///
  /// - Complexity: O(1); O(senders) when there are too many of them.
  package func admits(_ sender: String, at now: Timestamp) -> Bool {
    buckets.withLock { buckets in
      var sender = sender
      if buckets[sender] == nil, buckets.count >= sendersMax {
        buckets = buckets.filter { now >= $0.value.filled && now - $0.value.filled < .seconds(1) }
        if buckets.count >= sendersMax { sender = "" }
      }
      var bucket = buckets[sender] ?? Bucket(tokens: perSecond, filled: now)
      // A clock that went back fills nothing.
      let passed = max(0, Double((now - bucket.filled).count) / 1e9)
      bucket.tokens = min(perSecond, bucket.tokens + passed * perSecond)
      bucket.filled = now
      let isAdmitted = bucket.tokens >= 1
      if isAdmitted { bucket.tokens -= 1 }
      buckets[sender] = bucket
      return isAdmitted
    }
  }
}
