/// Reads JSON (RFC 8259) in place: checks it, passes over values, and decodes the few strings that are asked for.
///
/// Positions are offsets into the bytes. Nothing is allocated but decoded strings.
enum JSONText {
  /// The deepest nesting of arrays and objects that is taken (AWS's front refuses more than 1,000 as well).
  static let nestingMax = 1024

  /// The first position at which `bytes` stops being one JSON value, or `nil` if it is one. O(bytes).
  static func problem(in bytes: Span<UInt8>) -> Int? {
    var position = 0
    skipWhitespace(bytes, &position)
    guard skipValue(bytes, &position) else { return position }
    skipWhitespace(bytes, &position)
    return position == bytes.count ? nil : position
  }

  static func skipWhitespace(_ bytes: Span<UInt8>, _ position: inout Int) {
    while position < bytes.count {
      switch bytes[position] {
      case 0x20, 0x09, 0x0A, 0x0D: position += 1
      default: return
      }
    }
  }

  /// Passes over one value, which begins at `position`.
  ///
  /// - Returns: Whether there is one; else `position` is where it stops being one.
  static func skipValue(_ bytes: Span<UInt8>, _ position: inout Int) -> Bool {
    var nesting = Nesting()
    while true {
      guard position < bytes.count else { return false }
      switch bytes[position] {
      case UInt8(ascii: "{"):
        guard nesting.open(object: true) else { return false }
        position += 1
        skipWhitespace(bytes, &position)
        if position < bytes.count, bytes[position] != UInt8(ascii: "}") {
          guard skipKey(bytes, &position) else { return false }
          continue
        }
      case UInt8(ascii: "["):
        guard nesting.open(object: false) else { return false }
        position += 1
        skipWhitespace(bytes, &position)
        if position < bytes.count, bytes[position] != UInt8(ascii: "]") { continue }
      default:
        guard skipScalar(bytes, &position) else { return false }
      }
      switch skipEnds(bytes, &position, &nesting) {
      case .complete: return true
      case .anotherValue: continue
      case .malformed: return false
      }
    }
  }

  private enum End { case complete, anotherValue, malformed }

  /// After a value: closes what ends here, and goes to the next value of what does not.
  private static func skipEnds(_ bytes: Span<UInt8>, _ position: inout Int, _ nesting: inout Nesting) -> End {
    while !nesting.isEmpty {
      skipWhitespace(bytes, &position)
      guard position < bytes.count else { return .malformed }
      switch bytes[position] {
      case UInt8(ascii: ","):
        position += 1
        skipWhitespace(bytes, &position)
        return !nesting.isObject || skipKey(bytes, &position) ? .anotherValue : .malformed
      case UInt8(ascii: "}") where nesting.isObject, UInt8(ascii: "]") where !nesting.isObject:
        position += 1
        nesting.close()
      default: return .malformed
      }
    }
    return .complete
  }

  private static func skipKey(_ bytes: Span<UInt8>, _ position: inout Int) -> Bool {
    guard skipString(bytes, &position) else { return false }
    skipWhitespace(bytes, &position)
    guard position < bytes.count, bytes[position] == UInt8(ascii: ":") else { return false }
    position += 1
    skipWhitespace(bytes, &position)
    return true
  }

  private static func skipScalar(_ bytes: Span<UInt8>, _ position: inout Int) -> Bool {
    switch bytes[position] {
    case UInt8(ascii: "\""): skipString(bytes, &position)
    case UInt8(ascii: "t"): skipLiteral("true", bytes, &position)
    case UInt8(ascii: "f"): skipLiteral("false", bytes, &position)
    case UInt8(ascii: "n"): skipLiteral("null", bytes, &position)
    default: skipNumber(bytes, &position)
    }
  }

  private static func skipLiteral(_ text: StaticString, _ bytes: Span<UInt8>, _ position: inout Int) -> Bool {
    let count = text.utf8CodeUnitCount
    guard position + count <= bytes.count else { return false }
    return text.withUTF8Buffer { expected in
      for offset in 0..<count where unsafe bytes[position + offset] != expected[offset] { return false }
      position += count
      return true
    }
  }

  private static func skipNumber(_ bytes: Span<UInt8>, _ position: inout Int) -> Bool {
    if position < bytes.count, bytes[position] == UInt8(ascii: "-") { position += 1 }
    guard position < bytes.count else { return false }
    if bytes[position] == UInt8(ascii: "0") {
      position += 1
    } else if !skipDigits(bytes, &position) {
      return false
    }
    if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
      position += 1
      guard skipDigits(bytes, &position) else { return false }
    }
    if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
      position += 1
      if position < bytes.count, bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-") {
        position += 1
      }
      return skipDigits(bytes, &position)
    }
    return true
  }

  private static func skipDigits(_ bytes: Span<UInt8>, _ position: inout Int) -> Bool {
    let start = position
    while position < bytes.count, bytes[position] &- UInt8(ascii: "0") < 10 { position += 1 }
    return position > start
  }

  /// Passes over a string, quotes included.
  static func skipString(_ bytes: Span<UInt8>, _ position: inout Int) -> Bool {
    guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else { return false }
    position += 1
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: "\""):
        position += 1
        return true
      case UInt8(ascii: "\\"):
        guard skipEscape(bytes, &position) else { return false }
      case 0..<0x20: return false
      case 0x20..<0x80: position += 1
      default:
        guard skipScalarValue(bytes, &position) else { return false }
      }
    }
    return false
  }

  private static func skipEscape(_ bytes: Span<UInt8>, _ position: inout Int) -> Bool {
    guard position + 1 < bytes.count else { return false }
    switch bytes[position + 1] {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
      UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      position += 2
      return true
    case UInt8(ascii: "u"):
      guard hexadecimal(bytes, position + 2) != nil else { return false }
      position += 6
      return true
    default: return false
    }
  }

  /// Passes over a character of two to four bytes of UTF-8 (RFC 3629: no overlong form, no surrogate).
  private static func skipScalarValue(_ bytes: Span<UInt8>, _ position: inout Int) -> Bool {
    let first = bytes[position]
    let second = position + 1 < bytes.count ? bytes[position + 1] : 0
    let range: ClosedRange<UInt8>
    let count: Int
    switch first {
    case 0xC2...0xDF: (range, count) = (0x80...0xBF, 2)
    case 0xE0: (range, count) = (0xA0...0xBF, 3)
    case 0xED: (range, count) = (0x80...0x9F, 3)
    case 0xE1...0xEF: (range, count) = (0x80...0xBF, 3)
    case 0xF0: (range, count) = (0x90...0xBF, 4)
    case 0xF1...0xF3: (range, count) = (0x80...0xBF, 4)
    case 0xF4: (range, count) = (0x80...0x8F, 4)
    default: return false
    }
    guard range.contains(second), position + count <= bytes.count else { return false }
    for offset in 2..<max(2, count) where bytes[position + offset] & 0xC0 != 0x80 { return false }
    position += count
    return true
  }

  private static func hexadecimal(_ bytes: Span<UInt8>, _ start: Int) -> UInt32? {
    guard start + 4 <= bytes.count else { return nil }
    var value: UInt32 = 0
    for offset in 0..<4 {
      guard let digit = hexadecimalDigit(bytes[start + offset]) else { return nil }
      value = value << 4 | UInt32(digit)
    }
    return value
  }

  /// The value of a hexadecimal digit, either case.
  static func hexadecimalDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }

  /// Decodes the string that begins at `position`; half a surrogate pair becomes U+FFFD.
  static func string(_ bytes: Span<UInt8>, at start: Int) -> String? {
    var end = start
    guard skipString(bytes, &end) else { return nil }
    var text: [UInt8] = []
    text.reserveCapacity(end - start)
    var position = start + 1
    while position < end - 1 {
      guard bytes[position] == UInt8(ascii: "\\") else {
        text.append(bytes[position])
        position += 1
        continue
      }
      appendEscape(bytes, &position, to: &text)
    }
    return String(decoding: text, as: UTF8.self)
  }

  private static func appendEscape(_ bytes: Span<UInt8>, _ position: inout Int, to text: inout [UInt8]) {
    let letter = bytes[position + 1]
    position += 2
    switch letter {
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0C)
    case UInt8(ascii: "n"): text.append(0x0A)
    case UInt8(ascii: "r"): text.append(0x0D)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "u"):
      var value = hexadecimal(bytes, position) ?? 0
      position += 4
      if value & 0xFC00 == 0xD800, position + 6 <= bytes.count, bytes[position] == UInt8(ascii: "\\"),
        bytes[position + 1] == UInt8(ascii: "u"), let low = hexadecimal(bytes, position + 2), low & 0xFC00 == 0xDC00
      {
        value = 0x10000 + (value & 0x3FF) << 10 + low & 0x3FF
        position += 6
      }
      text.append(contentsOf: String(Unicode.Scalar(value) ?? "\u{FFFD}").utf8)
    default: text.append(letter)
    }
  }

  /// Calls `body` with the key and the start of the value of every member of the object at `position`.
  ///
  /// - Returns: Whether there is a well-formed object; `body` may have been called even if not.
  static func forEachMember(_ bytes: Span<UInt8>, at start: Int, _ body: (String, Int) -> Void) -> Bool {
    forEachElement(bytes, at: start, open: UInt8(ascii: "{"), close: UInt8(ascii: "}")) { position in
      guard let key = string(bytes, at: position), skipKey(bytes, &position) else { return false }
      body(key, position)
      return true
    }
  }

  /// Calls `body` with the start of every element of the array at `position`.
  static func forEachElement(_ bytes: Span<UInt8>, at start: Int, _ body: (Int) -> Void) -> Bool {
    forEachElement(bytes, at: start, open: UInt8(ascii: "["), close: UInt8(ascii: "]")) { position in
      body(position)
      return true
    }
  }

  /// As ``forEachMember(_:at:_:)``, of a document that is one object.
  static func forEachTopLevelMember(_ bytes: Span<UInt8>, _ body: (String, Int) -> Void) -> Bool {
    var start = 0
    skipWhitespace(bytes, &start)
    return problem(in: bytes) == nil && forEachMember(bytes, at: start, body)
  }

  /// The whole number at `position`; `nil` if there is another value, a fraction, or one that does not fit.
  static func integer(_ bytes: Span<UInt8>, at start: Int) -> Int64? {
    numberText(bytes, at: start).flatMap { Int64($0) }
  }

  /// The number at `position` as written; `nil` if there is another value.
  static func numberText(_ bytes: Span<UInt8>, at start: Int) -> String? {
    var end = start
    guard skipNumber(bytes, &end) else { return nil }
    return String(decoding: (start..<end).map { bytes[$0] }, as: UTF8.self)
  }

  private static func forEachElement(
    _ bytes: Span<UInt8>, at start: Int, open: UInt8, close: UInt8, _ body: (inout Int) -> Bool
  ) -> Bool {
    var position = start
    guard position < bytes.count, bytes[position] == open else { return false }
    position += 1
    skipWhitespace(bytes, &position)
    if position < bytes.count, bytes[position] == close { return true }
    while position < bytes.count {
      guard body(&position), skipValue(bytes, &position) else { return false }
      skipWhitespace(bytes, &position)
      guard position < bytes.count else { return false }
      if bytes[position] == close { return true }
      guard bytes[position] == UInt8(ascii: ",") else { return false }
      position += 1
      skipWhitespace(bytes, &position)
    }
    return false
  }

  /// Which of the open brackets are objects, one bit each.
  private struct Nesting {
    private var bits = InlineArray<16, UInt64>(repeating: 0)
    private var depth = 0

    var isEmpty: Bool { depth == 0 }
    var isObject: Bool { bits[(depth - 1) >> 6] >> UInt64((depth - 1) & 63) & 1 == 1 }

    mutating func open(object: Bool) -> Bool {
      guard depth < JSONText.nestingMax else { return false }
      let mask: UInt64 = 1 << UInt64(depth & 63)
      if object { bits[depth >> 6] |= mask } else { bits[depth >> 6] &= ~mask }
      depth += 1
      return true
    }

    mutating func close() { depth -= 1 }
  }
}
