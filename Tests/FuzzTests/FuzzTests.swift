import FuzzTargets
import Testing

/// The seeds of every parser, and a few hundred inputs made of them; `make fuzz` tries more of them.
@Suite struct `Fuzz tests` {
  @Test(arguments: FuzzTarget.all.map(\.name))
  func `a parser takes whatever bytes come`(_ name: String) throws {
    let target = try #require(FuzzTarget.all.first { $0.name == name })
    let seeds = target.seeds()
    for seed in seeds { target.run(seed) }
    var mutator = Mutator(seeds, number: 27_315)
    for _ in 0..<300 { target.run(mutator.next()) }
  }

  @Test func `there is a target for each folder of seeds, and a folder for each target`() {
    #expect(FuzzFiles.names(in: FuzzTarget.corpora) == FuzzTarget.all.map(\.name).sorted())
  }

  @Test func `inputs are the same for the same number, and others for another`() {
    func inputs(_ number: UInt64) -> [[UInt8]] {
      var mutator = Mutator([[1, 2, 3], Array("text".utf8)], number: number)
      return (0..<50).map { _ in mutator.next() }
    }
    #expect(inputs(1) == inputs(1))
    #expect(inputs(1) != inputs(2))
  }
}
