import Lifecycle
import Text

/// Reads members of JSON.
///
/// The first problem is kept, and reading goes on: what was read counts only if there is none.
struct MemberReader: MemberCoder {
  /// Every member that there is, whatever the schema of the record.
  let schema = TelemetrySchema.logged
  private(set) var problem: RecordError?
  private var members: [JSONValue.Member] = []
  private var outer: [[JSONValue.Member]] = []
  private var path: [String] = []
  /// Of the record, for problems.
  private let position: Int

  private init(_ position: Int) { self.position = position }

  /// Reads a record out of the member `name`.
  static func read<R: PlatformRecord>(
    _ type: R.Type, of value: JSONValue, named name: String, at position: Int
  ) throws(RecordError) -> R {
    var reader = MemberReader(position)
    if let record: R = reader.record(of: value, named: name), reader.problem == nil { return record }
    throw reader.problem ?? RecordError(.unexpectedType, "an object was expected", place: name, position: position)
  }

  /// `nil` after a problem.
  private mutating func record<R: PlatformRecord>(of value: JSONValue, named name: String) -> R? {
    guard let members = value.object else {
      note(.unexpectedType, "an object was expected", name)
      return nil
    }
    begin(name, members)
    var record = R.blank
    record.members(&self)
    endObject()
    return record
  }

  private mutating func begin(_ name: String, _ inner: [JSONValue.Member]) {
    outer.append(members)
    members = inner
    path.append(name)
  }

  private mutating func note(_ code: RecordError.Code, _ message: String, _ name: String) {
    guard problem == nil else { return }
    problem = RecordError(code, message, place: (path + [name]).joined(separator: "."), position: position)
  }

  /// The value of a member; one that is null is not there. Of members with one name the last counts.
  private func value(_ name: String) -> JSONValue? {
    guard let value = members.last(where: { $0.name == name })?.value, !value.isNull else { return nil }
    return value
  }

  /// The value of a member that must be there.
  private mutating func needed(_ name: String) -> JSONValue? {
    let value = value(name)
    if value == nil { note(.missing, "it is not there", name) }
    return value
  }

  // MARK: Texts

  private mutating func text(_ value: JSONValue?, _ name: String) -> String? {
    guard let value else { return nil }
    if value.string == nil { note(.unexpectedType, "a text was expected", name) }
    return value.string
  }

  mutating func text(_ name: String, _ value: inout String) { value = text(needed(name), name) ?? value }
  mutating func text(_ name: String, _ value: inout String?) { value = text(self.value(name), name) }

  mutating func texts(_ name: String, _ value: inout [String]) {
    guard let list = self.value(name) else { return }
    guard let texts = list.array?.map(\.string), !texts.contains(nil) else {
      return note(.unexpectedType, "a list of texts was expected", name)
    }
    value = texts.compactMap(\.self)
  }

  /// What `read` makes of a text; a problem if it makes nothing.
  private mutating func parsed<Value>(
    _ text: String?, _ name: String, _ what: String, _ read: (String) -> Value?
  ) -> Value? {
    guard let text else { return nil }
    let value = read(text)
    if value == nil { note(.unexpectedValue, "\(quoted(text)) is no \(what)", name) }
    return value
  }

  mutating func time(_ name: String, _ value: inout Timestamp) {
    value =
      parsed(text(needed(name), name), name, "time") { RFC3339.nanoseconds($0).map(Timestamp.init(nanoseconds:)) }
      ?? value
  }

  mutating func request(_ name: String, _ value: inout RequestID) {
    value =
      parsed(text(needed(name), name), name, "request id") { Identifier128(text: $0).map(RequestID.init) } ?? value
  }

  mutating func status(_ name: String, _ value: inout PlatformEvent.Status) {
    value = parsed(text(needed(name), name), name, "status", PlatformEvent.Status.init(rawValue:)) ?? value
  }

  mutating func status(_ name: String, _ value: inout PlatformEvent.Status?) {
    value = parsed(text(self.value(name), name), name, "status", PlatformEvent.Status.init(rawValue:))
  }

  mutating func word<W: Word>(_ name: String, _ value: inout W?) {
    value = text(self.value(name), name).flatMap { W(name: $0) }
  }

  // MARK: Numbers

  /// A number as it is written; AWS documents some as texts, and sends numbers.
  private mutating func number<Value>(
    _ value: JSONValue?, _ name: String, _ what: String, _ read: (inout JSONReader) throws(JSONError) -> Value
  ) -> Value? {
    let text: String
    switch value {
    case nil: return nil
    case .number(let digits), .string(let digits): text = digits
    default:
      note(.unexpectedType, "\(what) was expected", name)
      return nil
    }
    let bytes = Array(text.utf8)
    guard let number = try? JSONReader.document(bytes.span, JSONRules(depthLimit: 0), read) else {
      note(.unexpectedValue, "\(quoted(text)) is not \(what)", name)
      return nil
    }
    return number
  }

  private mutating func integer(_ value: JSONValue?, _ name: String) -> Int64? {
    number(value, name, "a whole number from 0 on") { (reader: inout JSONReader) throws(JSONError) in
      let start = reader.position
      let number = try reader.signed()
      guard number >= 0 else { throw JSONError(.outOfRange, "it is negative", position: start) }
      return number
    }
  }

  private mutating func milliseconds(_ value: JSONValue?, _ name: String) -> Nanoseconds? {
    number(value, name, "a number of milliseconds") { (reader: inout JSONReader) throws(JSONError) in
      let start = reader.position
      // A thousandth of what it were in seconds.
      guard let count = Int64(exactly: try reader.nanoseconds() / 1_000), count >= 0 else {
        throw JSONError(.outOfRange, "it is negative, or does not fit", position: start)
      }
      return Nanoseconds(count)
    }
  }

  mutating func integer(_ name: String, _ value: inout Int64) { value = integer(needed(name), name) ?? value }
  mutating func integer(_ name: String, _ value: inout Int64?) { value = integer(self.value(name), name) }

  mutating func milliseconds(_ name: String, _ value: inout Nanoseconds) {
    value = milliseconds(needed(name), name) ?? value
  }

  mutating func milliseconds(_ name: String, _ value: inout Nanoseconds?) {
    value = milliseconds(self.value(name), name)
  }

  // MARK: Objects

  private mutating func beginObject(_ name: String, _ value: JSONValue?) -> Bool {
    guard let value else { return false }
    guard let inner = value.object else {
      note(.unexpectedType, "an object was expected", name)
      return false
    }
    begin(name, inner)
    return true
  }

  mutating func beginObject(_ name: String) -> Bool { beginObject(name, needed(name)) }
  mutating func beginObject(_ name: String, isPresent: Bool) -> Bool { beginObject(name, value(name)) }

  mutating func endObject() {
    members = outer.removeLast()
    path.removeLast()
  }

  mutating func record<R: PlatformRecord>(_ name: String, _ value: inout R?) {
    value = self.value(name).flatMap { record(of: $0, named: name) }
  }

  mutating func records<R: PlatformRecord>(_ name: String, _ value: inout [R]) {
    guard let list = self.value(name) else { return }
    guard let elements = list.array else { return note(.unexpectedType, "a list was expected", name) }
    value = elements.compactMap { record(of: $0, named: name) }
  }
}
