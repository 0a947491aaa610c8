/// Reads JSON (RFC 8259) from left to right, in place, without building a tree.
///
/// The caller asks for what it expects next and gets it, or a ``JSONError`` with the byte where something else was noticed.
/// Values that are only skipped are checked as well, so a document that was read to its ``end()`` is JSON. Nothing is
/// allocated but the strings that are asked for. Members come in the order in which they are written, those of one name as
/// often as they are written.
///
/// The reader borrows its bytes. After an error its position means nothing.
package struct JSONReader: ~Escapable {
  /// What is read.
  package let bytes: Span<UInt8>
  /// The byte, from 0, that is read next.
  package internal(set) var position: Int
  /// How deep, and what becomes of text that is not Unicode.
  package let rules: JSONRules
  /// How many arrays and objects are open.
  var depth = 0

  /// Makes a reader that borrows `bytes`.
  ///
  /// - Parameter position: Where to begin; a value of a document that was read before may begin there (``slice()``).
  @_lifetime(copy bytes)
  package init(_ bytes: Span<UInt8>, at position: Int = 0, _ rules: JSONRules) {
    self.bytes = bytes
    self.position = position
    self.rules = rules
  }

  /// Reads one value and makes sure that nothing but white space follows it.
  package static func document<Value>(
    _ bytes: Span<UInt8>, _ rules: JSONRules, _ read: (inout JSONReader) throws(JSONError) -> Value
  ) throws(JSONError) -> Value {
    var reader = JSONReader(bytes, rules)
    let value = try read(&reader)
    try reader.end()
    return value
  }

  /// Why `bytes` are not one JSON value; `nil` if they are. O(bytes), without allocation.
  package static func problem(in bytes: Span<UInt8>, _ rules: JSONRules) -> JSONError? {
    var reader = JSONReader(bytes, rules)
    do {
      try reader.skip()
      try reader.end()
      return nil
    } catch {
      return error
    }
  }

  /// Makes sure that nothing but white space is left.
  package mutating func end() throws(JSONError) {
    guard next() == nil else { throw malformed("something follows the document") }
  }

  /// The types of values.
  package enum Kind: Hashable, Sendable {
    case object, array, string, number, boolean, null
  }

  /// The type of the next value, by its first byte; nothing is taken but white space.
  ///
  /// - Throws: ``JSONError`` with ``JSONError/Code/malformed`` if no value begins there.
  package mutating func kind() throws(JSONError) -> Kind {
    switch next() {
    case .openBrace: return .object
    case .openBracket: return .array
    case .quote: return .string
    case UInt8(ascii: "t"), UInt8(ascii: "f"): return .boolean
    case UInt8(ascii: "n"): return .null
    case let byte? where byte == UInt8(ascii: "-") || byte.isDigit: return .number
    default: throw unexpected("a value")
    }
  }

  /// Calls `member` for each member; it must read exactly one value.
  ///
  /// - Throws: ``JSONError`` if something else comes next, or what `member` throws.
  package mutating func object(
    _ member: (inout JSONReader, _ name: String) throws(JSONError) -> Void
  ) throws(JSONError) {
    guard next() == .openBrace else { throw unexpected("an object") }
    try open()
    if next() == .closeBrace { return close() }
    repeat {
      guard next() == .quote else { throw malformed("a member's name was expected") }
      let name = try string()
      try colon()
      try member(&self, name)
    } while try continues(until: .closeBrace)
    close()
  }

  /// Calls `element` for each element; it must read exactly one value.
  ///
  /// - Throws: ``JSONError`` if something else comes next, or what `element` throws.
  package mutating func array(
    _ element: (inout JSONReader) throws(JSONError) -> Void
  ) throws(JSONError) {
    guard next() == .openBracket else { throw unexpected("an array") }
    try open()
    if next() == .closeBracket { return close() }
    repeat { try element(&self) } while try continues(until: .closeBracket)
    close()
  }

  /// Takes `null` if it comes next; otherwise nothing is taken but white space.
  package mutating func takeNull() throws(JSONError) -> Bool {
    guard next() == UInt8(ascii: "n") else { return false }
    try word("null")
    return true
  }

  /// Reads `true` or `false`.
  ///
  /// - Throws: ``JSONError`` if something else comes next, `null` included.
  package mutating func boolean() throws(JSONError) -> Bool {
    switch next() {
    case UInt8(ascii: "t"):
      try word("true")
      return true
    case UInt8(ascii: "f"):
      try word("false")
      return false
    default: throw unexpected("true or false")
    }
  }
}

// MARK: Structure

extension JSONReader {
  /// The next byte that is no white space; it stays.
  @inline(__always)
  mutating func next() -> UInt8? {
    JSONScan.white(bytes, &position)
    return position < bytes.count ? bytes[position] : nil
  }

  private mutating func open() throws(JSONError) {
    guard depth < rules.depthLimit else { throw tooDeep() }
    depth += 1
    position += 1
  }

  private mutating func close() {
    depth -= 1
    position += 1
  }

  private mutating func colon() throws(JSONError) {
    guard next() == .colon else { throw malformed("a colon was expected") }
    position += 1
  }

  /// Takes a comma; `false` if the closing bracket comes next, which stays.
  private mutating func continues(until bracket: UInt8) throws(JSONError) -> Bool {
    switch next() {
    case .comma:
      position += 1
      return true
    case bracket: return false
    default: throw malformed("a comma or the end was expected")
    }
  }

  private mutating func word(_ text: StaticString) throws(JSONError) {
    do throws(JSONFlaw) {
      try JSONScan.word(text, bytes, &position)
    } catch {
      throw error.error(bytes, position, rules)
    }
  }

  func malformed(_ message: String) -> JSONError { JSONError(.malformed, message, position: position) }

  private func tooDeep() -> JSONError {
    JSONError(.tooDeep, "arrays and objects are nested deeper than \(rules.depthLimit) levels", position: position)
  }

  /// Another type than expected, or no JSON at all.
  mutating func unexpected(_ expected: String) -> JSONError {
    switch next() {
    case nil: malformed("\(expected) was expected, but the text ends")
    case let byte? where "{[\"-tfn0123456789".utf8.contains(byte):
      JSONError(.unexpectedType, "\(expected) was expected", position: position)
    default: malformed("\(expected) was expected")
    }
  }
}
