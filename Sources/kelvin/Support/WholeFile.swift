import Glibc

/// Replaces files atomically: a reader sees the old or the new content, never a part.
enum WholeFile {
  /// Puts a file with these bytes in the place of `path`; its mode is 0644 less the umask, or that of the file that was there.
  ///
  /// A symbolic link is followed, so that the file it names is replaced, not the link. What is there and is no file (a device,
  /// a pipe) is written to as it is.
  ///
  /// - Throws: ``CommandFailure`` if it cannot be written; then what was there still is.
  static func write(_ bytes: [UInt8], to path: String) throws {
    let target = resolved(path)
    var status = stat()
    let exists = unsafe stat(target, &status) == 0
    if exists, status.st_mode & S_IFMT != S_IFREG {
      let descriptor = try opened(target, O_WRONLY | O_CLOEXEC, mode: 0, shownAs: path)
      defer { close(descriptor) }
      return try write(bytes, to: descriptor, path)
    }
    let temporary = "\(target).\(getpid()).tmp"
    let mode: mode_t = exists ? status.st_mode & 0o7777 : 0o644
    let descriptor = try opened(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode: mode, shownAs: path)
    do {
      defer { close(descriptor) }
      if exists, fchmod(descriptor, mode) != 0 { throw failure(path) }
      try write(bytes, to: descriptor, path)
      // Renamed before it is on the disk, the file could be empty after a crash of the machine.
      guard fsync(descriptor) == 0 else { throw failure(path) }
      guard unsafe rename(temporary, target) == 0 else { throw failure(path) }
    } catch {
      unsafe unlink(temporary)
      throw error
    }
  }

  private static func opened(_ path: String, _ flags: Int32, mode: mode_t, shownAs shown: String) throws -> Int32 {
    let descriptor = unsafe open(path, flags, mode)
    guard descriptor >= 0 else { throw failure(shown) }
    return descriptor
  }

  private static func write(_ bytes: [UInt8], to descriptor: Int32, _ path: String) throws {
    var written = 0
    while written < bytes.count {
      let count = unsafe bytes.withUnsafeBytes { buffer in
        unsafe Glibc.write(descriptor, buffer.baseAddress.map { unsafe $0 + written }, buffer.count - written)
      }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw failure(path) }
      written += count
    }
  }

  private static func resolved(_ path: String) -> String {
    guard let real = unsafe realpath(path, nil) else { return path }
    defer { unsafe free(real) }
    return unsafe String(cString: real)
  }

  private static func failure(_ path: String) -> CommandFailure {
    .failure("\(path) cannot be written: \(unsafe String(cString: strerror(errno))).")
  }
}
