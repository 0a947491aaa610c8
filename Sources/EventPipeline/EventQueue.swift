internal import Lifecycle
internal import Synchronization

/// Where events wait to be folded. Offering one costs a lock and an append; nobody ever waits for room.
final class EventQueue: Sendable {
  private struct State {
    var events: [LifecycleEvent] = []
    var dropped: UInt64 = 0
    /// Whoever waits for an event; only while there is none.
    var sleeper: CheckedContinuation<Void, Never>?
  }

  private let state = Mutex(State())
  let limit: Int

  /// - Parameter limit: How many events may wait.
  init(limit: Int) { self.limit = limit }

  /// Takes an event, or drops and counts it if there is no room. Wakes whoever waits in ``arrival(orAfter:)``: one event
  /// after an idle time does so, those that follow it find nobody asleep.
  func offer(_ event: LifecycleEvent) {
    let sleeper = state.withLock { state -> CheckedContinuation<Void, Never>? in
      guard state.events.count < limit else {
        state.dropped &+= 1
        return nil
      }
      state.events.append(event)
      return state.sleeper.take()
    }
    sleeper?.resume()
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

  // MARK: Waiting for events

  /// Returns as soon as an event waits, once `pause` has returned, or when the task is cancelled. One caller at a time.
  ///
  /// - Parameter pause: Cancelled when an event arrives.
  /// - Returns: Whether an event waits.
  func arrival(orAfter pause: @escaping @Sendable () async -> Void) async -> Bool {
    if counts.waiting > 0 { return true }
    await withTaskGroup { group in
      group.addTask { await self.arrival() }
      group.addTask { await pause() }
      await group.next()
      group.cancelAll()
    }
    return counts.waiting > 0
  }

  private func arrival() async {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isOver = state.withLock { state in
          // A task that is cancelled from here on finds the continuation.
          guard state.events.isEmpty, !Task.isCancelled else { return true }
          state.sleeper = continuation
          return false
        }
        if isOver { continuation.resume() }
      }
    } onCancel: {
      state.withLock { $0.sleeper.take() }?.resume()
    }
  }
}
