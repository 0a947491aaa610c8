import Lifecycle
import Testing

@testable import Windows

@Suite struct `Counts by word` {
  @Test func `have room for every set of words`() {
    check(InitializationType.self)
    check(InitializationPhase.self)
    check(InitializationStatus.self)
    check(Trigger.self)
    check(Outcome.self)
    check(TimeoutSource.self)
    check(ThrottleReason.self)
    check(StopReason.self)
    check(ConcurrencyPool.self)
    check(InstanceState.self)
  }

  /// Each word has a place of its own, and its name is no other's.
  private func check<Key: Word>(_ words: Key.Type) {
    var counts = WordCounts<Key>()
    #expect(words.allCases.count <= counts.counts.count)
    #expect(words.allCases.map { Int($0.rawValue) } == Array(0..<words.allCases.count))
    #expect(Set(words.allCases.map(\.name)).count == words.allCases.count)
    for (index, word) in words.allCases.enumerated() { counts[word] = UInt64(index) + 1 }
    for (index, word) in words.allCases.enumerated() { #expect(counts[word] == UInt64(index) + 1) }
  }
}
