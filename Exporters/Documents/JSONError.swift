/// Why a text could not be read as the document that it should be.
public struct JSONError: Error, Sendable, Equatable, CustomStringConvertible {
  public struct Code: Hashable, Sendable {
    private enum Kind { case malformed, tooDeep, unexpectedType, outOfRange, missing }
    private let kind: Kind
    private init(_ kind: Kind) { self.kind = kind }
    /// The text is no JSON.
    public static let malformed = Code(.malformed)
    /// Arrays and objects are nested deeper than ``JSONReader/depthLimit``.
    public static let tooDeep = Code(.tooDeep)
    /// JSON, but with a value of another type than the document has there.
    public static let unexpectedType = Code(.unexpectedType)
    /// A number that does not fit.
    public static let outOfRange = Code(.outOfRange)
    /// A member that the document must have is not there.
    public static let missing = Code(.missing)
  }

  public var code: Code
  /// A sentence for people, without the position.
  public var message: String
  /// The byte, from 0, at which it was noticed.
  public var position: Int

  public init(_ code: Code, _ message: String, position: Int) {
    self.code = code
    self.message = message
    self.position = position
  }

  public var description: String { "\(message) (at byte \(position))" }
}
