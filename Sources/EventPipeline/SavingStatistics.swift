package import Lifecycle
internal import WindowStore

/// Counts of successful and failed saves, since the pipeline was made.
package struct SavingStatistics: Sendable {
  /// The checkpoints that were written, and those that could not be.
  package struct Checkpoints: Sendable, Equatable {
    /// Checkpoints that are in the store.
    package internal(set) var succeeded: UInt64 = 0
    /// Checkpoints that could not be written; what they held goes into the next.
    package internal(set) var failed: UInt64 = 0
    /// When the last one that succeeded ended; `nil` before the first.
    package internal(set) var last: Timestamp?
    /// How long it took.
    package internal(set) var lastDuration: Nanoseconds = .zero
  }

  /// How often saving succeeded and failed.
  package private(set) var checkpoints = Checkpoints()
  /// Why the last checkpoint was not saved; `nil` if it was.
  private var failure: String?
  /// Why the next one could not be, as was found between two; `nil` if all was well.
  private var absence: String?

  /// Why nothing can be saved; `nil` if it can.
  package var problem: String? { absence ?? failure }

  /// - Returns: Whether this ends a run of failures.
  mutating func succeeded(at end: Timestamp, after duration: Nanoseconds) -> Bool {
    defer { (failure, absence) = (nil, nil) }
    checkpoints.succeeded &+= 1
    checkpoints.last = end
    checkpoints.lastDuration = duration
    return problem != nil
  }

  /// Takes note that the store is where it belongs.
  ///
  /// - Returns: Whether it was missed before.
  mutating func found() -> Bool {
    defer { absence = nil }
    return absence != nil
  }

  /// - Returns: Whether the store is missed for another reason than before.
  mutating func missed(_ error: StoreError) -> Bool {
    defer { absence = error.message }
    return problem != error.message
  }

  /// - Returns: Whether the failure is of another kind than the last one.
  mutating func failed(_ error: StoreError) -> Bool {
    checkpoints.failed &+= 1
    defer { failure = error.message }
    return problem != error.message
  }
}
