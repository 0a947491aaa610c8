import Lifecycle

/// Instants as text, UTC, without a calendar library.
enum CalendarText {
  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]

  /// As in the `time` of a function URL's event: `23/Nov/2026:10:00:00 +0000`.
  static func requestTime(_ time: Timestamp) -> String {
    let seconds = floorDivide(time.nanoseconds, 1_000_000_000)
    let days = floorDivide(seconds, 86_400)
    let ofDay = seconds - days * 86_400
    let date = civil(days)
    return "\(two(date.day))/\(months[Int(date.month) - 1])/\(date.year):"
      + "\(two(ofDay / 3600)):\(two(ofDay / 60 % 60)):\(two(ofDay % 60)) +0000"
  }

  /// RFC 3339 with milliseconds: `2026-11-23T10:00:00.101Z`.
  static func rfc3339(_ time: Timestamp) -> String { toTheMillisecond(time) + "Z" }

  /// As AWS tells when a function was modified: `2026-11-23T10:00:00.000+0000`.
  static func milliseconds(_ time: Timestamp) -> String { toTheMillisecond(time) + "+0000" }

  /// As AWS tells when provisioned concurrency was configured: `2026-11-23T10:00:00+0000`.
  static func seconds(_ time: Timestamp) -> String {
    toTheSecond(floorDivide(time.nanoseconds, 1_000_000_000)) + "+0000"
  }

  private static func toTheMillisecond(_ time: Timestamp) -> String {
    let milliseconds = floorDivide(time.nanoseconds, 1_000_000)
    let seconds = floorDivide(milliseconds, 1000)
    let fraction = milliseconds - seconds * 1000
    return "\(toTheSecond(seconds)).\(fraction < 100 ? "0" : "")\(two(fraction))"
  }

  private static func toTheSecond(_ seconds: Int64) -> String {
    let days = floorDivide(seconds, 86_400)
    let ofDay = seconds - days * 86_400
    let date = civil(days)
    return "\(date.year)-\(two(date.month))-\(two(date.day))T"
      + "\(two(ofDay / 3600)):\(two(ofDay / 60 % 60)):\(two(ofDay % 60))"
  }

  /// As in the name of a log stream: `2026/11/23`.
  static func streamDate(_ time: Timestamp) -> String {
    let date = civil(floorDivide(time.nanoseconds, 86_400_000_000_000))
    return "\(date.year)/\(two(date.month))/\(two(date.day))"
  }

  /// Howard Hinnant's days_from_civil, turned around: exact for every day of the proleptic Gregorian calendar.
  private static func civil(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let shifted = days + 719_468
    let era = floorDivide(shifted, 146_097)
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let month = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * month + 2) / 5 + 1
    let civilMonth = month < 10 ? month + 3 : month - 9
    return (yearOfEra + era * 400 + (civilMonth <= 2 ? 1 : 0), civilMonth, day)
  }

  private static func two(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }

  private static func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
    let quotient = value / divisor
    return value % divisor < 0 ? quotient - 1 : quotient
  }
}
