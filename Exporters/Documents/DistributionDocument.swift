import Text
public import Windows

/// A distribution in a document: `{"count":5,"sum":4.1,"min":0.01,"max":1,"p50":0.9,"p95":1,"p99":1}`, and
/// `{"count":0}` while there is no value.
///
/// Values are kept as recorded (nanoseconds or bytes); durations are written in seconds.
public struct DistributionDocument: Sendable, Equatable {
  /// The measure: whether values are nanoseconds or bytes.
  public var measure: Measure
  /// How many values there are. If 0, all other numbers are 0 and say nothing.
  public var count: UInt64
  /// The sum of all values; exact.
  public var sum: Int128
  /// The smallest value; exact.
  public var minimum: Int64
  /// The largest value; exact.
  public var maximum: Int64
  /// Right to 2.2 %, within ``minimum`` and ``maximum``.
  public var p50: Int64
  /// The value that 95 % of all are at or below; as exact as ``p50``.
  public var p95: Int64
  /// The value that 99 % of all are at or below; as exact as ``p50``.
  public var p99: Int64

  /// Without a value.
  public init(_ measure: Measure) {
    self.measure = measure
    count = 0
    sum = 0
    minimum = 0
    maximum = 0
    p50 = 0
    p95 = 0
    p99 = 0
  }

  /// Computes the quantiles of a distribution.
  ///
  /// - Complexity: O(buckets).
  public init(_ distribution: Distribution) {
    self.init(distribution.measure)
    count = distribution.count
    sum = distribution.sum
    minimum = distribution.minimum
    maximum = distribution.maximum
    p50 = DistributionDocument.recorded(distribution.quantile(0.5), distribution)
    p95 = DistributionDocument.recorded(distribution.quantile(0.95), distribution)
    p99 = DistributionDocument.recorded(distribution.quantile(0.99), distribution)
  }

  /// The mean in recorded units, rounded to the nearest; `nil` while there is no value.
  public var mean: Int64? {
    guard count > 0 else { return nil }
    return Int64(clamping: (sum + Int128(count) / 2) / Int128(count))
  }

  private static func recorded(_ shown: Double?, _ distribution: Distribution) -> Int64 {
    guard let shown else { return 0 }
    let recorded = Int64(exactly: (shown * (distribution.measure == .duration ? 1e9 : 1)).rounded())
    return min(max(recorded ?? distribution.maximum, distribution.minimum), distribution.maximum)
  }
}

extension DistributionDocument {
  func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.member("count", count)
    if count > 0 {
      write("sum", sum, to: &writer)
      write("min", Int128(minimum), to: &writer)
      write("max", Int128(maximum), to: &writer)
      write("p50", Int128(p50), to: &writer)
      write("p95", Int128(p95), to: &writer)
      write("p99", Int128(p99), to: &writer)
    }
    writer.endObject()
  }

  private func write(_ name: String, _ value: Int128, to writer: inout JSONWriter) {
    switch measure {
    case .duration: writer.member(name, nanoseconds: value)
    case .bytes: writer.member(name, value)
    }
  }

  init(_ measure: Measure, from reader: inout JSONReader) throws(JSONError) {
    var document = DistributionDocument(measure)
    try reader.object { (reader: inout JSONReader, name: String) throws(JSONError) in
      switch name {
      case "count": document.count = try reader.unsigned()
      case "sum": document.sum = try document.value(&reader)
      case "min": document.minimum = Int64(clamping: try document.value(&reader))
      case "max": document.maximum = Int64(clamping: try document.value(&reader))
      case "p50": document.p50 = Int64(clamping: try document.value(&reader))
      case "p95": document.p95 = Int64(clamping: try document.value(&reader))
      case "p99": document.p99 = Int64(clamping: try document.value(&reader))
      default: try reader.skip()
      }
    }
    self = document
  }

  private func value(_ reader: inout JSONReader) throws(JSONError) -> Int128 {
    switch measure {
    case .duration: try reader.nanoseconds()
    case .bytes: Int128(try reader.signed())
    }
  }
}
