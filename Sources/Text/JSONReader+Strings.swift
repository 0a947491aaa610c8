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
  private mutating func skipString() throws(JSONError) -> Bool {
    var position = position
    do throws(JSONFlaw) {
      let hasEscapes = try JSONScan.string(bytes, &position, rules)
      self.position = position
      return hasEscapes
    } catch {
      throw error.error(bytes, position, rules)
    }
  }

  /// The text of bytes that were skipped as a string with escapes.
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
