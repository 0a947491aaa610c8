import Text
import HTTPServer
import HostRules
import LambdaAPI
import Lifecycle
import NIOCore
import NIOHTTP1

/// The fronts of the host on its one port: AWS's Lambda API (`ControlPlane`), and function URLs.
extension HostCore {
  /// Answers a request of a caller; `promise` is completed now or when its function has answered.
  func serve(_ request: HTTPRequest, _ promise: EventLoopPromise<HTTPResponse>) {
    let id = newRequestID()
    let target = FunctionURLTarget(request)
    var promise = promise
    switch door.decide(request, for: target.map { nearestName(of: $0) }) {
    case .serve(cors: nil): break
    case .serve(let cors?): promise = promise.answer { cors.add(to: &$0, for: request) }
    case .preflight(let answer): return promise.succeed(answer)
    case .refuse(let error): return promise.succeed(error.response(id))
    }
    guard !isStopping else {
      promise.succeed(AWSError.stopping.response(id))
      return
    }
    do throws(AWSError) {
      if let target {
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
    TraceID(sent: request.headers.first(name: "X-Amzn-Trace-Id"), of: id, at: clock.now())
  }

  /// The event as the function is given it: JSON, and an empty object for an empty body.
  func payload(_ body: ByteBuffer, isAsynchronous: Bool) throws(AWSError) -> ByteBuffer {
    guard body.readableBytes > 0 else { return ByteBuffer(string: "{}") }
    if isAsynchronous, body.readableBytes > PayloadLimits.asynchronousBytesMax {
      throw .tooLarge(limit: PayloadLimits.asynchronousBytesMax, operation: "InvokeAsync")
    }
    if let problem = body.jsonProblem() { throw .invalidContent(problem.position) }
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
    let skip = { (reader: inout JSONReader, _: String) throws(JSONError) in try reader.skip() }
    guard let bytes = Base64.decode(encoded), ByteBuffer(bytes: bytes).readObject(skip) else {
      throw AWSError(
        status: 400, code: "InvalidRequestContentException",
        message: "Client context must be a valid Base64-encoded JSON object.")
    }
    // Control characters in valid JSON are blanks between its parts; a header must not have any.
    return String(decoding: bytes.map { $0 < 0x20 ? 0x20 : $0 }, as: UTF8.self)
  }

  /// What the caller is told of an event that is to be given to its function later.
  func accept(_ event: QueuedEvent, as id: RequestID) -> HTTPResponse {
    let now = clock.now()
    return asynchronous.accept(event, as: id, at: now, in: self)
      ? InvokeAnswer.accepted(id, event.trace, at: now) : .throttled(id, .callerRateLimit, at: now)
  }

  // MARK: Function URL

  private func serveFunctionURL(
    _ target: FunctionURLTarget, _ request: HTTPRequest, _ id: RequestID, _ promise: EventLoopPromise<HTTPResponse>
  ) throws(AWSError) {
    let name = try functionName(of: target)
    let arn = identity.arn(name, qualifier: Deployment.currentAlias)
    guard let function = indices[name],
      let version = self[function].deployment.resolve(qualifier: Deployment.currentAlias)
    else {
      throw .functionNotFound(name, qualifier: indices[name] == nil ? nil : Deployment.currentAlias, of: identity)
    }
    let trace = trace(of: request, id)
    let event = FunctionURLEvent(
      function: name, request: id, time: clock.now(), method: request.method.rawValue, rawPath: target.rawPath,
      rawQuery: request.query ?? "", headers: request.headers, sourceAddress: request.remoteAddress?.ipAddress ?? "",
      port: frontPort, trace: trace, body: request.body)
    let payload = event.document()
    guard payload.readableBytes <= PayloadLimits.answerBytesMax else {
      throw .tooLarge(limit: PayloadLimits.answerBytesMax, operation: "function URL")
    }
    try holdSurplus(of: payload, over: request.body, for: function, until: promise)
    submit(
      Submission(
        request: id, function: function, version: version, trigger: .http, payload: payload, clientContext: nil,
        arn: arn, trace: trace, completion: FunctionURLCompletion(promise: promise)))
  }

  private func nearestName(of target: FunctionURLTarget) -> String {
    if target.isHostName, case .one(let name) = functionNames.match(target.function) { return name }
    return target.function
  }

  /// The name of the function that is meant; whether there is one remains to be seen.
  private func functionName(of target: FunctionURLTarget) throws(AWSError) -> String {
    guard target.isHostName else { return target.function }
    switch functionNames.match(target.function) {
    case .none: return target.function
    case .one(let name): return name
    case .several(let names):
      throw .invalidParameter(
        "The host name \(target.function).localhost stands for \(names.joined(separator: " and ")), because host names "
          + "have no case; ask for /url/\(names[0])/ at the host's own address instead.")
    }
  }
}

extension EventLoopPromise<HTTPResponse> {
  /// A promise whose answer is this one's, after `change`.
  fileprivate func answer(_ change: @escaping @Sendable (inout HTTPResponse) -> Void) -> EventLoopPromise {
    let first = futureResult.eventLoop.makePromise(of: HTTPResponse.self)
    completeWith(
      first.futureResult.map {
        var response = $0
        change(&response)
        return response
      })
    return first
  }
}
