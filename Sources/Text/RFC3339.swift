/// Instants as text, in UTC (RFC 3339): `2026-11-23T10:00:00Z`.
package enum RFC3339 {
  /// The text of an instant, exact to the nanosecond, with as many decimals of a second as it takes.
  ///
  /// - Parameter nanoseconds: Since the Unix epoch.
  package static func text(nanoseconds: Int64) -> String {
    let fields = CalendarFields(nanoseconds: nanoseconds)
    var bytes = toTheSecond(fields)
    DecimalText.appendFraction(nanoseconds: UInt64(fields.nanosecond), to: &bytes)
    bytes.append(UInt8(ascii: "Z"))
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The text of an instant with three decimals, as in AWS's telemetry: `2026-11-23T10:00:00.101Z`. What lies below a
  /// millisecond is dropped.
  ///
  /// - Parameters:
  ///   - nanoseconds: Since the Unix epoch.
  ///   - offset: How the text names UTC.
  package static func milliseconds(nanoseconds: Int64, offset: StaticString = "Z") -> String {
    let fields = CalendarFields(nanoseconds: nanoseconds)
    var bytes = toTheSecond(fields)
    bytes.append(UInt8(ascii: "."))
    DecimalText.append(digitsOf: UInt64(fields.nanosecond / 1_000_000), atLeast: 3, to: &bytes)
    bytes.append(offset)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// As ``milliseconds(nanoseconds:offset:)``, without decimals.
  package static func seconds(nanoseconds: Int64, offset: StaticString = "Z") -> String {
    var bytes = toTheSecond(CalendarFields(nanoseconds: nanoseconds))
    bytes.append(offset)
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func toTheSecond(_ fields: CalendarFields) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(30)
    fields.appendDate(separator: UInt8(ascii: "-"), to: &bytes)
    bytes.append(UInt8(ascii: "T"))
    fields.appendTime(separator: .colon, to: &bytes)
    return bytes
  }

  /// Reads an instant. Offsets other than `Z` are applied; a leap second (`:60`) is the second after it; digits past the ninth
  /// decimal are dropped.
  ///
  /// - Returns: Nanoseconds since the Unix epoch; `nil` if the text is no such instant, or lies outside the years 1678 to 2261.
  package static func nanoseconds(_ text: some StringProtocol) -> Int64? {
    var scanner = InstantScanner(bytes: Array(text.utf8))
    guard let year = scanner.number(digits: 4), scanner.take("-"), let month = scanner.number(digits: 2),
      scanner.take("-"), let day = scanner.number(digits: 2), scanner.take("T") || scanner.take("t"),
      let hour = scanner.number(digits: 2), scanner.take(":"), let minute = scanner.number(digits: 2),
      scanner.take(":"), let second = scanner.number(digits: 2), let nanosecond = scanner.fraction(),
      let offset = scanner.offset(), scanner.isAtEnd
    else { return nil }
    guard (1_678...2_261).contains(year), (1...12).contains(month), day >= 1,
      day <= CalendarFields.days(inMonth: month, of: year), hour < 24, minute < 60, second <= 60
    else { return nil }
    let days = CalendarFields.dayNumber(year: year, month: month, day: day)
    let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second - offset
    return seconds * 1_000_000_000 + nanosecond
  }
}

/// Reads the pieces of an instant.
private struct InstantScanner {
  let bytes: [UInt8]
  var position = 0

  var isAtEnd: Bool { position == bytes.count }

  mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  mutating func digit() -> Int64? {
    guard position < bytes.count, bytes[position].isDigit else { return nil }
    position += 1
    return Int64(bytes[position - 1] - .zero)
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
