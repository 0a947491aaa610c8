import Lifecycle
import Text

@testable import FunctionHost
@testable import Schedules

extension FuzzTarget {
  /// What files say of times.
  static let schedules: [FuzzTarget] = [
    FuzzTarget("schedules", expressions),
    FuzzTarget("time-zones", zones),
    FuzzTarget("schedule-files", files),
  ]

  /// Times are in order, after the instant that they follow, and each is the last of the span up to it.
  private static func expressions(_ bytes: [UInt8]) {
    guard let schedule = try? Schedule(String(decoding: bytes, as: UTF8.self)) else { return }
    let start = Timestamp(seconds: 1_800_000_000)
    var last = start
    for time in schedule.next(3, after: start, anchor: start) {
      require(time > last, "\(time.nanoseconds) follows \(last.nanoseconds)")
      require(
        schedule.last(after: last, until: time, anchor: start) == time,
        "\(time.nanoseconds) is not the last until itself")
      last = time
    }
  }

  /// What a clock shows at an instant leads back to it, or to an earlier one that shows the same.
  private static func zones(_ bytes: [UInt8]) {
    _ = ZoneRule(posix: bytes).map { rule in
      for time in stride(from: Int64(0), to: 4_000_000_000, by: 400_000_003) {
        require(abs(rule.offset(at: time)) <= 168 * 3_600, "an offset is longer than a week")
      }
    }
    guard let zone = TimeZone(file: bytes, name: "fuzz") else { return }
    for time in stride(from: Int64(-2_000_000_000), to: 6_000_000_000, by: 123_456_789) {
      let local = time + zone.offset(at: time)
      guard let found = zone.instant(ofLocal: local) else { continue }
      require(found + zone.offset(at: found) == local, "an instant shows another time")
    }
  }

  /// What was kept of schedules is written as it was read.
  private static func files(_ bytes: [UInt8]) {
    guard let entries = ScheduleStore.entries(bytes) else { return }
    require(
      ScheduleStore.entries(ScheduleStore.document(entries)) == entries,
      "what was kept changes when it is written again")
  }
}
