import CLinux
import Glibc

/// Measures the content of a folder through an open descriptor.
///
/// As with ``FolderRemover``, no link is followed and no mount entered. One folder is open at a time; the way back up is checked
/// against what was walked down, because a folder may be moved meanwhile.
struct FolderSize: Equatable {
  /// On the disk, in bytes; a file with several names counts once.
  var bytes: Int64 = 0
  var entries = 0
  /// Whether it was looked at to the end.
  var isWhole = true

  private struct Identity: Hashable {
    var device: UInt64
    var number: UInt64

    init?(_ descriptor: Int32) {
      var status = stat()
      guard unsafe fstat(descriptor, &status) == 0 else { return nil }
      self.init(status)
    }

    init(_ status: stat) {
      device = UInt64(status.st_dev)
      number = UInt64(status.st_ino)
    }
  }

  private struct Level {
    var identity: Identity
    var names: [String]
  }

  /// Looks until there are more than `bytesMax` or `entriesMax`, if there are.
  static func of(_ folder: Int32, bytesMax: Int64, entriesMax: Int) -> FolderSize {
    var size = FolderSize()
    var current = unsafe openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    defer { if current >= 0 { close(current) } }
    guard current >= 0, let identity = Identity(current) else {
      size.isWhole = false
      return size
    }
    var seen: Set<Identity> = []
    var levels = [Level(identity: identity, names: FolderNames.read(current, max: entriesMax + 1))]
    while size.bytes <= bytesMax, size.entries <= entriesMax {
      if let name = levels[levels.count - 1].names.popLast() {
        guard size.add(name, of: current, seen: &seen) else { continue }
        let below = unsafe clinux_open_folder(current, name)
        // Gone, a mount, or closed to us: nothing of it counts.
        guard below >= 0 else { continue }
        close(current)
        current = below
        guard let identity = Identity(below) else { break }
        levels.append(Level(identity: identity, names: FolderNames.read(below, max: entriesMax + 1)))
      } else {
        levels.removeLast()
        guard let above = levels.last else { return size }
        let up = unsafe openat(current, "..", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard up >= 0 else { break }
        close(current)
        current = up
        guard Identity(up) == above.identity else { break }
      }
    }
    size.isWhole = false
    return size
  }

  /// Counts an entry; true if it is a folder.
  private mutating func add(_ name: String, of folder: Int32, seen: inout Set<Identity>) -> Bool {
    var status = stat()
    guard unsafe fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else { return false }
    entries += 1
    let isFolder = status.st_mode & S_IFMT == S_IFDIR
    if isFolder || status.st_nlink < 2 || seen.insert(Identity(status)).inserted {
      bytes += Int64(status.st_blocks) * 512
    }
    return isFolder
  }
}
