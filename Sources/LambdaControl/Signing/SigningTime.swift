import Lifecycle

/// An instant as signatures write it: `20150830T123600Z`.
enum SigningTime {
  static func text(_ time: Timestamp) -> String {
    let seconds = time.nanoseconds / 1_000_000_000
    let (days, second) = (seconds / 86_400, seconds % 86_400)
    let (year, month, day) = date(days: days)
    return digits(year, 4) + digits(month, 2) + digits(day, 2) + "T" + digits(second / 3_600, 2)
      + digits(second / 60 % 60, 2) + digits(second % 60, 2) + "Z"
  }

  /// The date of a day since 1970, by the cycle of 400 years that the Gregorian calendar repeats in; years begin in March here,
  /// so that the leap day is the last.
  private static func date(days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let shifted = days + 719_468
    let cycle = shifted / 146_097
    let dayOfCycle = shifted % 146_097
    let year = (dayOfCycle - dayOfCycle / 1_460 + dayOfCycle / 36_524 - dayOfCycle / 146_096) / 365
    let dayOfYear = dayOfCycle - (365 * year + year / 4 - year / 100)
    let month = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * month + 2) / 5 + 1
    return (year + cycle * 400 + (month < 10 ? 0 : 1), month < 10 ? month + 3 : month - 9, day)
  }

  private static func digits(_ number: Int64, _ count: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, count - text.count)) + text
  }
}
