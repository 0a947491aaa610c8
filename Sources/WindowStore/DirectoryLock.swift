internal import Glibc

/// One process's right to write into a data directory: an advisory lock on the directory itself, and one on
/// `kelvin.lock` in it. The right ends with the process, however that ends.
///
/// The directory's own lock cannot be deleted by its users. That of the file keeps out a Kelvin before 0.2, which locks nothing
/// else; and the file says who holds the directory.
struct DirectoryLock: ~Copyable, Sendable {
  static let fileName = "kelvin.lock"

  /// Which directory is held, whatever its path names by now.
  let identity: FileFacts.Identity
  private let directory: String
  private let descriptor: Int32
  private var file: Int32

  /// - Throws: ``StoreError`` with ``StoreError/Code/busy`` if another process has one of the locks, with
  ///   ``StoreError/Code/inaccessible`` if the directory cannot be read or the file cannot be made.
  init(directory: String) throws(StoreError) {
    // Close on exec: a function's process must not keep the lock of a host that is gone.
    let descriptor = unsafe open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw StoreError(.inaccessible, "the data directory \(directory) cannot be read: \(SystemError.text(errno))")
    }
    guard let facts = FileFacts.of(descriptor) else {
      let reason = errno
      close(descriptor)
      throw StoreError(.inaccessible, "the data directory \(directory) cannot be read: \(SystemError.text(reason))")
    }
    // A file system that cannot lock directories, as NFS, still locks the file.
    if flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK {
      close(descriptor)
      throw DirectoryLock.busy(directory)
    }
    do {
      file = try DirectoryLock.lockFile(directory)
    } catch {
      close(descriptor)
      throw error
    }
    self.descriptor = descriptor
    self.directory = directory
    identity = facts.identity
  }

  // SAFETY: nobody else closes the descriptors, and `self` cannot be copied.
  deinit {
    close(file)
    close(descriptor)
  }

  /// Makes and locks `kelvin.lock` again if its name is gone or names another file.
  ///
  /// - Returns: Whether that was so.
  /// - Throws: ``StoreError`` with ``StoreError/Code/busy`` if another process has the new file.
  mutating func renewFile() throws(StoreError) -> Bool {
    let named = try FileFacts.at(directory + "/" + DirectoryLock.fileName)
    if let named, named.identity == FileFacts.of(file)?.identity { return false }
    let renewed = try DirectoryLock.lockFile(directory)
    close(file)
    file = renewed
    return true
  }

  private static func lockFile(_ directory: String) throws(StoreError) -> Int32 {
    let path = directory + "/" + fileName
    let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else {
      throw StoreError(.inaccessible, "the data directory \(directory) cannot be written: \(SystemError.text(errno))")
    }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let reason = errno
      close(descriptor)
      guard reason == EWOULDBLOCK else {
        throw StoreError(.inaccessible, "\(path) cannot be locked: \(SystemError.text(reason))")
      }
      throw busy(directory)
    }
    // Only so that the next process can say who has it: a failure takes nothing away.
    let text = Array("\(getpid())\n".utf8)
    _ = ftruncate(descriptor, 0)
    _ = unsafe text.withUnsafeBufferPointer { unsafe pwrite(descriptor, $0.baseAddress, $0.count, 0) }
    return descriptor
  }

  private static func busy(_ directory: String) -> StoreError {
    StoreError(
      .busy,
      "the data directory \(directory) is in use by another Kelvin\(owner(directory)); stop it or use another directory"
    )
  }

  private static func owner(_ directory: String) -> String {
    let descriptor = unsafe open(directory + "/" + fileName, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
    guard descriptor >= 0 else { return "" }
    defer { close(descriptor) }
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
