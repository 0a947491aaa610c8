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

  /// Makes a writer before anything is written.
  ///
  /// - Parameters:
  ///   - capacity: Bytes to make room for at once.
  ///   - escapesDelete: Whether U+007F is escaped as well, which JSON does not ask for and terminals are thankful for.
  package init(capacity: Int = 256, escapesDelete: Bool = false) {
    self.escapesDelete = escapesDelete
    bytes.reserveCapacity(capacity)
  }

  /// Begins an object; its members follow, and ``endObject()``.
  package mutating func beginObject() { open(.openBrace) }
  /// Ends the object that was begun last.
  package mutating func endObject() { close(.closeBrace) }
  /// Begins an array; its elements follow, and ``endArray()``.
  package mutating func beginArray() { open(.openBracket) }
  /// Ends the array that was begun last.
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
  package mutating func key(_ name: String) { quote(name, isName: true) }

  /// Writes a text in quotes, with what must be escaped.
  package mutating func string(_ text: String) { quote(text, isName: false) }

  /// Writes `true` or `false`.
  package mutating func boolean(_ value: Bool) { verbatim(value ? "true" : "false") }

  /// Writes `null`.
  package mutating func null() { verbatim("null") }

  /// Writes a whole number, exactly.
  package mutating func integer(_ value: Int64) {
    separate()
    DecimalText.append(value, to: &bytes)
  }

  /// Writes a whole number, exactly.
  package mutating func integer(_ value: UInt64) {
    separate()
    DecimalText.append(digitsOf: value, atLeast: 1, to: &bytes)
  }

  /// Writes a whole number, exactly.
  package mutating func integer(_ value: Int) { integer(Int64(value)) }

  /// Writes a whole number, exactly; many readers know no more than 53 or 64 bits.
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
  /// Writes a text in quotes with what comes before and behind it.
  private mutating func quote(_ text: String, isName: Bool) {
    // What was made of bytes lies in one piece; anything else is copied first.
    let isWritten: Void? = unsafe text.utf8.withContiguousStorageIfAvailable { unsafe quote($0, isName) }
    if isWritten == nil { unsafe Array(text.utf8).withUnsafeBufferPointer { unsafe quote($0, isName) } }
    needsComma = !isName
  }

  private mutating func quote(_ text: UnsafeBufferPointer<UInt8>, _ isName: Bool) {
    guard unsafe endOfPlainText(text, 0) == text.count else {
      separate()
      bytes.append(.quote)
      unsafe escape(text)
      bytes.append(.quote)
      if isName { bytes.append(.colon) }
      return
    }
    let comma = needsComma
    // All in one piece: to ask for each byte whether the array has room and no other owner takes longer than to write it.
    bytes.append(addingCapacity: text.count + 4) { output in
      if comma { output.append(.comma) }
      output.append(.quote)
      // SAFETY: the capacity that was asked for has room for the text, and the text is none of the array's own memory.
      unsafe output.withUnsafeMutableBufferPointer { buffer, count in
        guard let source = text.baseAddress, let target = buffer.baseAddress else { return }
        unsafe (target + count).initialize(from: source, count: text.count)
        count += text.count
      }
      output.append(.quote)
      if isName { output.append(.colon) }
    }
  }

  /// Runs without anything to escape are written at once: nearly all strings are one such run.
  private mutating func escape(_ text: UnsafeBufferPointer<UInt8>) {
    var start = 0
    while true {
      let end = unsafe endOfPlainText(text, start)
      unsafe bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[start..<end]))
      guard end < text.count else { return }
      unsafe appendEscape(text[end])
      start = end + 1
    }
  }

  /// The first byte at or after `start` that is to be escaped.
  private func endOfPlainText(_ text: UnsafeBufferPointer<UInt8>, _ start: Int) -> Int {
    var index = start
    let raw = UnsafeRawBufferPointer(text)
    // Eight bytes at a time, as a reader of JSON looks for the end of plain text; here bytes beyond ASCII are plain, too.
    while index + 8 <= raw.count {
      // SAFETY: the eight bytes are within the text, and every pattern of bits is a number.
      let word = UInt64(littleEndian: unsafe raw.loadUnaligned(fromByteOffset: index, as: UInt64.self))
      let quotes = word ^ 0x2222_2222_2222_2222
      let backslashes = word ^ 0x5C5C_5C5C_5C5C_5C5C
      var ends = (word &- 0x2020_2020_2020_2020) & ~word
      ends |= (quotes &- 0x0101_0101_0101_0101) & ~quotes
      ends |= (backslashes &- 0x0101_0101_0101_0101) & ~backslashes
      if escapesDelete {
        let deletes = word ^ 0x7F7F_7F7F_7F7F_7F7F
        ends |= (deletes &- 0x0101_0101_0101_0101) & ~deletes
      }
      ends &= 0x8080_8080_8080_8080
      guard ends == 0 else { return index + (ends.trailingZeroBitCount >> 3) }
      index += 8
    }
    while index < text.count {
      let byte = unsafe text[index]
      guard byte >= 0x20, byte != .quote, byte != .backslash, !(byte == 0x7F && escapesDelete) else { break }
      index += 1
    }
    return index
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
  /// A text.
  package mutating func member(_ name: String, _ value: String) {
    key(name)
    string(value)
  }

  /// `true` or `false`.
  package mutating func member(_ name: String, _ value: Bool) {
    key(name)
    boolean(value)
  }

  /// A whole number.
  package mutating func member(_ name: String, _ value: Int64) {
    key(name)
    integer(value)
  }

  /// A whole number.
  package mutating func member(_ name: String, _ value: UInt64) {
    key(name)
    integer(value)
  }

  /// A whole number.
  package mutating func member(_ name: String, _ value: Int) { member(name, Int64(value)) }

  /// A whole number; see ``integer(_:)-(Int128)``.
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
