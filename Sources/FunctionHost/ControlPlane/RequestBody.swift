import NIOCore

/// The members of a JSON object that a client sent, and which of them were looked at: what nobody looks at is refused
/// rather than ignored.
struct RequestBody {
  /// The largest body of the control plane that is read, in bytes. Variables, the largest part, are at most 4 KB.
  static let bytesMax = 128 << 10

  private let members: [String: JSONValue]
  private var known: Set<String> = []
  /// What the names of members begin with in messages, such as `EphemeralStorage.`.
  private let prefix: String

  /// Reads a body; an empty one has no members.
  init(_ body: ByteBuffer, of operation: ControlPlaneOperation) throws(AWSError) {
    guard body.readableBytes <= RequestBody.bytesMax else {
      throw .tooLarge(limit: RequestBody.bytesMax, operation: operation.rawValue)
    }
    prefix = ""
    guard body.readableBytes > 0 else {
      members = [:]
      return
    }
    if let position = body.withReadableSpan({ JSONText.problem(in: $0) }) { throw .invalidContent(position) }
    switch body.withReadableSpan({ JSONValue($0) }) {
    case .object(let members): self.members = members
    case .some: throw .serialization("The body must be a JSON object.")
    case nil:
      throw .serialization("The body is nested deeper than \(JSONValue.nestingMax) levels.")
    }
  }

  private init(_ members: [String: JSONValue], prefix: String) {
    self.members = members
    self.prefix = prefix
  }

  /// The value of a member; `nil` if it is not there or null.
  mutating func value(_ name: String) -> JSONValue? {
    known.insert(name)
    return members[name].flatMap { $0 == .null ? nil : $0 }
  }

  mutating func string(_ name: String) throws(AWSError) -> String? {
    switch value(name) {
    case nil: return nil
    case .string(let text): return text
    case .some(let other): throw wrongType(name, other, "a String")
    }
  }

  mutating func integer(_ name: String) throws(AWSError) -> Int64? {
    switch value(name) {
    case nil: return nil
    case .integer(let number): return number
    case .some(let other): throw wrongType(name, other, "an Integer")
    }
  }

  mutating func object(_ name: String) throws(AWSError) -> RequestBody? {
    switch value(name) {
    case nil: return nil
    case .object(let members): return RequestBody(members, prefix: "\(prefix)\(name).")
    case .some(let other): throw wrongType(name, other, "a structure")
    }
  }

  /// The members, of which each has to be a text.
  func strings() throws(AWSError) -> [String: String] {
    var texts: [String: String] = [:]
    for (name, value) in members {
      guard case .string(let text) = value else { throw wrongType(name, value, "a String") }
      texts[name] = text
    }
    return texts
  }

  /// The names of the members that nobody asked for and that are not null, in order.
  var unread: [String] { members.filter { !known.contains($0.key) && $0.value != .null }.keys.sorted() }

  /// Refuses what nobody asked for.
  func finish(_ operation: ControlPlaneOperation) throws(AWSError) {
    guard let name = unread.first else { return }
    throw .notImplemented("This host does not implement the member \(prefix)\(name) of \(operation.rawValue).")
  }

  private func wrongType(_ name: String, _ value: JSONValue, _ wanted: String) -> AWSError {
    .serialization("\(value.typeName) can not be converted to \(wanted) (at \(prefix)\(name)).")
  }
}

extension JSONValue {
  /// The words of the parser that AWS uses.
  fileprivate var typeName: String {
    switch self {
    case .null: "NULL_VALUE"
    case .boolean(true): "TRUE_VALUE"
    case .boolean(false): "FALSE_VALUE"
    case .integer: "NUMBER_VALUE"
    case .number: "DECIMAL_VALUE"
    case .string: "STRING_VALUE"
    case .array: "START_ARRAY"
    case .object: "START_OBJECT"
    }
  }
}
