/// Reads JSON (RFC 8259) piece by piece, without a tree in between.
///
/// The caller asks for what it expects next; anything else is a ``JSONError`` with the byte where it was noticed. A half of a
/// surrogate pair that stands alone, and bytes that are no UTF-8, become U+FFFD.
struct JSONReader {
  /// How deep arrays and objects may be nested.
  static let depthLimit = 64

  private let bytes: [UInt8]
  private(set) var position = 0
  private var depth = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// Reads one value and makes sure that nothing follows it.
  static func document<Value>(
    _ bytes: [UInt8], _ read: (inout JSONReader) throws(JSONError) -> Value
  ) throws(JSONError) -> Value {
    var reader = JSONReader(bytes)
    let value = try read(&reader)
    guard reader.next() == nil else { throw reader.malformed("something follows the document") }
    return value
  }

  /// Calls `member` for each member; it must read exactly one value.
  mutating func object(
    _ member: (inout JSONReader, _ name: String) throws(JSONError) -> Void
  ) throws(JSONError) {
    try open(UInt8(ascii: "{"), "an object")
    if next() == UInt8(ascii: "}") { return close() }
    repeat {
      guard next() == UInt8(ascii: "\"") else { throw malformed("a member's name was expected") }
      let name = try string()
      guard next() == UInt8(ascii: ":") else { throw malformed("a colon was expected") }
      position += 1
      try member(&self, name)
    } while try continues(until: UInt8(ascii: "}"))
    close()
  }

  /// Calls `element` for each element; it must read exactly one value.
  mutating func array(_ element: (inout JSONReader) throws(JSONError) -> Void) throws(JSONError) {
    try open(UInt8(ascii: "["), "an array")
    if next() == UInt8(ascii: "]") { return close() }
    repeat { try element(&self) } while try continues(until: UInt8(ascii: "]"))
    close()
  }

  /// Takes `null` if it comes next.
  mutating func takeNull() throws(JSONError) -> Bool {
    guard next() == UInt8(ascii: "n") else { return false }
    try literal("null")
    return true
  }

  mutating func boolean() throws(JSONError) -> Bool {
    switch next() {
    case UInt8(ascii: "t"):
      try literal("true")
      return true
    case UInt8(ascii: "f"):
      try literal("false")
      return false
    default: throw unexpected("true or false")
    }
  }

  /// Passes over one value of any type; it is checked all the same.
  mutating func skip() throws(JSONError) {
    switch next() {
    case UInt8(ascii: "{"):
      try object { (reader: inout JSONReader, _: String) throws(JSONError) in try reader.skip() }
    case UInt8(ascii: "["):
      try array { (reader: inout JSONReader) throws(JSONError) in try reader.skip() }
    case UInt8(ascii: "\""): _ = try string()
    case UInt8(ascii: "t"), UInt8(ascii: "f"): _ = try boolean()
    case UInt8(ascii: "n"): _ = try takeNull()
    default: _ = try number(decimals: 0)
    }
  }

  mutating func string() throws(JSONError) -> String {
    guard next() == UInt8(ascii: "\"") else { throw unexpected("a string") }
    position += 1
    let start = position
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: "\""):
        position += 1
        return String(decoding: bytes[start..<(position - 1)], as: UTF8.self)
      case UInt8(ascii: "\\"): return try escapedString(from: start)
      case 0..<0x20: throw malformed("a control character stands in a string")
      default: position += 1
      }
    }
    throw malformed("a string does not end")
  }

  private mutating func escapedString(from start: Int) throws(JSONError) -> String {
    var decoded = Array(bytes[start..<position])
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      switch byte {
      case UInt8(ascii: "\""): return String(decoding: decoded, as: UTF8.self)
      case UInt8(ascii: "\\"): decoded.append(contentsOf: Array(Character(try escape()).utf8))
      case 0..<0x20:
        position -= 1
        throw malformed("a control character stands in a string")
      default: decoded.append(byte)
      }
    }
    throw malformed("a string does not end")
  }

  /// The character of an escape, behind its backslash.
  private mutating func escape() throws(JSONError) -> Unicode.Scalar {
    guard position < bytes.count else { throw malformed("a string does not end") }
    position += 1
    switch bytes[position - 1] {
    case UInt8(ascii: "\""): return "\""
    case UInt8(ascii: "\\"): return "\\"
    case UInt8(ascii: "/"): return "/"
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"): return try unicodeEscape()
    default:
      position -= 1
      throw malformed("an escape is unknown")
    }
  }

  private mutating func unicodeEscape() throws(JSONError) -> Unicode.Scalar {
    let unit = try codeUnit()
    if let scalar = Unicode.Scalar(unit) { return scalar }
    let isPair =
      unit < 0xDC00 && position + 1 < bytes.count && bytes[position] == UInt8(ascii: "\\")
      && bytes[position + 1] == UInt8(ascii: "u")
    guard isPair else { return "\u{FFFD}" }
    let before = position
    position += 2
    let low = try codeUnit()
    guard (0xDC00...0xDFFF).contains(low) else {
      position = before
      return "\u{FFFD}"
    }
    return Unicode.Scalar(0x1_0000 + (unit - 0xD800) << 10 + (low - 0xDC00)) ?? "\u{FFFD}"
  }

  private mutating func codeUnit() throws(JSONError) -> UInt32 {
    var unit: UInt32 = 0
    for _ in 0..<4 {
      guard position < bytes.count, let digit = Character(Unicode.Scalar(bytes[position])).hexDigitValue,
        bytes[position] < 0x80
      else { throw malformed("four hexadecimal digits were expected") }
      unit = unit << 4 | UInt32(digit)
      position += 1
    }
    return unit
  }
}

// MARK: Numbers

extension JSONReader {
  mutating func unsigned() throws(JSONError) -> UInt64 {
    let start = position
    guard let value = UInt64(exactly: try whole()) else { throw outOfRange(start) }
    return value
  }

  mutating func signed() throws(JSONError) -> Int64 {
    let start = position
    guard let value = Int64(exactly: try whole()) else { throw outOfRange(start) }
    return value
  }

  /// A number of seconds in nanoseconds; what lies below a nanosecond is dropped.
  mutating func nanoseconds() throws(JSONError) -> Int128 { try number(decimals: 9).value }

  private mutating func whole() throws(JSONError) -> Int128 {
    let start = position
    let (value, isExact) = try number(decimals: 0)
    guard isExact else { throw JSONError(.unexpectedType, "a whole number was expected", position: start) }
    return value
  }

  /// A number times `10^decimals`, cut off behind the point, and whether nothing was cut off.
  private mutating func number(decimals: Int) throws(JSONError) -> (value: Int128, isExact: Bool) {
    guard let first = next(), first == UInt8(ascii: "-") || isDigit(first) else { throw unexpected("a number") }
    let start = position
    let isNegative = take(UInt8(ascii: "-"))
    var mantissa: Int128 = 0
    var exponent = decimals
    let leadingZero = position < bytes.count && bytes[position] == UInt8(ascii: "0")
    let wholeDigits = digits(into: &mantissa, exponent: &exponent, areFraction: false)
    guard wholeDigits == 1 || (wholeDigits > 1 && !leadingZero) else { throw malformed("a number is malformed") }
    if take(UInt8(ascii: ".")) {
      guard digits(into: &mantissa, exponent: &exponent, areFraction: true) > 0 else {
        throw malformed("a number is malformed")
      }
    }
    if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) { exponent += try writtenExponent() }
    let (value, isExact) = try scale(mantissa, exponent, start)
    return (isNegative ? -value : value, isExact)
  }

  /// Takes digits. Beyond 36 of them the mantissa is full and only the exponent grows.
  private mutating func digits(into mantissa: inout Int128, exponent: inout Int, areFraction: Bool) -> Int {
    let start = position
    let full: Int128 = 1_000_000_000_000_000_000_000_000_000_000_000_000
    while position < bytes.count, isDigit(bytes[position]) {
      if mantissa < full {
        mantissa = mantissa * 10 + Int128(bytes[position] - UInt8(ascii: "0"))
        if areFraction { exponent -= 1 }
      } else if !areFraction {
        exponent += 1
      }
      position += 1
    }
    return position - start
  }

  private mutating func writtenExponent() throws(JSONError) -> Int {
    let isNegative = take(UInt8(ascii: "-"))
    if !isNegative { _ = take(UInt8(ascii: "+")) }
    let start = position
    var value = 0
    while position < bytes.count, isDigit(bytes[position]) {
      value = min(100_000, value * 10 + Int(bytes[position] - UInt8(ascii: "0")))
      position += 1
    }
    guard position > start else { throw malformed("a number is malformed") }
    return isNegative ? -value : value
  }

  private func scale(_ mantissa: Int128, _ exponent: Int, _ start: Int) throws(JSONError) -> (Int128, Bool) {
    guard mantissa > 0 else { return (0, true) }
    var value = mantissa
    var isExact = true
    var exponent = exponent
    while exponent < 0, value > 0 {
      isExact = isExact && value % 10 == 0
      value /= 10
      exponent += 1
    }
    while exponent > 0, value > 0 {
      let (product, overflow) = value.multipliedReportingOverflow(by: 10)
      if overflow { throw outOfRange(start) }
      value = product
      exponent -= 1
    }
    return (value, isExact)
  }

  private func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

  private func outOfRange(_ start: Int) -> JSONError {
    JSONError(.outOfRange, "a number does not fit", position: start)
  }
}

// MARK: Structure

extension JSONReader {
  /// The next byte that is no white space; it stays.
  fileprivate mutating func next() -> UInt8? {
    while position < bytes.count {
      switch bytes[position] {
      case 0x20, 0x09, 0x0A, 0x0D: position += 1
      case let byte: return byte
      }
    }
    return nil
  }

  fileprivate mutating func take(_ byte: UInt8) -> Bool {
    guard position < bytes.count, bytes[position] == byte else { return false }
    position += 1
    return true
  }

  fileprivate mutating func open(_ bracket: UInt8, _ expected: String) throws(JSONError) {
    guard next() == bracket else { throw unexpected(expected) }
    guard depth < JSONReader.depthLimit else {
      throw JSONError(.tooDeep, "more than \(JSONReader.depthLimit) levels", position: position)
    }
    depth += 1
    position += 1
  }

  fileprivate mutating func close() {
    depth -= 1
    position += 1
  }

  /// Takes a comma; `false` if the closing bracket comes next, which stays.
  fileprivate mutating func continues(until bracket: UInt8) throws(JSONError) -> Bool {
    switch next() {
    case UInt8(ascii: ","):
      position += 1
      return true
    case bracket: return false
    default: throw malformed("a comma or the end was expected")
    }
  }

  fileprivate mutating func literal(_ text: String) throws(JSONError) {
    for byte in text.utf8 where !take(byte) { throw malformed("\(text) was expected") }
  }

  fileprivate func malformed(_ message: String) -> JSONError { JSONError(.malformed, message, position: position) }

  /// Another type than expected, or no JSON at all.
  fileprivate mutating func unexpected(_ expected: String) -> JSONError {
    switch next() {
    case nil: malformed("\(expected) was expected, but the text ends")
    case let byte? where "{[\"-tfn0123456789".utf8.contains(byte):
      JSONError(.unexpectedType, "\(expected) was expected", position: position)
    default: malformed("\(expected) was expected")
    }
  }
}
