import Text
import BlockingHTTP

/// The calls of the Runtime API (version 2018-06-01) and of Kelvin's beside it. Blocks; one for each thread.
struct RuntimeClient {
  /// An event is at most 6 MiB on AWS; a host here may be configured to take more.
  private static let limits = HTTPLimits(bodyBytes: 64 << 20)
  private let connection: HTTPConnection

  init(_ endpoint: HTTPEndpoint) {
    connection = HTTPConnection(endpoint, limits: RuntimeClient.limits)
  }

  /// An event with what came along.
  struct Event {
    var requestID: String
    /// Of this attempt at the event, if the host gave one.
    var attemptID: String?
    /// In milliseconds since the Unix epoch.
    var deadlineMilliseconds: Int64?
    var invokedFunctionARN: String
    var traceID: String?
    var body: [UInt8]

    /// What its answer is marked with.
    var attempt: HTTPHeaders { attemptID.map { [attemptField: $0] } ?? [:] }
  }

  /// A field of an event that comes back with its answer, so that none is taken for the answer of another attempt.
  private static let attemptField = "Lambda-Runtime-Invocation-Id"

  enum Failure: Error, CustomStringConvertible {
    case unreachable(HTTPClientError)
    case refused(path: String, status: Int)
    case nameless

    var description: String {
      switch self {
      case .unreachable(let error): "The host is gone. \(error)"
      case .refused(let path, let status): "The host answered \(status) to \(path)."
      case .nameless: "The host sent an event without Lambda-Runtime-Aws-Request-Id."
      }
    }
  }

  /// Waits for the next event, for as long as it takes.
  func next() throws(Failure) -> Event {
    let path = "/2018-06-01/runtime/invocation/next"
    let reply = try send(ClientRequest("GET", path), timeout: nil)
    guard reply.status == 200 else { throw .refused(path: path, status: reply.status) }
    guard let requestID = reply.headers["Lambda-Runtime-Aws-Request-Id"] else { throw .nameless }
    return Event(
      requestID: requestID, attemptID: reply.headers[RuntimeClient.attemptField],
      deadlineMilliseconds: reply.headers["Lambda-Runtime-Deadline-Ms"].flatMap { Int64($0) },
      invokedFunctionARN: reply.headers["Lambda-Runtime-Invoked-Function-Arn"] ?? "",
      traceID: reply.headers["Lambda-Runtime-Trace-Id"], body: reply.body)
  }

  /// - Returns: The status: 202 if all is well, 413 if the result is too long.
  func respond(_ event: Event, _ result: [UInt8]) throws(Failure) -> Int {
    try post("/2018-06-01/runtime/invocation/\(event.requestID)/response", result, headers: event.attempt)
  }

  /// - Returns: The status: 202 if all is well.
  func fail(_ event: Event, _ failure: FunctionFailure) throws(Failure) -> Int {
    try post("/2018-06-01/runtime/invocation/\(event.requestID)/error", failure, headers: event.attempt)
  }

  /// - Returns: The status: 202 if all is well.
  func failInitialization(_ failure: FunctionFailure) throws(Failure) -> Int {
    try post("/2018-06-01/runtime/init/error", failure)
  }

  /// Tells Kelvin something. A host that is not Kelvin answers 404, which is no failure.
  func tell(_ path: String, _ document: JSONValue?, headers: HTTPHeaders = [:]) throws(Failure) {
    var headers = headers
    if document != nil { headers.append("Content-Type", "application/json") }
    _ = try send(ClientRequest("PUT", "/kelvin/v1/\(path)", headers: headers, body: document?.bytes ?? []))
  }

  private func post(_ path: String, _ failure: FunctionFailure, headers: HTTPHeaders = [:]) throws(Failure) -> Int {
    var headers = headers
    headers.append("Content-Type", "application/json")
    headers.append("Lambda-Runtime-Function-Error-Type", failure.headerType)
    return try post(path, failure.document, headers: headers)
  }

  private func post(_ path: String, _ body: [UInt8], headers: HTTPHeaders) throws(Failure) -> Int {
    let status = try send(ClientRequest("POST", path, headers: headers, body: body)).status
    // The container is broken, says AWS of a 500: the runtime ends.
    guard status < 500 else { throw .refused(path: path, status: status) }
    return status
  }

  private func send(_ request: ClientRequest, timeout: Duration? = .seconds(30)) throws(Failure) -> HTTPReply {
    do throws(HTTPClientError) {
      return try connection.send(request, timeout: timeout)
    } catch {
      throw .unreachable(error)
    }
  }
}
