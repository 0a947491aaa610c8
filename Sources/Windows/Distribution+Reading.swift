extension Distribution {
  /// A recorded value in the shown unit: seconds or bytes.
  public func shown(_ recorded: Int64) -> Double { Double(recorded) / BucketLayout.of(measure).scale }

  /// The sum in the shown unit, rounded to the nearest `Double`.
  public var shownSum: Double { Double(sum) / BucketLayout.of(measure).scale }

  /// The mean in the shown unit; `nil` while there is no value.
  public var mean: Double? { count == 0 ? nil : shownSum / Double(count) }

  /// The value, in the shown unit, that a share of all values does not exceed.
  ///
  /// Within a bucket values are taken to be spread evenly on a logarithmic scale; the answer lies between the least
  /// and the greatest value, and differs from the true quantile by at most 2.2 % where a bucket holds many values and
  /// by at most its width, 4.4 %, otherwise.
  ///
  /// - Parameter share: From 0 to 1; 0.95 for the 95th percentile.
  /// - Returns: `nil` while there is no value.
  public func quantile(_ share: Double) -> Double? {
    guard count > 0 else { return nil }
    let least = shown(minimum)
    let greatest = shown(maximum)
    let rank = max(0, min(1, share)) * Double(count)
    var below = Double(zeroCount)
    if rank <= below { return least }
    let layout = BucketLayout.of(measure)
    for position in counts.indices where counts[position] > 0 {
      let inside = Double(counts[position])
      if rank <= below + inside {
        let cell = firstCell + position
        let lower = max(layout.lowerBound(ofCell: cell), least)
        let upper = min(layout.upperBound(ofCell: cell), greatest)
        guard lower > 0, upper > lower else { return min(max(upper, least), greatest) }
        let value = lower * power(upper / lower, (rank - below) / inside)
        return min(max(value, least), greatest)
      }
      below += inside
    }
    return greatest
  }

  /// `base` to the power of `exponent`, for a base from 1 to 1.05 and an exponent from 0 to 1.
  ///
  /// The standard library has no `pow`, and this room imports nothing else. The binomial series converges by a factor
  /// of 20 a term here, so ten terms are past the precision of `Double`.
  private func power(_ base: Double, _ exponent: Double) -> Double {
    let x = base - 1
    guard x < 0.5 else { return 1 + x * exponent }  // a first cell that starts at the least value may be wide
    var term = 1.0
    var sum = 1.0
    for step in 1...12 {
      term *= (exponent - Double(step - 1)) / Double(step) * x
      sum += term
    }
    return sum
  }

  /// Calls `body` for every non-empty native bucket in ascending order, with its index in schema 4 and its count.
  ///
  /// Values of zero are not in it; they are ``zeroCount``.
  public func forEachNativeBucket(_ body: (_ index: Int, _ count: UInt64) -> Void) {
    let layout = BucketLayout.of(measure)
    var position = 0
    while position < counts.count {
      let bucket = layout.bucket(ofCell: firstCell + position)
      var inside = counts[position]
      position += 1
      while position < counts.count, layout.bucket(ofCell: firstCell + position) == bucket {
        inside &+= counts[position]
        position += 1
      }
      if inside > 0 { body(bucket, inside) }
    }
  }

  /// Calls `body` for every classic bound in ascending order, with the exact number of values at or below it.
  ///
  /// - Complexity: O(cells); allocates nothing.
  public func forEachClassicBucket(_ bounds: ClassicBounds, _ body: (_ position: Int, _ cumulative: UInt64) -> Void) {
    precondition(bounds.measure == measure, "BUG: bounds of \(bounds.measure) for a distribution of \(measure)")
    var cumulative = zeroCount
    var position = 0
    for bound in bounds.cellCounts.indices {
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
  public let measure: Measure
  /// In the shown unit, ascending, without `+Inf`.
  public let values: [Double]
  let cellCounts: [Int]

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
}
