import Text

/// Why a record or a line cannot be read, and where.
package struct RecordError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What a caller can branch on.
  package struct Code: Hashable, Sendable {
    private enum Kind { case malformed, missing, unexpectedType, unexpectedValue }
    private let kind: Kind
    private init(_ kind: Kind) { self.kind = kind }
    /// It is not JSON.
    package static let malformed = Code(.malformed)
    /// A member or field that must be there is not.
    package static let missing = Code(.missing)
    /// A member is of another type than the record has there.
    package static let unexpectedType = Code(.unexpectedType)
    /// A text or a number is none that can be there: no time, no request id, no known status.
    package static let unexpectedValue = Code(.unexpectedValue)
  }

  /// Which kind of problem it is.
  package var code: Code
  /// What is wrong, as a part of a sentence.
  package var message: String
  /// The names of the members from the outermost on, with points between them, as `record.metrics.durationMs`; the name of a
  /// line's field; empty if it is about the whole.
  package var place: String
  /// The byte, from 0, of what was read: where it stops being JSON, where the record begins, or where the line's field begins.
  package var position: Int

  /// Makes an error of its parts.
  package init(_ code: Code, _ message: String, place: String, position: Int) {
    self.code = code
    self.message = message
    self.place = place
    self.position = position
  }

  init(_ error: JSONError, position start: Int = 0) {
    self.init(.malformed, error.message, place: "", position: start + error.position)
  }

  /// A whole sentence.
  package var description: String {
    "A record of AWS's platform cannot be read at byte \(position): \(place.isEmpty ? "" : place + ": ")\(message)."
  }
}
