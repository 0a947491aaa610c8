internal import Lifecycle
internal import Synchronization

/// Where events wait to be folded. Offering one costs a lock and an append; nobody ever waits for room.
final class EventQueue: Sendable {
  private struct State {
    var events: [LifecycleEvent] = []
    var dropped: UInt64 = 0
  }

  private let state = Mutex(State())
  let limit: Int

  /// - Parameter limit: How many events may wait.
  init(limit: Int) { self.limit = limit }

  /// Takes an event, or drops and counts it if there is no room.
  func offer(_ event: LifecycleEvent) {
    state.withLock { state in
      if state.events.count < limit { state.events.append(event) } else { state.dropped &+= 1 }
    }
  }

  /// Hands over what waits, in the order in which it came, and takes the memory of `events` for what comes next.
  ///
  /// - Parameter events: Emptied first; its room is kept.
  func drain(into events: inout [LifecycleEvent]) {
    events.removeAll(keepingCapacity: true)
    state.withLock { swap(&$0.events, &events) }
  }

  /// How many events wait, and for how many there was no room.
  var counts: (waiting: Int, dropped: UInt64) { state.withLock { ($0.events.count, $0.dropped) } }
}
