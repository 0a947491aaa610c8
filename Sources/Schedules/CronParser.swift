import Text

/// Reads the fields of a cron expression: AWS's six, or the five of cron(8).
struct CronParser {
  /// One field, and what may stand in it.
  private struct Field {
    var name: String
    var range: ClosedRange<Int>
    var names: [String] = []
    /// What the first of the names stands for.
    var firstName = 0
    /// A value that means the lowest one at the end of a range: 7 for Sunday in the notation of cron(8).
    var also: Int?
  }

  private static let monthNames = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
  private static let dayNames = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
  private static let minute = Field(name: "minute", range: 0...59)
  private static let hour = Field(name: "hour", range: 0...23)
  private static let day = Field(name: "day-of-month", range: 1...31)
  private static let month = Field(name: "month", range: 1...12, names: monthNames, firstName: 1)
  private static let year = Field(name: "year", range: CronExpression.years)

  private let isAWS: Bool
  private var weekday: Field {
    isAWS
      ? Field(name: "day-of-week", range: 1...7, names: Self.dayNames, firstName: 1)
      : Field(name: "day-of-week", range: 0...6, names: Self.dayNames, also: 7)
  }

  /// - Parameter text: The fields, with blanks between them.
  /// - Throws: ``TextProblem`` with a sentence that says which field is wrong and what it may have.
  static func read(_ text: Substring, isAWS: Bool) throws(TextProblem) -> CronExpression {
    let fields = text.split { $0 == " " || $0 == "\t" }
    guard fields.count == (isAWS ? 6 : 5) else {
      throw TextProblem(
        isAWS
          ? "the expression cron(…) has \(fields.count) fields; write six: minutes, hours, day-of-month, month, day-of-week, year, such as "
            + "cron(0 3 * * ? *)"
          : "a cron expression without cron(…) has five fields, not \(fields.count): minute, hour, day-of-month, month, "
            + "day-of-week, such as 0 3 * * *")
    }
    let parser = CronParser(isAWS: isAWS)
    let days = try parser.days(fields[2], fields[4])
    var years: [Int]?
    if isAWS, fields[5] != "*" { years = try parser.values(fields[5], year).sorted() }
    return CronExpression(
      minutes: try parser.bits(fields[0], minute), hours: UInt32(try parser.bits(fields[1], hour)),
      months: UInt16(try parser.bits(fields[3], month)), days: days, onlyYears: years)
  }

  // MARK: Days

  private func days(_ number: Substring, _ name: Substring) throws(TextProblem) -> CronExpression.Days {
    let isAny = { (field: Substring) in field == "?" || !isAWS && field == "*" }
    if isAWS {
      guard (number == "?") != (name == "?") else {
        throw TextProblem(
          number == "?"
            ? "day-of-month and day-of-week are both ?; write * in one of them, or the days"
            : "one of day-of-month and day-of-week must be ?, such as in cron(0 3 * * ? *)")
      }
    } else if !isAny(number), !isAny(name) {
      throw TextProblem(
        "day-of-month and day-of-week cannot be given together, because cron(8) and AWS read that differently; write two schedules"
      )
    }
    if !isAny(name) { return name == "*" ? .all : try names(name) }
    return isAny(number) || number == "*" ? .all : try numbers(number)
  }

  private func numbers(_ field: Substring) throws(TextProblem) -> CronExpression.Days {
    var (bits, isLast, isLastWorkday, nearest): (UInt32, Bool, Bool, [Int]) = (0, false, false, [])
    for item in field.split(separator: ",", omittingEmptySubsequences: false) {
      let word = item.uppercased()
      if isAWS, word == "L" {
        isLast = true
      } else if isAWS, word == "LW" {
        isLastWorkday = true
      } else if isAWS, word.hasSuffix("W") {
        nearest.append(try value(item.dropLast(), Self.day, in: field))
      } else {
        bits |= UInt32(truncatingIfNeeded: try self.bits(item, Self.day))
      }
    }
    return .numbers(bits, isLast: isLast, isLastWorkday: isLastWorkday, workdaysNearest: nearest)
  }

  private func names(_ field: Substring) throws(TextProblem) -> CronExpression.Days {
    if isAWS, let mark = field.firstIndex(of: "#") {
      guard !field.contains(","), let number = Int(field[mark...].dropFirst()), (1...5).contains(number) else {
        throw TextProblem(
          "day-of-week \(quoted(String(field))): # takes one day and a number from 1 to 5, such as 3#2 or TUE#2")
      }
      let day = try value(field[..<mark], weekday, in: field)
      return .names(0, last: 0, nth: CronExpression.NamedDay(weekday: day - 1, number: number))
    }
    var (bits, last): (UInt8, UInt8) = (0, 0)
    let shift = isAWS ? 1 : 0
    for item in field.split(separator: ",", omittingEmptySubsequences: false) {
      let word = item.uppercased()
      if isAWS, word == "L" {
        bits |= 1 << 6
      } else if isAWS, word.hasSuffix("L") {
        last |= 1 << UInt8(try value(item.dropLast(), weekday, in: field) - 1)
      } else {
        bits |= UInt8(truncatingIfNeeded: try self.bits(item, weekday) >> UInt64(shift))
      }
    }
    return .names(bits, last: last, nth: nil)
  }

  // MARK: Values

  private func bits(_ text: Substring, _ field: Field) throws(TextProblem) -> UInt64 {
    try values(text, field).reduce(0) { $0 | 1 << UInt64($1) }
  }

  /// The values of a list of values, ranges and steps.
  private func values(_ text: Substring, _ field: Field) throws(TextProblem) -> Set<Int> {
    var values: Set<Int> = []
    for item in text.split(separator: ",", omittingEmptySubsequences: false) {
      let parts = item.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2 else {
        values.formUnion(try range(item, field, of: text))
        continue
      }
      guard let step = number(parts[1]), step >= 1, step <= field.range.upperBound else {
        throw TextProblem(
          "\(field.name) \(quoted(String(text))): a step must be a number from 1 to \(field.range.upperBound), such as 0/15"
        )
      }
      // In AWS's words 5/10 begins at 5 and has no end of its own.
      let isOpen = parts[0] != "*" && !parts[0].contains("-")
      if isOpen, !isAWS {
        throw TextProblem(
          "\(field.name) \(quoted(String(text))): a step needs a range before it, such as */\(step) or "
            + "\(field.range.lowerBound)-\(field.range.upperBound)/\(step)")
      }
      let range = try range(parts[0], field, of: text)
      guard let first = range.first, let last = isOpen ? field.range.upperBound : range.last else { continue }
      for value in stride(from: first, through: last, by: step) { values.insert(folded(value, field)) }
    }
    return values
  }

  /// One value, or all from one to another, in order and as they were written.
  private func range(_ item: Substring, _ field: Field, of text: Substring) throws(TextProblem) -> [Int] {
    if item == "*" { return Array(field.range) }
    let ends = item.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
    let first = try value(ends[0], field, in: text)
    guard ends.count == 2 else { return [folded(first, field)] }
    var last = try value(ends[1], field, in: text)
    // Friday to Sunday, where Sunday is 0.
    if let also = field.also, last == field.range.lowerBound, first > last { last = also }
    guard first <= last else {
      throw TextProblem(
        "\(field.name) \(quoted(String(text))): the range \(item) ends before it begins; write it as two, such as "
          + "\(first)-\(field.range.upperBound),\(field.range.lowerBound)-\(last)")
    }
    return (first...last).map { folded($0, field) }
  }

  private func folded(_ value: Int, _ field: Field) -> Int { value == field.also ? field.range.lowerBound : value }

  private func value(_ word: Substring, _ field: Field, in text: Substring) throws(TextProblem) -> Int {
    if let index = field.names.firstIndex(of: word.uppercased()) { return index + field.firstName }
    let upper = field.also ?? field.range.upperBound
    guard let number = number(word), (field.range.lowerBound...upper).contains(number) else {
      let names = field.names.first.map { " or a name such as \($0)" } ?? ""
      throw TextProblem(
        "\(field.name) \(quoted(String(text))): it may have numbers from \(field.range.lowerBound) to \(upper)\(names)")
    }
    return number
  }

  private func number(_ word: Substring) -> Int? {
    guard (1...4).contains(word.utf8.count), word.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
    return Int(word)
  }
}
