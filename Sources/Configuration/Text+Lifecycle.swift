package import Lifecycle
package import Text

extension DurationText {
  /// Reads a length of time.
  ///
  /// - Throws: ``TextProblem`` as ``nanoseconds(_:)`` does.
  package static func parse(_ text: String) throws(TextProblem) -> Nanoseconds { Nanoseconds(try nanoseconds(text)) }

  /// The length as it is read: ``text(nanoseconds:)``.
  package static func text(_ length: Nanoseconds) -> String { text(nanoseconds: length.count) }
}
