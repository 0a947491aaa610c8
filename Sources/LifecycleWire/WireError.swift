/// Why a batch cannot be read at all.
public struct WireError: Error, Sendable, Equatable, CustomStringConvertible {
  /// What a caller can branch on.
  public struct Code: Hashable, Sendable {
    private enum Kind { case malformed, tooManyEvents }
    private let kind: Kind
    private init(_ kind: Kind) { self.kind = kind }
    /// It is no message of the schema.
    public static let malformed = Code(.malformed)
    /// It has more events than a batch may have.
    public static let tooManyEvents = Code(.tooManyEvents)
  }

  /// Which kind of error it is.
  public var code: Code
  /// A sentence for people, without a full stop.
  public var message: String

  /// The same as ``message``.
  public var description: String { message }

  init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  static let zeroSource =
    "the source is all zeros, which is nobody's: make sixteen random bytes once for each process that sends"

  static func tooManyEvents(_ limit: Int) -> WireError {
    WireError(.tooManyEvents, "the batch has more than \(limit) events; send it in parts")
  }
}
