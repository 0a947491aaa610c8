import Lifecycle
import NIOCore

/// Writes one JSON document, commas and escapes included.
struct JSONWriter {
  // An array and not a buffer: a document is made of many short pieces, and appending one costs an array far less.
  private var bytes: [UInt8] = []
  private var needsComma = false

  init(capacity: Int = 256) { bytes.reserveCapacity(capacity) }

  /// What was written so far. Copies it.
  var buffer: ByteBuffer { ByteBuffer(bytes: bytes) }

  /// Writes an object whose members `body` writes.
  mutating func object(_ body: (inout JSONWriter) -> Void) { container("{", "}", body) }

  /// Writes an array whose elements `body` writes.
  mutating func array(_ body: (inout JSONWriter) -> Void) { container("[", "]", body) }

  /// Writes the name of a member; its value follows.
  mutating func key(_ name: String) {
    separate()
    quote(name)
    bytes.append(UInt8(ascii: ":"))
    needsComma = false
  }

  mutating func string(_ text: String) {
    separate()
    quote(text)
    needsComma = true
  }

  mutating func integer(_ value: Int64) {
    separate()
    bytes.append(contentsOf: String(value).utf8)
    needsComma = true
  }

  /// A length in milliseconds with three decimals.
  mutating func milliseconds(_ length: Nanoseconds) {
    separate()
    bytes.append(contentsOf: MillisecondsText.text(length, decimals: 3).utf8)
    needsComma = true
  }

  /// A value that is JSON already.
  mutating func verbatim(_ json: String) {
    separate()
    bytes.append(contentsOf: json.utf8)
    needsComma = true
  }

  mutating func boolean(_ value: Bool) {
    separate()
    bytes.append(contentsOf: (value ? "true" : "false").utf8)
    needsComma = true
  }

  mutating func member(_ name: String, _ text: String) {
    key(name)
    string(text)
  }

  private mutating func container(_ open: Unicode.Scalar, _ close: Unicode.Scalar, _ body: (inout JSONWriter) -> Void) {
    separate()
    bytes.append(UInt8(ascii: open))
    needsComma = false
    body(&self)
    bytes.append(UInt8(ascii: close))
    needsComma = true
  }

  private mutating func separate() {
    if needsComma { bytes.append(UInt8(ascii: ",")) }
  }

  private mutating func quote(_ text: String) {
    bytes.append(UInt8(ascii: "\""))
    // What was made of bytes is contiguous; anything else is copied first.
    let isWritten: Void? = unsafe text.utf8.withContiguousStorageIfAvailable { unsafe writeEscaped($0) }
    if isWritten == nil { unsafe Array(text.utf8).withUnsafeBufferPointer { unsafe writeEscaped($0) } }
    bytes.append(UInt8(ascii: "\""))
  }

  /// Runs without anything to escape are written at once: nearly all strings are one such run.
  private mutating func writeEscaped(_ text: UnsafeBufferPointer<UInt8>) {
    var start = 0
    for index in 0..<text.count {
      let byte = unsafe text[index]
      guard JSONWriter.isEscaped(byte) else { continue }
      unsafe bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[start..<index]))
      escape(byte)
      start = index + 1
    }
    unsafe bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[start...]))
  }

  private static func isEscaped(_ byte: UInt8) -> Bool {
    byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
  }

  private mutating func escape(_ byte: UInt8) {
    switch byte {
    case UInt8(ascii: "\""): bytes.append(contentsOf: "\\\"".utf8)
    case UInt8(ascii: "\\"): bytes.append(contentsOf: "\\\\".utf8)
    case 0x0A: bytes.append(contentsOf: "\\n".utf8)
    case 0x0D: bytes.append(contentsOf: "\\r".utf8)
    case 0x09: bytes.append(contentsOf: "\\t".utf8)
    default:
      bytes.append(contentsOf: "\\u00".utf8)
      bytes.append(JSONWriter.hexadecimal(byte >> 4))
      bytes.append(JSONWriter.hexadecimal(byte & 15))
    }
  }

  private static func hexadecimal(_ digit: UInt8) -> UInt8 {
    digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
  }
}
