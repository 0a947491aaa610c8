public import Lifecycle
internal import Synchronization

/// 2026-11-23T10:00:00Z, the start of a window in every tier.
public let ten = Timestamp(seconds: 1_795_428_000)

/// A clock that stands still until it is moved.
public final class ManualClock: Sendable {
  private let time = Mutex(ten)

  public init() {}

  public var now: Timestamp { time.withLock { $0 } }
  public func advance(_ length: Nanoseconds) { time.withLock { $0 = $0 + length } }
  public func advance(_ seconds: Int64) { advance(.seconds(seconds)) }
}
