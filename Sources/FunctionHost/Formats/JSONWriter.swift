import Lifecycle
import NIOCore

/// Writes one JSON document, commas and escapes included.
struct JSONWriter {
  private(set) var buffer: ByteBuffer
  private var needsComma = false

  init(capacity: Int = 256) { buffer = ByteBufferAllocator().buffer(capacity: capacity) }

  /// Writes an object whose members `body` writes.
  mutating func object(_ body: (inout JSONWriter) -> Void) { container("{", "}", body) }

  /// Writes an array whose elements `body` writes.
  mutating func array(_ body: (inout JSONWriter) -> Void) { container("[", "]", body) }

  /// Writes the name of a member; its value follows.
  mutating func key(_ name: String) {
    separate()
    quote(name)
    buffer.writeStaticString(":")
    needsComma = false
  }

  mutating func string(_ text: String) {
    separate()
    quote(text)
    needsComma = true
  }

  mutating func integer(_ value: Int64) {
    separate()
    buffer.writeString(String(value))
    needsComma = true
  }

  /// A length in milliseconds with three decimals.
  mutating func milliseconds(_ length: Nanoseconds) {
    separate()
    buffer.writeString(MillisecondsText.text(length, decimals: 3))
    needsComma = true
  }

  /// A value that is JSON already.
  mutating func verbatim(_ json: String) {
    separate()
    buffer.writeString(json)
    needsComma = true
  }

  mutating func boolean(_ value: Bool) {
    separate()
    buffer.writeString(value ? "true" : "false")
    needsComma = true
  }

  mutating func member(_ name: String, _ text: String) {
    key(name)
    string(text)
  }

  private mutating func container(_ open: StaticString, _ close: StaticString, _ body: (inout JSONWriter) -> Void) {
    separate()
    buffer.writeStaticString(open)
    needsComma = false
    body(&self)
    buffer.writeStaticString(close)
    needsComma = true
  }

  private mutating func separate() {
    if needsComma { buffer.writeStaticString(",") }
  }

  private mutating func quote(_ text: String) {
    buffer.writeStaticString("\"")
    // Runs without anything to escape are written at once: nearly all strings are one such run.
    let bytes = text.utf8
    var start = bytes.startIndex
    for index in bytes.indices {
      let byte = bytes[index]
      guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else { continue }
      buffer.writeSubstring(text[start..<index])
      escape(byte)
      start = bytes.index(after: index)
    }
    buffer.writeSubstring(text[start...])
    buffer.writeStaticString("\"")
  }

  private mutating func escape(_ byte: UInt8) {
    switch byte {
    case UInt8(ascii: "\""): buffer.writeStaticString("\\\"")
    case UInt8(ascii: "\\"): buffer.writeStaticString("\\\\")
    case 0x0A: buffer.writeStaticString("\\n")
    case 0x0D: buffer.writeStaticString("\\r")
    case 0x09: buffer.writeStaticString("\\t")
    default:
      buffer.writeStaticString("\\u00")
      let digits: StaticString = "0123456789abcdef"
      digits.withUTF8Buffer { table in
        unsafe buffer.writeInteger(table[Int(byte >> 4)])
        unsafe buffer.writeInteger(table[Int(byte & 15)])
      }
    }
  }
}
