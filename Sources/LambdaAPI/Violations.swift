/// Collects the validation errors of a request, in AWS's words.
package struct Violations {
  private var texts: [String] = []

  /// Nothing is wrong yet.
  package init() {}

  /// Whether nothing is wrong.
  package var isEmpty: Bool { texts.isEmpty }

  /// Names a member, its value, and what the value would have to be.
  package mutating func add(_ value: String, at member: String, _ constraint: String) {
    texts.append("Value '\(value)' at '\(member)' failed to satisfy constraint: \(constraint)")
  }

  /// Of a value that may be secret.
  package mutating func addUnshown(at member: String, _ constraint: String) {
    texts.append("Value at '\(member)' failed to satisfy constraint: \(constraint)")
  }

  /// Names a member that has to be there.
  package mutating func addMissing(_ member: String) {
    texts.append("Value null at '\(member)' failed to satisfy constraint: Member must not be null")
  }

  /// Checks a number; `nil` is none and passes.
  package mutating func check(_ value: Int64?, at member: String, in range: ClosedRange<Int64>) {
    guard let value else { return }
    if value < range.lowerBound {
      add(String(value), at: member, "Member must have value greater than or equal to \(range.lowerBound)")
    } else if value > range.upperBound {
      add(String(value), at: member, "Member must have value less than or equal to \(range.upperBound)")
    }
  }

  /// Checks the length of a text in Unicode scalars; `nil` is none and passes.
  package mutating func check(_ text: String?, at member: String, length range: ClosedRange<Int>) {
    guard let text else { return }
    if text.unicodeScalars.count < range.lowerBound {
      add(text, at: member, "Member must have length greater than or equal to \(range.lowerBound)")
    } else if text.unicodeScalars.count > range.upperBound {
      add(text, at: member, "Member must have length less than or equal to \(range.upperBound)")
    }
  }

  /// Checks the form of a text; `nil` is none and passes.
  ///
  /// - Parameters:
  ///   - pattern: As AWS writes it in the message.
  ///   - matches: Whether a text has the form.
  package mutating func check(_ text: String?, at member: String, pattern: String, _ matches: (String) -> Bool) {
    guard let text, !matches(text) else { return }
    add(text, at: member, "Member must satisfy regular expression pattern: \(pattern)")
  }

  /// Checks that a text is one of some words; `nil` is none and passes.
  package mutating func check(_ text: String?, at member: String, oneOf words: [String]) {
    guard let text, !words.contains(text) else { return }
    add(text, at: member, "Member must satisfy enum value set: [\(words.joined(separator: ", "))]")
  }

  /// The error that names them all.
  package var error: AWSError {
    let head = "\(texts.count) validation error\(texts.count == 1 ? "" : "s") detected: "
    return .validation(head + texts.joined(separator: "; "))
  }

  /// Throws ``error`` if there is anything to name.
  package func finish() throws(AWSError) {
    if !texts.isEmpty { throw error }
  }
}
