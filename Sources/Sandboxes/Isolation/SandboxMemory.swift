import CLinux
import Glibc
import Synchronization

/// The memory that a sandbox uses; read on the host's loop and on the keeper's thread.
final class SandboxMemory: Sendable {
  private struct State {
    var peak: Int64 = 0
    /// The most that was seen of what does not count as memory.
    var notMemoryMax: Int64 = 0
    /// What the kernel says was the most that was ever charged, when the peak was forgotten: only more than that is news.
    var usageMaxForgotten: Int64 = 0
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

  /// Takes a reading of the group. The kernel's own peak counts all that is charged, so what was no memory is taken off as
  /// the most that was ever seen of it; what was held between two looks at a /tmp that is emptied at once may be
  /// counted.
  func note(_ reading: MemoryGroup.Reading, storage: Int64) {
    state.withLock { state in
      state.notMemoryMax = max(state.notMemoryMax, reading.notMemory(storage: storage))
      state.peak = max(state.peak, reading.used(storage: storage))
      guard reading.usageMax > state.usageMaxForgotten else { return }
      state.peak = max(state.peak, reading.usageMax - state.notMemoryMax)
    }
  }

  /// Begins anew: what is held from here on is another instance's.
  func forgetPeak() {
    let reading = group?.read()
    let storage = storageBytes()
    state.withLock { state in
      state.peak = 0
      state.notMemoryMax = reading?.notMemory(storage: storage) ?? 0
      state.usageMaxForgotten = reading?.usageMax ?? 0
    }
  }

  /// What is in use of a /tmp of its own, in bytes.
  func storageBytes() -> Int64 {
    // Under the lock, so that nobody closes what is looked at.
    state.withLock { $0.storage < 0 ? 0 : max(0, clinux_used_bytes($0.storage)) }
  }

  /// The most that its processes held at once so far.
  /// - Complexity: Three small files of the kernel where there is a control group; some 50 µs.
  func peak() -> Int64 {
    if let reading = group?.read() { note(reading, storage: storageBytes()) }
    return state.withLock { $0.peak }
  }
}
