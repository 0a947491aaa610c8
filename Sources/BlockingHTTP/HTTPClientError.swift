/// Why an HTTP exchange failed.
public struct HTTPClientError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The kind of error, to branch on; grows without breaking callers.
  public struct Code: Hashable, Sendable {
    private enum Kind {
      case invalidAddress, invalidRequest, refused, timedOut, closed, malformed, tooLarge, system
    }
    private let kind: Kind
    private init(_ kind: Kind) { self.kind = kind }

    /// The address is not an IP literal with a port.
    public static let invalidAddress = Code(.invalidAddress)
    /// The method, path or a header cannot be written into a request.
    public static let invalidRequest = Code(.invalidRequest)
    /// No program listens at the address, or the address cannot be reached.
    public static let refused = Code(.refused)
    /// The reply was not there in time.
    public static let timedOut = Code(.timedOut)
    /// The other side closed the connection before its reply was whole.
    public static let closed = Code(.closed)
    /// The reply is not HTTP/1.1 as this client understands it.
    public static let malformed = Code(.malformed)
    /// The head or the body of the reply is over its limit.
    public static let tooLarge = Code(.tooLarge)
    /// A call of the operating system failed.
    public static let system = Code(.system)
  }

  /// The kind of error, to branch on.
  public var code: Code
  /// A sentence for people.
  public var message: String

  /// Makes an error of its two parts.
  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  /// The same as ``message``.
  public var description: String { message }
}
