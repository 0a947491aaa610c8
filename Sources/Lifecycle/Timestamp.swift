/// An instant, in nanoseconds since the Unix epoch, of the clock where the event happened.
///
/// Negative values lie before 1970. Arithmetic saturates at the bounds of `Int64` (years 1677 and 2262), because
/// instants arrive from outside and must not trap.
public struct Timestamp: Hashable, Comparable, Sendable {
  /// Nanoseconds since the Unix epoch, leap seconds not counted.
  public var nanoseconds: Int64

  /// An instant from nanoseconds since the Unix epoch.
  @inlinable public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  /// An instant from whole seconds since the epoch; saturates.
  @inlinable public init(seconds: Int64) {
    let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    nanoseconds = overflow ? (seconds < 0 ? .min : .max) : product
  }

  /// Whether the left instant is the earlier one.
  @inlinable public static func < (left: Timestamp, right: Timestamp) -> Bool { left.nanoseconds < right.nanoseconds }

  /// Saturates.
  @inlinable public static func + (left: Timestamp, right: Nanoseconds) -> Timestamp {
    let (sum, overflow) = left.nanoseconds.addingReportingOverflow(right.count)
    return Timestamp(nanoseconds: overflow ? (right.count < 0 ? .min : .max) : sum)
  }

  /// Saturates.
  @inlinable public static func - (left: Timestamp, right: Nanoseconds) -> Timestamp {
    let (difference, overflow) = left.nanoseconds.subtractingReportingOverflow(right.count)
    return Timestamp(nanoseconds: overflow ? (right.count < 0 ? .max : .min) : difference)
  }

  /// The time from the right instant to the left one; negative if the left one is earlier. Saturates.
  @inlinable public static func - (left: Timestamp, right: Timestamp) -> Nanoseconds {
    let (difference, overflow) = left.nanoseconds.subtractingReportingOverflow(right.nanoseconds)
    return Nanoseconds(overflow ? (left < right ? .min : .max) : difference)
  }
}

/// A length of time in nanoseconds. Negative lengths are possible; who needs a non-negative one says so.
///
/// `Swift.Duration` counts attoseconds in 128 bits; events carry 64-bit nanoseconds, and the aggregator adds hundreds of
/// millions of them, so the model keeps the width of the wire.
public struct Nanoseconds: Hashable, Comparable, Sendable {
  /// The length in nanoseconds; any value is valid.
  public var count: Int64

  /// A length from a count of nanoseconds.
  @inlinable public init(_ count: Int64) { self.count = count }

  /// A length of whole seconds; saturates.
  @inlinable public static func seconds(_ seconds: Int64) -> Nanoseconds {
    let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    return Nanoseconds(overflow ? (seconds < 0 ? .min : .max) : product)
  }

  /// A length of whole milliseconds; saturates.
  @inlinable public static func milliseconds(_ milliseconds: Int64) -> Nanoseconds {
    let (product, overflow) = milliseconds.multipliedReportingOverflow(by: 1_000_000)
    return Nanoseconds(overflow ? (milliseconds < 0 ? .min : .max) : product)
  }

  /// No time at all.
  @inlinable public static var zero: Nanoseconds { Nanoseconds(0) }

  /// The length in seconds, rounded to the nearest `Double`.
  @inlinable public var seconds: Double { Double(count) / 1e9 }

  /// Whether the left length is the smaller one; all negative lengths are smaller than zero.
  @inlinable public static func < (left: Nanoseconds, right: Nanoseconds) -> Bool { left.count < right.count }

  /// Saturates.
  @inlinable public static func + (left: Nanoseconds, right: Nanoseconds) -> Nanoseconds {
    let (sum, overflow) = left.count.addingReportingOverflow(right.count)
    return Nanoseconds(overflow ? (right.count < 0 ? .min : .max) : sum)
  }
}
