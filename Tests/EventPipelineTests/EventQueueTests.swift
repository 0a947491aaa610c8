import Lifecycle
import TestSupport
import Testing

@testable import EventPipeline

@Suite struct `The queue of events` {
  private let orders = Story()

  private func drained(_ queue: EventQueue) -> [LifecycleEvent] {
    var events: [LifecycleEvent] = []
    queue.drain(into: &events)
    return events
  }

  @Test func `hands over what waits, in the order in which it came, once`() {
    let queue = EventQueue(limit: 10)
    let events = (1...3).map { orders.finished($0, from: ten) }
    for event in events { queue.offer(event) }
    #expect(queue.counts.waiting == 3)
    #expect(drained(queue) == events)
    #expect(drained(queue) == [])
    #expect(queue.counts == (0, 0))
  }

  @Test func `drops and counts what there is no room for, and has room again once it is drained`() {
    let queue = EventQueue(limit: 2)
    for request in 1...5 { queue.offer(orders.finished(UInt64(request), from: ten)) }
    #expect(queue.counts == (2, 3))
    #expect(drained(queue).count == 2)
    queue.offer(orders.throttled(at: ten))
    #expect(queue.counts == (1, 3))
  }
}
