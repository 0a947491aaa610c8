import Lifecycle
import Text

/// Writes members as JSON.
struct MemberWriter: MemberCoder {
  let schema: TelemetrySchema
  var json = JSONWriter()

  init(_ schema: TelemetrySchema) { self.schema = schema }

  /// Writes a record as an object.
  mutating func write(_ record: some PlatformRecord) {
    // The table may change what it is given; a writer never does.
    var record = record
    json.beginObject()
    record.members(&self)
    json.endObject()
  }

  mutating func text(_ name: String, _ value: inout String) { json.member(name, value) }
  mutating func text(_ name: String, _ value: inout String?) { if let value { json.member(name, value) } }

  mutating func texts(_ name: String, _ value: inout [String]) {
    json.key(name)
    json.beginArray()
    for text in value { json.string(text) }
    json.endArray()
  }

  mutating func integer(_ name: String, _ value: inout Int64) { json.member(name, value) }
  mutating func integer(_ name: String, _ value: inout Int64?) { if let value { json.member(name, value) } }

  mutating func milliseconds(_ name: String, _ value: inout Nanoseconds) {
    json.key(name)
    json.milliseconds(nanoseconds: value.count)
  }

  mutating func milliseconds(_ name: String, _ value: inout Nanoseconds?) {
    if var length = value { milliseconds(name, &length) }
  }

  mutating func time(_ name: String, _ value: inout Timestamp) {
    json.member(name, RFC3339.milliseconds(nanoseconds: value.nanoseconds))
  }

  mutating func request(_ name: String, _ value: inout RequestID) { json.member(name, value.value.uuidText) }

  mutating func status(_ name: String, _ value: inout PlatformEvent.Status) { json.member(name, value.rawValue) }

  mutating func status(_ name: String, _ value: inout PlatformEvent.Status?) {
    if let value { json.member(name, value.rawValue) }
  }

  mutating func word<W: Word>(_ name: String, _ value: inout W?) { if let value { json.member(name, value.name) } }

  mutating func beginObject(_ name: String) -> Bool {
    json.key(name)
    json.beginObject()
    return true
  }

  mutating func beginObject(_ name: String, isPresent: Bool) -> Bool { isPresent && beginObject(name) }

  mutating func endObject() { json.endObject() }

  mutating func record<R: PlatformRecord>(_ name: String, _ value: inout R?) {
    guard let value else { return }
    json.key(name)
    write(value)
  }

  mutating func records<R: PlatformRecord>(_ name: String, _ value: inout [R]) {
    guard !value.isEmpty else { return }
    json.key(name)
    json.beginArray()
    for record in value { write(record) }
    json.endArray()
  }
}
