import Lifecycle

/// A rate limit: a number of tokens in each interval, refilled continuously, and never more than one interval's worth
/// at once.
///
/// Has no clock: every call says what time it is. Exact, because it counts in parts of a token as small as a nanosecond
/// of refilling. A clock that goes back refills nothing.
struct TokenBucket: Hashable, Sendable {
  let interval: Nanoseconds
  /// Tokens in each interval, and the most that are in store.
  private(set) var limit: Int
  /// What is in store, in tokens times nanoseconds of ``interval``.
  private var level: Int128
  private var filledAt: Timestamp

  /// A full bucket.
  ///
  /// - Parameters:
  ///   - limit: At least 0.
  ///   - interval: Above zero.
  init(limit: Int, per interval: Nanoseconds, at now: Timestamp) {
    precondition(interval > .zero, "BUG: a token bucket of \(interval.count) ns")
    self.interval = interval
    self.limit = max(0, limit)
    level = Int128(max(0, limit)) * Int128(interval.count)
    filledAt = now
  }

  /// Whether ``take(at:)`` would give a token.
  mutating func hasToken(at now: Timestamp) -> Bool {
    refill(now)
    return level >= Int128(interval.count)
  }

  /// Takes a token, if there is one.
  mutating func take(at now: Timestamp) -> Bool {
    guard hasToken(at: now) else { return false }
    level -= Int128(interval.count)
    return true
  }

  /// Changes the rate from now on. What is in store stays, up to the new limit.
  mutating func setLimit(_ limit: Int, at now: Timestamp) {
    refill(now)
    self.limit = max(0, limit)
    level = min(level, Int128(self.limit) * Int128(interval.count))
  }

  private mutating func refill(_ now: Timestamp) {
    let elapsed = Int128(now.nanoseconds) - Int128(filledAt.nanoseconds)
    filledAt = now
    guard elapsed > 0 else { return }
    level = min(Int128(limit) * Int128(interval.count), level + min(elapsed, Int128(interval.count)) * Int128(limit))
  }
}
