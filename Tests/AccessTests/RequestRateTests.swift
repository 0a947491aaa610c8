import Access
import Lifecycle
import Testing

@Suite struct `The rate of requests` {
  private let ten = Timestamp(nanoseconds: 1_790_000_000_000_000_000)

  @Test func `is that of each sender`() {
    let rate = RequestRate(perSecond: 3)
    #expect((0..<5).map { _ in rate.admits("a", at: ten) } == [true, true, true, false, false])
    #expect(rate.admits("b", at: ten))
    #expect(rate.admits("a", at: ten + .milliseconds(334)))
    #expect(!rate.admits("a", at: ten + .milliseconds(400)))
    #expect(!rate.admits("a", at: ten), "a clock that went back fills nothing")
  }

  @Test func `forgets who is silent, and lets all others share one when there are too many`() {
    let rate = RequestRate(perSecond: 1, sendersMax: 2)
    #expect(rate.admits("a", at: ten) && rate.admits("b", at: ten))
    #expect(rate.admits("c", at: ten), "the shared one")
    #expect(!rate.admits("d", at: ten))
    #expect(rate.admits("e", at: ten + .seconds(1)))
  }
}
