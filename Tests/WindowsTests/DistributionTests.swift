import Lifecycle
import TestSupport
import Testing

@testable import Windows

@Suite struct `Bucket layout tests` {
  struct Vector: Sendable {
    var value: Double
    /// By schemas 3 and 5, after the rule of Prometheus's documentation.
    var schema3: Int
    var schema5: Int
  }

  @Test(arguments: [
    Vector(value: 0.001, schema3: -79, schema5: -318), Vector(value: 0.05, schema3: -34, schema5: -138),
    Vector(value: 0.1, schema3: -26, schema5: -106), Vector(value: 0.5, schema3: -8, schema5: -32),
    Vector(value: 1, schema3: 0, schema5: 0), Vector(value: 1.0000001, schema3: 1, schema5: 1),
    Vector(value: 1.2, schema3: 3, schema5: 9), Vector(value: 2, schema3: 8, schema5: 32),
    Vector(value: 3, schema3: 13, schema5: 51), Vector(value: 900, schema3: 79, schema5: 315),
  ])
  func `buckets lie between those of the schemas beside`(_ given: Vector) {
    let index = BucketLayout.bucketIndex(given.value)
    // A coarser schema's bucket is half a finer one's, rounded up.
    #expect(index == (given.schema5 + 1) >> 1)
    #expect((index + 1) >> 1 == given.schema3)
  }

  @Test(arguments: -60...60)
  func `a power of two ends its bucket, and its neighbours lie on either side`(exponent: Int) {
    let power = Double(sign: .plus, exponent: exponent, significand: 1)
    #expect(BucketLayout.bucketIndex(power) == 16 * exponent)
    #expect(BucketLayout.bucketIndex(power.nextUp) == 16 * exponent + 1)
    #expect(BucketLayout.bucketIndex(power.nextDown) == 16 * exponent)
    #expect(BucketLayout.upperBound(ofBucket: 16 * exponent) == power)
    for step in 1..<16 {
      let bound = BucketLayout.upperBound(ofBucket: 16 * exponent + step)
      #expect(BucketLayout.bucketIndex(bound) == 16 * exponent + step)
      #expect(BucketLayout.bucketIndex(bound.nextUp) == 16 * exponent + step + 1)
    }
  }

  @Test func `bounds multiply to powers of two`() {
    // Computed apart from the table: squaring a bound four times gives two to its step.
    for step in 0...16 {
      var power = BucketLayout.upperBound(ofBucket: step)
      for _ in 0..<4 { power *= power }
      let expected = Double(1 << step)
      #expect(abs(power - expected) <= expected * 1e-14)
    }
  }

  @Test(arguments: [Measure.duration, .bytes])
  func `cells are in order and every value lies within its own`(_ measure: Measure) {
    let layout = BucketLayout.of(measure)
    for cell in 1..<layout.cellCount { #expect(layout.lowerBound(ofCell: cell) < layout.upperBound(ofCell: cell)) }
    var random = SplitMix(seed: 5)
    for _ in 0..<3_000 {
      let value = max(1, Int64(bitPattern: random.next() >> UInt64.random(in: 20...63, using: &random)))
      let shown = Double(value) / layout.scale
      let cell = layout.cell(value)
      #expect(layout.lowerBound(ofCell: cell) < shown && shown <= layout.upperBound(ofCell: cell), "\(value)")
    }
  }
}

@Suite struct `Distribution tests` {
  static let bounds: [Int64] = [
    1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000, 100_000_000, 250_000_000, 500_000_000,
    1_000_000_000, 2_500_000_000, 5_000_000_000, 10_000_000_000, 30_000_000_000, 60_000_000_000, 120_000_000_000,
    300_000_000_000, 600_000_000_000, 900_000_000_000, 3_600_000_000_000, 14_400_000_000_000, 86_400_000_000_000,
  ]

  /// Values over the whole range, bounds and their neighbours among them, zeros and negative ones.
  private func values(_ count: Int, _ random: inout SplitMix) -> [Int64] {
    (0..<count).map { _ in
      switch Int.random(in: 0..<10, using: &random) {
      case 0: Int64.random(in: -3...0, using: &random)
      case 1...4: Self.bounds.randomElement(using: &random)! + Int64.random(in: -1...1, using: &random)
      default: Int64(bitPattern: random.next() >> UInt64.random(in: 8...62, using: &random))
      }
    }
  }

  private func distribution(_ values: some Sequence<Int64>) -> Distribution {
    var distribution = Distribution(.duration)
    for value in values { distribution.record(value) }
    return distribution
  }

  @Test(arguments: [0, 1, 2, 31, 32, 33, 34, 64, 2_000])
  func `counts at classic bounds are those of a plain count`(count: Int) {
    var random = SplitMix(seed: UInt64(count))
    for _ in 0..<10 {
      let values = values(count, &random)
      let distribution = distribution(values)
      let classic = ClassicBounds(.duration, Self.bounds.map { Double($0) / 1e9 })
      distribution.forEachClassicBucket(classic) { position, cumulative in
        #expect(cumulative == UInt64(values.count { $0 <= Self.bounds[position] }))
      }
      #expect(distribution.count == UInt64(count))
      #expect(distribution.zeroCount == UInt64(values.count { $0 <= 0 }))
      #expect(distribution.sum == values.reduce(Int128(0)) { $0 + Int128(max(0, $1)) })
      #expect(distribution.minimum == max(0, values.min() ?? 0))
      #expect(distribution.maximum == max(0, values.max() ?? 0))
    }
  }

  @Test(arguments: [0, 1, 2, 31, 32, 33, 34, 3_000])
  func `native buckets are those of a plain count`(count: Int) {
    var random = SplitMix(seed: 3)
    let values = values(count, &random)
    var expected: [Int: UInt64] = [:]
    for value in values where value > 0 {
      expected[min(400, BucketLayout.bucketIndex(Double(value) / 1e9)), default: 0] += 1
    }
    var found: [Int: UInt64] = [:]
    var last = Int.min
    distribution(values).forEachNativeBucket { index, count in
      #expect(index > last)
      last = index
      found[index] = count
    }
    #expect(found == expected)
  }

  @Test(arguments: [0, 1, 5, 30, 40, 500])
  func `merging is recording, in any order and grouping`(count: Int) {
    var random = SplitMix(seed: 77 + UInt64(count))
    for other in [0, 1, 3, 31, 33, 400] {
      let parts = [values(count, &random), values(other, &random), values(7, &random)]
      let all = distribution(parts.joined())
      let (a, b, c) = (distribution(parts[0]), distribution(parts[1]), distribution(parts[2]))
      func merged(_ left: Distribution, _ right: Distribution) -> Distribution {
        var merged = left
        merged.merge(right)
        return merged
      }
      #expect(merged(merged(a, b), c) == all)
      #expect(merged(a, merged(b, c)) == all)
      #expect(merged(c, merged(b, a)) == all)
      #expect(merged(Distribution(.duration), all) == all && merged(all, Distribution(.duration)) == all)
      var doubled = all
      doubled.merge(doubled)
      #expect(doubled.count == all.count * 2 && (all.isEmpty || doubled != all))
      #expect(doubled.storedCells.map(\.count) == all.storedCells.map { $0.count * 2 })
    }
  }

  @Test(arguments: [0, 1, 32, 33, 1_000])
  func `stored cells give the distribution back, in any order`(count: Int) {
    var random = SplitMix(seed: 9)
    let original = distribution(values(count, &random))
    func stored(_ cells: [StoredCell], count: UInt64? = nil, minimum: Int64? = nil) -> Distribution? {
      Distribution(
        .duration, count: count ?? original.count, sum: original.sum, minimum: minimum ?? original.minimum,
        maximum: original.maximum, zeroCount: original.zeroCount, cells: cells)
    }
    let cells = original.storedCells
    #expect(stored(cells) == original)
    #expect(stored(cells.shuffled(using: &random)) == original)
    #expect(stored(cells, count: original.count + 1) == nil)
    #expect(stored(cells, minimum: -1) == nil)
    #expect(stored(cells, minimum: original.maximum + 1) == nil)
    #expect(stored(cells + [StoredCell(bucket: 401, isAboveCut: false, count: 1)], count: original.count + 1) == nil)
    #expect(stored(cells + [StoredCell(bucket: 1, isAboveCut: false, count: .max)]) == nil)
  }
}
