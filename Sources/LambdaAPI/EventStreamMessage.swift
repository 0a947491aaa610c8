package import NIOCore

/// A message of AWS's event streams (`application/vnd.amazon.eventstream`).
///
/// Four bytes of the whole length, four of the headers' length, a CRC of these eight; then the headers, the payload, and a
/// CRC of everything before it. All numbers are big-endian.
package struct EventStreamMessage {
  /// What kind of event it is, such as `PayloadChunk`.
  package var eventType: String
  /// Of the payload.
  package var contentType: String
  /// What it carries.
  package var payload: ByteBuffer

  /// Makes a message of its parts.
  package init(
    eventType: String, contentType: String, payload: ByteBuffer
  ) {
    self.eventType = eventType
    self.contentType = contentType
    self.payload = payload
  }

  /// What is around the payload beside the headers.
  private static let frameBytesCount = 16
  /// The type of a header's value: a string with two bytes of length before it.
  private static let stringType: UInt8 = 7

  /// Appends the message.
  package func write(into output: inout ByteBuffer) {
    var headers = ByteBuffer()
    for (name, value) in [
      (":message-type", "event"), (":event-type", eventType), (":content-type", contentType),
    ] {
      headers.writeInteger(UInt8(name.utf8.count))
      headers.writeString(name)
      headers.writeInteger(EventStreamMessage.stringType)
      headers.writeInteger(UInt16(value.utf8.count))
      headers.writeString(value)
    }
    let length = EventStreamMessage.frameBytesCount + headers.readableBytes + payload.readableBytes
    var message = ByteBuffer()
    message.reserveCapacity(length)
    message.writeInteger(UInt32(length))
    message.writeInteger(UInt32(headers.readableBytes))
    message.writeInteger(CRC32.checksum(message))
    message.writeImmutableBuffer(headers)
    message.writeImmutableBuffer(payload)
    message.writeInteger(CRC32.checksum(message))
    output.writeImmutableBuffer(message)
  }
}

/// The checksum of IEEE 802.3, as in zip and PNG.
package enum CRC32 {
  /// What a byte does to the value, and behind it in the table what it does when one to seven bytes follow it: eight bytes at once are looked up
  /// ("slicing by 8"), because a stream of 200 MB is summed up as it passes.
  private static let table: [UInt32] = {
    var table: [UInt32] = []
    table.reserveCapacity(2048)
    for byte in 0..<UInt32(256) {
      var value = byte
      for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
      table.append(value)
    }
    for position in 256..<2048 {
      let before = table[position - 256]
      table.append(before >> 8 ^ table[Int(before & 0xFF)])
    }
    return table
  }()

  /// The checksum of the readable bytes. O(their count).
  package static func checksum(_ bytes: ByteBuffer) -> UInt32 {
    let table = table
    return bytes.withReadableSpan { ~update(.max, $0, table.span) }
  }

  private static func update(_ start: UInt32, _ bytes: Span<UInt8>, _ table: Span<UInt32>) -> UInt32 {
    var value = start
    var index = 0
    let words = unsafe bytes.bytes
    while bytes.count - index >= 8 {
      // SAFETY: eight bytes from `index` on are within the span.
      let loaded = unsafe words.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)
      let mixed = loaded.littleEndian ^ UInt64(value)
      var sum: UInt32 = 0
      var (place, rest) = (1792, mixed)
      while place >= 0 {
        sum ^= table[place + Int(rest & 0xFF)]
        rest >>= 8
        place -= 256
      }
      value = sum
      index += 8
    }
    while index < bytes.count {
      value = table[Int(UInt8(truncatingIfNeeded: value) ^ bytes[index])] ^ value >> 8
      index += 1
    }
    return value
  }
}
