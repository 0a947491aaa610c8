import Lifecycle
import Text

/// An instant as containers of log lines write it in front of a line, or in a column.
struct LineInstant: Equatable {
  var time: Timestamp
  /// Where the text goes on behind it.
  var end: Int
  /// Whether it has decimals of a second, or a zone. The short format of `aws logs tail` has neither.
  var isExact: Bool

  /// Reads `2026-11-23T10:00:00`, with a blank in place of the T, with up to nine decimals, with `Z`, `+00:00`, `+0000` or no zone,
  /// which then is UTC; or 13 digits of milliseconds.
  ///
  /// - Returns: `nil` if no such text begins at `start`.
  static func read(_ bytes: Span<UInt8>, at start: Int) -> LineInstant? {
    guard start + 13 <= bytes.count, bytes[start].isDecimalDigit else { return nil }
    if bytes[start + 4] != UInt8(ascii: "-") { return milliseconds(bytes, at: start) }
    var reader = FieldReader(bytes: bytes, position: start)
    guard let year = reader.number(4), reader.take("-"), let month = reader.number(2), reader.take("-"),
      let day = reader.number(2), reader.take("T") || reader.take(" "), let hour = reader.number(2), reader.take(":"),
      let minute = reader.number(2), reader.take(":"), let second = reader.number(2)
    else { return nil }
    guard (1_970...2_261).contains(year), (1...12).contains(month), day >= 1,
      day <= CalendarFields.days(inMonth: month, of: year), hour < 24, minute < 60, second <= 60
    else { return nil }
    // Some of AWS's own examples have a colon or a comma before the milliseconds.
    let hasFraction = reader.take(".") || reader.take(",")
    let nanosecond = hasFraction ? reader.fraction() : 0
    let (offset, hasZone) = reader.offset()
    let seconds =
      CalendarFields.dayNumber(year: year, month: month, day: day) * 86_400 + hour * 3_600 + minute * 60 + second
      - offset
    return LineInstant(
      time: Timestamp(nanoseconds: seconds * 1_000_000_000 + nanosecond), end: reader.position,
      isExact: hasFraction || hasZone)
  }

  private static func milliseconds(_ bytes: Span<UInt8>, at start: Int) -> LineInstant? {
    var value: Int64 = 0
    for index in start..<start + 13 {
      guard bytes[index].isDecimalDigit else { return nil }
      value = value * 10 + Int64(bytes[index] - 0x30)
    }
    let end = start + 13
    guard end == bytes.count || !bytes[end].isDecimalDigit, (1_000_000_000_000...9_000_000_000_000).contains(value)
    else {
      return nil
    }
    return LineInstant(time: Timestamp(nanoseconds: value * 1_000_000), end: end, isExact: true)
  }

  /// Reads a whole text, as a column has it; also seconds and milliseconds since the epoch, with the nearest one
  /// that there is for numbers below 0 and beyond the year 2255.
  static func read(_ text: String) -> LineInstant? {
    let bytes = Array(text.utf8)
    if let instant = read(bytes.span, at: 0), instant.end == bytes.count { return instant }
    guard let number = Int64(text) else { return nil }
    // What cannot be is as far away as can be said: before 1970, or in the year 2255.
    let bounded = min(max(number, 0), 9_000_000_000_000)
    let time = bounded < 100_000_000_000 ? Timestamp(seconds: bounded) : Timestamp(nanoseconds: bounded * 1_000_000)
    return LineInstant(time: time, end: bytes.count, isExact: true)
  }
}

/// Reads the parts of an instant.
private struct FieldReader: ~Escapable {
  let bytes: Span<UInt8>
  var position: Int

  @_lifetime(copy bytes)
  init(bytes: Span<UInt8>, position: Int) {
    self.bytes = bytes
    self.position = position
  }

  mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  mutating func number(_ digits: Int) -> Int64? {
    guard position + digits <= bytes.count else { return nil }
    var value: Int64 = 0
    for index in position..<position + digits {
      guard bytes[index].isDecimalDigit else { return nil }
      value = value * 10 + Int64(bytes[index] - 0x30)
    }
    position += digits
    return value
  }

  /// Nanoseconds; digits past the ninth are dropped.
  mutating func fraction() -> Int64 {
    var value: Int64 = 0
    var unit: Int64 = 100_000_000
    while position < bytes.count, bytes[position].isDecimalDigit {
      value += Int64(bytes[position] - 0x30) * unit
      unit /= 10
      position += 1
    }
    return value
  }

  /// Seconds east of UTC, and whether the text says them.
  mutating func offset() -> (seconds: Int64, isThere: Bool) {
    if take("Z") || take("z") { return (0, true) }
    let start = position
    let isEast = take("+")
    guard isEast || take("-"), let hours = number(2) else {
      position = start
      return (0, false)
    }
    _ = take(":")
    guard let minutes = number(2), hours < 24, minutes < 60 else {
      position = start
      return (0, false)
    }
    return ((isEast ? 1 : -1) * (hours * 3_600 + minutes * 60), true)
  }
}

extension UInt8 {
  /// Whether it is one of the digits 0 to 9. Of this room, so that the optimizer has it in loops.
  @inline(__always)
  var isDecimalDigit: Bool { self &- 0x30 < 10 }
}
