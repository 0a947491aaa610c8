public import Lifecycle

/// What a reader found in a batch.
public struct DecodedBatch: Sendable, Equatable {
  /// Who sends it; `nil` if it does not say so.
  public var source: SourceID?
  /// The number of the batch; `nil` if it does not say so. Never 0.
  public var sequence: UInt64?
  /// The events that can be read, in the order in which they are written.
  public var events: [LifecycleEvent] = []
  /// Those that cannot, in ascending order of their index.
  public var rejected: [RejectedEvent] = []

  init() {}

  /// The place in the batch as it was sent of each event of ``events``, from 0.
  ///
  /// - Complexity: O(events).
  public var indices: [Int] {
    var indices: [Int] = []
    indices.reserveCapacity(events.count)
    var next = 0
    var passed = 0
    for _ in events {
      while passed < rejected.count, rejected[passed].index == next {
        passed += 1
        next += 1
      }
      indices.append(next)
      next += 1
    }
    return indices
  }
}
