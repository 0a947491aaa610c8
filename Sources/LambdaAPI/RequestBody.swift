package import Text
package import NIOCore

/// The members of a JSON object that a client sent. The host refuses members that no operation has read, instead of
/// ignoring them.
package struct RequestBody {
  /// The largest body of the control plane that is read, in bytes. Variables, the largest part, are at most 4 KB.
  package static let bytesMax = 128 << 10

  private let members: [String: JSONValue]
  private var known: Set<String> = []
  /// What the names of members begin with in messages, such as `EphemeralStorage.`.
  private let prefix: String

  /// Reads a body; an empty one has no members.
  package init(_ body: ByteBuffer, of operation: ControlPlaneOperation) throws(AWSError) {
    guard body.readableBytes <= RequestBody.bytesMax else {
      throw .tooLarge(limit: RequestBody.bytesMax, operation: operation.rawValue)
    }
    prefix = ""
    guard body.readableBytes > 0 else {
      members = [:]
      return
    }
    if let problem = body.jsonProblem() { throw .invalidContent(problem.position) }
    switch body.json {
    case .object(let members): self.members = RequestBody.byName(members)
    case .some: throw .serialization("The body must be a JSON object.")
    case nil:
      throw .serialization("The body is nested deeper than \(JSONRules.document.depthLimit) levels.")
    }
  }

  private init(_ members: [JSONValue.Member], prefix: String) {
    self.members = RequestBody.byName(members)
    self.prefix = prefix
  }

  /// Of members with one name, the last counts.
  private static func byName(_ members: [JSONValue.Member]) -> [String: JSONValue] {
    Dictionary(members.map { ($0.name, $0.value) }) { _, last in last }
  }

  /// The value of a member; `nil` if it is not there or null.
  package mutating func value(_ name: String) -> JSONValue? {
    known.insert(name)
    guard let value = members[name], !value.isNull else { return nil }
    return value
  }

  /// The text of a member; `nil` if it is not there or null.
  package mutating func string(_ name: String) throws(AWSError) -> String? {
    switch value(name) {
    case nil: return nil
    case .string(let text): return text
    case .some(let other): throw wrongType(name, other, "a String")
    }
  }

  /// The whole number of a member; `nil` if it is not there or null.
  package mutating func integer(_ name: String) throws(AWSError) -> Int64? {
    guard let value = value(name) else { return nil }
    guard let number = value.integer else { throw wrongType(name, value, "an Integer") }
    return number
  }

  /// The members of a member; `nil` if it is not there or null.
  package mutating func object(_ name: String) throws(AWSError) -> RequestBody? {
    switch value(name) {
    case nil: return nil
    case .object(let members): return RequestBody(members, prefix: "\(prefix)\(name).")
    case .some(let other): throw wrongType(name, other, "a structure")
    }
  }

  /// The members, of which each has to be a text.
  package func strings() throws(AWSError) -> [String: String] {
    var texts: [String: String] = [:]
    for (name, value) in members {
      guard case .string(let text) = value else { throw wrongType(name, value, "a String") }
      texts[name] = text
    }
    return texts
  }

  /// The names of the members that nobody asked for and that are not null, in order.
  package var unread: [String] { members.filter { !known.contains($0.key) && $0.value != .null }.keys.sorted() }

  /// Refuses what nobody asked for.
  package func finish(_ operation: ControlPlaneOperation) throws(AWSError) {
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
    case .bool(true): "TRUE_VALUE"
    case .bool(false): "FALSE_VALUE"
    case .number: integer == nil ? "DECIMAL_VALUE" : "NUMBER_VALUE"
    case .string: "STRING_VALUE"
    case .array: "START_ARRAY"
    case .object: "START_OBJECT"
    }
  }
}
