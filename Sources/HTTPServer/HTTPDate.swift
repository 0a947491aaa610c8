internal import Glibc
internal import NIOCore
internal import Synchronization

/// The time of day in an answer's `Date` field, in the form of RFC 9110 5.6.7: `Sun, 06 Nov 1994 08:49:37 GMT`.
enum HTTPDate {
  private struct Cache {
    var second = Int.min
    var field = ByteBuffer()
  }

  // One for all loops: what is done under the lock are two comparisons and a copy of a reference, and the text is made once
  // a second, not once per loop and second.
  private static let cache = Mutex(Cache())

  /// Writes `Date: …` and the end of its line.
  static func writeField(into output: inout ByteBuffer) {
    var now = timespec()
    // It is as old as the kernel's last tick at most, and asking costs no system call. It cannot fail for this clock.
    unsafe clock_gettime(CLOCK_REALTIME_COARSE, &now)
    let second = now.tv_sec
    let field = cache.withLock { cache in
      if cache.second != second {
        cache = Cache(second: second, field: ByteBuffer(string: "Date: \(text(second))\r\n"))
      }
      return cache.field
    }
    output.writeImmutableBuffer(field)
  }

  /// The text of a time in seconds since the Unix epoch; not before it.
  static func text(_ seconds: Int) -> String {
    let (days, second) = seconds.quotientAndRemainder(dividingBy: 86_400)
    let (year, month, day) = civil(days)
    // 1 January 1970 was a Thursday.
    let weekday = weekdays[(days + 4) % 7]
    return "\(weekday), \(two(day)) \(months[month - 1]) \(year) "
      + "\(two(second / 3_600)):\(two(second / 60 % 60)):\(two(second % 60)) GMT"
  }

  private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
  private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

  private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

  /// The date that is so many days after 1 January 1970: in years that begin in March, the leap day is the last of all.
  private static func civil(_ days: Int) -> (year: Int, month: Int, day: Int) {
    let shifted = days + 719_468
    let era = shifted / 146_097
    let dayOfEra = shifted % 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
  }
}
