/// What a ``Distribution`` counts, which decides its unit and its buckets.
public enum Measure: UInt8, Sendable, CaseIterable {
  /// Recorded in nanoseconds, shown in seconds.
  case duration
  /// Recorded and shown in bytes.
  case bytes
}

/// The cells in which distributions of one measure count.
///
/// Cells are the buckets of a Prometheus native histogram of schema 4 (bucket `i` is `(2^((i-1)/16), 2^(i/16)]` in the
/// shown unit, after prometheus.io/docs/specs/native_histograms), each cut in two where a classic bound falls into it. So one array of
/// counts gives native buckets by adding at most two cells, and classic buckets exactly.
@usableFromInline
struct BucketLayout: Sendable {
  @usableFromInline static let subdivisions = 16

  /// Powers of 2^(1/16), correctly rounded.
  @usableFromInline static let significandBounds: [Double] = [
    1.0, 1.0442737824274138, 1.0905077326652577, 1.1387886347566916, 1.189207115002721, 1.241857812073484,
    1.2968395546510096, 1.3542555469368927, 1.4142135623730951, 1.4768261459394993, 1.5422108254079407,
    1.6104903319492543, 1.681792830507429, 1.7562521603732995, 1.8340080864093424, 1.9152065613971474, 2.0,
  ]

  /// The measures' layouts, by raw value.
  @usableFromInline static let all: [BucketLayout] = [
    // One nanosecond lies in bucket -478; bucket 400 ends at 2^25 s, about a year.
    BucketLayout(
      scale: 1e9, indices: -480...400,
      classic: [
        1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000, 100_000_000, 250_000_000, 500_000_000,
        1_000_000_000, 2_500_000_000, 5_000_000_000, 10_000_000_000, 30_000_000_000, 60_000_000_000,
        120_000_000_000, 300_000_000_000, 600_000_000_000, 900_000_000_000, 3_600_000_000_000, 14_400_000_000_000,
        86_400_000_000_000,
      ]),
    // Up to 16 TiB. Powers of two are bounds of schema 4 already.
    BucketLayout(scale: 1, indices: 0...704, classic: []),
  ]

  /// Recorded values per shown unit.
  @usableFromInline let scale: Double
  /// The buckets that are counted; values outside fall into the first or the last.
  @usableFromInline let indices: ClosedRange<Int>
  /// By bucket (from the first), its first cell.
  @usableFromInline let firstCells: [Int32]
  /// By bucket (from the first), the classic bound that cuts it, as a recorded value; `Int64.max` where none does.
  @usableFromInline let cuts: [Int64]
  /// By cell, the inclusive upper bound in the shown unit.
  @usableFromInline let upperBounds: [Double]
  /// By cell, the bucket that it is part of.
  @usableFromInline let buckets: [Int32]

  init(scale: Double, indices: ClosedRange<Int>, classic: [Int64]) {
    self.scale = scale
    self.indices = indices
    var cutByBucket: [Int: Int64] = [:]
    for bound in classic {
      let shown = Double(bound) / scale
      let index = BucketLayout.bucketIndex(shown)
      // A bound that is a bucket's own needs no cut.
      if BucketLayout.upperBound(index) != shown { cutByBucket[index] = bound }
    }
    var firstCells: [Int32] = []
    var cuts: [Int64] = []
    var upperBounds: [Double] = []
    var buckets: [Int32] = []
    for index in indices {
      firstCells.append(Int32(upperBounds.count))
      let cut = cutByBucket[index]
      cuts.append(cut ?? .max)
      if let cut {
        upperBounds.append(Double(cut) / scale)
        buckets.append(Int32(index))
      }
      upperBounds.append(BucketLayout.upperBound(index))
      buckets.append(Int32(index))
    }
    self.firstCells = firstCells
    self.cuts = cuts
    self.upperBounds = upperBounds
    self.buckets = buckets
  }

  @usableFromInline static func of(_ measure: Measure) -> BucketLayout { all[Int(measure.rawValue)] }

  /// The schema 4 bucket of a positive, finite value.
  @inlinable static func bucketIndex(_ value: Double) -> Int {
    let significand = value.significand
    // 16 log2(1 + x) lies between 16 x and 16 x + 1.4, so at most three steps lead from the guess to the bucket.
    var step = Int((significand - 1) * 16)
    while significandBounds[step] < significand { step += 1 }
    return step + Int(value.exponent) * subdivisions
  }

  /// The inclusive upper bound of a schema 4 bucket.
  @inlinable static func upperBound(_ index: Int) -> Double {
    let exponent = index >> 4
    return Double(sign: .plus, exponent: exponent, significand: significandBounds[index & 15])
  }

  /// The cell of a recorded value; the value is at least 1.
  @inlinable func cell(_ recorded: Int64) -> Int {
    let index = BucketLayout.bucketIndex(Double(recorded) / scale)
    let bucket = min(max(index, indices.lowerBound), indices.upperBound) - indices.lowerBound
    return Int(firstCells[bucket]) + (recorded > cuts[bucket] ? 1 : 0)
  }

  /// The exclusive lower bound of a cell in the shown unit.
  func lowerBound(ofCell cell: Int) -> Double {
    cell == 0 ? BucketLayout.upperBound(indices.lowerBound - 1) : upperBounds[cell - 1]
  }

  /// How many cells lie at or below a bound.
  ///
  /// - Returns: `nil` if the bound cuts through a cell, so that no exact count at or below it exists.
  func cells(atOrBelow bound: Double) -> Int? {
    guard let cell = upperBounds.firstIndex(of: bound) else { return nil }
    return cell + 1
  }
}
