import Lifecycle

/// Lengths of time in milliseconds, as AWS writes them: three decimals in telemetry, two in lines of a log.
enum MillisecondsText {
  /// `length` rounded to 2 or 3 decimals; negative ones are 0.
  static func text(_ length: Nanoseconds, decimals: Int) -> String {
    let unit: Int64 = decimals == 3 ? 1000 : 10_000
    let perMillisecond = 1_000_000 / unit
    let count = max(0, length.count)
    let rounded = count / unit + (count % unit >= unit / 2 ? 1 : 0)
    let fraction = String(rounded % perMillisecond)
    let zeros = String(repeating: "0", count: decimals - fraction.utf8.count)
    return "\(rounded / perMillisecond).\(zeros)\(fraction)"
  }

  /// Whole milliseconds that have begun.
  static func billed(_ length: Nanoseconds) -> Int64 {
    let count = max(0, length.count)
    return count / 1_000_000 + (count % 1_000_000 > 0 ? 1 : 0)
  }
}
