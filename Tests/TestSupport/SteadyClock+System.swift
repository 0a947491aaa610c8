internal import Glibc
public import Lifecycle

extension SteadyClock {
  /// The clock of this machine.
  public static func system() -> SteadyClock {
    SteadyClock(
      wall: { Timestamp(nanoseconds: read(CLOCK_REALTIME)) }, elapsed: { Nanoseconds(read(CLOCK_BOOTTIME)) })
  }

  private static func read(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    // Fails only for a clock id that the kernel does not know.
    unsafe _ = clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}
