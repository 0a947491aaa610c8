// Passing over values. This is the way of every payload: it neither calls itself nor allocates, and its position is a local
// variable, which stays in a register, until the end.
extension JSONReader {
  /// Skips one value of any type, and checks it. O(its bytes), without allocation or recursion.
  package mutating func skip() throws(JSONError) {
    var position = position
    do throws(JSONFlaw) {
      try JSONScan.value(bytes, &position, rules, depth: depth)
      self.position = position
    } catch {
      throw error.error(bytes, position, rules)
    }
  }

  /// Passes over one value and returns where its bytes are, without white space around them: what is handed on as it came.
  package mutating func slice() throws(JSONError) -> Range<Int> {
    _ = next()
    let start = position
    try skip()
    return start..<position
  }

  /// The bytes of a value without the white space between its parts; strings and numbers stay as written.
  ///
  /// - Parameter slice: Of `bytes`, as ``slice()`` returned it.
  /// - Complexity: O(length of the slice).
  package static func compacted(_ bytes: Span<UInt8>, _ slice: Range<Int>) -> [UInt8] {
    var output: [UInt8] = []
    output.reserveCapacity(slice.count)
    var isString = false
    var position = slice.lowerBound
    while position < slice.upperBound {
      let byte = bytes[position]
      position += 1
      if isString {
        output.append(byte)
        if byte == .backslash, position < slice.upperBound {
          output.append(bytes[position])
          position += 1
        } else if byte == .quote {
          isString = false
        }
      } else if byte > 0x20 {
        output.append(byte)
        isString = byte == .quote
      }
    }
    return output
  }
}

/// What bytes can lack to be JSON; where is the position at which reading stopped.
enum JSONFlaw: UInt8, Error {
  case value, name, colon, comma, tooDeep, end, control, notUTF8, escape, hexadecimal, surrogate, word, leadingZero,
    digit

  func error(_ bytes: Span<UInt8>, _ position: Int, _ rules: JSONRules) -> JSONError {
    let message =
      switch self {
      case .value: position < bytes.count ? "a value was expected" : "a value was expected, but the text ends"
      case .name: "a member's name was expected"
      case .colon: "a colon was expected"
      case .comma: "a comma or the end was expected"
      case .tooDeep: "arrays and objects are nested deeper than \(rules.depthLimit) levels"
      case .end: "a string does not end"
      case .control: "a string contains a control character"
      case .notUTF8: "it is not UTF-8"
      case .escape: "an escape is unknown"
      case .hexadecimal: "four hexadecimal digits were expected"
      case .surrogate: "a surrogate has no partner"
      case .word: "true, false or null was expected"
      case .leadingZero: "a number begins with a zero"
      case .digit: "a number lacks a digit"
      }
    return JSONError(self == .tooDeep ? .tooDeep : .malformed, message, position: position)
  }
}

/// Which of the open brackets are objects, one bit each.
private struct JSONNesting {
  private var bits = InlineArray<16, UInt64>(repeating: 0)
  private(set) var depth = 0

  var isObject: Bool { bits[(depth - 1) >> 6] >> UInt64((depth - 1) & 63) & 1 == 1 }

  /// The caller keeps within ``JSONRules/depthMax``, for which the bits suffice.
  mutating func open(isObject: Bool) {
    let mask: UInt64 = 1 << UInt64(depth & 63)
    if isObject { bits[depth >> 6] |= mask } else { bits[depth >> 6] &= ~mask }
    depth += 1
  }

  mutating func close() { depth -= 1 }
}

/// The grammar of RFC 8259, one function for each part. Each begins at `position` and leaves it behind what it passed over, or,
/// if it throws, where reading stopped.
enum JSONScan {
  @inline(__always)
  static func white(_ bytes: Span<UInt8>, _ position: inout Int) {
    while position < bytes.count {
      let byte = bytes[position]
      guard byte <= 0x20, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return }
      position += 1
    }
  }

  @inline(__always)
  private static func begins(_ byte: UInt8, _ bytes: Span<UInt8>, _ position: Int) -> Bool {
    position < bytes.count && bytes[position] == byte
  }

  /// - Parameter depth: How many arrays and objects are open already.
  static func value(
    _ bytes: Span<UInt8>, _ position: inout Int, _ rules: JSONRules, depth: Int
  ) throws(JSONFlaw) {
    var nesting = JSONNesting()
    while true {
      white(bytes, &position)
      guard position < bytes.count else { throw .value }
      switch bytes[position] {
      case .openBrace:
        guard depth + nesting.depth < rules.depthLimit else { throw .tooDeep }
        nesting.open(isObject: true)
        position += 1
        white(bytes, &position)
        if !begins(.closeBrace, bytes, position) {
          try name(bytes, &position, rules)
          continue
        }
      case .openBracket:
        guard depth + nesting.depth < rules.depthLimit else { throw .tooDeep }
        nesting.open(isObject: false)
        position += 1
        white(bytes, &position)
        if !begins(.closeBracket, bytes, position) { continue }
      case .quote: _ = try string(bytes, &position, rules)
      case UInt8(ascii: "t"): try word("true", bytes, &position)
      case UInt8(ascii: "f"): try word("false", bytes, &position)
      case UInt8(ascii: "n"): try word("null", bytes, &position)
      default: try number(bytes, &position)
      }
      if try ends(bytes, &position, rules, &nesting) { return }
    }
  }

  /// Closes what ends behind a value, and goes to the next value of what does not.
  ///
  /// - Returns: Whether everything is closed.
  @inline(__always)
  private static func ends(
    _ bytes: Span<UInt8>, _ position: inout Int, _ rules: JSONRules, _ nesting: inout JSONNesting
  ) throws(JSONFlaw) -> Bool {
    while nesting.depth > 0 {
      white(bytes, &position)
      guard position < bytes.count else { throw .comma }
      switch bytes[position] {
      case .comma:
        position += 1
        if nesting.isObject { try name(bytes, &position, rules) }
        return false
      case .closeBrace where nesting.isObject, .closeBracket where !nesting.isObject:
        position += 1
        nesting.close()
      default: throw .comma
      }
    }
    return true
  }

  @inline(__always)
  private static func name(_ bytes: Span<UInt8>, _ position: inout Int, _ rules: JSONRules) throws(JSONFlaw) {
    white(bytes, &position)
    guard begins(.quote, bytes, position) else { throw .name }
    _ = try string(bytes, &position, rules)
    white(bytes, &position)
    guard begins(.colon, bytes, position) else { throw .colon }
    position += 1
  }

  static func word(_ text: StaticString, _ bytes: Span<UInt8>, _ position: inout Int) throws(JSONFlaw) {
    let count = text.utf8CodeUnitCount
    guard position + count <= bytes.count else { throw .word }
    let start = position
    let isThere = text.withUTF8Buffer { expected in
      for offset in 0..<count where unsafe bytes[start + offset] != expected[offset] { return false }
      return true
    }
    guard isThere else { throw .word }
    position += count
  }

  static func number(_ bytes: Span<UInt8>, _ position: inout Int) throws(JSONFlaw) {
    let isNegative = begins(UInt8(ascii: "-"), bytes, position)
    if isNegative { position += 1 }
    if begins(.zero, bytes, position) {
      position += 1
      if position < bytes.count, bytes[position].isDigit { throw .leadingZero }
    } else {
      try digits(bytes, &position, or: isNegative ? .digit : .value)
    }
    if begins(UInt8(ascii: "."), bytes, position) {
      position += 1
      try digits(bytes, &position, or: .digit)
    }
    guard position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") else { return }
    position += 1
    if begins(UInt8(ascii: "+"), bytes, position) || begins(UInt8(ascii: "-"), bytes, position) { position += 1 }
    try digits(bytes, &position, or: .digit)
  }

  @inline(__always)
  private static func digits(_ bytes: Span<UInt8>, _ position: inout Int, or flaw: JSONFlaw) throws(JSONFlaw) {
    let start = position
    while position < bytes.count, bytes[position].isDigit { position += 1 }
    guard position > start else { throw flaw }
  }

  /// - Returns: Whether it has escapes.
  static func string(_ bytes: Span<UInt8>, _ position: inout Int, _ rules: JSONRules) throws(JSONFlaw) -> Bool {
    position += 1
    var hasEscapes = false
    while true {
      position = endOfPlainText(bytes, position)
      guard position < bytes.count else { throw .end }
      switch bytes[position] {
      case .quote:
        position += 1
        return hasEscapes
      case .backslash:
        hasEscapes = true
        position += 1
        try escape(bytes, &position, rules)
      case 0..<0x20: throw .control
      default:
        // Languages other than English have such characters next to one another.
        repeat {
          let count = UTF8Form.length(bytes, position)
          if count == 0, rules.invalidUTF8 == .refused { throw .notUTF8 }
          position += max(1, count)
        } while position < bytes.count && bytes[position] >= 0x80
      }
    }
  }

  /// The first byte at or after `start` that is a quote, a backslash, a control character, or not ASCII.
  @inline(__always)
  private static func endOfPlainText(_ bytes: Span<UInt8>, _ start: Int) -> Int {
    var index = start
    // Eight bytes at a time: in a word in which no byte has its highest bit set, a byte's borrow out of a subtraction shows
    // that it is smaller, and a byte is zero after an exclusive or exactly if it is the one that is looked for.
    let raw = unsafe bytes.bytes
    while index + 8 <= raw.byteCount {
      // SAFETY: the eight bytes are within the span, and every pattern of bits is a number.
      let word = UInt64(littleEndian: unsafe raw.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self))
      let quotes = word ^ 0x2222_2222_2222_2222
      let backslashes = word ^ 0x5C5C_5C5C_5C5C_5C5C
      let ends =
        (word | (word &- 0x2020_2020_2020_2020) | (quotes &- 0x0101_0101_0101_0101)
          | (backslashes &- 0x0101_0101_0101_0101)) & 0x8080_8080_8080_8080
      // A borrow may also touch the bytes above, so only the lowest one is sure.
      guard ends == 0 else { return index + (ends.trailingZeroBitCount >> 3) }
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
  private static func escape(_ bytes: Span<UInt8>, _ position: inout Int, _ rules: JSONRules) throws(JSONFlaw) {
    guard position < bytes.count else { throw .end }
    switch bytes[position] {
    case .quote, .backslash, UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"), UInt8(ascii: "n"),
      UInt8(ascii: "r"), UInt8(ascii: "t"):
      position += 1
    case UInt8(ascii: "u"):
      position += 1
      let unit = try codeUnit(bytes, &position)
      guard rules.loneSurrogates == .refused, unit & 0xF800 == 0xD800 else { return }
      guard unit < 0xDC00 else { throw .surrogate }
      guard begins(.backslash, bytes, position) else { throw .surrogate }
      position += 1
      guard begins(UInt8(ascii: "u"), bytes, position) else { throw .surrogate }
      position += 1
      guard try codeUnit(bytes, &position) & 0xFC00 == 0xDC00 else { throw .surrogate }
    default: throw .escape
    }
  }

  private static func codeUnit(_ bytes: Span<UInt8>, _ position: inout Int) throws(JSONFlaw) -> UInt32 {
    var unit: UInt32 = 0
    for _ in 0..<4 {
      guard position < bytes.count, let digit = Hexadecimal.value(bytes[position]) else { throw .hexadecimal }
      unit = unit << 4 | UInt32(digit)
      position += 1
    }
    return unit
  }
}
