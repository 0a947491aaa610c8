import EventPipeline
import Lifecycle
import Synchronization
import TestSupport
import Testing

/// A time that passes only when it is told to, a wall clock that can be set, and a count of pauses.
final class FakeTime: Sendable {
  private struct Sleeper {
    /// In time that has passed, which no step of the wall clock changes.
    var due: Nanoseconds
    var continuation: CheckedContinuation<Void, Never>
  }

  private struct State {
    var passed = Nanoseconds.zero
    /// The wall clock when no time had passed.
    var origin = ten
    var sleepers: [Int: Sleeper] = [:]
    var pauses = 0

    var now: Timestamp { origin + passed }
  }

  private let state = Mutex(State())

  var now: Timestamp { state.withLock { $0.now } }
  /// How many pauses have begun.
  var pauses: Int { state.withLock { $0.pauses } }
  /// When the pause that lasts now is over; `nil` if there is none.
  var due: Timestamp? { state.withLock { state in state.sleepers.values.map(\.due).min().map { state.origin + $0 } } }

  var time: PipelineTime { PipelineTime(now: { self.now }, pause: { await self.pause($0) }) }

  private func pause(_ length: Nanoseconds) async {
    let number = state.withLock { state in
      state.pauses += 1
      return state.pauses
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isOver = state.withLock { state in
          guard !Task.isCancelled else { return true }
          state.sleepers[number] = Sleeper(due: state.passed + length, continuation: continuation)
          return false
        }
        if isOver { continuation.resume() }
      }
    } onCancel: {
      state.withLock { $0.sleepers.removeValue(forKey: number) }?.continuation.resume()
    }
  }

  /// Lets time pass, and ends the pauses that are over by then.
  func advance(to time: Timestamp) {
    let over = state.withLock { state in
      state.passed = max(state.passed, time - state.origin)
      let numbers = state.sleepers.filter { $0.value.due <= state.passed }.keys
      return numbers.compactMap { state.sleepers.removeValue(forKey: $0) }
    }
    for sleeper in over { sleeper.continuation.resume() }
  }

  /// Sets the wall clock forward, or back by a negative length; no time passes by that.
  func step(_ length: Nanoseconds) { state.withLock { $0.origin = $0.origin + length } }

  /// Lets time pass, from the end of one pause to that of the next, until something holds.
  func pass(until condition: () async throws -> Bool) async throws {
    try await eventually {
      if try await condition() { return true }
      if let due { advance(to: due) }
      return false
    }
  }

  /// Waits until a pause lasts that is not one of the first `pauses`.
  ///
  /// - Returns: When it is over.
  func pause(after pauses: Int) async throws -> Timestamp {
    try await eventually { self.state.withLock { $0.pauses > pauses && !$0.sleepers.isEmpty } }
    return try #require(due)
  }
}

/// Waits until something holds.
func eventually(_ condition: () async throws -> Bool) async throws {
  let deadline = ContinuousClock.now + .seconds(60)
  while try await !condition() {
    try #require(ContinuousClock.now < deadline, "it did not come to pass in a minute")
    try await Task.sleep(for: .milliseconds(1))
  }
}
