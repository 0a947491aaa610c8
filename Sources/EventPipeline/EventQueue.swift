internal import Lifecycle
internal import Windows
internal import Synchronization

/// What waits in a pipeline's queue.
package struct QueueStatistics: Sendable, Equatable {
  /// Events of the source in this process.
  package var waiting: Int
  /// Those that there was no room for, since the pipeline was made.
  package var dropped: UInt64
  /// Events of batches.
  package var waitingInBatches: Int

  /// Makes counts of what waits now.
  package init(waiting: Int, dropped: UInt64, waitingInBatches: Int) {
    self.waiting = waiting
    self.dropped = dropped
    self.waitingInBatches = waitingInBatches
  }
}

/// Where events and batches wait.
///
/// An event costs a lock and an append, and nobody ever waits for room. A batch waits for its completion, or is refused.
/// Each have their own bound, so that no sender of batches costs the source in this process an event.
final class EventQueue: Sendable {
  /// A batch, and the sender that waits for its result.
  struct WaitingBatch: Sendable {
    var batch: EventBatch
    var completion: CheckedContinuation<Completion, Never>
  }

  /// What somebody who sleeps waits for.
  enum Arrival {
    case anything
    case batch
  }

  private struct Sleeper {
    var wish: Arrival
    var continuation: CheckedContinuation<Void, Never>
  }

  private struct State {
    var events: [LifecycleEvent] = []
    var dropped: UInt64 = 0
    var batches: [WaitingBatch] = []
    /// The events of `batches`.
    var batchEvents = 0
    /// Why batches are not taken; `nil` while they are.
    var refusal: Refusal? = .notRunning
    /// Only while what it waits for is not there.
    var sleeper: Sleeper?
    /// Keeps events from before `offer` returns; `nil` where nothing does.
    var journal: (any Journal)?

    func holds(_ wish: Arrival) -> Bool { !batches.isEmpty || wish == .anything && !events.isEmpty }

    /// Whoever is to be woken, because what it waits for is there now.
    mutating func awoken() -> CheckedContinuation<Void, Never>? {
      guard let sleeper, holds(sleeper.wish) else { return nil }
      self.sleeper = nil
      return sleeper.continuation
    }
  }

  private let state = Mutex(State())
  private let eventsLimit: Int
  private let batchEventsLimit: Int

  /// - Parameters:
  ///   - eventsLimit: How many events of the source in this process may wait.
  ///   - batchEventsLimit: How many events of batches may wait.
  init(eventsLimit: Int, batchEventsLimit: Int) {
    self.eventsLimit = eventsLimit
    self.batchEventsLimit = batchEventsLimit
  }

  // MARK: Events

  /// Takes an event, or drops and counts it if there is no room. Wakes whoever waits in ``arrival(of:orAfter:)``: the first
  /// event after an idle time does so, those that follow it find nobody asleep.
  func offer(_ event: LifecycleEvent) {
    let sleeper = state.withLock { state -> CheckedContinuation<Void, Never>? in
      guard state.events.count < eventsLimit else {
        state.dropped &+= 1
        return nil
      }
      state.events.append(event)
      // Under the lock, so that the journal has the order of the queue.
      state.journal?.record(event)
      return state.awoken()
    }
    sleeper?.resume()
  }

  /// Records events in a journal from now on, those that wait already first; or in none.
  func record(in journal: (any Journal)?) {
    state.withLock { state in
      state.journal = journal
      if let journal { for event in state.events { journal.record(event) } }
    }
  }

  /// Hands over what waits, in the order in which it came, and takes the memory of `events` for what comes next.
  ///
  /// - Parameters:
  ///   - events: Emptied first; its room is kept.
  ///   - mark: What is done with them, which is recorded behind them.
  ///   - isDue: Whether that is to be recorded although no event waits.
  /// - Returns: The position of the mark; `nil` if there is none.
  func drain(into events: inout [LifecycleEvent], _ mark: JournalMark, isDue: Bool) -> JournalPosition? {
    events.removeAll(keepingCapacity: true)
    return state.withLock { state in
      swap(&state.events, &events)
      guard isDue || !events.isEmpty else { return nil }
      return state.journal?.record(mark)
    }
  }

  var statistics: QueueStatistics {
    state.withLock { state in
      QueueStatistics(waiting: state.events.count, dropped: state.dropped, waitingInBatches: state.batchEvents)
    }
  }

  // MARK: Batches

  /// Takes batches from now on, or refuses them.
  ///
  /// - Parameter refusal: Why; `nil` to take them.
  func refuseBatches(_ refusal: Refusal?) { state.withLock { $0.refusal = refusal } }

  /// Waits until somebody who took the batch says what became of it, or says at once why it is refused.
  func submit(_ batch: EventBatch) async -> Completion {
    await withCheckedContinuation { continuation in
      let (refusal, sleeper) = state.withLock { state -> (Refusal?, CheckedContinuation<Void, Never>?) in
        if let refusal = state.refusal { return (refusal, nil) }
        guard batch.events.count <= batchEventsLimit - state.batchEvents else { return (.queueFull, nil) }
        state.batches.append(WaitingBatch(batch: batch, completion: continuation))
        state.batchEvents += batch.events.count
        return (nil, state.awoken())
      }
      sleeper?.resume()
      if let refusal { continuation.resume(returning: .refused(refusal)) }
    }
  }

  /// Hands over the batches that wait, in the order in which they came. Whoever takes them completes each.
  func takeBatches() -> [WaitingBatch] {
    state.withLock { state in
      defer { (state.batches, state.batchEvents) = ([], 0) }
      return state.batches
    }
  }

  // MARK: Waiting

  /// Returns as soon as there is what is waited for, once `pause` has returned, or when the task is cancelled. One caller
  /// at a time.
  ///
  /// - Parameter pause: Cancelled when it arrives.
  /// - Returns: Whether it is there.
  @discardableResult
  func arrival(of wish: Arrival, orAfter pause: @escaping @Sendable () async -> Void) async -> Bool {
    if state.withLock({ $0.holds(wish) }) { return true }
    await withTaskGroup { group in
      group.addTask { await self.arrival(of: wish) }
      group.addTask { await pause() }
      await group.next()
      group.cancelAll()
    }
    return state.withLock { $0.holds(wish) }
  }

  private func arrival(of wish: Arrival) async {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isOver = state.withLock { state in
          // A task that is cancelled from here on finds the continuation.
          guard !state.holds(wish), !Task.isCancelled else { return true }
          state.sleeper = Sleeper(wish: wish, continuation: continuation)
          return false
        }
        if isOver { continuation.resume() }
      }
    } onCancel: {
      state.withLock { $0.sleeper.take() }?.continuation.resume()
    }
  }
}
