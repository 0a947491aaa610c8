/// Tells whether bytes are UTF-8 (RFC 3629: no overlong form, no surrogate, nothing above U+10FFFF), piece by piece.
///
/// A character may lie in two pieces; a byte that no character can have there is found at once.
package struct UTF8Validation: Sendable {
  /// How many bytes the character that has begun still needs.
  private var missing = 0
  /// What the next of them may be; after it, any continuation.
  private var lower: UInt8 = 0x80
  private var upper: UInt8 = 0xBF

  /// Before the first byte.
  package init() {}

  /// Whether no character is incomplete.
  package var isComplete: Bool { missing == 0 }

  /// Takes the next bytes.
  ///
  /// - Returns: Whether all of them can be UTF-8 behind what came before. If not, nothing more is to be given.
  /// - Complexity: O(`bytes.count`).
  package mutating func append(_ bytes: Span<UInt8>) -> Bool {
    for index in 0..<bytes.count {
      let byte = bytes[index]
      if missing == 0 {
        if byte < 0x80 { continue }
        guard begin(byte) else { return false }
      } else {
        guard byte >= lower, byte <= upper else { return false }
        missing -= 1
        (lower, upper) = (0x80, 0xBF)
      }
    }
    return true
  }

  private mutating func begin(_ byte: UInt8) -> Bool {
    switch byte {
    case 0xC2...0xDF: missing = 1
    case 0xE0: (missing, lower) = (2, 0xA0)
    case 0xED: (missing, upper) = (2, 0x9F)
    case 0xE1...0xEF: missing = 2
    case 0xF0: (missing, lower) = (3, 0x90)
    case 0xF1...0xF3: missing = 3
    case 0xF4: (missing, upper) = (3, 0x8F)
    default: return false
    }
    return true
  }
}
