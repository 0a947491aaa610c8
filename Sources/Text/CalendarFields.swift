/// The parts of an instant in UTC, by the proleptic Gregorian calendar: every calendar of the program, without a library.
package struct CalendarFields: Equatable, Sendable {
  /// Of the Gregorian calendar, also before it was introduced; the year before 1 is 0.
  package var year: Int
  /// From 1.
  package var month: Int
  /// From 1.
  package var day: Int
  /// 0 to 23.
  package var hour: Int
  /// 0 to 59.
  package var minute: Int
  /// 0 to 59: the Unix epoch has no leap seconds.
  package var second: Int
  /// 0 to 999,999,999; 0 if it was made of seconds.
  package var nanosecond: Int
  /// Days since Sunday.
  package var weekday: Int

  /// The fields of any instant, exact to the nanosecond.
  ///
  /// - Parameter nanoseconds: Since the Unix epoch; negative ones lie before it.
  package init(nanoseconds: Int64) {
    let (seconds, nanosecond) = floorDivide(nanoseconds, 1_000_000_000)
    self.init(seconds: seconds)
    self.nanosecond = Int(nanosecond)
  }

  /// The fields of an instant to the second.
  ///
  /// - Parameter seconds: Since the Unix epoch, at most 2^55 on either side of it.
  package init(seconds: Int64) {
    let (days, inDay) = floorDivide(seconds, 86_400)
    // Years begin in March here, so that the leap day comes last; an era is 400 of them, 146,097 days.
    // (Howard Hinnant, chrono-Compatible Low-Level Date Algorithms, civil_from_days.)
    let (era, dayOfEra) = floorDivide(days + 719_468, 146_097)
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    year = Int(era * 400 + yearOfEra + (month <= 2 ? 1 : 0))
    self.month = Int(month)
    day = Int(dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
    hour = Int(inDay / 3_600)
    minute = Int(inDay / 60 % 60)
    second = Int(inDay % 60)
    nanosecond = 0
    // 1 January 1970 was a Thursday.
    weekday = Int(floorDivide(days + 4, 7).remainder)
  }

  /// Days since the epoch of a date, which has to be one (``days(inMonth:of:)``).
  package static func dayNumber(year: Int64, month: Int64, day: Int64) -> Int64 {
    let (era, yearOfEra) = floorDivide(month <= 2 ? year - 1 : year, 400)
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  /// How many days a month has, from 1 to 12.
  package static func days(inMonth month: Int64, of year: Int64) -> Int64 {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  /// `2026-11-23` with another separator, or none.
  func appendDate(separator: UInt8?, to bytes: inout [UInt8]) {
    DecimalText.append(digitsOf: UInt64(max(0, year)), atLeast: 4, to: &bytes)
    for part in [month, day] {
      if let separator { bytes.append(separator) }
      DecimalText.append(digitsOf: UInt64(part), atLeast: 2, to: &bytes)
    }
  }

  /// `10:00:00`, or without its colons.
  func appendTime(separator: UInt8?, to bytes: inout [UInt8]) {
    DecimalText.append(digitsOf: UInt64(hour), atLeast: 2, to: &bytes)
    for part in [minute, second] {
      if let separator { bytes.append(separator) }
      DecimalText.append(digitsOf: UInt64(part), atLeast: 2, to: &bytes)
    }
  }

  /// `Nov`.
  var monthName: StaticString { CalendarFields.months[month - 1] }

  /// `Mon`.
  var weekdayName: StaticString { CalendarFields.weekdays[weekday] }

  private static let months: [StaticString] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]
  private static let weekdays: [StaticString] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
}

private func floorDivide(_ value: Int64, _ divisor: Int64) -> (quotient: Int64, remainder: Int64) {
  let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
  return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
}
