internal import Synchronization

/// A limit on the memory of all requests in progress: of one server, of several, or of a part of one server's requests.
///
/// A server reserves a body's bytes as they arrive, and gives them back when the request has been answered (or refused, or
/// its connection is gone and its handler has ended). Bodies over ``smallBytesMax`` may take three quarters of a budget: what
/// is small finds room although large ones have used up theirs. May be used from any thread.
public final class BodyBudget: Sendable {
  /// Up to here a body is small: 64 KiB.
  public static let smallBytesMax = 64 << 10

  /// The most bytes held at once.
  public let bytesMax: Int
  private let parent: BodyBudget?
  private let used = Atomic<Int>(0)
  private let hasWaiters = Atomic<Bool>(false)
  private let waiters = Mutex<[ObjectIdentifier: @Sendable () -> Void]>([:])

  /// Makes a budget of which nothing is taken.
  ///
  /// - Parameters:
  ///   - bytesMax: The most bytes held at once; at least 1.
  ///   - parent: A budget of which this is a part: what is reserved here is reserved there, too.
  public init(bytesMax: Int, within parent: BodyBudget? = nil) {
    precondition(bytesMax > 0, "BUG: a budget of \(bytesMax) bytes")
    self.bytesMax = bytesMax
    self.parent = parent
  }

  /// The bytes that are reserved now.
  public var bytesUsed: Int { used.load(ordering: .relaxed) }

  /// Takes bytes, here and in the budgets that this is a part of, or none at all.
  ///
  /// - Parameters:
  ///   - bytes: How many; not negative.
  ///   - total: The size of the whole body as far as it is known, which says whether it is small.
  /// - Returns: Whether there was room. Then ``release(_:)`` must be called with as many bytes, at once or in parts.
  public func reserve(_ bytes: Int, of total: Int) -> Bool {
    let ceiling = ceiling(total)
    var current = used.load(ordering: .relaxed)
    while true {
      guard bytes <= ceiling - current else { return false }
      let (exchanged, original) = used.compareExchange(
        expected: current, desired: current + bytes, ordering: .acquiringAndReleasing)
      if exchanged { break }
      current = original
    }
    guard parent?.reserve(bytes, of: total) ?? true else {
      used.subtract(bytes, ordering: .acquiringAndReleasing)
      return false
    }
    return true
  }

  /// Gives back bytes that were reserved.
  public func release(_ bytes: Int) {
    guard bytes > 0 else { return }
    used.subtract(bytes, ordering: .acquiringAndReleasing)
    parent?.release(bytes)
    if hasWaiters.load(ordering: .acquiring) { wake() }
  }

  /// Whether as many bytes could be reserved now.
  func hasRoom(for bytes: Int) -> Bool {
    bytes <= ceiling(bytes) - used.load(ordering: .relaxed) && parent?.hasRoom(for: bytes) ?? true
  }

  /// Calls `wake` once, on any thread, when bytes have been given back; it may be too early, so try again then and wait again.
  /// After this call, try once more: bytes may have been given back before it.
  func wait(_ waiter: ObjectIdentifier, _ wake: @escaping @Sendable () -> Void) {
    waiters.withLock { waiters in
      waiters[waiter] = wake
      hasWaiters.store(true, ordering: .releasing)
    }
    parent?.wait(waiter, wake)
  }

  /// Forgets a waiter.
  func forget(_ waiter: ObjectIdentifier) {
    waiters.withLock { waiters in
      waiters[waiter] = nil
      hasWaiters.store(!waiters.isEmpty, ordering: .releasing)
    }
    parent?.forget(waiter)
  }

  private func wake() {
    let woken = waiters.withLock { waiters in
      defer {
        waiters.removeAll()
        hasWaiters.store(false, ordering: .releasing)
      }
      return Array(waiters.values)
    }
    for wake in woken { wake() }
  }

  private func ceiling(_ total: Int) -> Int {
    total > BodyBudget.smallBytesMax ? bytesMax - bytesMax / 4 : bytesMax
  }
}
