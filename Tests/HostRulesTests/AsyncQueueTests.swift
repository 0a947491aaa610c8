import Lifecycle
import Testing

@testable import HostRules

@Suite struct `Async queue tests` {
  private func request(_ number: UInt64) -> RequestID { RequestID(Identifier128(high: 0, low: number)) }
  private func at(_ seconds: Int64) -> Timestamp { Timestamp(seconds: seconds) }

  private func queue(_ change: (inout AsynchronousPolicy) -> Void = { _ in }) -> AsyncQueue<String> {
    var policy = AsynchronousPolicy()
    change(&policy)
    return AsyncQueue(policy)
  }

  @Test func `gives an event at once, and keeps it until its end`() {
    var queue = queue()
    #expect(queue.accept(request(1), payload: "a", bytesCount: 1, at: at(0)) == true)
    #expect(queue.nextDue == at(0))
    #expect(queue.takeDue(at(0))?.payload == "a")
    #expect(queue.takeDue(at(0)) == nil)
    #expect(queue.count == 1 && queue.bytesCount == 1)
    queue.succeeded(request(1))
    #expect(queue.count == 0 && queue.bytesCount == 0 && queue.droppedCount == 0)
  }

  @Test func `repeats what failed after one minute, after two more, and then drops it`() {
    var queue = queue()
    _ = queue.accept(request(1), payload: "a", bytesCount: 1, at: at(0))
    #expect(queue.takeDue(at(0))?.isRepeated == false)
    #expect(queue.failed(request(1), at: at(10)) == .retry(at: at(70)))
    #expect(queue.takeDue(at(69)) == nil)
    #expect(queue.takeDue(at(70))?.isRepeated == true)
    #expect(queue.failed(request(1), at: at(71)) == .retry(at: at(191)))
    _ = queue.takeDue(at(191))
    #expect(queue.failed(request(1), at: at(192)) == .drop(.retriesExhausted))
    #expect(queue.count == 0 && queue.bytesCount == 0 && queue.droppedCount == 1)
  }

  @Test func `backs off from throttles up to five minutes, until the event is too old`() {
    var queue = queue()
    _ = queue.accept(request(1), payload: "a", bytesCount: 1, at: at(0))
    var now = at(0)
    var delays: [Int64] = []
    while true {
      #expect(queue.takeDue(now) != nil)
      guard case .retry(let next) = queue.throttled(request(1), at: now) else { break }
      delays.append((next - now).count / 1_000_000_000)
      now = next
    }
    #expect(Array(delays.prefix(10)) == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300])
    #expect(delays.dropFirst(9).allSatisfy { $0 == 300 })
    #expect(now <= at(6 * 3600) && now > at(6 * 3600 - 300))
    #expect(queue.droppedCount == 1)
  }

  @Test func `repeats an event less often, or for a shorter time, where that is configured of it`() {
    var queue = queue()
    let once = EventLimits(repetitionsMax: 1), never = EventLimits(repetitionsMax: 0)
    let young = EventLimits(ageMax: .seconds(60)), more = EventLimits(repetitionsMax: 9, ageMax: .seconds(86_400))
    for (number, limits) in [once, never, young, more].enumerated() {
      _ = queue.accept(request(UInt64(number)), payload: "a", bytesCount: 1, limits: limits, at: at(0))
    }
    #expect(queue.failed(request(0), at: at(1)) == .retry(at: at(61)))
    #expect(queue.failed(request(0), at: at(61)) == .drop(.retriesExhausted))
    #expect(queue.failed(request(1), at: at(1)) == .drop(.retriesExhausted))
    #expect(queue.failed(request(2), at: at(0)) == .retry(at: at(60)))
    #expect(queue.throttled(request(2), at: at(60)) == .drop(.ageExceeded))
    #expect(queue.failed(request(3), at: at(0)) == .retry(at: at(60)))
    #expect(queue.failed(request(3), at: at(60)) == .retry(at: at(180)))
    #expect(queue.failed(request(3), at: at(180)) == .drop(.retriesExhausted))
    #expect(queue.droppedCount == 4 && queue.count == 0)
  }

  @Test func `does not count a throttle as a failure`() {
    var queue = queue()
    _ = queue.accept(request(1), payload: "a", bytesCount: 1, at: at(0))
    for _ in 0..<5 { _ = queue.throttled(request(1), at: at(0)) }
    #expect(queue.failed(request(1), at: at(100)) == .retry(at: at(160)))
  }

  @Test func `turns away what is over its bounds`() {
    var byCount = queue { $0.countLimit = 1 }
    #expect(byCount.accept(request(1), payload: "a", bytesCount: 1, at: at(0)) == true)
    #expect(byCount.accept(request(2), payload: "b", bytesCount: 1, at: at(0)) == false)
    var byBytes = queue { $0.bytesLimit = 10 }
    #expect(byBytes.accept(request(1), payload: "a", bytesCount: 11, at: at(0)) == false)
    #expect(byBytes.accept(request(1), payload: "a", bytesCount: 10, at: at(0)) == true)
    #expect(byBytes.accept(request(2), payload: "b", bytesCount: 1, at: at(0)) == false)
    #expect(byBytes.accept(request(1), payload: "again", bytesCount: 0, at: at(0)) == false)
  }

  @Test func `gives events in the order in which they are due`() {
    var queue = queue()
    _ = queue.accept(request(2), payload: "second", bytesCount: 0, at: at(2))
    _ = queue.accept(request(1), payload: "first", bytesCount: 0, at: at(1))
    #expect(queue.takeDue(at(5))?.payload == "first")
    #expect(queue.takeDue(at(5))?.payload == "second")
    #expect(queue.nextDue == nil)
  }

  @Test func `drops what it does not know`() {
    var queue = queue()
    #expect(queue.failed(request(1), at: at(0)) == .drop(.retriesExhausted))
    #expect(queue.throttled(request(1), at: at(0)) == .drop(.ageExceeded))
  }

  @Test func `goes on with an event of an earlier start where that stood`() {
    var queue = queue { $0.countLimit = 0 }
    queue.restore(
      request(1), payload: "a", bytesCount: 3, limits: EventLimits(), acceptedAt: at(0), due: at(70), errors: 1,
      throttles: 4)
    #expect(queue.nextDue == at(70) && queue.bytesCount == 3)
    #expect(queue[request(1)]?.throttlesCount == 4)
    #expect(!queue.hasRoom(forCount: 1, bytes: 0))
    #expect(queue.takeDue(at(70))?.isRepeated == true)
    #expect(queue.failed(request(1), at: at(71)) == .retry(at: at(191)))
    queue.drop(request(1))
    #expect(queue.count == 0 && queue.droppedCount == 1)
  }
}
