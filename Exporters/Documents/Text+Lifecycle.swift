package import Lifecycle
package import Text

// How the documents use JSON, and times and lengths as they are in the model.

extension JSONRules {
  /// Of documents that agents write: what is no text becomes the replacement character, so that one strange name hides nothing.
  static let documents = JSONRules(depthLimit: 64, invalidUTF8: .replaced, loneSurrogates: .replaced)
}

extension JSONReader {
  /// Reads one document and makes sure that nothing follows it.
  static func document<Value>(
    _ json: [UInt8], _ read: (inout JSONReader) throws(JSONError) -> Value
  ) throws(JSONError) -> Value {
    try document(json.span, .documents, read)
  }

  mutating func time() throws(JSONError) -> Timestamp {
    let position = position
    guard let time = RFC3339.time(try string()) else {
      throw JSONError(.unexpectedType, "a time was expected (RFC 3339)", position: position)
    }
    return time
  }

  mutating func stringOrNull() throws(JSONError) -> String? { try takeNull() ? nil : try string() }

  mutating func signedOrNull() throws(JSONError) -> Int64? { try takeNull() ? nil : try signed() }

  mutating func duration() throws(JSONError) -> Nanoseconds { Nanoseconds(Int64(clamping: try nanoseconds())) }

  mutating func durationOrNull() throws(JSONError) -> Nanoseconds? { try takeNull() ? nil : try duration() }
}

extension JSONWriter {
  /// A writer of a document. People read them on terminals, so U+007F is escaped.
  package static func document(capacity: Int = 1_024) -> JSONWriter {
    JSONWriter(capacity: capacity, escapesDelete: true)
  }
}

extension RFC3339 {
  /// The text of an instant, exact to the nanosecond: `2026-11-23T10:00:00Z`.
  package static func text(_ time: Timestamp) -> String { text(nanoseconds: time.nanoseconds) }

  /// Reads an instant; `nil` if the text is none (``nanoseconds(_:)``).
  package static func time(_ text: some StringProtocol) -> Timestamp? {
    nanoseconds(text).map(Timestamp.init(nanoseconds:))
  }
}

extension CalendarFields {
  /// The fields of an instant in UTC.
  package init(_ time: Timestamp) { self.init(nanoseconds: time.nanoseconds) }
}
