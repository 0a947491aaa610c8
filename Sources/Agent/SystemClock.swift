internal import Glibc
internal import Lifecycle

enum SystemClock {
  /// The time of day, as the system has it.
  @Sendable static func now() -> Timestamp {
    var time = timespec()
    // SAFETY: the pointer is valid for the call; the clock always exists, so there is no error to look at.
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(seconds: Int64(time.tv_sec)) + Nanoseconds(Int64(time.tv_nsec))
  }
}
