/// Why a text could not be read, as a sentence that says what to write instead.
public struct TextProblem: Error, Hashable, Sendable, CustomStringConvertible {
  /// Without a full stop. It does not begin with the name of the setting, so that callers can put that before.
  public var message: String

  /// Makes a problem of its sentence.
  public init(_ message: String) { self.message = message }

  /// The same as ``message``.
  public var description: String { message }
}

/// A text from outside for a message: in quotes, control characters escaped, cut after 60 characters.
package func quoted(_ text: String) -> String {
  var result = "\""
  for scalar in text.unicodeScalars.prefix(60) {
    let isPrintable = scalar.value >= 0x20 && !(0x7F...0x9F).contains(scalar.value)
    if isPrintable { result.unicodeScalars.append(scalar) } else { result += "\\u{\(String(scalar.value, radix: 16))}" }
  }
  if text.unicodeScalars.count > 60 { result += "…" }
  return result + "\""
}
