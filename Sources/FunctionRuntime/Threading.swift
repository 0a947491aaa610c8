import Glibc
import Synchronization

/// A flag that is set once and can be seen from any thread, such as a handler's start or its abort.
final class Moment: Sendable {
  private let flag = Atomic(false)
  var hasHappened: Bool { flag.load(ordering: .acquiring) }
  func happen() { flag.store(true, ordering: .releasing) }
}

/// A thread that the concurrency pool knows nothing of, so that it may block.
enum BlockingThread {
  /// Starts a thread that runs `body` and ends.
  ///
  /// - Returns: Whether the system had one to give.
  static func start(_ body: @escaping @Sendable () -> Void) -> Bool {
    var attributes = pthread_attr_t()
    unsafe pthread_attr_init(&attributes)
    defer { unsafe pthread_attr_destroy(&attributes) }
    unsafe pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    // SAFETY: the box is taken back exactly once: by the thread, or below if there is none.
    let box = unsafe Unmanaged.passRetained(Box(body: body))
    var thread = pthread_t()
    let status = unsafe pthread_create(
      &thread, &attributes,
      { pointer in
        guard let pointer = unsafe pointer else { return nil }
        unsafe Unmanaged<Box>.fromOpaque(pointer).takeRetainedValue().body()
        return nil
      }, box.toOpaque())
    if status != 0 { unsafe box.release() }
    return status == 0
  }

  private final class Box: Sendable {
    let body: @Sendable () -> Void
    init(body: @escaping @Sendable () -> Void) { self.body = body }
  }
}

/// How a task of the pool wakes the blocked thread: a pipe, so that waiting is poll(2) and can end.
///
/// A signal may come late, when nobody waits for it any more: whoever is woken looks at the state first.
final class Wakeup: Sendable {
  private let readEnd: Int32
  private let writeEnd: Int32

  /// - Returns: nil if the process has no file descriptor left.
  init?() {
    var ends: (Int32, Int32) = (-1, -1)
    let status = unsafe withUnsafeMutableBytes(of: &ends) {
      unsafe pipe($0.assumingMemoryBound(to: Int32.self).baseAddress)
    }
    guard status == 0 else { return nil }
    (readEnd, writeEnd) = ends
    for end in [readEnd, writeEnd] {
      _ = fcntl(end, F_SETFL, O_NONBLOCK)
      _ = fcntl(end, F_SETFD, FD_CLOEXEC)
    }
  }

  deinit {
    close(readEnd)
    close(writeEnd)
  }

  func signal() {
    var byte: UInt8 = 1
    // A full pipe carries the news already.
    _ = unsafe write(writeEnd, &byte, 1)
  }

  /// Waits for a signal or for `deadline`, whichever comes first.
  func wait(until deadline: ContinuousClock.Instant?) {
    var entry = pollfd(fd: readEnd, events: Int16(POLLIN), revents: 0)
    guard unsafe poll(&entry, 1, Wakeup.milliseconds(until: deadline)) > 0 else { return }
    var bytes: (UInt64, UInt64) = (0, 0)
    _ = unsafe read(readEnd, &bytes, MemoryLayout.size(ofValue: bytes))
  }

  /// Rounded up, so that nobody wakes just before the deadline and spins.
  private static func milliseconds(until deadline: ContinuousClock.Instant?) -> Int32 {
    guard let deadline else { return -1 }
    let left = ContinuousClock.now.duration(to: deadline)
    guard left > .zero else { return 0 }
    let parts = left.components
    return Int32(clamping: parts.seconds * 1_000 + (parts.attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
  }
}
