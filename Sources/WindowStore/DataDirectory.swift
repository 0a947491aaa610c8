internal import Glibc

/// The directory of a store.
package enum DataDirectory {
  /// - Returns: 0 for a file that is not there.
  static func sizeBytes(ofFile path: String) -> Int64 {
    var status = stat()
    return unsafe stat(path, &status) == 0 ? Int64(status.st_size) : 0
  }

  /// Creates a directory, for its owner alone, with those above it.
  ///
  /// - Throws: ``StoreError`` with ``StoreError/Code/inaccessible`` that names the part that could not be made.
  package static func create(_ path: String) throws(StoreError) {
    var made = path.hasPrefix("/") ? "/" : ""
    let parts = path.split(separator: "/")
    for (position, part) in parts.enumerated() {
      made += made.isEmpty || made.hasSuffix("/") ? String(part) : "/" + part
      // Logs of functions may hold what is nobody else's business.
      if unsafe mkdir(made, position == parts.count - 1 ? 0o700 : 0o755) == 0 { continue }
      let reason = errno
      if reason == EEXIST || reason == EISDIR { continue }
      // A directory above that may not be written can still hold the one that is asked for.
      if unsafe access(made, F_OK) == 0 { continue }
      throw StoreError(
        .inaccessible, "the data directory \(path) cannot be created: \(made): \(SystemError.text(reason))")
    }
    var status = stat()
    guard unsafe stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
      throw StoreError(.inaccessible, "the data directory \(path) is not a directory")
    }
    try expectWritable(path)
  }

  /// - Throws: ``StoreError`` with ``StoreError/Code/inaccessible`` if files cannot be made in it.
  static func expectWritable(_ path: String) throws(StoreError) {
    guard unsafe access(path, R_OK | W_OK | X_OK) == 0 else {
      throw StoreError(.inaccessible, "the data directory \(path) cannot be written: \(SystemError.text(errno))")
    }
  }

  /// Makes a file for its owner alone if there is none, so that SQLite gives what it puts beside it the same mode.
  ///
  /// - Throws: ``StoreError`` with ``StoreError/Code/inaccessible`` if the path names a link or anything else that is no
  ///   file: who planted it would choose what is written.
  package static func prepareFile(_ path: String) throws(StoreError) {
    let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0o600)
    guard descriptor >= 0 else {
      let reason = errno == ELOOP ? "it is a symbolic link" : SystemError.text(errno)
      throw StoreError(.inaccessible, "\(path) cannot be opened: \(reason)")
    }
    defer { close(descriptor) }
    guard let facts = FileFacts.of(descriptor), facts.isFile else {
      throw StoreError(.inaccessible, "\(path) is not a file; move it away or use another data directory")
    }
  }

  /// Has a file on the disk; or a directory itself, so that a file which was renamed in it stays.
  static func synchronize(_ path: String) {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    // What fails here is only what a power cut would undo.
    _ = fsync(descriptor)
    close(descriptor)
  }
}

/// Facts about a file from the system.
struct FileFacts: Sendable {
  /// Which file it is, whatever it is called.
  struct Identity: Hashable, Sendable {
    fileprivate var device: UInt64
    fileprivate var inode: UInt64
  }

  var identity: Identity
  var sizeBytes: Int64
  private var mode: UInt32

  private init(_ status: stat) {
    identity = Identity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    sizeBytes = Int64(status.st_size)
    mode = UInt32(status.st_mode)
  }

  var isFile: Bool { mode & UInt32(S_IFMT) == UInt32(S_IFREG) }
  /// Whether every user of the machine may write it.
  var isOpenToOthers: Bool { mode & 0o002 != 0 }

  /// - Returns: `nil` if nothing has that name.
  /// - Throws: ``StoreError`` with ``StoreError/Code/inaccessible`` if the system does not tell.
  static func at(_ path: String) throws(StoreError) -> FileFacts? {
    var status = stat()
    guard unsafe lstat(path, &status) != 0 else { return FileFacts(status) }
    guard errno == ENOENT || errno == ENOTDIR else {
      throw StoreError(.inaccessible, "\(path) cannot be read: \(SystemError.text(errno))")
    }
    return nil
  }

  /// As ``at(_:)``, of what a link leads to.
  static func following(_ path: String) throws(StoreError) -> FileFacts? {
    var status = stat()
    guard unsafe stat(path, &status) != 0 else { return FileFacts(status) }
    guard errno == ENOENT || errno == ENOTDIR else {
      throw StoreError(.inaccessible, "\(path) cannot be read: \(SystemError.text(errno))")
    }
    return nil
  }

  static func of(_ descriptor: Int32) -> FileFacts? {
    var status = stat()
    return unsafe fstat(descriptor, &status) == 0 ? FileFacts(status) : nil
  }
}
