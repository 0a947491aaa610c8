import Text

/// A time zone: how far its clock is ahead of UTC at each instant.
package struct TimeZone: Hashable, Sendable {
  /// Its name, such as `Europe/Berlin`.
  package let name: String
  /// When the clock changes, in seconds since the epoch, in order.
  let changes: [Int64]
  /// What it is ahead of UTC, in seconds, before the first change and after each.
  let offsets: [Int64]
  /// What holds after the last change.
  let rule: ZoneRule?

  /// Universal time, for which no file is needed.
  package static let utc = TimeZone(name: "UTC", changes: [], offsets: [0], rule: nil)

  /// - Parameter offsets: One more than `changes`.
  init(name: String, changes: [Int64], offsets: [Int64], rule: ZoneRule?) {
    precondition(offsets.count == changes.count + 1, "BUG: \(changes.count) changes and \(offsets.count) offsets")
    self.name = name
    self.changes = changes
    self.offsets = offsets
    self.rule = rule
  }

  /// How many seconds the clock is ahead of UTC.
  ///
  /// - Parameter time: Seconds since the epoch.
  package func offset(at time: Int64) -> Int64 {
    let position = changes.firstPosition(after: time)
    if position == changes.count, let rule { return rule.offset(at: time) }
    return offsets[position]
  }

  /// When the clock first shows a local time; `nil` if it skips it.
  ///
  /// - Parameter local: Seconds since 1 January 1970, 00:00 on that clock.
  package func instant(ofLocal local: Int64) -> Int64? {
    // No clock is more than 26 hours from UTC, and none changes often.
    var time = local - 26 * 3_600
    var first: Int64?
    for _ in 0..<16 {
      let candidate = local - offset(at: time)
      if offset(at: candidate) + candidate == local { first = min(first ?? candidate, candidate) }
      guard let next = nextChange(after: time), next <= local + 26 * 3_600 else { break }
      time = next
    }
    return first
  }

  private func nextChange(after time: Int64) -> Int64? {
    let position = changes.firstPosition(after: time)
    return position < changes.count ? changes[position] : rule?.nextChange(after: time)
  }
}

extension [Int64] {
  /// The position of the first element that is larger; `count` if none is.
  fileprivate func firstPosition(after value: Int64) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if self[middle] <= value { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

/// What a zone does year after year, as POSIX writes it: `CET-1CEST,M3.5.0,M10.5.0/3`.
struct ZoneRule: Hashable, Sendable {
  /// A day of each year, and a time on it.
  struct Day: Hashable, Sendable {
    enum Kind: Hashable, Sendable {
      /// `Jn`: 1 to 365, and 29 February is not counted.
      case ordinal(Int)
      /// `n`: 0 to 365.
      case counted(Int)
      /// `Mm.w.d`: the `week`th `weekday` of a month; 5: the last.
      case named(month: Int, week: Int, weekday: Int)
    }

    var kind: Kind
    /// Seconds since midnight of the clock before the change; may be negative.
    var time: Int64

    /// On the clock before the change, in seconds since 1970.
    func local(in year: Int64) -> Int64 {
      let start = CalendarFields.dayNumber(year: year, month: 1, day: 1)
      let day: Int64
      switch kind {
      case .ordinal(let number):
        let isLeap = CalendarFields.days(inMonth: 2, of: year) == 29
        day = start + Int64(number) - 1 + (isLeap && number >= 60 ? 1 : 0)
      case .counted(let number): day = start + Int64(number)
      case .named(let month, let week, let weekday):
        let first = CalendarFields.dayNumber(year: year, month: Int64(month), day: 1)
        let firstWeekday = ((first + 4) % 7 + 7) % 7
        var number = (Int64(weekday) - firstWeekday + 7) % 7 + Int64(week - 1) * 7
        while number >= CalendarFields.days(inMonth: Int64(month), of: year) { number -= 7 }
        day = first + number
      }
      return day * 86_400 + time
    }
  }

  struct Summer: Hashable, Sendable {
    var offset: Int64
    var start: Day
    var end: Day
  }

  /// What the clock is ahead of UTC outside of summer time, in seconds.
  var standard: Int64
  /// `nil`: the clock never changes.
  var summer: Summer?

  func offset(at time: Int64) -> Int64 {
    guard let summer else { return standard }
    let year = Int64(CalendarFields(seconds: time).year)
    // The clock may change within a week of New Year, in the other year.
    let last = changes(around: year, summer).last { $0.time <= time }
    return last?.offset ?? standard
  }

  func nextChange(after time: Int64) -> Int64? {
    guard let summer else { return nil }
    let year = Int64(CalendarFields(seconds: time).year)
    return changes(around: year, summer).first { $0.time > time }?.time
  }

  /// What changes in a year, and in the one before and after, in order.
  private func changes(around year: Int64, _ summer: Summer) -> [(time: Int64, offset: Int64)] {
    var changes: [(time: Int64, offset: Int64)] = []
    for year in (year - 1)...(year + 1) {
      changes.append((summer.end.local(in: year) - summer.offset, standard))
      changes.append((summer.start.local(in: year) - standard, summer.offset))
    }
    // Of two at one instant the start counts: then it is always summer.
    return changes.enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }.map(\.element)
  }
}
