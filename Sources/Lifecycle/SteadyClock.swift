/// The clock of one process: what the system's wall clock showed when this was made, and the time that has passed
/// since, with the time that the machine slept.
///
/// It never steps. If somebody sets the system's clock, no duration comes out negative or an hour too long, and no event of
/// this process comes too late or from the future. What NTP corrects by slewing, it follows. Made once for each process, and
/// handed to all that ask for the time. May be read from any thread.
public struct SteadyClock: Sendable {
  private let wall: @Sendable () -> Timestamp
  private let elapsed: @Sendable () -> Nanoseconds
  private let origin: Timestamp

  /// Makes a clock that begins at what the wall clock shows now.
  ///
  /// - Parameters:
  ///   - wall: The system's wall clock, which may be set at any time.
  ///   - elapsed: The time that has passed since some instant; it never goes back.
  public init(wall: @escaping @Sendable () -> Timestamp, elapsed: @escaping @Sendable () -> Nanoseconds) {
    self.wall = wall
    self.elapsed = elapsed
    origin = wall() - elapsed()
  }

  /// The time, in the process's own count.
  public func now() -> Timestamp { origin + elapsed() }

  /// How far the system's wall clock is ahead of ``now()``, to the nearest hundredth of a second; negative if it is behind.
  /// Zero until it is set: what is less lies between two readings.
  public var wallClockLead: Nanoseconds {
    var lead = Nanoseconds.zero
    for _ in 0..<4 {
      let before = elapsed()
      lead = wall() - (origin + before)
      // A thread that was held up between the readings reads again.
      if elapsed().count &- before.count < 1_000_000 { break }
    }
    let half: Int64 = lead.count < 0 ? -5_000_000 : 5_000_000
    return .milliseconds((lead + Nanoseconds(half)).count / 10_000_000 * 10)
  }

  /// What the system's wall clock shows at an instant of ``now()``: for those who compare it with that clock.
  public func wallTime(of time: Timestamp) -> Timestamp { time + wallClockLead }
}
