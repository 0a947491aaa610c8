/// Why bytes are not JSON.
public struct JSONError: Error, Equatable, Sendable, CustomStringConvertible {
  /// Where reading stopped, in bytes from the start.
  public var offset: Int
  /// What was found there, as a part of a sentence.
  public var message: String

  public var description: String { "The JSON is not understood at byte \(offset): \(message)." }
}

extension JSONValue {
  /// Reads one value from UTF-8; blanks around it are allowed, anything else behind it is not.
  ///
  /// - Parameter depthLimit: How many arrays and objects may lie in one another; at most 1,000.
  /// - Throws: ``JSONError``, also for a half of a surrogate pair, which text in Swift cannot hold.
  /// - Complexity: O(number of bytes).
  public init(parsing bytes: [UInt8], depthLimit: Int = 128) throws(JSONError) {
    // Once for the whole, so that the pieces need no check of their own.
    do {
      _ = try UTF8Span(validating: bytes.span)
    } catch {
      throw JSONError(offset: error.byteOffsets.lowerBound, message: "it is not UTF-8")
    }
    var parser = JSONParser(bytes: bytes, depthLimit: min(depthLimit, 1_000))
    self = try parser.document()
  }

  /// Reads one value from text. See ``init(parsing:depthLimit:)-(Array<UInt8>,_)``.
  public init(parsing text: String, depthLimit: Int = 128) throws(JSONError) {
    try self.init(parsing: Array(text.utf8), depthLimit: depthLimit)
  }
}

/// Reads JSON from left to right; what it calls itself for is bounded by the depth.
private struct JSONParser {
  let bytes: [UInt8]
  let depthLimit: Int
  var index = 0

  init(bytes: [UInt8], depthLimit: Int) {
    self.bytes = bytes
    self.depthLimit = depthLimit
  }

  mutating func document() throws(JSONError) -> JSONValue {
    let value = try value(depth: 0)
    skipBlanks()
    guard index == bytes.count else { throw error("something follows the value") }
    return value
  }

  private func error(_ message: String) -> JSONError { JSONError(offset: index, message: message) }

  private var current: UInt8? { index < bytes.count ? bytes[index] : nil }

  private mutating func skipBlanks() {
    while let byte = current, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { index += 1 }
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard current == byte else { return false }
    index += 1
    return true
  }

  private mutating func value(depth: Int) throws(JSONError) -> JSONValue {
    skipBlanks()
    switch current {
    case UInt8(ascii: "{"): return .object(try members(depth: depth + 1))
    case UInt8(ascii: "["): return .array(try elements(depth: depth + 1))
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    case let byte? where byte == UInt8(ascii: "-") || (0x30...0x39).contains(byte): return try number()
    case nil: throw error("it ends where a value should be")
    default: throw error("no value begins like this")
    }
  }

  private mutating func word(_ word: StaticString, _ value: JSONValue) throws(JSONError) -> JSONValue {
    let text = "\(word)".utf8
    guard bytes[index...].starts(with: text) else { throw error("no value begins like this") }
    index += text.count
    return value
  }

  private mutating func elements(depth: Int) throws(JSONError) -> [JSONValue] {
    try enter(depth)
    var elements: [JSONValue] = []
    skipBlanks()
    if take(UInt8(ascii: "]")) { return elements }
    repeat {
      elements.append(try value(depth: depth))
      skipBlanks()
    } while take(UInt8(ascii: ","))
    guard take(UInt8(ascii: "]")) else { throw error("an array goes on without a comma or an end") }
    return elements
  }

  private mutating func members(depth: Int) throws(JSONError) -> [JSONValue.Member] {
    try enter(depth)
    var members: [JSONValue.Member] = []
    skipBlanks()
    if take(UInt8(ascii: "}")) { return members }
    repeat {
      skipBlanks()
      guard current == UInt8(ascii: "\"") else { throw error("a member has no name") }
      let name = try string()
      skipBlanks()
      guard take(UInt8(ascii: ":")) else { throw error("a name has no colon behind it") }
      members.append(JSONValue.Member(name, try value(depth: depth)))
      skipBlanks()
    } while take(UInt8(ascii: ","))
    guard take(UInt8(ascii: "}")) else { throw error("an object goes on without a comma or an end") }
    return members
  }

  private mutating func enter(_ depth: Int) throws(JSONError) {
    guard depth <= depthLimit else { throw error("more than \(depthLimit) arrays and objects lie in one another") }
    index += 1
  }

  private mutating func number() throws(JSONError) -> JSONValue {
    let start = index
    _ = take(UInt8(ascii: "-"))
    if !take(UInt8(ascii: "0")) { try digits() }
    if take(UInt8(ascii: ".")) { try digits() }
    if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
      if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
      try digits()
    }
    if let byte = current, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
      throw error("a number begins with a zero")
    }
    return .number(String(decoding: bytes[start..<index], as: UTF8.self))
  }

  private mutating func digits() throws(JSONError) {
    let start = index
    while let byte = current, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { index += 1 }
    guard index > start else { throw error("a number lacks a digit") }
  }

  private mutating func string() throws(JSONError) -> String {
    index += 1
    let start = index
    while let byte = current, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { index += 1 }
    if current == UInt8(ascii: "\"") {
      index += 1
      return String(decoding: bytes[start..<index - 1], as: UTF8.self)
    }
    return try stringWithEscapes(after: Array(bytes[start..<index]))
  }

  private mutating func stringWithEscapes(after prefix: [UInt8]) throws(JSONError) -> String {
    var text = prefix
    while let byte = current {
      switch byte {
      case UInt8(ascii: "\""):
        index += 1
        return String(decoding: text, as: UTF8.self)
      case UInt8(ascii: "\\"):
        index += 1
        try escape(into: &text)
      case ..<0x20: throw error("a control character lies in a string")
      default:
        text.append(byte)
        index += 1
      }
    }
    throw error("it ends inside a string")
  }

  private mutating func escape(into text: inout [UInt8]) throws(JSONError) {
    guard let byte = current else { throw error("it ends inside a string") }
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0C)
    case UInt8(ascii: "n"): text.append(0x0A)
    case UInt8(ascii: "r"): text.append(0x0D)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "u"):
      index += 1
      return text += try scalar().utf8
    default: throw error("no escape looks like this")
    }
    index += 1
  }

  /// Reads what follows `\u`, and the second half of a pair.
  private mutating func scalar() throws(JSONError) -> Character {
    let first = try fourDigits()
    guard (0xD800...0xDFFF).contains(first) else {
      guard let scalar = Unicode.Scalar(first) else { throw error("a surrogate has no partner") }
      return Character(scalar)
    }
    guard first < 0xDC00, take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else {
      throw error("a surrogate has no partner")
    }
    let second = try fourDigits()
    guard (0xDC00...0xDFFF).contains(second),
      let scalar = Unicode.Scalar(0x1_0000 + (first - 0xD800) << 10 + (second - 0xDC00))
    else { throw error("a surrogate has no partner") }
    return Character(scalar)
  }

  private mutating func fourDigits() throws(JSONError) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = current, let digit = Hexadecimal.digit(byte) else {
        throw error("an escape has not four digits")
      }
      value = value << 4 | UInt32(digit)
      index += 1
    }
    return value
  }
}

enum Hexadecimal {
  static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
