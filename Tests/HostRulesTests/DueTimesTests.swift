import Lifecycle
import Testing

@testable import HostRules

@Suite struct `Times at which things are due` {
  @Test func `give what is due first, whatever was changed before`() {
    var due = DueTimes<String>()
    #expect(due.first == nil)
    due.set("b", to: Timestamp(seconds: 5))
    due.set("a", to: Timestamp(seconds: 5))
    due.set("c", to: Timestamp(seconds: 9))
    #expect(due.first?.key == "a")
    due.set("a", to: Timestamp(seconds: 20))
    #expect(due.first?.key == "b")
    due.set("b", to: nil)
    #expect(due.first?.key == "c" && due.first?.time == Timestamp(seconds: 9))
    due.set("a", to: Timestamp(seconds: 5))
    #expect(due.first?.key == "a")
  }

  @Test func `agree with a search through all, over many changes`() {
    var due = DueTimes<Int>()
    var all: [Int: Int64] = [:]
    var random = SystemRandomNumberGenerator()
    for _ in 0..<20_000 {
      let key = Int.random(in: 0..<50, using: &random)
      let time = Bool.random(using: &random) ? Int64.random(in: 0..<1_000, using: &random) : nil
      all[key] = time
      due.set(key, to: time.map { Timestamp(seconds: $0) })
      let first = all.min { ($0.value, $0.key) < ($1.value, $1.key) }
      guard due.first?.key == first?.key, due.first?.time == first.map({ Timestamp(seconds: $0.value) }) else {
        Issue.record("\(String(describing: due.first)) is not \(String(describing: first))")
        return
      }
    }
  }
}
