public import Lifecycle
internal import Synchronization

/// 2026-11-23T10:00:00Z, the start of a window in every tier.
public let ten = Timestamp(seconds: 1_795_428_000)

/// A clock that stands still until it is moved, beside a wall clock that can be set.
public final class ManualClock: Sendable {
  private struct State {
    var passed = Nanoseconds.zero
    var origin = ten
  }

  private let state = Mutex(State())

  public init() {}

  /// Ten o'clock, and the time that has passed.
  public var now: Timestamp { state.withLock { ten + $0.passed } }

  /// A process's clock, made when both were the same.
  public var steady: SteadyClock { SteadyClock(wall: { self.wall }, elapsed: { self.now - ten }) }

  /// What the wall clock shows.
  public var wall: Timestamp { state.withLock { $0.origin + $0.passed } }

  public func advance(_ length: Nanoseconds) { state.withLock { $0.passed = $0.passed + length } }
  public func advance(_ seconds: Int64) { advance(.seconds(seconds)) }

  /// Sets the wall clock forward, or back by a negative length.
  public func setWall(by length: Nanoseconds) { state.withLock { $0.origin = $0.origin + length } }
}
