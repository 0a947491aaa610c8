internal import Glibc
internal import NIOPosix
internal import Synchronization

/// The folder in which a sandbox without a /tmp of its own keeps its temporary files, and how much there may be.
final class SandboxFolder: Sendable {
  let path: String
  private let limitBytes: Int64
  private let isChecking = Mutex(false)

  /// The most files that are looked at in one check: a bound of its cost.
  private static let entriesMax = 20_000

  init(path: String, limitBytes: Int64) {
    self.path = path
    self.limitBytes = limitBytes
  }

  /// Looks on another thread how much there is; `broken` is called there if that is too much. Does nothing while an
  /// earlier look goes on.
  func check(_ broken: @escaping @Sendable () -> Void) {
    let isFree = isChecking.withLock { isChecking in
      defer { isChecking = true }
      return !isChecking
    }
    guard isFree else { return }
    NIOThreadPool.singleton.submit { _ in
      var entries = SandboxFolder.entriesMax
      if SandboxFolder.bytes(in: self.path, entries: &entries) > self.limitBytes { broken() }
      self.isChecking.withLock { $0 = false }
    }
  }

  /// Removes it, on another thread.
  func remove() { NIOThreadPool.singleton.submit { _ in SystemFile.removeAll(self.path) } }

  private static func bytes(in folder: String, entries: inout Int) -> Int64 {
    var sum: Int64 = 0
    for name in SystemFile.names(in: folder) where entries > 0 {
      entries -= 1
      let path = "\(folder)/\(name)"
      var status = stat()
      guard unsafe lstat(path, &status) == 0 else { continue }
      sum += Int64(status.st_blocks) * 512
      if status.st_mode & S_IFMT == S_IFDIR { sum += bytes(in: path, entries: &entries) }
    }
    return sum
  }
}
