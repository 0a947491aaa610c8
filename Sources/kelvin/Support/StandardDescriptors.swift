import Glibc

/// The numbers 0, 1 and 2: a process that is started with one of them closed gives it to the next file that it opens, and
/// then writes its results into that, or has its messages read as input.
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
