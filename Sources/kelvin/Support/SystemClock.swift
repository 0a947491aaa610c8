import Glibc
import Lifecycle

/// The clocks of this machine.
enum SystemClock {
  /// The time of day, as the system has it.
  @Sendable static func now() -> Timestamp { Timestamp(nanoseconds: read(CLOCK_REALTIME)) }

  /// A clock for the whole process, set to the time of day now.
  static func steady() -> SteadyClock { SteadyClock(wall: now, elapsed: { Nanoseconds(read(CLOCK_BOOTTIME)) }) }

  private static func read(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    // Fails only for a clock id that the kernel does not know.
    unsafe _ = clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}
