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
    buffer.writeInteger(UInt8(ascii: ":"))
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
    if needsComma { buffer.writeInteger(UInt8(ascii: ",")) }
  }

  private mutating func quote(_ text: String) {
    buffer.writeInteger(UInt8(ascii: "\""))
    // What was made of bytes is contiguous; anything else is copied first.
    let isWritten: Void? = unsafe text.utf8.withContiguousStorageIfAvailable { unsafe writeEscaped($0) }
    if isWritten == nil { unsafe Array(text.utf8).withUnsafeBufferPointer { unsafe writeEscaped($0) } }
    buffer.writeInteger(UInt8(ascii: "\""))
  }

  /// Runs without anything to escape are written at once: nearly all strings are one such run.
  private mutating func writeEscaped(_ bytes: UnsafeBufferPointer<UInt8>) {
    var start = 0
    for index in 0..<bytes.count {
      let byte = unsafe bytes[index]
      guard JSONWriter.isEscaped(byte) else { continue }
      unsafe writeRun(bytes, start..<index)
      escape(byte)
      start = index + 1
    }
    unsafe writeRun(bytes, start..<bytes.count)
  }

  private mutating func writeRun(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) {
    unsafe buffer.writeBytes(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: bytes[range])))
  }

  private static func isEscaped(_ byte: UInt8) -> Bool {
    byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
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
