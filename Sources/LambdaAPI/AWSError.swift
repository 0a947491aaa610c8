package import Text
package import HTTPServer
package import Lifecycle
package import NIOHTTP1

/// An error in the shape in which AWS's Lambda API reports them.
package struct AWSError: Error, Equatable, Sendable {
  /// The status of the answer.
  package var status: UInt
  /// AWS's name of the error, by which clients tell errors apart.
  package var code: String
  /// A sentence, in AWS's words where AWS has the error.
  package var message: String
  /// Only of a refusal for lack of concurrency.
  package var reason: ThrottleReason?
  /// Whether the answer says whose fault it is. AWS leaves that out where a limit of the account is the matter.
  package var hasType: Bool

  /// Makes an error of its parts.
  package init(
    status: UInt, code: String, message: String, reason: ThrottleReason? = nil, hasType: Bool = true
  ) {
    self.status = status
    self.code = code
    self.message = message
    self.reason = reason
    self.hasType = hasType
  }

  /// How long a refused client should wait, in seconds.
  package static let retryAfterSeconds = 1

  /// - Parameter qualifier: What the caller named of the function; without one AWS looks for, and names, `$LATEST`.
  package static func functionNotFound(_ name: String, qualifier: String?, of identity: HostIdentity) -> AWSError {
    let arn = identity.arn(name, qualifier: qualifier ?? FunctionID.latest)
    return AWSError(status: 404, code: "ResourceNotFoundException", message: "Function not found: \(arn)")
  }

  /// No concurrency is left for the request.
  package static func throttled(_ reason: ThrottleReason) -> AWSError {
    AWSError(status: 429, code: "TooManyRequestsException", message: "Rate Exceeded.", reason: reason)
  }

  /// A parameter has a value that it cannot have.
  package static func invalidParameter(_ message: String) -> AWSError {
    AWSError(status: 400, code: "InvalidParameterValueException", message: message)
  }

  /// A body is not JSON.
  ///
  /// - Parameter position: The byte, from 0, where it stops being JSON.
  package static func invalidContent(_ position: Int) -> AWSError {
    AWSError(
      status: 400, code: "InvalidRequestContentException",
      message: "Could not parse request body into json: it stops being JSON at byte \(position).")
  }

  /// A body is too large.
  ///
  /// - Parameters:
  ///   - limit: In bytes.
  ///   - operation: By AWS's name.
  package static func tooLarge(limit: Int, operation: String) -> AWSError {
    AWSError(
      status: 413, code: "RequestTooLargeException",
      message: "Request must be smaller than \(limit) bytes for the \(operation) operation")
  }

  /// A request breaks a constraint of the API's model; the message names it (``Violations``).
  package static func validation(_ message: String) -> AWSError {
    AWSError(status: 400, code: "ValidationException", message: message)
  }

  /// A body, or a parameter, is of another type than the API's model has.
  package static func serialization(_ message: String) -> AWSError {
    AWSError(status: 400, code: "SerializationException", message: message)
  }

  /// A limit of the account is in the way.
  package static func accountLimit(_ message: String) -> AWSError {
    AWSError(status: 400, code: "InvalidParameterValueException", message: message, hasType: false)
  }

  /// The state of a resource does not allow the request.
  package static func conflict(_ message: String) -> AWSError {
    AWSError(status: 409, code: "ResourceConflictException", message: message)
  }

  /// There is no such resource.
  package static func notFound(_ message: String) -> AWSError {
    AWSError(status: 404, code: "ResourceNotFoundException", message: message)
  }

  /// The resource has changed since the client read it.
  package static let revisionDiffers = AWSError(
    status: 412, code: "PreconditionFailedException",
    message: "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to "
      + "retrieve the latest Revision Id")

  /// The message is a sentence about what this host does not have.
  package static func notImplemented(_ message: String) -> AWSError {
    AWSError(status: 501, code: "NotImplementedException", message: message)
  }

  /// The host takes no more requests.
  package static let stopping = AWSError(
    status: 503, code: "ServiceException", message: "The function host is stopping; try again in a moment.")

  /// The host cannot do it now; the message says why.
  package static func unavailable(_ message: String) -> AWSError {
    AWSError(status: 503, code: "ServiceException", message: message)
  }

  /// The host itself has failed; the message says at what.
  package static func internalFailure(_ message: String) -> AWSError {
    AWSError(status: 500, code: "ServiceException", message: message)
  }

  /// The answer, with the header and the casing of the members that AWS's clients look for.
  package func response(_ requestID: RequestID) -> HTTPResponse {
    var writer = JSONWriter()
    writer.object {
      if let reason { $0.member("Reason", reason.name) }
      if hasType { $0.member("Type", status >= 500 ? "Service" : "User") }
      $0.member(usesUpperCaseMessage ? "Message" : "message", message)
    }
    var headers = HTTPHeaders([
      ("Content-Type", "application/json"), ("x-amzn-ErrorType", code), ("x-amzn-RequestId", requestID.value.uuidText),
    ])
    if reason != nil || status == 503 { headers.add(name: "Retry-After", value: String(AWSError.retryAfterSeconds)) }
    return HTTPResponse(status: HTTPResponseStatus(statusCode: Int(status)), headers: headers, body: writer.buffer)
  }

  private var usesUpperCaseMessage: Bool { code == "ResourceNotFoundException" || code == "ServiceException" }
}

extension HTTPResponse {
  /// A document that `body` writes.
  package static func document(
    _ status: HTTPResponseStatus = .ok, _ body: (inout JSONWriter) -> Void
  ) -> HTTPResponse {
    var writer = JSONWriter(capacity: 1024)
    body(&writer)
    return .json(status, writer.buffer)
  }
}
