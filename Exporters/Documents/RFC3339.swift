public import Lifecycle

/// Instants as text, in UTC: `2026-11-23T10:00:00Z`, with as many decimals of a second as it takes (RFC 3339).
public enum RFC3339 {
  /// The text of an instant; exact to the nanosecond.
  public static func text(_ time: Timestamp) -> String {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(30)
    append(time, to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The parts of an instant by the proleptic Gregorian calendar.
  public struct Fields: Equatable, Sendable {
    public var year: Int
    public var month: Int
    public var day: Int
    public var hour: Int
    public var minute: Int
    public var second: Int
    public var nanosecond: Int
  }

  public static func fields(_ time: Timestamp) -> Fields {
    let (days, inDay) = floorDivide(time.nanoseconds, 86_400_000_000_000)
    // Years begin in March here, so that the leap day comes last; an era is 400 of them, 146,097 days.
    let (era, dayOfEra) = floorDivide(days + 719_468, 146_097)
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    let seconds = inDay / 1_000_000_000
    return Fields(
      year: Int(era * 400 + yearOfEra + (month <= 2 ? 1 : 0)), month: Int(month),
      day: Int(dayOfYear - (153 * monthFromMarch + 2) / 5 + 1), hour: Int(seconds / 3_600),
      minute: Int(seconds / 60 % 60), second: Int(seconds % 60), nanosecond: Int(inDay % 1_000_000_000))
  }

  /// Reads an instant. Offsets other than `Z` are applied; a leap second (`:60`) is the second after it.
  ///
  /// - Returns: `nil` if the text is no such instant, or lies outside the years 1678 to 2261.
  public static func time(_ text: some StringProtocol) -> Timestamp? {
    var scanner = Scanner(bytes: Array(text.utf8))
    guard let year = scanner.number(digits: 4), scanner.take("-"), let month = scanner.number(digits: 2),
      scanner.take("-"), let day = scanner.number(digits: 2), scanner.take("T") || scanner.take("t"),
      let hour = scanner.number(digits: 2), scanner.take(":"), let minute = scanner.number(digits: 2),
      scanner.take(":"), let second = scanner.number(digits: 2), let nanosecond = scanner.fraction(),
      let offset = scanner.offset(), scanner.isAtEnd
    else { return nil }
    guard (1_678...2_261).contains(year), (1...12).contains(month), day >= 1, day <= days(inMonth: month, of: year),
      hour < 24, minute < 60, second <= 60
    else { return nil }
    let seconds = dayNumber(year: year, month: month, day: day) * 86_400 + hour * 3_600 + minute * 60 + second - offset
    return Timestamp(nanoseconds: seconds * 1_000_000_000 + nanosecond)
  }

  static func append(_ time: Timestamp, to bytes: inout [UInt8]) {
    let fields = fields(time)
    let parts = [fields.month, fields.day, fields.hour, fields.minute, fields.second]
    DecimalText.append(digitsOf: UInt64(max(0, fields.year)), atLeast: 4, to: &bytes)
    for (separator, part) in zip("--T::".utf8, parts) {
      bytes.append(separator)
      DecimalText.append(digitsOf: UInt64(part), atLeast: 2, to: &bytes)
    }
    if fields.nanosecond > 0 {
      var fraction: [UInt8] = []
      DecimalText.append(nanoseconds: Int128(fields.nanosecond), to: &fraction)
      bytes.append(contentsOf: fraction.dropFirst())
    }
    bytes.append(UInt8(ascii: "Z"))
  }

  private static func floorDivide(_ value: Int64, _ divisor: Int64) -> (quotient: Int64, remainder: Int64) {
    let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
  }

  private static func days(inMonth month: Int64, of year: Int64) -> Int64 {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  /// Days since the epoch; years begin in March as in ``fields(_:)``.
  private static func dayNumber(year: Int64, month: Int64, day: Int64) -> Int64 {
    let (era, yearOfEra) = floorDivide(month <= 2 ? year - 1 : year, 400)
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }
}

/// Reads the pieces of an instant.
private struct Scanner {
  let bytes: [UInt8]
  var position = 0

  var isAtEnd: Bool { position == bytes.count }

  mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  mutating func digit() -> Int64? {
    guard position < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position]) else { return nil }
    position += 1
    return Int64(bytes[position - 1] - UInt8(ascii: "0"))
  }

  mutating func number(digits: Int) -> Int64? {
    var value: Int64 = 0
    for _ in 0..<digits {
      guard let digit = digit() else { return nil }
      value = value * 10 + digit
    }
    return value
  }

  /// Nanoseconds; digits past the ninth are dropped.
  mutating func fraction() -> Int64? {
    guard take(".") else { return 0 }
    guard let first = digit() else { return nil }
    var value = first * 100_000_000
    var unit: Int64 = 10_000_000
    while let digit = digit() {
      value += digit * unit
      unit /= 10
    }
    return value
  }

  /// Seconds east of UTC.
  mutating func offset() -> Int64? {
    if take("Z") || take("z") { return 0 }
    let isEast = take("+")
    guard isEast || take("-"), let hours = number(digits: 2), take(":"), let minutes = number(digits: 2), hours < 24,
      minutes < 60
    else { return nil }
    return (isEast ? 1 : -1) * (hours * 3_600 + minutes * 60)
  }
}
