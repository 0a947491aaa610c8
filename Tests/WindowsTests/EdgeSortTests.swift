import Testing

@testable import Windows

@Suite struct `The sorting of edges` {
  @Test(arguments: [0, 1, 64, 65, 1_000, 4_096], [0, 1, 11, 20, 39, 63])
  func `gives what any other sort gives`(_ count: Int, _ bits: Int) {
    var random = SystemRandomNumberGenerator()
    let base = UInt64.random(in: 0...UInt64.max, using: &random) & ~(1 << UInt64(bits) - 1)
    var edges = (0..<count).map { _ in base | UInt64.random(in: 0..<(1 << UInt64(bits)), using: &random) }
    let expected = edges.sorted()
    EdgeSort.sort(&edges)
    #expect(edges == expected)
  }
}
