import Text
import HTTPServer
import HostRules
import Lifecycle
import NIOCore
import NIOHTTP1

/// An error in the shape in which AWS's Lambda API reports them.
struct AWSError: Error, Equatable, Sendable {
  var status: UInt
  var code: String
  var message: String
  /// Only of a refusal for lack of concurrency.
  var reason: ThrottleReason?
  /// Whether the answer says whose fault it is. AWS leaves that out where a limit of the account is the matter.
  var hasType = true

  /// How long a refused client should wait, in seconds.
  static let retryAfterSeconds = 1

  /// - Parameter qualifier: What the caller named of the function; without one AWS looks for, and names, `$LATEST`.
  static func functionNotFound(_ name: String, qualifier: String?, of identity: HostIdentity) -> AWSError {
    let arn = identity.arn(name, qualifier: qualifier ?? FunctionID.latest)
    return AWSError(status: 404, code: "ResourceNotFoundException", message: "Function not found: \(arn)")
  }

  static func throttled(_ reason: ThrottleReason) -> AWSError {
    AWSError(status: 429, code: "TooManyRequestsException", message: "Rate Exceeded.", reason: reason)
  }

  static func invalidParameter(_ message: String) -> AWSError {
    AWSError(status: 400, code: "InvalidParameterValueException", message: message)
  }

  static func invalidContent(_ position: Int) -> AWSError {
    AWSError(
      status: 400, code: "InvalidRequestContentException",
      message: "Could not parse request body into json: it stops being JSON at byte \(position).")
  }

  static func tooLarge(limit: Int, operation: String) -> AWSError {
    AWSError(
      status: 413, code: "RequestTooLargeException",
      message: "Request must be smaller than \(limit) bytes for the \(operation) operation")
  }

  static func validation(_ message: String) -> AWSError {
    AWSError(status: 400, code: "ValidationException", message: message)
  }

  static func serialization(_ message: String) -> AWSError {
    AWSError(status: 400, code: "SerializationException", message: message)
  }

  /// A limit of the account is in the way.
  static func accountLimit(_ message: String) -> AWSError {
    AWSError(status: 400, code: "InvalidParameterValueException", message: message, hasType: false)
  }

  static func conflict(_ message: String) -> AWSError {
    AWSError(status: 409, code: "ResourceConflictException", message: message)
  }

  static func notFound(_ message: String) -> AWSError {
    AWSError(status: 404, code: "ResourceNotFoundException", message: message)
  }

  static let revisionDiffers = AWSError(
    status: 412, code: "PreconditionFailedException",
    message: "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to "
      + "retrieve the latest Revision Id")

  /// The message is a sentence about what this host does not have.
  static func notImplemented(_ message: String) -> AWSError {
    AWSError(status: 501, code: "NotImplementedException", message: message)
  }

  static let stopping = AWSError(
    status: 503, code: "ServiceException", message: "The function host is stopping; try again in a moment.")

  /// The host itself has failed; the message says at what.
  static func internalFailure(_ message: String) -> AWSError {
    AWSError(status: 500, code: "ServiceException", message: message)
  }

  /// The answer, with the header and the casing of the members that AWS's clients look for.
  func response(_ requestID: RequestID) -> HTTPResponse {
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

/// When the stages of an invocation were, as the answer tells its caller.
struct InvocationTimes: Equatable, Sendable {
  var start: Timestamp
  var handover: Timestamp
  var end: Timestamp
  var isCold: Bool

  /// The fields that ``add(to:)`` adds.
  static let fieldNames = ["X-Kelvin-Start", "X-Kelvin-Handover", "X-Kelvin-End", "X-Kelvin-Cold"]

  func add(to headers: inout HTTPHeaders) {
    headers.add(name: "X-Kelvin-Start", value: String(start.nanoseconds))
    headers.add(name: "X-Kelvin-Handover", value: String(handover.nanoseconds))
    headers.add(name: "X-Kelvin-End", value: String(end.nanoseconds))
    headers.add(name: "X-Kelvin-Cold", value: isCold ? "1" : "0")
  }
}

/// The answers of the `Invoke` operation.
enum InvokeAnswer {
  static func finished(
    _ request: RequestID, _ trace: TraceID, _ version: FunctionVersion, _ result: InvocationResult,
    times: InvocationTimes
  ) -> HTTPResponse {
    var headers = HTTPHeaders()
    headers.reserveCapacity(12)
    headers.add(name: "Content-Type", value: "application/json")
    headers.add(name: "x-amzn-RequestId", value: request.value.uuidText)
    headers.add(name: "x-amzn-Remapped-Content-Length", value: "0")
    headers.add(name: "X-Amz-Executed-Version", value: version.text)
    headers.add(name: "X-Amzn-Trace-Id", value: trace.answer)
    times.add(to: &headers)
    switch result {
    case .success(let payload): return HTTPResponse(status: .ok, headers: headers, body: payload)
    case .failure(let fault) where fault.isHostsOwn:
      var response = AWSError.internalFailure(fault.message).response(request)
      if !trace.answer.isEmpty { response.headers.add(name: "X-Amzn-Trace-Id", value: trace.answer) }
      times.add(to: &response.headers)
      return response
    case .failure(let fault):
      headers.add(name: "X-Amz-Function-Error", value: "Unhandled")
      return HTTPResponse(status: .ok, headers: headers, body: fault.document)
    }
  }

  /// An event was accepted for later.
  static func accepted(_ request: RequestID, _ trace: TraceID, at time: Timestamp) -> HTTPResponse {
    var headers = HTTPHeaders([
      ("x-amzn-RequestId", request.value.uuidText), ("x-amzn-Remapped-Content-Length", "0"),
      ("X-Kelvin-Start", String(time.nanoseconds)),
    ])
    headers.add(name: "X-Amzn-Trace-Id", value: trace.answer)
    return HTTPResponse(status: .accepted, headers: headers)
  }

  /// The invocation would be allowed.
  static func dryRun(_ request: RequestID, _ version: FunctionVersion) -> HTTPResponse {
    HTTPResponse(
      status: .noContent,
      headers: HTTPHeaders([
        ("x-amzn-RequestId", request.value.uuidText), ("X-Amz-Executed-Version", version.text),
      ]))
  }
}
