import Lifecycle
import TestSupport
import Testing
import Windows

@testable import EventPipeline

@Suite struct `The queue of events` {
  private let orders = Story()

  private func drained(_ queue: EventQueue) -> [LifecycleEvent] {
    var events: [LifecycleEvent] = []
    let mark = JournalMark(time: ten, isRead: false, batches: .start)
    #expect(queue.drain(into: &events, mark, isDue: false) == nil, "there is no journal")
    return events
  }

  @Test func `hands over what waits, in the order in which it came, once`() {
    let queue = EventQueue(eventsLimit: 10, batchEventsLimit: 10)
    let events = (1...3).map { orders.finished($0, from: ten) }
    for event in events { queue.offer(event) }
    #expect(queue.statistics.waiting == 3)
    #expect(drained(queue) == events)
    #expect(drained(queue) == [])
    #expect(queue.statistics == QueueStatistics(waiting: 0, dropped: 0, waitingInBatches: 0))
  }

  @Test func `drops and counts what there is no room for, and has room again once it is drained`() {
    let queue = EventQueue(eventsLimit: 2, batchEventsLimit: 10)
    for request in 1...5 { queue.offer(orders.finished(UInt64(request), from: ten)) }
    #expect(queue.statistics == QueueStatistics(waiting: 2, dropped: 3, waitingInBatches: 0))
    #expect(drained(queue).count == 2)
    queue.offer(orders.throttled(at: ten))
    #expect(queue.statistics == QueueStatistics(waiting: 1, dropped: 3, waitingInBatches: 0))
  }
}
