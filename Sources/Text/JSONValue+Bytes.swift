extension JSONValue {
  /// Reads one value of a document that a reader is in the middle of.
  ///
  /// It calls itself for what lies in arrays and objects, at most ``JSONRules/depthLimit-swift.property`` deep.
  package init(from reader: inout JSONReader) throws(JSONError) {
    switch try reader.kind() {
    case .null:
      _ = try reader.takeNull()
      self = .null
    case .boolean: self = .bool(try reader.boolean())
    case .number: self = .number(try reader.numberText())
    case .string: self = .string(try reader.string())
    case .array:
      var elements: [JSONValue] = []
      try reader.array { (reader: inout JSONReader) throws(JSONError) in
        elements.append(try JSONValue(from: &reader))
      }
      self = .array(elements)
    case .object:
      var members: [Member] = []
      try reader.object { (reader: inout JSONReader, name: String) throws(JSONError) in
        members.append(Member(name, try JSONValue(from: &reader)))
      }
      self = .object(members)
    }
  }

  /// Reads a document of one value. O(its bytes).
  package init(_ bytes: Span<UInt8>, _ rules: JSONRules) throws(JSONError) {
    self = try JSONReader.document(bytes, rules) { (reader: inout JSONReader) throws(JSONError) in
      try JSONValue(from: &reader)
    }
  }

  /// The value as UTF-8, without blanks; only what must be escaped is.
  ///
  /// A `number(_:)-(String)` is written as it stands: give it digits.
  public var bytes: [UInt8] {
    var writer = JSONWriter()
    writer.value(self)
    return writer.bytes
  }

  /// The value as text. See ``bytes``.
  public var text: String { String(decoding: bytes, as: UTF8.self) }

  /// Whether the two say the same: the order of members, and those that a later one of their name replaces, say nothing.
  ///
  /// - Complexity: O(number of values), with a dictionary for each object.
  package func meansTheSame(as other: JSONValue) -> Bool {
    switch (self, other) {
    case (.array(let left), .array(let right)):
      left.count == right.count && zip(left, right).allSatisfy { $0.meansTheSame(as: $1) }
    case (.object(let left), .object(let right)):
      JSONValue.membersMeanTheSame(left, right)
    default: self == other
    }
  }

  private static func membersMeanTheSame(_ left: [Member], _ right: [Member]) -> Bool {
    let left = Dictionary(left.map { ($0.name, $0.value) }) { _, last in last }
    let right = Dictionary(right.map { ($0.name, $0.value) }) { _, last in last }
    guard left.count == right.count else { return false }
    return left.allSatisfy { name, value in right[name].map { value.meansTheSame(as: $0) } ?? false }
  }
}
