import Glibc
import Lifecycle

/// The clock of this machine.
enum SystemClock {
  static func now() -> Timestamp {
    var time = timespec()
    // Fails only for clocks that there are none of.
    unsafe _ = clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(seconds: Int64(time.tv_sec)) + Nanoseconds(Int64(time.tv_nsec))
  }
}
