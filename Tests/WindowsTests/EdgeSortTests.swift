import Testing

@testable import Windows

@Suite struct `The sorting of edges` {
  @Test(arguments: [0, 1, 64, 65, 1_000, 4_096, 20_000], [0, 1, 11, 20, 39, 63])
  func `gives what any other sort gives`(_ count: Int, _ bits: Int) {
    var random = SystemRandomNumberGenerator()
    let base = UInt64.random(in: 0...UInt64.max, using: &random) & ~(1 << UInt64(bits) - 1)
    var edges = (0..<count).map { _ in base | UInt64.random(in: 0..<(1 << UInt64(bits)), using: &random) }
    let expected = edges.sorted()
    EdgeSort.sort(&edges)
    #expect(edges == expected)
  }

  @Test(arguments: [3, 25, 300, 5_000, 50_000])
  func `sorts what lies close together but for a few`(_ count: Int) {
    var random = SystemRandomNumberGenerator()
    var edges = (0..<count).map { _ in UInt64.random(in: 0..<1_000, using: &random) } + [1 << 40, 3, 1 << 39]
    let expected = edges.sorted()
    EdgeSort.sort(&edges)
    #expect(edges == expected)
  }

  @Test(arguments: [64, 1_000, 20_000])
  func `leaves those in their order that differ below the bit that it begins with`(_ count: Int) {
    var random = SystemRandomNumberGenerator()
    var keys = (0..<count).map { UInt64.random(in: 0..<50, using: &random) << 20 | UInt64($0) }
    let expected = keys.sorted()
    EdgeSort.sort(&keys, fromBit: 20)
    #expect(keys == expected)
  }
}
