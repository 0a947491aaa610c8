import TestSupport
import Testing
import Windows

@Suite struct `Quantile tests` {
  /// The width of a bucket is 2^(1/16); half of it, on a logarithmic scale, and a hair for rounding.
  static let error = 1.0219 + 1e-4

  @Test(arguments: 1...40)
  func `a quantile is within 2.2 % of the true one`(_ seed: UInt64) throws {
    var random = SplitMix(seed: seed)
    // Every second time the values lie close together, where interpolation between the ends of a bucket is at its worst.
    let centre = Int64.random(in: 1_000_000...2_000_000_000, using: &random)
    let values = (0..<Int.random(in: 1...300, using: &random)).map { _ in
      seed.isMultiple(of: 2)
        ? centre + Int64.random(in: 0...centre / 200, using: &random)
        : Int64.random(in: 1_000...1 << Int64.random(in: 10...40, using: &random), using: &random)
    }
    var distribution = Distribution(.duration)
    for value in values { distribution.record(value) }
    let ordered = values.sorted()
    for share in [0.01, 0.5, 0.9, 0.95, 0.99] {
      let rank = max(1, Int((share * Double(values.count)).rounded(.up)))
      let expected = Double(ordered[rank - 1]) / 1e9
      let shown = try #require(distribution.quantile(share))
      #expect(shown >= expected / Self.error && shown <= expected * Self.error, "\(share) of \(values.count) values")
    }
  }

  @Test func `the ends are exact, and none has no quantile`() {
    var distribution = Distribution(.duration)
    #expect(distribution.quantile(0.5) == nil)
    for value: Int64 in [0, 0, 3_000_000, 251_118_840] { distribution.record(value) }
    #expect(distribution.quantile(0) == 0)
    #expect(distribution.quantile(0.5) == 0)
    #expect(distribution.quantile(1) == 0.251_118_84)
    #expect(distribution.quantile(-1) == 0)
    #expect(distribution.quantile(7) == 0.251_118_84)
  }
}
