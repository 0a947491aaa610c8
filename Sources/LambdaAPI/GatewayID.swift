import Text

/// What API Gateway calls a connection, a message or a request of a WebSocket API: 11 bytes as Base64 for URLs, with the padding, such as
/// `L0SM9cOFvHcCIhw=`.
package struct GatewayID: Hashable, Sendable {
  private static let byteCount = 11

  private let high: UInt64
  /// The last three bytes.
  private let low: UInt32

  /// A random one.
  package init(using generator: inout some RandomNumberGenerator) {
    high = generator.next()
    low = generator.next() & 0xFF_FFFF
  }

  /// Reads the text of one; `nil` if it is none.
  package init?(_ text: String) {
    guard text.utf8.count == 16, text.utf8.last == UInt8(ascii: "=") else { return nil }
    let digits = text.utf8.map { byte in
      byte == UInt8(ascii: "-") ? UInt8(ascii: "+") : byte == UInt8(ascii: "_") ? UInt8(ascii: "/") : byte
    }
    guard let bytes = Base64.decodePadded(String(decoding: digits, as: UTF8.self)), bytes.count == Self.byteCount else {
      return nil
    }
    high = bytes[..<8].reduce(0) { $0 << 8 | UInt64($1) }
    low = bytes[8...].reduce(0) { $0 << 8 | UInt32($1) }
    // The last digit has two bits that no byte has.
    guard self.text == text else { return nil }
  }

  /// As it stands in events and paths.
  package var text: String {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Self.byteCount)
    for shift in stride(from: 56, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: high >> UInt64(shift))) }
    for shift in stride(from: 16, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: low >> UInt32(shift))) }
    let digits = Base64.encode(bytes).utf8.map { byte in
      byte == UInt8(ascii: "+") ? UInt8(ascii: "-") : byte == UInt8(ascii: "/") ? UInt8(ascii: "_") : byte
    }
    return String(decoding: digits, as: UTF8.self)
  }
}
