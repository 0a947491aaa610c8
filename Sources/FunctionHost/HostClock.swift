import Glibc
import Lifecycle

/// Where a host takes the time from.
///
/// Instants are the wall clock's at the start of the host plus the time that has passed since, so that no step of the
/// wall clock makes a duration negative: the caller, the events and the answers all see one clock that only goes forward.
struct HostClock: Sendable {
  var now: @Sendable () -> Timestamp

  static func system() -> HostClock {
    let anchor = read(CLOCK_REALTIME) - read(CLOCK_BOOTTIME)
    return HostClock { Timestamp(nanoseconds: read(CLOCK_BOOTTIME) + anchor) }
  }

  private static func read(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    unsafe clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}
