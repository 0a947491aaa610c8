extension JSONReader {
  /// Reads a string without its quotes and escapes.
  package mutating func string() throws(JSONError) -> String {
    guard next() == .quote else { throw unexpected("a string") }
    let start = position + 1
    let hasEscapes = try skipString()
    let end = position - 1
    return hasEscapes ? unescaped(start..<end) : JSONReader.text(bytes.extracting(start..<end))
  }

  /// Passes over a string; its opening quote comes next.
  ///
  /// - Returns: Whether it has escapes.
  mutating func skipString() throws(JSONError) -> Bool {
    position += 1
    var hasEscapes = false
    while true {
      position = JSONReader.endOfPlainText(bytes, position)
      guard position < bytes.count else { throw malformed("a string does not end") }
      switch bytes[position] {
      case .quote:
        position += 1
        return hasEscapes
      case .backslash:
        hasEscapes = true
        position += 1
        try skipEscape()
      case 0..<0x20: throw malformed("a control character stands in a string")
      default:
        let count = UTF8Form.length(bytes, position)
        if count == 0, rules.invalidUTF8 == .refused { throw malformed("it is not UTF-8") }
        position += max(1, count)
      }
    }
  }

  /// The first byte at or after `start` that is a quote, a backslash, a control character, or not ASCII.
  private static func endOfPlainText(_ bytes: Span<UInt8>, _ start: Int) -> Int {
    var index = start
    // Eight bytes at a time: in a word in which no byte has its highest bit set, a byte's borrow out of a subtraction shows
    // that it is smaller, and a byte is zero after an exclusive or exactly if it is the one that is looked for.
    let raw = unsafe bytes.bytes
    while index + 8 <= raw.byteCount {
      // SAFETY: the eight bytes are within the span, and every pattern of bits is a number.
      let word = unsafe raw.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)
      let quotes = word ^ 0x2222_2222_2222_2222
      let backslashes = word ^ 0x5C5C_5C5C_5C5C_5C5C
      let ends =
        word | (word &- 0x2020_2020_2020_2020) | (quotes &- 0x0101_0101_0101_0101)
        | (backslashes &- 0x0101_0101_0101_0101)
      guard ends & 0x8080_8080_8080_8080 == 0 else { break }
      index += 8
    }
    while index < bytes.count {
      let byte = bytes[index]
      guard byte >= 0x20, byte < 0x80, byte != .quote, byte != .backslash else { break }
      index += 1
    }
    return index
  }

  /// Passes over what follows a backslash.
  private mutating func skipEscape() throws(JSONError) {
    guard position < bytes.count else { throw malformed("a string does not end") }
    switch bytes[position] {
    case .quote, .backslash, UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"), UInt8(ascii: "n"),
      UInt8(ascii: "r"), UInt8(ascii: "t"):
      position += 1
    case UInt8(ascii: "u"):
      position += 1
      try skipUnicodeEscape()
    default: throw malformed("an escape is unknown")
    }
  }

  private mutating func skipUnicodeEscape() throws(JSONError) {
    let unit = try codeUnit()
    guard rules.loneSurrogates == .refused, unit & 0xF800 == 0xD800 else { return }
    guard unit < 0xDC00, take(.backslash), take(UInt8(ascii: "u")), try codeUnit() & 0xFC00 == 0xDC00 else {
      throw malformed("a surrogate has no partner")
    }
  }

  private mutating func codeUnit() throws(JSONError) -> UInt32 {
    var unit: UInt32 = 0
    for _ in 0..<4 {
      guard position < bytes.count, let digit = Hexadecimal.value(bytes[position]) else {
        throw malformed("four hexadecimal digits were expected")
      }
      unit = unit << 4 | UInt32(digit)
      position += 1
    }
    return unit
  }

  /// The text of bytes that were passed over as a string with escapes.
  private func unescaped(_ range: Range<Int>) -> String {
    var text: [UInt8] = []
    text.reserveCapacity(range.count)
    var index = range.lowerBound
    while index < range.upperBound {
      let byte = bytes[index]
      index += 1
      guard byte == .backslash else {
        text.append(byte)
        continue
      }
      let letter = bytes[index]
      index += 1
      switch letter {
      case UInt8(ascii: "b"): text.append(0x08)
      case UInt8(ascii: "f"): text.append(0x0C)
      case UInt8(ascii: "n"): text.append(0x0A)
      case UInt8(ascii: "r"): text.append(0x0D)
      case UInt8(ascii: "t"): text.append(0x09)
      case UInt8(ascii: "u"): UTF8Form.append(scalar(&index, range.upperBound), to: &text)
      default: text.append(letter)
      }
    }
    return JSONReader.text(text.span)
  }

  /// The character of an escape whose digits begin at `index`, with the second half of a pair.
  private func scalar(_ index: inout Int, _ end: Int) -> Unicode.Scalar {
    let unit = digits(index)
    index += 4
    if let scalar = Unicode.Scalar(unit) { return scalar }
    guard unit < 0xDC00, index + 6 <= end, bytes[index] == .backslash, bytes[index + 1] == UInt8(ascii: "u") else {
      return "\u{FFFD}"
    }
    let low = digits(index + 2)
    guard low & 0xFC00 == 0xDC00 else { return "\u{FFFD}" }
    index += 6
    return Unicode.Scalar(0x1_0000 + (unit & 0x3FF) << 10 + low & 0x3FF) ?? "\u{FFFD}"
  }

  private func digits(_ start: Int) -> UInt32 {
    var value: UInt32 = 0
    for index in start..<start + 4 { value = value << 4 | UInt32(Hexadecimal.value(bytes[index]) ?? 0) }
    return value
  }

  /// What is not UTF-8 becomes U+FFFD.
  static func text(_ bytes: Span<UInt8>) -> String {
    // SAFETY: the pointer does not leave the closure, and the string copies what it points to.
    unsafe bytes.withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
  }
}

/// The bytes of characters.
enum UTF8Form {
  /// How many bytes the character at `position` has, whose first byte is not ASCII; 0 if it is not UTF-8 (RFC 3629: no overlong
  /// form, no surrogate, nothing above U+10FFFF).
  static func length(_ bytes: Span<UInt8>, _ position: Int) -> Int {
    let range: ClosedRange<UInt8>
    let count: Int
    switch bytes[position] {
    case 0xC2...0xDF: (range, count) = (0x80...0xBF, 2)
    case 0xE0: (range, count) = (0xA0...0xBF, 3)
    case 0xED: (range, count) = (0x80...0x9F, 3)
    case 0xE1...0xEF: (range, count) = (0x80...0xBF, 3)
    case 0xF0: (range, count) = (0x90...0xBF, 4)
    case 0xF1...0xF3: (range, count) = (0x80...0xBF, 4)
    case 0xF4: (range, count) = (0x80...0x8F, 4)
    default: return 0
    }
    guard position + count <= bytes.count, range.contains(bytes[position + 1]) else { return 0 }
    for offset in 2..<max(2, count) where bytes[position + offset] & 0xC0 != 0x80 { return 0 }
    return count
  }

  static func append(_ scalar: Unicode.Scalar, to bytes: inout [UInt8]) {
    guard let units = UTF8.encode(scalar) else { return }
    for unit in units { bytes.append(unit) }
  }
}
