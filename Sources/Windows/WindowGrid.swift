public import Lifecycle

/// How time is divided into windows: `[k·length, (k+1)·length)` in event time, for every integer `k`.
public struct WindowGrid: Sendable, Hashable {
  /// The length of a window: at least a nanosecond.
  public let length: Nanoseconds

  /// Makes the grid of windows of one length.
  ///
  /// - Precondition: `length` is above zero.
  public init(length: Nanoseconds) {
    precondition(length.count > 0, "BUG: a window of \(length.count) ns")
    self.length = length
  }

  /// The window that an instant falls into; its start belongs to it, its end does not.
  @inlinable public func index(of time: Timestamp) -> Int64 {
    let quotient = time.nanoseconds / length.count
    return time.nanoseconds % length.count < 0 ? quotient - 1 : quotient
  }

  /// The first instant of a window; saturates.
  @inlinable public func start(_ index: Int64) -> Timestamp {
    let (product, overflow) = index.multipliedReportingOverflow(by: length.count)
    return Timestamp(nanoseconds: overflow ? (index < 0 ? .min : .max) : product)
  }

  /// The first instant after a window; saturates.
  @inlinable public func end(_ index: Int64) -> Timestamp { start(index) + length }

  /// The instants of a window.
  func range(_ index: Int64) -> Range<Timestamp> { start(index)..<end(index) }
}
