import Text

/// Header fields in order; names compare without regard to ASCII case.
public struct HTTPFields: Equatable, Sendable, ExpressibleByDictionaryLiteral {
  /// One field.
  public struct Field: Equatable, Sendable {
    /// As it was written.
    public var name: String
    /// As it was written.
    public var value: String

    /// Makes a field of its two parts.
    public init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  /// Every field, in order.
  public private(set) var fields: [Field]

  /// Makes fields in the order of the literal; a name may come more than once.
  public init(dictionaryLiteral elements: (String, String)...) {
    fields = elements.map { Field($0.0, $0.1) }
  }

  /// The value of the first field of that name. Setting one replaces all fields of that name; nil takes them away.
  public subscript(name: String) -> String? {
    get { fields.first { HTTPFields.areEqual($0.name, name) }?.value }
    set {
      fields.removeAll { HTTPFields.areEqual($0.name, name) }
      if let newValue { append(name, newValue) }
    }
  }

  /// Adds a field at the end, beside others of its name.
  public mutating func append(_ name: String, _ value: String) { fields.append(Field(name, value)) }

  /// One member for each name, in the order of their first fields.
  var joined: [JSONValue.Member] {
    var members: [JSONValue.Member] = []
    for field in fields {
      guard let index = members.firstIndex(where: { HTTPFields.areEqual($0.name, field.name) }) else {
        members.append(.init(field.name, .string(field.value)))
        continue
      }
      members[index].value = .string("\(members[index].value.string ?? ""),\(field.value)")
    }
    return members
  }

  private static func areEqual(_ left: String, _ right: String) -> Bool {
    guard left.utf8.count == right.utf8.count else { return false }
    return left == right || zip(left.utf8, right.utf8).allSatisfy { lowered($0) == lowered($1) }
  }

  private static func lowered(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte | 0x20 : byte }
}

/// The parameters behind the question mark of a URL, in order.
public struct HTTPQuery: Equatable, Sendable {
  /// One parameter.
  public struct Parameter: Equatable, Sendable {
    /// Decoded.
    public var name: String
    /// Decoded; empty for a name without an equals sign.
    public var value: String

    /// Makes a parameter of its two parts.
    public init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  /// Every parameter, in order.
  public var parameters: [Parameter]

  /// Makes a query of its parameters.
  public init(_ parameters: [Parameter] = []) { self.parameters = parameters }

  /// Reads `a=b&c=d`: a plus is a blank, and a percent sign without two digits stands for itself.
  public init(encoded text: String) {
    parameters = text.utf8.split(separator: UInt8(ascii: "&")).map { pair in
      let parts = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
      return Parameter(HTTPQuery.decode(parts[0]), parts.count > 1 ? HTTPQuery.decode(parts[1]) : "")
    }
  }

  /// The value of the first parameter of exactly that name.
  public subscript(name: String) -> String? { parameters.first { $0.name == name }?.value }

  /// The values of all parameters of that name, in order.
  public func values(of name: String) -> [String] { parameters.filter { $0.name == name }.map(\.value) }

  private static func decode(_ encoded: Substring.UTF8View) -> String {
    PercentEncoding.decodedLeniently(encoded, plusIsSpace: true)
  }
}
