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
  private static let table: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(UInt32(byte)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
  }

  /// The checksum of the readable bytes. O(their count).
  package static func checksum(_ bytes: ByteBuffer) -> UInt32 {
    let table = table
    return bytes.withReadableSpan { bytes in
      var value = UInt32.max
      for index in bytes.indices {
        value = table[Int(UInt8(truncatingIfNeeded: value) ^ bytes[index])] ^ value >> 8
      }
      return ~value
    }
  }
}
