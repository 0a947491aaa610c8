import Glibc
import NIOPosix
import Synchronization

/// The folder in which a sandbox without a /tmp of its own keeps its temporary files, and how much there may be.
final class SandboxFolder: Sendable {
  private let folder: HeldFolder
  private let home: HostFolder
  private let limitBytes: Int64
  private let state = Mutex(State())

  private struct State {
    var isChecking = false
    /// What the last look found; `nil` before the first has ended.
    var size: FolderSize?
    var isCalm = false
  }

  /// The most files and folders that there may be, whatever they hold: a bound of a check's cost, as the number of inodes is one
  /// of a file system.
  static let entriesMax = 100_000

  init(_ folder: HeldFolder, in home: HostFolder, limitBytes: Int64) {
    self.folder = folder
    self.home = home
    self.limitBytes = limitBytes
  }

  var path: String { folder.path }

  /// Whether the last look found as much as the one before, and not half of what there may be: then a limit is not near.
  var isCalm: Bool { state.withLock { $0.isCalm } }

  /// Looks on another thread how much there is; `broken` is called there if that is too much. Does nothing while an
  /// earlier look goes on.
  func check(_ broken: @escaping @Sendable () -> Void) {
    let isFree = state.withLock { state in
      defer { state.isChecking = true }
      return !state.isChecking
    }
    guard isFree else { return }
    NIOThreadPool.singleton.submit { _ in
      let size = FolderSize.of(
        self.folder.descriptor, bytesMax: self.limitBytes, entriesMax: SandboxFolder.entriesMax)
      if size.bytes > self.limitBytes || size.entries > SandboxFolder.entriesMax { broken() }
      self.state.withLock { state in
        let isSmall = size.bytes < self.limitBytes / 2 && size.entries < SandboxFolder.entriesMax / 2
        state.isCalm = isSmall && state.size == size
        state.size = size
        state.isChecking = false
      }
    }
  }

  /// Removes it, on another thread; `left` gets there what could not be removed, and why.
  func remove(_ left: @escaping @Sendable (String) -> Void) {
    SandboxFolder.removers.submit { _ in if let problem = self.home.remove(self.folder) { left(problem) } }
  }

  /// One thread for all removals: on some file systems a folder takes milliseconds, and a function may leave very many. Other work must
  /// not wait for that.
  private static let removers = {
    let pool = NIOThreadPool(numberOfThreads: 1)
    pool.start()
    return pool
  }()
}
