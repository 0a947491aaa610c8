internal import Glibc

/// The right of one process to write into a data directory: an advisory lock on `kelvin.lock`, given back when the
/// process ends, however it ends.
struct DirectoryLock: ~Copyable, Sendable {
  private let descriptor: Int32

  /// - Throws: ``StoreError`` with ``StoreError/Code/busy`` if another process has the lock, with
  ///   ``StoreError/Code/inaccessible`` if the file cannot be made.
  init(directory: String) throws(StoreError) {
    let path = directory + "/kelvin.lock"
    // Close on exec: a function's process must not keep the lock of a host that is gone.
    let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw StoreError(.inaccessible, "the data directory \(directory) cannot be written: \(SystemError.text(errno))")
    }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let reason = errno
      let owner = DirectoryLock.owner(descriptor)
      close(descriptor)
      guard reason == EWOULDBLOCK else {
        throw StoreError(.inaccessible, "\(path) cannot be locked: \(SystemError.text(reason))")
      }
      throw StoreError(
        .busy, "the data directory \(directory) is in use by another Kelvin\(owner); stop it or use another directory")
    }
    self.descriptor = descriptor
    // Only so that the next process can say who has it: a failure takes nothing away.
    let text = Array("\(getpid())\n".utf8)
    _ = ftruncate(descriptor, 0)
    _ = unsafe text.withUnsafeBufferPointer { unsafe pwrite(descriptor, $0.baseAddress, $0.count, 0) }
  }

  // SAFETY: nobody else closes the descriptor, and `self` cannot be copied.
  deinit { close(descriptor) }

  private static func owner(_ descriptor: Int32) -> String {
    var bytes = [UInt8](repeating: 0, count: 16)
    let length = unsafe bytes.withUnsafeMutableBufferPointer { unsafe pread(descriptor, $0.baseAddress, $0.count, 0) }
    let text = String(decoding: bytes.prefix(max(0, length)).prefix { $0 != 10 }, as: UTF8.self)
    return Int(text).map { " (process \($0))" } ?? ""
  }
}

enum SystemError {
  static func text(_ code: Int32) -> String {
    // SAFETY: glibc's strerror is safe between threads since 2.32 and never answers with a null pointer.
    unsafe String(cString: strerror(code))
  }
}

enum DataDirectory {
  /// - Returns: 0 for a file that is not there.
  static func sizeBytes(ofFile path: String) -> Int64 {
    var status = stat()
    return unsafe stat(path, &status) == 0 ? Int64(status.st_size) : 0
  }

  /// Creates a directory with those above it.
  ///
  /// - Throws: ``StoreError`` with ``StoreError/Code/inaccessible`` that names the part that could not be made.
  static func create(_ path: String) throws(StoreError) {
    var made = path.hasPrefix("/") ? "/" : ""
    for part in path.split(separator: "/") {
      made += made.isEmpty || made.hasSuffix("/") ? String(part) : "/" + part
      if unsafe mkdir(made, 0o755) == 0 { continue }
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
    guard unsafe access(path, R_OK | W_OK | X_OK) == 0 else {
      throw StoreError(.inaccessible, "the data directory \(path) cannot be written: \(SystemError.text(errno))")
    }
  }
}
