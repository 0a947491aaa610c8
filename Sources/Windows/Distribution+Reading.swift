extension Distribution {
  /// A recorded value in the shown unit: seconds or bytes.
  public func shown(_ recorded: Int64) -> Double { Double(recorded) / BucketLayout.of(measure).scale }

  /// The sum in the shown unit, rounded to the nearest `Double`.
  public var shownSum: Double {
    // The conversion of 64 bits is one instruction, that of 128 a loop over generic code.
    let low = Int64(truncatingIfNeeded: sum)
    return (Int128(low) == sum ? Double(low) : Double(sum)) / BucketLayout.of(measure).scale
  }

  /// The mean in the shown unit; `nil` while there is no value.
  public var mean: Double? { count == 0 ? nil : shownSum / Double(count) }

  /// The value, in the shown unit, that a share of all values does not exceed.
  ///
  /// The geometric middle of the bucket that holds it, within the least and the greatest value: no value of a bucket of
  /// 4.4 % is further than 2.2 % from there, which interpolation could not promise. 0 and 1 give the least and the
  /// greatest value.
  ///
  /// - Parameter share: From 0 to 1; 0.95 for the 95th percentile.
  /// - Returns: `nil` while there is no value.
  public func quantile(_ share: Double) -> Double? {
    guard count > 0 else { return nil }
    guard few.isEmpty else { return settled.quantile(share) }
    let least = shown(minimum)
    let greatest = shown(maximum)
    guard share < 1 else { return greatest }
    let rank = max(0, share) * Double(count)
    var below = Double(zeroCount)
    if rank <= below || share <= 0 { return least }
    let layout = BucketLayout.of(measure)
    for position in counts.indices where counts[position] > 0 {
      below += Double(counts[position])
      guard rank <= below else { continue }
      let cell = firstCell + position
      let lower = max(layout.lowerBound(ofCell: cell), least)
      let upper = min(layout.upperBound(ofCell: cell), greatest)
      return min(max((lower * upper).squareRoot(), least), greatest)
    }
    return greatest
  }

  /// Calls `body` for every non-empty native bucket in ascending order, with its index in schema 4 and its count.
  ///
  /// Values of zero are not in it; they are ``zeroCount``.
  ///
  /// - Complexity: O(cells); allocates nothing.
  public func forEachNativeBucket(_ body: (_ index: Int, _ count: UInt64) -> Void) {
    let layout = BucketLayout.of(measure)
    guard few.isEmpty else { return forEachBucketOfFew(layout, body) }
    var position = 0
    while position < counts.count {
      var inside = counts[position]
      let cell = firstCell + position
      position += 1
      if inside == 0 { continue }
      let bucket = layout.bucket(ofCell: cell)
      // No bucket is cut more than once, so the next cell is the other half or of another bucket.
      if position < counts.count, layout.bucket(ofCell: firstCell + position) == bucket {
        inside &+= counts[position]
        position += 1
      }
      body(bucket, inside)
    }
  }

  private func forEachBucketOfFew(_ layout: BucketLayout, _ body: (_ index: Int, _ count: UInt64) -> Void) {
    var sorted = InlineArray<32, UInt16>(repeating: 0)
    for index in few.indices {
      var place = index
      while place > 0, sorted[place - 1] > few[index] {
        sorted[place] = sorted[place - 1]
        place -= 1
      }
      sorted[place] = few[index]
    }
    var bucket = layout.bucket(ofCell: Int(sorted[0]))
    var inside: UInt64 = 0
    for index in few.indices {
      let next = layout.bucket(ofCell: Int(sorted[index]))
      if next != bucket {
        body(bucket, inside)
        (bucket, inside) = (next, 0)
      }
      inside += 1
    }
    body(bucket, inside)
  }

  /// Calls `body` for every classic bound in ascending order, with the exact number of values at or below it.
  ///
  /// - Complexity: O(cells); allocates nothing.
  public func forEachClassicBucket(_ bounds: ClassicBounds, _ body: (_ position: Int, _ cumulative: UInt64) -> Void) {
    precondition(bounds.measure == measure, "BUG: bounds of \(bounds.measure) for a distribution of \(measure)")
    var cumulative = zeroCount
    var position = 0
    for bound in bounds.cellCounts.indices {
      if counts.isEmpty {
        // At most a few comparisons for each bound, and no allocation.
        let below = few.count { Int($0) < bounds.cellCounts[bound] }
        body(bound, zeroCount &+ UInt64(below))
        continue
      }
      let end = min(bounds.cellCounts[bound] - firstCell, counts.count)
      while position < end {
        cumulative &+= counts[position]
        position += 1
      }
      body(bound, cumulative)
    }
  }
}

/// Upper bounds of classic histogram buckets at which distributions of one measure can be counted exactly.
public struct ClassicBounds: Sendable {
  /// What the bounds are for; only distributions of the same measure are counted at them.
  public let measure: Measure
  /// In the shown unit, ascending, without `+Inf`.
  public let values: [Double]
  let cellCounts: [Int]

  /// Makes bounds that are in ascending order.
  ///
  /// - Precondition: Every value ends a cell of the measure's layout: a power of 2^(1/16), or one of the bounds that
  ///   the layout was cut for.
  public init(_ measure: Measure, _ values: [Double]) {
    self.measure = measure
    self.values = values
    let layout = BucketLayout.of(measure)
    cellCounts = values.map { value in
      guard let cells = layout.cells(atOrBelow: value) else {
        preconditionFailure("BUG: \(value) is no bound at which a distribution of \(measure) counts exactly")
      }
      return cells
    }
  }

  /// The bounds at which invocations are counted, and of each of which an invocation is kept as an exemplar.
  public static let invocationDurations = ClassicBounds(
    .duration, [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900])

  /// For every cell, the bucket that it lies in: the position of the first bound that is not below it, or the number of bounds.
  var bucketsByCell: [UInt8] {
    (0..<BucketLayout.of(measure).cellCount).map { cell in
      UInt8(cellCounts.firstIndex { cell < $0 } ?? cellCounts.count)
    }
  }
}
