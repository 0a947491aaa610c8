/// A JSON value (RFC 8259). Numbers keep their text, so that none loses a digit on the way.
public enum JSONValue: Equatable, Sendable {
  /// `null`.
  case null
  /// `true` or `false`.
  case bool(Bool)
  /// The digits as they are written; see ``int`` and ``double``.
  case number(String)
  /// Text without its escapes.
  case string(String)
  /// Values in order.
  case array([JSONValue])
  /// Members in the order they were written; a name that comes twice is kept twice, and the last one counts.
  case object([Member])

  /// A name and what it stands for.
  public struct Member: Equatable, Sendable {
    /// Without its escapes.
    public var name: String
    /// What the name stands for.
    public var value: JSONValue

    /// Makes a member of its two parts.
    public init(_ name: String, _ value: JSONValue) {
      self.name = name
      self.value = value
    }
  }

  /// The value of the last member of that name; nil for what is not an object or has no such member.
  ///
  /// - Complexity: O(number of members).
  public subscript(name: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    return members.last { $0.name == name }?.value
  }

  /// The element at that place; nil for what is not an array or is shorter.
  public subscript(index: Int) -> JSONValue? {
    guard case .array(let elements) = self, elements.indices.contains(index) else { return nil }
    return elements[index]
  }

  /// The text, if this is a string.
  public var string: String? { if case .string(let text) = self { text } else { nil } }
  /// The truth, if this is `true` or `false`.
  public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
  /// The number, if this is one without fraction and exponent that fits.
  public var int: Int? { if case .number(let text) = self { Int(text) } else { nil } }
  /// The number nearest to this one, if this is a number.
  public var double: Double? { if case .number(let text) = self { Double(text) } else { nil } }
  /// The elements, if this is an array.
  public var array: [JSONValue]? { if case .array(let elements) = self { elements } else { nil } }
  /// The members, if this is an object.
  public var object: [Member]? { if case .object(let members) = self { members } else { nil } }
  /// Whether this is `null`.
  public var isNull: Bool { self == .null }

  /// A number.
  public static func number(_ value: Int) -> JSONValue { .number(String(value)) }

  /// A number; `null` for what JSON has no number for (infinities, not a number).
  public static func number(_ value: Double) -> JSONValue { value.isFinite ? .number("\(value)") : .null }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
  ExpressibleByBooleanLiteral, ExpressibleByNilLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  /// The string itself, not what it may be as JSON.
  public init(stringLiteral text: String) { self = .string(text) }
  /// A number in decimal.
  public init(integerLiteral value: Int) { self = .number(value) }
  /// A number, or `null` for what JSON has no number for.
  public init(floatLiteral value: Double) { self = .number(value) }
  /// `true` or `false`.
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  /// `null`.
  public init(nilLiteral: ()) { self = .null }
  /// The elements in order.
  public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
  /// The members in order; a name that comes twice is kept twice.
  public init(dictionaryLiteral members: (String, JSONValue)...) { self = .object(members.map { Member($0.0, $0.1) }) }
}
