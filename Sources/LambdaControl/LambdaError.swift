/// Why a call of AWS's API failed.
public struct LambdaError: Error, Sendable, CustomStringConvertible {
  /// What kind of problem it is, to branch on.
  public struct Code: Hashable, Sendable {
    private enum Kind {
      case refused, unsupported, unreachable, timedOut, malformed, credentials, settings
    }
    private let kind: Kind
    private init(_ kind: Kind) { self.kind = kind }

    /// The service answered with an error of its own, which is in ``LambdaError/refusal``.
    public static let refused = Code(.refused)
    /// The server does not have this call.
    public static let unsupported = Code(.unsupported)
    /// No server answers at the address.
    public static let unreachable = Code(.unreachable)
    /// The answer did not come in time.
    public static let timedOut = Code(.timedOut)
    /// The answer is not what this API answers.
    public static let malformed = Code(.malformed)
    /// No credentials, or such as cannot be used here.
    public static let credentials = Code(.credentials)
    /// An address, a region or a profile is wrong or missing.
    public static let settings = Code(.settings)
  }

  /// Which kind of problem it is.
  public var code: Code
  /// For people: whole sentences.
  public var message: String
  /// What the service said, if it did.
  public var refusal: Refusal?

  /// Makes an error of its parts; `refusal` goes with ``Code/refused``.
  public init(_ code: Code, _ message: String, refusal: Refusal? = nil) {
    self.code = code
    self.message = message
    self.refusal = refusal
  }

  /// The same as ``message``.
  public var description: String { message }

  /// An error document of AWS.
  public struct Refusal: Hashable, Sendable {
    /// Such as `ResourceNotFoundException`.
    public var code: String
    /// AWS's own words, unchanged. Empty if there are none.
    public var message: String
    /// The HTTP status of the answer.
    public var status: Int
    /// `User` or `Service`, where it is said.
    public var type: String?
    /// Of a 429: which limit it was.
    public var reason: String?
    /// Of a 429: when to try again, in seconds.
    public var retryAfterSeconds: Int?

    /// Makes what an answer says; what has a default may be missing in it.
    public init(
      code: String, message: String, status: Int, type: String? = nil, reason: String? = nil,
      retryAfterSeconds: Int? = nil
    ) {
      self.code = code
      self.message = message
      self.status = status
      self.type = type
      self.reason = reason
      self.retryAfterSeconds = retryAfterSeconds
    }
  }
}
