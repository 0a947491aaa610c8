internal import Synchronization

/// Counters, side by side, that any thread counts up without a lock.
///
/// SAFETY: the memory is its own, made with it and freed with it, and every access is atomic.
@safe public final class CounterArray: @unchecked Sendable {
  // Unchecked because a pointer is no Sendable: what it points to is only ever accessed by atomic operations.
  private let counters: UnsafeMutablePointer<Atomic<Int>>
  /// How many there are.
  public let count: Int

  /// Counters at 0.
  ///
  /// - Parameter count: How many; not negative.
  public init(count: Int) {
    precondition(count >= 0, "BUG: \(count) counters")
    self.count = count
    unsafe counters = .allocate(capacity: max(1, count))
    for position in 0..<count { unsafe (counters + position).initialize(to: Atomic(0)) }
  }

  deinit {
    unsafe counters.deinitialize(count: count)
    unsafe counters.deallocate()
  }

  /// Counts.
  public func add(_ amount: Int = 1, at position: Int) {
    precondition(position >= 0 && position < count, "BUG: counter \(position) of \(count)")
    unsafe counters[position].add(amount, ordering: .relaxed)
  }

  /// What a counter has now.
  public subscript(position: Int) -> Int {
    precondition(position >= 0 && position < count, "BUG: counter \(position) of \(count)")
    return unsafe counters[position].load(ordering: .relaxed)
  }
}
