internal import Glibc

/// Disk space that is kept for the last checkpoint: a file that the agent deletes if the disk is full when it ends.
enum StoreReserve {
  static let fileName = "kelvin.reserve"
  /// Enough for a checkpoint of some thousand functions.
  static let bytes: Int64 = 4 << 20
  /// Less is of no use.
  private static let bytesMin: Int64 = 64 << 10
  /// The part of the free room that it may take.
  private static let freeShare: Int64 = 16

  /// Makes the file if it is not there, as large as the room allows; a full disk has none.
  static func keep(in directory: String) {
    let path = directory + "/" + fileName
    var status = stat()
    guard unsafe lstat(path, &status) != 0 else { return }
    var room = statvfs()
    guard unsafe statvfs(directory, &room) == 0 else { return }
    let share = UInt64(room.f_bavail) / UInt64(freeShare) &* UInt64(room.f_frsize)
    let size = min(bytes, Int64(clamping: share))
    guard size >= bytesMin else { return }
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { return }
    let code = posix_fallocate(descriptor, 0, off_t(size))
    close(descriptor)
    // A part of it would be in the way without being of use.
    if code != 0 { unsafe unlink(path) }
  }

  /// Frees the space for the next write.
  ///
  /// - Returns: Whether there was any.
  static func release(in directory: String) -> Bool { unsafe unlink(directory + "/" + fileName) == 0 }
}
