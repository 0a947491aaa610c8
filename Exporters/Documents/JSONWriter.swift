/// Writes JSON (RFC 8259) into bytes: compact, members in the order in which they are given.
///
/// The caller keeps objects and arrays balanced. Text is always valid UTF-8, because Swift strings are; control characters, quotes
/// and backslashes are escaped. Numbers never have an exponent and are never rounded.
public struct JSONWriter: Sendable {
  public private(set) var bytes: [UInt8] = []
  private var needsComma = false

  /// - Parameter capacity: Bytes to make room for at once.
  public init(capacity: Int = 1_024) { bytes.reserveCapacity(capacity) }

  public mutating func beginObject() { open(UInt8(ascii: "{")) }
  public mutating func endObject() { close(UInt8(ascii: "}")) }
  public mutating func beginArray() { open(UInt8(ascii: "[")) }
  public mutating func endArray() { close(UInt8(ascii: "]")) }

  /// The name of the member whose value is written next.
  public mutating func key(_ name: String) {
    string(name)
    bytes.append(UInt8(ascii: ":"))
    needsComma = false
  }

  public mutating func string(_ text: String) {
    separate()
    bytes.append(UInt8(ascii: "\""))
    // Most texts need no escape and lie in one piece; to look for one byte by byte in a string takes much longer.
    let isPlain =
      unsafe text.utf8.withContiguousStorageIfAvailable { utf8 in
        guard unsafe !utf8.contains(where: JSONWriter.needsEscape) else { return false }
        unsafe bytes.append(contentsOf: utf8)
        return true
      } ?? false
    if !isPlain { for byte in text.utf8 { appendEscaped(byte) } }
    bytes.append(UInt8(ascii: "\""))
  }

  public mutating func boolean(_ value: Bool) {
    separate()
    bytes.append(contentsOf: (value ? "true" : "false").utf8)
  }

  public mutating func null() {
    separate()
    bytes.append(contentsOf: "null".utf8)
  }

  public mutating func integer(_ value: some BinaryInteger) {
    separate()
    DecimalText.append(Int128(value), to: &bytes)
  }

  /// Nanoseconds as seconds, exactly: with as many decimals as it takes, at most nine.
  public mutating func seconds(nanoseconds: Int128) {
    separate()
    DecimalText.append(nanoseconds: nanoseconds, to: &bytes)
  }

  /// A number to nine decimals; one that is not finite is written as `null`.
  public mutating func real(_ value: Double) {
    let scaled = (value * 1e9).rounded()
    guard scaled.isFinite, let exact = Int128(exactly: scaled) else { return null() }
    seconds(nanoseconds: exact)
  }

  private mutating func open(_ bracket: UInt8) {
    separate()
    bytes.append(bracket)
    needsComma = false
  }

  private mutating func close(_ bracket: UInt8) {
    bytes.append(bracket)
    needsComma = true
  }

  private mutating func separate() {
    if needsComma { bytes.append(UInt8(ascii: ",")) }
    needsComma = true
  }

  private static func needsEscape(_ byte: UInt8) -> Bool {
    byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte == 0x7F
  }

  private mutating func appendEscaped(_ byte: UInt8) {
    switch byte {
    case UInt8(ascii: "\""): bytes.append(contentsOf: "\\\"".utf8)
    case UInt8(ascii: "\\"): bytes.append(contentsOf: "\\\\".utf8)
    case 0x0A: bytes.append(contentsOf: "\\n".utf8)
    case 0x0D: bytes.append(contentsOf: "\\r".utf8)
    case 0x09: bytes.append(contentsOf: "\\t".utf8)
    case 0..<0x20, 0x7F:
      let digits: StaticString = "0123456789abcdef"
      bytes.append(contentsOf: "\\u00".utf8)
      digits.withUTF8Buffer { hexadecimal in
        unsafe bytes.append(hexadecimal[Int(byte >> 4)])
        unsafe bytes.append(hexadecimal[Int(byte & 15)])
      }
    default: bytes.append(byte)
    }
  }
}

/// Members: a name and its value in one call.
extension JSONWriter {
  public mutating func member(_ name: String, _ value: String) {
    key(name)
    string(value)
  }

  public mutating func member(_ name: String, _ value: Bool) {
    key(name)
    boolean(value)
  }

  public mutating func member(_ name: String, _ value: some BinaryInteger) {
    key(name)
    integer(value)
  }

  public mutating func member(_ name: String, nanoseconds value: Int128) {
    key(name)
    seconds(nanoseconds: value)
  }

  /// The value, or `null` where there is none.
  public mutating func member(_ name: String, orNull value: Int64?) {
    key(name)
    if let value { integer(value) } else { null() }
  }
}
