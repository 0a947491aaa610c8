/// The measure that a ``Distribution`` counts, which decides its unit and its buckets.
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
@safe struct BucketLayout: @unchecked Sendable {
  // The tables are written once, before the layout can be seen, and never freed: a layout is a few pointers to
  // constants, so that reading one in the hottest path counts no references.

  static let subdivisions = 16

  /// Powers of 2^(1/16), correctly rounded.
  nonisolated(unsafe) private static let significandBounds = unsafe table([
    1.0, 1.0442737824274138, 1.0905077326652577, 1.1387886347566916, 1.189207115002721, 1.241857812073484,
    1.2968395546510096, 1.3542555469368927, 1.4142135623730951, 1.4768261459394993, 1.5422108254079407,
    1.6104903319492543, 1.681792830507429, 1.7562521603732995, 1.8340080864093424, 1.9152065613971474, 2.0,
  ])

  // One nanosecond lies in bucket -478; bucket 400 ends at 2^25 s, about a year.
  private static let durations = BucketLayout(
    scale: 1e9, indices: -480...400,
    classic: [
      1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000, 100_000_000, 250_000_000, 500_000_000,
      1_000_000_000, 2_500_000_000, 5_000_000_000, 10_000_000_000, 30_000_000_000, 60_000_000_000, 120_000_000_000,
      300_000_000_000, 600_000_000_000, 900_000_000_000, 3_600_000_000_000, 14_400_000_000_000, 86_400_000_000_000,
    ])
  // Up to 16 TiB. Powers of two are bounds of schema 4 already.
  private static let bytes = BucketLayout(scale: 1, indices: 0...704, classic: [])

  /// Recorded values per shown unit.
  let scale: Double
  /// The buckets that are counted; values outside fall into the first or the last.
  let firstBucket: Int
  let lastBucket: Int
  let cellCount: Int
  var bucketCount: Int { lastBucket - firstBucket + 1 }
  /// ``significandBounds``, so that finding a cell asks for no other constant.
  private let significands: UnsafePointer<Double>
  /// By bucket (from the first), its first cell.
  private let firstCells: UnsafePointer<Int32>
  /// By bucket (from the first), the classic bound that cuts it, as a recorded value; `Int64.max` where none does.
  private let cuts: UnsafePointer<Int64>
  /// By cell, the inclusive upper bound in the shown unit.
  private let upperBounds: UnsafePointer<Double>
  /// By cell, the bucket that it is part of.
  private let buckets: UnsafePointer<Int32>

  private init(scale: Double, indices: ClosedRange<Int>, classic: [Int64]) {
    self.scale = scale
    firstBucket = indices.lowerBound
    lastBucket = indices.upperBound
    var cutByBucket: [Int: Int64] = [:]
    for bound in classic {
      let shown = Double(bound) / scale
      let index = BucketLayout.bucketIndex(shown)
      // A bound that is a bucket's own needs no cut.
      if BucketLayout.upperBound(ofBucket: index) != shown { cutByBucket[index] = bound }
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
      upperBounds.append(BucketLayout.upperBound(ofBucket: index))
      buckets.append(Int32(index))
    }
    cellCount = upperBounds.count
    unsafe significands = BucketLayout.significandBounds
    unsafe self.firstCells = BucketLayout.table(firstCells)
    unsafe self.cuts = BucketLayout.table(cuts)
    unsafe self.upperBounds = BucketLayout.table(upperBounds)
    unsafe self.buckets = BucketLayout.table(buckets)
  }

  private static func table<Element>(_ elements: [Element]) -> UnsafePointer<Element> {
    let table = UnsafeMutablePointer<Element>.allocate(capacity: elements.count)
    unsafe table.initialize(from: elements, count: elements.count)
    return unsafe UnsafePointer(table)
  }

  @inline(__always) static func of(_ measure: Measure) -> BucketLayout {
    switch measure {
    case .duration: durations
    case .bytes: bytes
    }
  }

  /// The schema 4 bucket of a positive, finite value.
  static func bucketIndex(_ value: Double) -> Int { unsafe bucketIndex(value, significandBounds) }

  @inline(__always) private static func bucketIndex(_ value: Double, _ bounds: UnsafePointer<Double>) -> Int {
    let significand = Double(bitPattern: value.bitPattern & 0x000F_FFFF_FFFF_FFFF | 0x3FF0_0000_0000_0000)
    let exponent = Int(truncatingIfNeeded: value.bitPattern >> 52) & 0x7FF &- 1_023
    // 16 log2(1 + x) lies between 16 x and 16 x + 1.4, so at most three steps lead from the guess to the bucket. The
    // guess is the four leading bits of the fraction; the last bound, 2, stops the search.
    var step = Int(truncatingIfNeeded: value.bitPattern >> 48) & 15
    while unsafe bounds[step] < significand { step &+= 1 }
    return step &+ exponent &* subdivisions
  }

  /// The inclusive upper bound of a schema 4 bucket.
  static func upperBound(ofBucket index: Int) -> Double {
    Double(sign: .plus, exponent: index >> 4, significand: unsafe significandBounds[index & 15])
  }

  /// The cell of a recorded value; the value is at least 1.
  @inline(__always) func cell(_ recorded: Int64) -> Int {
    let index = unsafe BucketLayout.bucketIndex(Double(recorded) / scale, significands)
    let bucket = min(max(index, firstBucket), lastBucket) - firstBucket
    return unsafe Int(firstCells[bucket]) + (recorded > cuts[bucket] ? 1 : 0)
  }

  /// The bucket that a cell is part of.
  func bucket(ofCell cell: Int) -> Int {
    precondition(cell >= 0 && cell < cellCount, "BUG: cell \(cell) of \(cellCount)")
    return unsafe Int(buckets[cell])
  }

  /// The inclusive upper bound of a cell in the shown unit.
  func upperBound(ofCell cell: Int) -> Double {
    precondition(cell >= 0 && cell < cellCount, "BUG: cell \(cell) of \(cellCount)")
    return unsafe upperBounds[cell]
  }

  /// The exclusive lower bound of a cell in the shown unit.
  func lowerBound(ofCell cell: Int) -> Double {
    cell == 0 ? BucketLayout.upperBound(ofBucket: firstBucket - 1) : upperBound(ofCell: cell - 1)
  }

  /// How many cells lie at or below a bound.
  ///
  /// - Returns: `nil` if the bound cuts through a cell, so that no exact count at or below it exists.
  func cells(atOrBelow bound: Double) -> Int? {
    (0..<cellCount).first { upperBound(ofCell: $0) == bound }.map { $0 + 1 }
  }

  /// The cell of one side of a bucket's cut; `nil` for a side that the bucket does not have.
  func cell(ofBucket index: Int, aboveCut: Bool) -> Int? {
    guard index >= firstBucket, index <= lastBucket else { return nil }
    let bucket = index - firstBucket
    let isCut = unsafe cuts[bucket] != .max
    guard isCut || !aboveCut else { return nil }
    return unsafe Int(firstCells[bucket]) + (aboveCut ? 1 : 0)
  }
}
