import Text

/// Why an answer is not the expected document, as a part of a sentence.
struct WireProblem: Error {
  var message: String
}

/// An object of AWS's, by the names of its members. AWS begins them with a capital letter, most of the time: `Message` and
/// `message` are the same here. A member that is null is not there.
struct WireObject {
  private let members: [String: JSONValue]

  /// - Throws: ``WireProblem`` if `body` is not a JSON object.
  init(_ body: [UInt8]) throws(WireProblem) {
    let document: JSONValue
    do {
      document = try JSONValue(body.span, .answer)
    } catch {
      throw WireProblem(message: "it is not JSON: \(error.phrase)")
    }
    try self.init(document, name: "it")
  }

  private init(_ value: JSONValue, name: String) throws(WireProblem) {
    guard case .object(let members) = value else { throw WireObject.wrongType(name) }
    self.members = Dictionary(members.filter { !$0.value.isNull }.map { (WireObject.plain($0.name), $0.value) }) {
      $1
    }
  }

  func text(_ name: String) throws(WireProblem) -> String? {
    guard let value = members[name] else { return nil }
    guard let text = value.string else { throw WireObject.wrongType(name) }
    return text
  }

  func integer(_ name: String) throws(WireProblem) -> Int64? {
    guard let value = members[name] else { return nil }
    guard case .number(let digits) = value, let number = Int64(digits) ?? Double(digits).flatMap(Int64.init(exactly:))
    else { throw WireObject.wrongType(name) }
    return number
  }

  func object(_ name: String) throws(WireProblem) -> WireObject? {
    guard let value = members[name] else { return nil }
    return try WireObject(value, name: name)
  }

  /// The elements of a list that has to be there.
  func list<Element>(
    _ name: String, _ read: (WireObject) throws(WireProblem) -> Element
  ) throws(WireProblem) -> [Element] {
    guard let elements = try WireObject.there(members[name], name).array else { throw WireObject.wrongType(name) }
    var list: [Element] = []
    for element in elements { list.append(try read(try WireObject(element, name: name))) }
    return list
  }

  /// - Throws: ``WireProblem`` that names the member if there is no value.
  static func there<Value>(_ value: Value?, _ name: String) throws(WireProblem) -> Value {
    guard let value else { throw WireProblem(message: "\(name) is missing") }
    return value
  }

  private static func wrongType(_ name: String) -> WireProblem {
    WireProblem(message: "\(name) has another type than expected")
  }

  private static func plain(_ name: String) -> String { name.prefix(1).lowercased() + name.dropFirst() }
}
