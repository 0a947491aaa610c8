/// Why bytes are not the expected JSON.
public struct JSONError: Error, Sendable, Equatable, CustomStringConvertible {
  /// What a caller can branch on.
  public struct Code: Hashable, Sendable {
    private enum Kind { case malformed, tooDeep, unexpectedType, outOfRange, missing }
    private let kind: Kind
    private init(_ kind: Kind) { self.kind = kind }
    /// The bytes are not JSON.
    public static let malformed = Code(.malformed)
    /// Arrays and objects are nested deeper than the reader's limit.
    public static let tooDeep = Code(.tooDeep)
    /// JSON, but with a value of another type than the document has there.
    public static let unexpectedType = Code(.unexpectedType)
    /// A number that does not fit.
    public static let outOfRange = Code(.outOfRange)
    /// A member that the document must have is not there.
    public static let missing = Code(.missing)
  }

  /// Which kind of problem it is.
  public var code: Code
  /// What is wrong, as a part of a sentence, without the position.
  public var message: String
  /// The byte, from 0, at which it was noticed: the first one that no JSON could have there. A misspelt `true`, `false` or
  /// `null` is noticed where it begins.
  public var position: Int

  /// Makes an error of its parts.
  public init(_ code: Code, _ message: String, position: Int) {
    self.code = code
    self.message = message
    self.position = position
  }

  /// Message and position, as a part of a sentence.
  package var phrase: String { "\(message) (at byte \(position))" }

  /// A sentence with the position.
  public var description: String { "The JSON cannot be read at byte \(position): \(message)." }
}
