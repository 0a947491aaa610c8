/// A JSON value, read whole: for small documents. What is large or on the way of every request is read in place
/// (``JSONText``).
enum JSONValue: Equatable, Sendable {
  case null
  case boolean(Bool)
  /// A whole number that fits.
  case integer(Int64)
  /// Every other number, as written.
  case number(String)
  case string(String)
  case array([JSONValue])
  /// Of members with one name, the last counts.
  case object([String: JSONValue])

  /// The deepest nesting that is read.
  static let nestingMax = 16

  /// Reads the one value of a document; `nil` if it is not JSON (``JSONText/problem(in:)`` tells where) or too deep.
  init?(_ bytes: Span<UInt8>) {
    guard JSONText.problem(in: bytes) == nil else { return nil }
    var start = 0
    JSONText.skipWhitespace(bytes, &start)
    self.init(bytes, at: start, nesting: 0)
  }

  /// Reads a value that is known to be one.
  private init?(_ bytes: Span<UInt8>, at start: Int, nesting: Int) {
    guard nesting <= JSONValue.nestingMax else { return nil }
    switch bytes[start] {
    case UInt8(ascii: "n"): self = .null
    case UInt8(ascii: "t"): self = .boolean(true)
    case UInt8(ascii: "f"): self = .boolean(false)
    case UInt8(ascii: "\""):
      guard let text = JSONText.string(bytes, at: start) else { return nil }
      self = .string(text)
    case UInt8(ascii: "["):
      var elements: [JSONValue?] = []
      guard
        JSONText.forEachElement(bytes, at: start, { elements.append(JSONValue(bytes, at: $0, nesting: nesting + 1)) })
      else { return nil }
      guard !elements.contains(where: { $0 == nil }) else { return nil }
      self = .array(elements.compactMap(\.self))
    case UInt8(ascii: "{"):
      var members: [String: JSONValue] = [:]
      var isComplete = true
      let isObject = JSONText.forEachMember(bytes, at: start) { name, position in
        members[name] = JSONValue(bytes, at: position, nesting: nesting + 1)
        isComplete = isComplete && members[name] != nil
      }
      guard isObject, isComplete else { return nil }
      self = .object(members)
    default:
      if let integer = JSONText.integer(bytes, at: start) {
        self = .integer(integer)
        return
      }
      guard let text = JSONText.numberText(bytes, at: start) else { return nil }
      self = .number(text)
    }
  }
}
