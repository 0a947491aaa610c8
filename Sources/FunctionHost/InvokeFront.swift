import HTTPServer
import Lifecycle
import Logging
import NIOCore
import NIOHTTP1

/// The fronts of the host on its one port: AWS's Lambda API (`ControlPlane`), and function URLs.
extension HostCore {
  /// Answers a request of a caller; `promise` is completed now or when its function has answered.
  func serve(_ request: HTTPRequest, _ promise: EventLoopPromise<HTTPResponse>) {
    let id = newRequestID()
    guard !isStopping else {
      promise.succeed(AWSError.stopping.response(id))
      return
    }
    do throws(AWSError) {
      if let target = FunctionURLTarget(request) {
        try serveFunctionURL(target, request, id, promise)
      } else {
        try serveAPI(request, id, promise)
      }
    } catch {
      promise.succeed(error.response(id))
    }
  }

  // MARK: What a request brings

  func trace(of request: HTTPRequest, _ id: RequestID) -> TraceID {
    request.headers.first(name: "X-Amzn-Trace-Id").map(TraceID.init(sent:)) ?? TraceID(of: id, at: clock.now())
  }

  /// The event as the function is given it: JSON, and an empty object for an empty body.
  func payload(_ body: ByteBuffer, isAsynchronous: Bool) throws(AWSError) -> ByteBuffer {
    guard body.readableBytes > 0 else { return ByteBuffer(string: "{}") }
    if isAsynchronous, body.readableBytes > PayloadLimits.asynchronousBytesMax {
      throw .tooLarge(limit: PayloadLimits.asynchronousBytesMax, operation: "InvokeAsync")
    }
    if let position = body.withReadableSpan({ JSONText.problem(in: $0) }) { throw .invalidContent(position) }
    guard isAsynchronous else { return body }
    // Kept for long: a copy of its own, so that it does not hold on to what else was read from the socket.
    return ByteBuffer(bytes: body.readableBytesView)
  }

  func clientContext(_ request: HTTPRequest) throws(AWSError) -> String? {
    guard let encoded = request.headers.first(name: "X-Amz-Client-Context"), !encoded.isEmpty else { return nil }
    guard encoded.utf8.count <= PayloadLimits.clientContextBytesMax else {
      throw .invalidParameter(
        "The client context is \(encoded.utf8.count) bytes; the limit is \(PayloadLimits.clientContextBytesMax).")
    }
    guard let bytes = Base64.decode(encoded), JSONText.problem(in: bytes.span) == nil else {
      throw AWSError(
        status: 400, code: "InvalidRequestContentException",
        message: "Client context must be a valid Base64-encoded JSON object.")
    }
    // Control characters in valid JSON are blanks between its parts; a header must not have any.
    return String(decoding: bytes.map { $0 < 0x20 ? 0x20 : $0 }, as: UTF8.self)
  }

  func accept(_ event: QueuedEvent, as id: RequestID) -> HTTPResponse {
    let now = clock.now()
    if enqueue(event, as: id, at: now) { return InvokeAnswer.accepted(id, event.trace, at: now) }
    logger.warning("The queue of asynchronous events is full.", metadata: ["events": "\(queue.count)"])
    emit(
      .function(self[event.function].id),
      .throttled(Throttled(time: now, reason: .callerRateLimit, trigger: .direct)))
    var response = AWSError.throttled(.callerRateLimit).response(id)
    response.headers.add(name: "X-Kelvin-Start", value: String(now.nanoseconds))
    return response
  }

  // MARK: Function URL

  private func serveFunctionURL(
    _ target: FunctionURLTarget, _ request: HTTPRequest, _ id: RequestID, _ promise: EventLoopPromise<HTTPResponse>
  ) throws(AWSError) {
    let arn = FunctionReference.arn(target.function, qualifier: Deployment.currentAlias)
    guard let function = indices[target.function],
      let version = self[function].deployment.resolve(qualifier: Deployment.currentAlias)
    else { throw .functionNotFound(indices[target.function] == nil ? FunctionReference.arn(target.function) : arn) }
    guard let queryItems = request.queryItems else {
      throw .invalidParameter("The query has an escape that is not UTF-8.")
    }
    let event = FunctionURLEvent(
      function: target.function, request: id, time: clock.now(), method: request.method.rawValue,
      rawPath: target.rawPath, rawQuery: request.query ?? "", queryItems: queryItems, headers: request.headers,
      sourceAddress: request.remoteAddress?.ipAddress ?? "", body: request.body)
    let payload = event.document()
    guard payload.readableBytes <= PayloadLimits.answerBytesMax else {
      throw .tooLarge(limit: PayloadLimits.answerBytesMax, operation: "function URL")
    }
    submit(
      Submission(
        request: id, function: function, version: version, trigger: .http, payload: payload, clientContext: nil,
        arn: arn, trace: trace(of: request, id),
        caller: .functionURL(promise)))
  }
}

/// The function that an HTTP request is for, by `/url/<function>/…` or by the host name `<function>.localhost`.
struct FunctionURLTarget: Equatable {
  var function: String
  /// Below the function's URL, as sent; begins with a slash.
  var rawPath: String

  private static let prefix = "/url/"

  init?(_ request: HTTPRequest) {
    self.init(host: request.headers.first(name: "Host") ?? "", path: request.path)
  }

  /// `nil` if the request is for something else.
  init?(host: String, path: String) {
    let name = host.utf8.firstIndex(of: UInt8(ascii: ":")).map { host[..<$0] } ?? host[...]
    if name.utf8.count > ".localhost".utf8.count, name.lowercased().hasSuffix(".localhost") {
      function = String(name.dropLast(".localhost".count))
      rawPath = path.isEmpty ? "/" : path
      return
    }
    guard path.hasPrefix(FunctionURLTarget.prefix) else { return nil }
    let rest = path.dropFirst(FunctionURLTarget.prefix.count)
    let end = rest.utf8.firstIndex(of: UInt8(ascii: "/")) ?? rest.endIndex
    function = String(rest[..<end])
    rawPath = end == rest.endIndex ? "/" : String(rest[end...])
  }
}
