internal import CLinux
internal import Glibc
internal import Synchronization

/// What a sandbox holds; read on the host's loop and on the keeper's thread.
final class SandboxMemory: Sendable {
  private struct State {
    var peak: Int64 = 0
    /// A descriptor of a /tmp of its own; -1: none.
    var storage: Int32 = -1
  }

  let group: MemoryGroup?
  private let state = Mutex(State())

  init(group: MemoryGroup?) { self.group = group }

  deinit {
    let storage = state.withLock { $0.storage }
    if storage >= 0 { close(storage) }
  }

  /// Takes over the descriptor of the sandbox's /tmp.
  func take(storage: Int32) { state.withLock { $0.storage = storage } }

  /// Takes a reading of what all processes held.
  func note(_ bytes: Int64) { state.withLock { $0.peak = max($0.peak, bytes) } }

  /// What is in use of a /tmp of its own, in bytes.
  func storageBytes() -> Int64 {
    // Under the lock, so that nobody closes what is looked at.
    state.withLock { $0.storage < 0 ? 0 : max(0, clinux_used_bytes($0.storage)) }
  }

  /// The most that its processes held at once so far.
  /// - Complexity: Three small files of the kernel where there is a control group; some 50 µs.
  func peak() -> Int64 {
    if let reading = group?.read() { note(reading.usedMax(storage: storageBytes())) }
    return state.withLock { $0.peak }
  }
}
