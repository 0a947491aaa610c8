/// Base64 with padding (RFC 4648 section 4), as AWS uses it in headers and payloads.
package enum Base64 {
  private static let alphabet: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

  /// The text of `bytes`: four characters for every three bytes begun.
  package static func encode(_ bytes: Span<UInt8>) -> String {
    let count = (bytes.count + 2) / 3 * 4
    return alphabet.withUTF8Buffer { alphabet in
      // SAFETY: each group of three bytes begun writes four characters, and six bits are less than 64.
      unsafe String(unsafeUninitializedCapacity: count) { text in
        var position = 0
        var index = 0
        while index < bytes.count {
          let second = index + 1 < bytes.count ? bytes[index + 1] : 0
          let third = index + 2 < bytes.count ? bytes[index + 2] : 0
          let word = UInt32(bytes[index]) << 16 | UInt32(second) << 8 | UInt32(third)
          unsafe text[position] = alphabet[Int(word >> 18)]
          unsafe text[position + 1] = alphabet[Int(word >> 12 & 63)]
          unsafe text[position + 2] = index + 1 < bytes.count ? alphabet[Int(word >> 6 & 63)] : UInt8(ascii: "=")
          unsafe text[position + 3] = index + 2 < bytes.count ? alphabet[Int(word & 63)] : UInt8(ascii: "=")
          position += 4
          index += 3
        }
        return position
      }
    }
  }

  /// The text of `bytes`, as ``encode(_:)-(Span<UInt8>)``.
  package static func encode(_ bytes: [UInt8]) -> String { encode(bytes.span) }

  /// The bytes of `text`, or `nil` if it is not Base64; missing padding is forgiven, line breaks are not.
  package static func decode(_ text: String) -> [UInt8]? {
    // What was made of bytes lies in one piece; anything else is copied first.
    let bytes = unsafe text.utf8.withContiguousStorageIfAvailable { digits in unsafe decode(digits.span) }
    return bytes ?? decode(Array(text.utf8).span)
  }

  /// As ``decode(_:)``, and `nil` if padding is missing.
  package static func decodePadded(_ text: String) -> [UInt8]? { text.utf8.count % 4 == 0 ? decode(text) : nil }

  private static func decode(_ digits: Span<UInt8>) -> [UInt8]? {
    var count = digits.count
    while count > 0, digits.count - count < 3, digits[count - 1] == UInt8(ascii: "=") { count -= 1 }
    let padding = digits.count - count
    // One digit alone holds no byte. Padding fills a group of four at most; less of it is forgiven.
    guard count % 4 != 1, padding == 0 || (count % 4 > 1 && count % 4 + padding <= 4) else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count / 4 * 3 + 2)
    var word: UInt32 = 0
    for index in 0..<count {
      guard let value = value(digits[index]) else { return nil }
      word = word << 6 | value
      guard index & 3 == 3 else { continue }
      bytes.append(UInt8(truncatingIfNeeded: word >> 16))
      bytes.append(UInt8(truncatingIfNeeded: word >> 8))
      bytes.append(UInt8(truncatingIfNeeded: word))
      word = 0
    }
    switch count % 4 {
    case 2: bytes.append(UInt8(truncatingIfNeeded: word >> 4))
    case 3:
      bytes.append(UInt8(truncatingIfNeeded: word >> 10))
      bytes.append(UInt8(truncatingIfNeeded: word >> 2))
    default: break
    }
    return bytes
  }

  private static func value(_ digit: UInt8) -> UInt32? {
    switch digit {
    case 0x41...0x5A: UInt32(digit - 0x41)
    case 0x61...0x7A: UInt32(digit - 0x61 + 26)
    case 0x30...0x39: UInt32(digit - 0x30 + 52)
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: nil
    }
  }
}
