/// Writes JSON (RFC 8259) into bytes: compact, members in the order in which they are given.
///
/// Commas are its concern; that objects and arrays are balanced is the caller's, unless they are written with a closure. Text is
/// always valid UTF-8, because Swift strings are; control characters, quotes and backslashes are escaped. Numbers never have an
/// exponent and are never rounded but by ``real(_:)``.
package struct JSONWriter: Sendable {
  /// What was written so far.
  package private(set) var bytes: [UInt8] = []
  private var needsComma = false
  private let escapesDelete: Bool

  /// - Parameters:
  ///   - capacity: Bytes to make room for at once.
  ///   - escapesDelete: Whether U+007F is escaped as well, which JSON does not ask for and terminals are thankful for.
  package init(capacity: Int = 256, escapesDelete: Bool = false) {
    self.escapesDelete = escapesDelete
    bytes.reserveCapacity(capacity)
  }

  package mutating func beginObject() { open(.openBrace) }
  package mutating func endObject() { close(.closeBrace) }
  package mutating func beginArray() { open(.openBracket) }
  package mutating func endArray() { close(.closeBracket) }

  /// Writes an object whose members `body` writes.
  package mutating func object(_ body: (inout JSONWriter) -> Void) {
    beginObject()
    body(&self)
    endObject()
  }

  /// Writes an array whose elements `body` writes.
  package mutating func array(_ body: (inout JSONWriter) -> Void) {
    beginArray()
    body(&self)
    endArray()
  }

  /// The name of the member whose value is written next.
  package mutating func key(_ name: String) {
    separate()
    quote(name)
    bytes.append(.colon)
    needsComma = false
  }

  package mutating func string(_ text: String) {
    separate()
    quote(text)
  }

  package mutating func boolean(_ value: Bool) { verbatim(value ? "true" : "false") }

  package mutating func null() { verbatim("null") }

  package mutating func integer(_ value: Int64) {
    separate()
    DecimalText.append(value, to: &bytes)
  }

  package mutating func integer(_ value: UInt64) {
    separate()
    DecimalText.append(digitsOf: value, atLeast: 1, to: &bytes)
  }

  package mutating func integer(_ value: Int) { integer(Int64(value)) }

  package mutating func integer(_ value: Int128) {
    separate()
    DecimalText.append(value, to: &bytes)
  }

  /// Nanoseconds as seconds, exactly: with as many decimals as it takes, at most nine.
  package mutating func seconds(nanoseconds: Int128) {
    separate()
    DecimalText.append(nanoseconds: nanoseconds, to: &bytes)
  }

  /// Nanoseconds as milliseconds with three decimals, rounded; what is negative is 0.
  package mutating func milliseconds(nanoseconds: Int64) {
    separate()
    DecimalText.append(milliseconds: nanoseconds, decimals: 3, to: &bytes)
  }

  /// A number to nine decimals; one that is not finite is written as `null`.
  package mutating func real(_ value: Double) {
    let scaled = (value * 1e9).rounded()
    guard scaled.isFinite, let exact = Int128(exactly: scaled) else { return null() }
    seconds(nanoseconds: exact)
  }

  /// A value that is JSON already; it is not checked.
  package mutating func verbatim(_ json: String) {
    separate()
    bytes.append(contentsOf: json.utf8)
  }

  /// A tree of values. A number is written as it stands.
  package mutating func value(_ value: JSONValue) {
    switch value {
    case .null: null()
    case .bool(let value): boolean(value)
    case .number(let text): verbatim(text)
    case .string(let text): string(text)
    case .array(let elements): array { for element in elements { $0.value(element) } }
    case .object(let members):
      object {
        for member in members {
          $0.key(member.name)
          $0.value(member.value)
        }
      }
    }
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
    if needsComma { bytes.append(.comma) }
    needsComma = true
  }
}

// MARK: Text

extension JSONWriter {
  private mutating func quote(_ text: String) {
    bytes.append(.quote)
    // What was made of bytes lies in one piece; anything else is copied first.
    let isWritten: Void? = unsafe text.utf8.withContiguousStorageIfAvailable { unsafe escape($0) }
    if isWritten == nil { unsafe Array(text.utf8).withUnsafeBufferPointer { unsafe escape($0) } }
    bytes.append(.quote)
  }

  /// Runs without anything to escape are written at once: nearly all strings are one such run.
  private mutating func escape(_ text: UnsafeBufferPointer<UInt8>) {
    var start = 0
    for index in 0..<text.count {
      let byte = unsafe text[index]
      let isPlain = byte >= 0x20 && byte != .quote && byte != .backslash && !(byte == 0x7F && escapesDelete)
      if isPlain { continue }
      unsafe bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[start..<index]))
      appendEscape(byte)
      start = index + 1
    }
    unsafe bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[start...]))
  }

  private mutating func appendEscape(_ byte: UInt8) {
    bytes.append(.backslash)
    switch byte {
    case .quote, .backslash: bytes.append(byte)
    case 0x0A: bytes.append(UInt8(ascii: "n"))
    case 0x0D: bytes.append(UInt8(ascii: "r"))
    case 0x09: bytes.append(UInt8(ascii: "t"))
    default:
      bytes.append(contentsOf: "u00".utf8)
      bytes.append(Hexadecimal.digit(byte >> 4))
      bytes.append(Hexadecimal.digit(byte))
    }
  }
}

// MARK: Members

/// A name and its value in one call.
extension JSONWriter {
  package mutating func member(_ name: String, _ value: String) {
    key(name)
    string(value)
  }

  package mutating func member(_ name: String, _ value: Bool) {
    key(name)
    boolean(value)
  }

  package mutating func member(_ name: String, _ value: Int64) {
    key(name)
    integer(value)
  }

  package mutating func member(_ name: String, _ value: UInt64) {
    key(name)
    integer(value)
  }

  package mutating func member(_ name: String, _ value: Int) { member(name, Int64(value)) }

  package mutating func member(_ name: String, _ value: Int128) {
    key(name)
    integer(value)
  }

  /// See ``seconds(nanoseconds:)``.
  package mutating func member(_ name: String, nanoseconds value: Int128) {
    key(name)
    seconds(nanoseconds: value)
  }

  /// The value, or `null` where there is none.
  package mutating func member(_ name: String, orNull value: Int64?) {
    key(name)
    if let value { integer(value) } else { null() }
  }
}
