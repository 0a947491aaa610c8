// Passing over values. This is the way of every payload, so it neither calls itself nor allocates.
extension JSONReader {
  /// Passes over one value of any type, which is checked all the same. O(its bytes), without allocation or recursion.
  package mutating func skip() throws(JSONError) {
    var nesting = JSONNesting()
    while true {
      switch next() {
      case .openBrace:
        try enter(&nesting, isObject: true)
        if next() != .closeBrace {
          try skipName()
          continue
        }
      case .openBracket:
        try enter(&nesting, isObject: false)
        if next() != .closeBracket { continue }
      case .quote: _ = try skipString()
      case UInt8(ascii: "t"): try word("true")
      case UInt8(ascii: "f"): try word("false")
      case UInt8(ascii: "n"): try word("null")
      case let byte? where byte == UInt8(ascii: "-") || byte.isDigit: try skipNumber()
      default: throw unexpected("a value")
      }
      if try leave(&nesting) { return }
    }
  }

  /// Passes over one value and returns where its bytes are, without white space around them: what is handed on as it came.
  package mutating func slice() throws(JSONError) -> Range<Int> {
    _ = next()
    let start = position
    try skip()
    return start..<position
  }

  private mutating func enter(_ nesting: inout JSONNesting, isObject: Bool) throws(JSONError) {
    guard depth + nesting.depth < rules.depthLimit else { throw tooDeep() }
    nesting.open(isObject: isObject)
    position += 1
  }

  /// Closes what ends behind a value, and goes to the next value of what does not.
  ///
  /// - Returns: Whether everything is closed.
  private mutating func leave(_ nesting: inout JSONNesting) throws(JSONError) -> Bool {
    while nesting.depth > 0 {
      switch next() {
      case .comma:
        position += 1
        if nesting.isObject {
          guard next() == .quote else { throw malformed("a member's name was expected") }
          try skipName()
        }
        return false
      case .closeBrace where nesting.isObject, .closeBracket where !nesting.isObject:
        position += 1
        nesting.close()
      default: throw malformed("a comma or the end was expected")
      }
    }
    return true
  }

  private mutating func skipName() throws(JSONError) {
    guard next() == .quote else { throw malformed("a member's name was expected") }
    _ = try skipString()
    try colon()
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
