/// Percent-encoding of URLs (RFC 3986 section 2.1), both ways.
package enum PercentEncoding {
  /// Which bytes stand for themselves.
  package enum Kept: Sendable {
    /// Letters, digits, `-`, `.`, `_` and `~` (RFC 3986 section 2.3): for a segment of a path or a part of a query, and as
    /// signatures of AWS want it.
    case unreserved
    /// All visible ASCII but `%`: for text of any kind in a header's value.
    case visible
  }

  /// Every byte that is not kept as `%` and two digits, in upper case. O(length).
  package static func encoded(_ text: some StringProtocol, keeping kept: Kept = .unreserved) -> String {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.utf8.count)
    for byte in text.utf8 {
      if isKept(byte, kept) {
        bytes.append(byte)
      } else {
        bytes.append(percent)
        bytes.append(upperDigit(byte >> 4))
        bytes.append(upperDigit(byte & 15))
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The text that was encoded; `nil` if an escape is cut short or is not hexadecimal, or the result is not UTF-8.
  ///
  /// - Parameter plusIsSpace: Whether `+` stands for a blank, as in forms and queries.
  /// - Complexity: O(length); one string and nothing else is made where there is no escape.
  package static func decoded(_ text: Substring.UTF8View, plusIsSpace: Bool = false) -> String? {
    guard isEncoded(text, plusIsSpace) else { return String(Substring(text)) }
    guard let bytes = bytes(text, plusIsSpace, isLenient: false) else { return nil }
    return String(validating: bytes, as: UTF8.self)
  }

  /// The text that may have been encoded: a `%` that begins no escape stands for itself, and bytes that are not UTF-8 become
  /// U+FFFD.
  ///
  /// - Parameter plusIsSpace: As of ``decoded(_:plusIsSpace:)``.
  package static func decodedLeniently(_ text: Substring.UTF8View, plusIsSpace: Bool = false) -> String {
    guard isEncoded(text, plusIsSpace), let bytes = bytes(text, plusIsSpace, isLenient: true) else {
      return String(Substring(text))
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static let percent = UInt8(ascii: "%")
  private static let plus = UInt8(ascii: "+")

  /// Nearly all texts are not.
  private static func isEncoded(_ text: Substring.UTF8View, _ plusIsSpace: Bool) -> Bool {
    text.contains { $0 == percent || plusIsSpace && $0 == plus }
  }

  /// `nil` if an escape is malformed, unless that is passed over.
  private static func bytes(_ text: Substring.UTF8View, _ plusIsSpace: Bool, isLenient: Bool) -> [UInt8]? {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count)
    var rest = text
    while let byte = rest.popFirst() {
      if byte == percent {
        let digits = rest.prefix(2).compactMap(Hexadecimal.value)
        if digits.count == 2 {
          bytes.append(digits[0] << 4 | digits[1])
          rest = rest.dropFirst(2)
        } else if isLenient {
          bytes.append(percent)
        } else {
          return nil
        }
      } else {
        bytes.append(plusIsSpace && byte == plus ? UInt8(ascii: " ") : byte)
      }
    }
    return bytes
  }

  private static func isKept(_ byte: UInt8, _ kept: Kept) -> Bool {
    switch kept {
    case .visible: return (0x21...0x7E).contains(byte) && byte != percent
    case .unreserved:
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
        UInt8(ascii: "~"):
        return true
      default: return false
      }
    }
  }

  private static func upperDigit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x41 + value - 10 }
}
