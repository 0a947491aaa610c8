import CLinux
import Glibc

/// Empties a folder through an open descriptor, whatever others do to its content meanwhile.
///
/// Nothing is named by a path: each step takes an entry of a folder that is held open, follows no link and enters no mount, so
/// that an entry that is exchanged for a link, for another folder or for a mount between two steps leads nowhere. A folder in a
/// folder is moved up before it is emptied, so that a tree of any depth takes two descriptors and no stack.
struct FolderRemover {
  /// What is removed at most before it gives up: a bound of the time.
  static let patience = Duration.seconds(60)

  private let top: Int32
  private let deadline: ContinuousClock.Instant
  private let owner: uid_t?
  private var fresh: UInt64 = 0
  /// What stays, and why: the first thing that was found.
  private(set) var obstacle: String?

  /// Names that are read in one go.
  private static let batchMax = 4096

  /// - Parameters:
  ///   - top: A descriptor of the folder; stays open.
  ///   - owner: Whose entries directly in the folder are removed; `nil`: everybody's.
  init(_ top: Int32, owner: uid_t? = nil, within patience: Duration = patience) {
    self.top = top
    self.owner = owner
    deadline = .now + patience
  }

  /// Removes all entries. True if none is left; else ``obstacle`` says why.
  mutating func empty() -> Bool {
    while true {
      let names = FolderNames.read(top, max: FolderRemover.batchMax)
      if names.isEmpty { return true }
      var isFurther = false
      for name in names {
        guard isInTime else { return false }
        if remove(name) { isFurther = true }
      }
      if !isFurther { return false }
    }
  }

  private var isInTime: Bool {
    mutating get {
      if .now < deadline { return true }
      note("there is more than can be removed in time")
      return false
    }
  }

  private mutating func note(_ text: String) { if obstacle == nil { obstacle = text } }

  private mutating func note(_ name: String, _ code: Int32) {
    note("\(name): \(unsafe String(cString: strerror(code)))")
  }

  /// Removes one entry of the folder itself; true if there is less than before.
  private mutating func remove(_ name: String) -> Bool {
    if let owner {
      var status = stat()
      guard unsafe fstatat(top, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else { return errno == ENOENT }
      guard status.st_uid == owner else {
        note("\(name) belongs to user \(status.st_uid)")
        return false
      }
    }
    guard unsafe unlinkat(top, name, 0) != 0, errno != ENOENT else { return true }
    // Not a folder, and it cannot be removed.
    guard errno == EISDIR || errno == EPERM else {
      note(name, errno)
      return false
    }
    if unsafe unlinkat(top, name, AT_REMOVEDIR) == 0 || errno == ENOENT { return true }
    guard errno == ENOTEMPTY || errno == EEXIST || errno == EACCES else {
      note(name, errno)
      return false
    }
    guard let folder = open(name) else { return false }
    defer { close(folder) }
    let isFurther = flatten(folder)
    if unsafe unlinkat(top, name, AT_REMOVEDIR) == 0 || errno == ENOENT { return true }
    if !isFurther { note(name, errno) }
    return isFurther
  }

  private mutating func open(_ name: String) -> Int32? {
    var folder = unsafe clinux_open_folder(top, name)
    if folder < 0, errno == EACCES, unsafe clinux_make_accessible(top, name) == 0 {
      folder = unsafe clinux_open_folder(top, name)
    }
    guard folder >= 0 else {
      note(errno == EXDEV ? "something is mounted on \(name)" : "\(name): \(unsafe String(cString: strerror(errno)))")
      return nil
    }
    var status = stat()
    // A folder that its owner may not write to cannot be emptied by them.
    if unsafe fstat(folder, &status) == 0, status.st_mode & S_IRWXU != S_IRWXU { _ = fchmod(folder, S_IRWXU) }
    return folder
  }

  /// Removes what can be removed of a folder at once, and moves folders that are not empty up. True if it has less than before.
  private mutating func flatten(_ folder: Int32) -> Bool {
    var isFurther = false
    while isInTime {
      let names = FolderNames.read(folder, max: FolderRemover.batchMax)
      var hasMoved = false
      for name in names {
        guard isInTime else { return isFurther }
        if takeOut(name, of: folder) { hasMoved = true }
      }
      guard hasMoved else { break }
      isFurther = true
    }
    return isFurther
  }

  private mutating func takeOut(_ name: String, of folder: Int32) -> Bool {
    if unsafe unlinkat(folder, name, 0) == 0 || errno == ENOENT { return true }
    guard errno == EISDIR || errno == EPERM else {
      note(name, errno)
      return false
    }
    if unsafe unlinkat(folder, name, AT_REMOVEDIR) == 0 || errno == ENOENT { return true }
    var isOpened = false
    while true {
      fresh += 1
      if unsafe clinux_move(folder, name, top, ".kelvin-removed-\(fresh)") == 0 { return true }
      switch errno {
      case EEXIST: continue
      // A folder that is moved is written to: its entry `..` changes.
      case EACCES where unsafe !isOpened && clinux_make_accessible(folder, name) == 0: isOpened = true
      case ENOENT: return true
      default:
        note(name, errno)
        return false
      }
    }
  }
}

/// The entries of a folder that is held open.
enum FolderNames {
  /// At most `max` names, without `.` and `..`; none if it cannot be read.
  static func read(_ folder: Int32, max: Int = .max) -> [String] {
    // A description of its own: a duplicate would share its position with other readers.
    let own = unsafe openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard own >= 0 else { return [] }
    guard let directory = unsafe fdopendir(own) else {
      close(own)
      return []
    }
    defer { unsafe _ = closedir(directory) }
    var names: [String] = []
    while names.count < max, let entry = unsafe readdir(directory) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }
}
