import Text

/// The times of a cron expression, to the minute, on some clock on a wall.
package struct CronExpression: Hashable, Sendable {
  /// Which days of a month are meant.
  enum Days: Hashable, Sendable {
    /// Every day.
    case all
    /// Days by their numbers (bits 1 to 31), and what is counted from the end.
    case numbers(UInt32, isLast: Bool, isLastWorkday: Bool, workdaysNearest: [Int])
    /// Days by their names (bits 0 to 6, from Sunday), the last of a name in a month, and the `#`th of a name.
    case names(UInt8, last: UInt8, nth: NamedDay?)
  }

  /// `TUE#2`: the second Tuesday.
  struct NamedDay: Hashable, Sendable {
    /// From Sunday, 0.
    var weekday: Int
    /// 1 to 5.
    var number: Int
  }

  /// The years that a schedule may have.
  static let years = 1970...2199

  /// Bits 0 to 59.
  var minutes: UInt64
  /// Bits 0 to 23.
  var hours: UInt32
  /// Bits 1 to 12.
  var months: UInt16
  var days: Days
  /// In order; `nil`: every year.
  var onlyYears: [Int]?

  /// The first minute after a local time.
  ///
  /// - Parameter local: Seconds since 1 January 1970, 00:00 on that clock.
  /// - Returns: Seconds on that clock; `nil` if nothing follows up to the year 2199.
  /// - Complexity: O(years until then), each of at most 366 days.
  func next(after local: Int64) -> Int64? {
    let first = local.minutesFloor + 60
    let from = CalendarFields(seconds: first)
    guard from.year <= CronExpression.years.upperBound else { return nil }
    for year in max(from.year, CronExpression.years.lowerBound)...CronExpression.years.upperBound {
      if let onlyYears, !onlyYears.contains(year) { continue }
      let isFirstYear = year == from.year
      for month in (isFirstYear ? from.month : 1)...12 where months >> month & 1 == 1 {
        let bits = dayBits(year, month)
        let isFirstMonth = isFirstYear && month == from.month
        for day in (isFirstMonth ? from.day : 1)...31 where bits >> day & 1 == 1 {
          let isFirstDay = isFirstMonth && day == from.day
          guard let minute = minute(from: isFirstDay ? from.hour * 60 + from.minute : 0) else { continue }
          let number = CalendarFields.dayNumber(year: Int64(year), month: Int64(month), day: Int64(day))
          return number * 86_400 + Int64(minute) * 60
        }
      }
    }
    return nil
  }

  /// The first minute of a day at or after one of them.
  private func minute(from minute: Int) -> Int? {
    for hour in (minute / 60)..<24 where hours >> hour & 1 == 1 {
      let start = hour == minute / 60 ? minute % 60 : 0
      let left = minutes >> start
      if left != 0 { return hour * 60 + start + left.trailingZeroBitCount }
    }
    return nil
  }

  /// The days of a month that are meant, as bits from 1.
  private func dayBits(_ year: Int, _ month: Int) -> UInt32 {
    let count = Int(CalendarFields.days(inMonth: Int64(month), of: Int64(year)))
    let all = UInt32.max >> (31 - count) & ~1
    // Of the first day, from Sunday.
    let number = CalendarFields.dayNumber(year: Int64(year), month: Int64(month), day: 1)
    let first = Int((number + 4) % 7 + 7) % 7
    switch days {
    case .all: return all
    case .numbers(let numbers, let isLast, let isLastWorkday, let nearest):
      var bits = numbers & all
      if isLast { bits |= 1 << count }
      if isLastWorkday { bits |= 1 << CronExpression.workday(nearest: count, of: count, first) }
      for day in nearest where day <= count { bits |= 1 << CronExpression.workday(nearest: day, of: count, first) }
      return bits
    case .names(let names, let last, let nth):
      var bits: UInt32 = 0
      for day in 1...count {
        let weekday = (first + day - 1) % 7
        if names >> weekday & 1 == 1 { bits |= 1 << day }
        if last >> weekday & 1 == 1, day + 7 > count { bits |= 1 << day }
        if let nth, nth.weekday == weekday, (day + 6) / 7 == nth.number { bits |= 1 << day }
      }
      return bits
    }
  }

  /// The day from Monday to Friday that is nearest to another of its month, in the same month.
  private static func workday(nearest day: Int, of count: Int, _ first: Int) -> Int {
    switch (first + day - 1) % 7 {
    case 6: day > 1 ? day - 1 : day + 2
    case 0: day < count ? day + 1 : day - 2
    default: day
    }
  }
}

extension Int64 {
  /// The start of the minute.
  var minutesFloor: Int64 { self - ((self % 60) + 60) % 60 }
}
