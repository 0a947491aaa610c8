/// Why a call of AWS's API failed.
package struct AWSClientError: Error, Sendable, CustomStringConvertible {
  /// What kind of problem it is, to branch on.
  package struct Code: Hashable, Sendable {
    private enum Kind {
      case refused, unsupported, unreachable, timedOut, malformed, credentials, settings
    }
    private let kind: Kind
    private init(_ kind: Kind) { self.kind = kind }

    /// The service answered with an error of its own, which is in ``AWSClientError/refusal``.
    package static let refused = Code(.refused)
    /// The server does not have this call.
    package static let unsupported = Code(.unsupported)
    /// No server answers at the address.
    package static let unreachable = Code(.unreachable)
    /// The answer did not come in time.
    package static let timedOut = Code(.timedOut)
    /// The answer is not what this API answers.
    package static let malformed = Code(.malformed)
    /// No credentials, or such as cannot be used here.
    package static let credentials = Code(.credentials)
    /// An address, a region or a profile is wrong or missing.
    package static let settings = Code(.settings)
  }

  /// Which kind of problem it is.
  package var code: Code
  /// For people: whole sentences.
  package var message: String
  /// What the service said, if it did.
  package var refusal: Refusal?
  /// Whether no connection could be made, or one broke before there was an answer: with ``Code/unreachable``.
  package var isConnectionFailure: Bool

  /// Makes an error of its parts; `refusal` goes with ``Code/refused``.
  package init(_ code: Code, _ message: String, refusal: Refusal? = nil, isConnectionFailure: Bool = false) {
    self.code = code
    self.message = message
    self.refusal = refusal
    self.isConnectionFailure = isConnectionFailure
  }

  /// The same as ``message``.
  package var description: String { message }

  /// An error document of AWS.
  package struct Refusal: Hashable, Sendable {
    /// Such as `ResourceNotFoundException`.
    package var code: String
    /// AWS's own words, unchanged. Empty if there are none.
    package var message: String
    /// The HTTP status of the answer.
    package var status: Int
    /// `User` or `Service`, where it is said.
    package var type: String?
    /// Of a 429: which limit it was.
    package var reason: String?
    /// Of a 429: when to try again, in seconds.
    package var retryAfterSeconds: Int?

    /// Makes what an answer says; what has a default may be missing in it.
    package init(
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
