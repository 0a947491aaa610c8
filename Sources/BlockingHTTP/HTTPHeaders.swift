/// Header fields in the order they were written; names compare without regard to ASCII case.
public struct HTTPHeaders: Equatable, Sendable, ExpressibleByDictionaryLiteral {
  /// One line of a head.
  public struct Field: Equatable, Sendable {
    /// As it was written; compare with ``HTTPHeaders/subscript(_:)``.
    public var name: String
    /// Without the blanks around it.
    public var value: String

    /// Makes a field of its two parts; they are checked when a request is sent.
    public init(name: String, value: String) {
      self.name = name
      self.value = value
    }
  }

  /// Every field, in order.
  public var fields: [Field]

  /// Makes headers of `fields`.
  public init(_ fields: [Field] = []) { self.fields = fields }

  /// Makes headers in the order of the literal; a name may come more than once.
  public init(dictionaryLiteral elements: (String, String)...) {
    fields = elements.map { Field(name: $0.0, value: $0.1) }
  }

  /// The value of the first field named `name`.
  ///
  /// - Complexity: O(number of fields).
  public subscript(name: String) -> String? {
    fields.first { HTTPHeaders.areEqual($0.name, name) }?.value
  }

  /// The values of all fields named `name`, in order.
  public func values(of name: String) -> [String] {
    fields.filter { HTTPHeaders.areEqual($0.name, name) }.map(\.value)
  }

  /// Adds a field at the end.
  public mutating func append(_ name: String, _ value: String) {
    fields.append(Field(name: name, value: value))
  }

  /// Whether two texts are the same but for the case of ASCII letters.
  static func areEqual(_ left: String, _ right: String) -> Bool {
    guard left.utf8.count == right.utf8.count else { return false }
    // Most names come as they are asked for, and the same bytes need no second look.
    return left == right || zip(left.utf8, right.utf8).allSatisfy { lowered($0) == lowered($1) }
  }

  static func lowered(_ byte: UInt8) -> UInt8 {
    (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
  }
}
