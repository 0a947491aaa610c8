import CLinux
import Glibc
import NIOPosix
import Synchronization

/// The descriptor on which the kernel reports that a control group of version 1 crossed a threshold; open while this
/// value lives.
final class MemoryWatch: Sendable {
  let descriptor: Int32
  private let group: MemoryGroup
  private let isBlind = Atomic(false)

  /// `nil` if the system has no more descriptors.
  init?(_ group: MemoryGroup) {
    descriptor = clinux_eventfd()
    guard descriptor >= 0 else { return nil }
    self.group = group
  }

  deinit { close(descriptor) }

  /// Whether the kernel refused to watch, so that somebody else has to look.
  var hasFailed: Bool { isBlind.load(ordering: .relaxed) }

  /// Watches for kills by the kernel. Quick.
  func watchKills() -> Bool { group.notifyOfKills(descriptor) }

  /// Asks to be woken when usage crosses `bytes`, on a thread of `watchers`: the kernel takes a threshold only after all its
  /// processors have gone through a quiet moment (`synchronize_rcu` in mm/memcontrol-v1.c), which is some 10 ms, and the
  /// keeper's thread has other instances to start. What was crossed before is not told by the kernel, so the descriptor is made
  /// readable once it is in place.
  func addThreshold(_ bytes: Int64, on watchers: NIOThreadPool) {
    watchers.submit { state in
      guard state == .active else { return }
      if !self.group.notify(self.descriptor, crossing: bytes) { self.isBlind.store(true, ordering: .relaxed) }
      var one: UInt64 = 1
      unsafe _ = write(self.descriptor, &one, MemoryLayout<UInt64>.size)
    }
  }
}
