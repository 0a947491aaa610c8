import Glibc

/// The descriptors 0, 1 and 2. If a process starts with one of them closed, the next file that it opens gets that
/// number, and results are written into that file, or messages are read as input.
enum StandardDescriptors {
  /// Opens those that are closed, so that using one is the error that it was: reading from 0, writing to 1 and 2.
  static func open() {
    // In ascending order: each takes the lowest number that is free, which is its own.
    for number in STDIN_FILENO...STDERR_FILENO where fcntl(number, F_GETFD) < 0 && errno == EBADF {
      // Inherited by what this process starts, for which the same holds.
      _ = unsafe Glibc.open("/dev/null", number == STDIN_FILENO ? O_WRONLY : O_RDONLY)
    }
  }
}
