public import Lifecycle
import Windows

/// A value of a sample, exact.
public enum MetricValue: Sendable, Equatable {
  /// A gauge in whole numbers.
  case integer(Int64)
  /// A counter.
  case unsigned(UInt64)
  /// A fixed-point number with nine decimals, such as nanoseconds of a value in seconds.
  case billionths(Int128)

  /// A length in seconds, exact to the nanosecond.
  public static func duration(_ length: Nanoseconds) -> MetricValue { .billionths(Int128(length.count)) }
  /// An instant in seconds since the Unix epoch, exact to the nanosecond.
  public static func instant(_ time: Timestamp) -> MetricValue { .billionths(Int128(time.nanoseconds)) }

  /// To nine decimals. What is not finite, or beyond any ratio, counts as 0.
  public static func ratio(_ value: Double) -> MetricValue {
    .billionths(Int128(exactly: (value * 1e9).rounded()) ?? 0)
  }

  /// For formats that have no other numbers. The nearest, or beyond 2^53 billionths the one beside it.
  public var nearestDouble: Double {
    switch self {
    case .integer(let value): return Double(value)
    case .unsigned(let value): return Double(value)
    case .billionths(let value):
      // Both are exact, so their quotient is rounded once.
      let low = Int64(truncatingIfNeeded: value)
      if Int128(low) == value, low.magnitude <= 1 << 53 { return Double(low) / 1e9 }
      let (whole, rest) = value.quotientAndRemainder(dividingBy: 1_000_000_000)
      return Double(whole) + Double(rest) / 1e9
    }
  }
}

/// The samples of one metric of one function, in place: filling it again allocates nothing.
public struct SampleBuffer: Sendable {
  /// The most samples that it takes.
  public static let capacity = 8

  /// One value, and which of the family's series it belongs to.
  public struct Sample: Sendable {
    /// The position in ``MetricLabel/values``; 0 without a label.
    public var labelValue: Int
    /// The value, in the family's unit.
    public var value: MetricValue
  }

  /// How many samples there are, from 0 to ``capacity``.
  public private(set) var count = 0
  private var samples = InlineArray<8, Sample>(repeating: Sample(labelValue: 0, value: .integer(0)))

  /// Makes a buffer without samples.
  public init() {}

  /// The sample at a position from 0 up to ``count``, which is not included.
  public subscript(position: Int) -> Sample { samples[position] }

  /// Makes room for the samples of the next function, and keeps the memory.
  public mutating func removeAll() { count = 0 }

  mutating func add(_ value: MetricValue, labelValue: Int = 0) {
    samples[count] = Sample(labelValue: labelValue, value: value)
    count += 1
  }

  /// A sample for every word, also for those that were never counted.
  mutating func add<Key: Word>(_ counts: WordCounts<Key>) {
    for key in Key.allCases { add(.unsigned(counts[key]), labelValue: Int(key.rawValue)) }
  }
}
