internal import CCrypt

/// A hash of a password as `htpasswd -B` makes it: bcrypt (`$2y$`, `$2a$`, `$2b$`), computed by libcrypt.
package struct PasswordHash: Hashable, Sendable {
  /// The hash with its cost and salt.
  package let text: String

  /// The highest cost that is taken: each step doubles the time, and 14 takes about a second.
  package static let costMax = 14

  /// A hash; `nil` if the text is none of bcrypt, or its cost is over ``costMax``.
  package init?(_ text: String) {
    let parts = text.split(separator: "$", omittingEmptySubsequences: false)
    guard parts.count == 4, parts[0].isEmpty, ["2a", "2b", "2y"].contains(parts[1]), parts[2].utf8.count == 2,
      let cost = Int(parts[2]), (4...Self.costMax).contains(cost), parts[3].utf8.count == 53,
      parts[3].utf8.allSatisfy(Self.isDigit)
    else { return nil }
    self.text = text
  }

  /// bcrypt's own 64 digits.
  private static func isDigit(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "."), UInt8(ascii: "/"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"): true
    default: false
    }
  }

  /// Whether this is the hash of a password, of which bcrypt looks at the first 72 bytes.
  ///
  /// - Complexity: As the hash wants it: 2 to the power of its cost, some 50 ms with a cost of 10. Blocks.
  package func matches(_ password: String) -> Bool {
    // A byte 0 would end the password for libcrypt.
    guard !password.utf8.contains(0) else { return false }
    let memory = UnsafeMutablePointer<crypt_data>.allocate(capacity: 1)
    defer { unsafe memory.deallocate() }
    unsafe memory.initialize(to: crypt_data())
    guard let hash = unsafe crypt_r(password, text, memory) else { return false }
    return unsafe ConstantTime.areEqual(Array(String(cString: hash).utf8), Array(text.utf8))
  }
}

/// Comparisons that take the same time wherever two texts differ.
package enum ConstantTime {
  /// Whether both have the same bytes. The time depends on their lengths alone.
  package static func areEqual(_ one: [UInt8], _ other: [UInt8]) -> Bool {
    guard one.count == other.count else { return false }
    var difference: UInt8 = 0
    for index in one.indices { difference |= one[index] ^ other[index] }
    return difference == 0
  }
}
