import Text

/// Finds where a JSON value ends, without checking all of its grammar, in bytes of which more may come.
enum JSONPiece {
  enum End: Equatable {
    /// The position behind its last byte.
    case at(Int)
    /// More bytes are needed.
    case beyond
    /// This is no JSON.
    case broken
  }

  /// - Parameters:
  ///   - start: Of a value; white space is passed over.
  ///   - open: How many brackets are open already: with 1, the end is that of what is around `start`.
  static func end(_ bytes: Span<UInt8>, _ start: Int, depth open: Int = 0) -> End {
    var position = start
    var depth = open
    while position < bytes.count {
      let byte = bytes[position]
      switch byte {
      case UInt8(ascii: "\""):
        switch stringEnd(bytes, position + 1) {
        case .at(let end): position = end
        case let other: return other
        }
        if depth == 0 { return .at(position) }
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        depth += 1
        position += 1
        if depth > JSONRules.depthMax { return .broken }
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        depth -= 1
        position += 1
        if depth <= 0 { return depth < 0 ? .broken : .at(position) }
      case 0x20, 0x09, 0x0A, 0x0D: position += 1
      case UInt8(ascii: ","), UInt8(ascii: ":"):
        guard depth > 0 else { return .broken }
        position += 1
      default:
        guard isOfWord(byte) else { return .broken }
        while position < bytes.count, isOfWord(bytes[position]) { position += 1 }
        if depth == 0 { return position < bytes.count ? .at(position) : .beyond }
      }
    }
    return .beyond
  }

  /// Whether one value begins at `start`, and nothing else than white space stands behind it.
  static func isWhole(_ bytes: Span<UInt8>, _ start: Int) -> Bool {
    guard case .at(var end) = end(bytes, start) else { return false }
    while end < bytes.count, bytes[end] <= 0x20 { end += 1 }
    return end == bytes.count
  }

  private static func stringEnd(_ bytes: Span<UInt8>, _ start: Int) -> End {
    var position = start
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: "\""): return .at(position + 1)
      case UInt8(ascii: "\\"): position += 2
      case 0x0A, 0x0D: return .broken
      default: position += 1
      }
    }
    return .beyond
  }

  /// Of numbers, `true`, `false` and `null`.
  private static func isOfWord(_ byte: UInt8) -> Bool {
    byte.isDecimalDigit || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+") || byte == UInt8(ascii: ".")
      || byte == UInt8(ascii: "E") || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
  }
}

/// Finds line breaks.
enum LineBreak {
  /// The position of the first line feed at or after `start`; the end if there is none.
  static func next(_ bytes: Span<UInt8>, _ start: Int) -> Int {
    var index = start
    // Eight bytes at a time: a byte of the word is zero after an exclusive or exactly if it is a line feed, and the borrow of a
    // subtraction shows it; a borrow also touches the bytes above, so only the lowest one is sure.
    let raw = unsafe bytes.bytes
    while index + 8 <= raw.byteCount {
      // SAFETY: the eight bytes are within the span, and every pattern of bits is a number.
      let word = UInt64(littleEndian: unsafe raw.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self))
      let breaks = word ^ 0x0A0A_0A0A_0A0A_0A0A
      let ends = (breaks &- 0x0101_0101_0101_0101) & ~breaks & 0x8080_8080_8080_8080
      guard ends == 0 else { return index + (ends.trailingZeroBitCount >> 3) }
      index += 8
    }
    while index < bytes.count, bytes[index] != 0x0A { index += 1 }
    return index
  }

  /// How many there are.
  static func count(_ bytes: Span<UInt8>) -> Int {
    var count = 0
    var index = next(bytes, 0)
    while index < bytes.count {
      count += 1
      index = next(bytes, index + 1)
    }
    return count
  }
}
