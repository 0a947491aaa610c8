import Text
import HTTPServer
import HostRules
import LambdaAPI
import Lifecycle
import NIOCore
import NIOHTTP1
import WindowStore

/// Takes the requests of callers at the host's one port: for AWS's Lambda API and for function URLs. Used on the host's
/// loop.
final class Front {
  private(set) var door: FrontDoor
  private var names: FunctionNames
  /// The port that callers come to; 0 until the host listens.
  var port = 0
  /// Reads the configuration again; `nil` where nobody can.
  var reload: ConfigurationReload?

  init(_ configuration: HostConfiguration) {
    door = FrontDoor(configuration)
    names = FunctionNames(configuration.functions.map(\.name))
  }

  /// The configuration has changed.
  func take(_ configuration: HostConfiguration) {
    door = FrontDoor(configuration)
    names = FunctionNames(configuration.functions.map(\.name))
  }

  /// Answers a request of a caller; `promise` is completed now or when its function has answered.
  func serve(_ request: HTTPRequest, _ promise: EventLoopPromise<HTTPResponse>, in host: isolated HostCore) {
    let id = host.newRequestID()
    let route = request.frontRoute
    let target = route?.access == .ownRules ? FunctionURLTarget(parameters: request.route.parameters) : nil
    var promise = promise
    let socket = route?.name == WebSocketRoutes.connect ? request.route.parameters.first : nil
    let decision =
      if let socket, let origins = host.webSockets.allowedOrigins(of: socket) {
        door.decide(request, forSocketOpenTo: origins, named: socket)
      } else {
        door.decide(request, for: target.map { nearestName(of: $0) })
      }
    switch decision {
    case .serve(cors: nil): break
    case .serve(let cors?): promise = promise.answer { cors.add(to: &$0, for: request) }
    case .preflight(let answer): return promise.succeed(answer)
    case .refuse(let error):
      host.statistics.front.count(.foreignPage)
      if let socket { host.webSockets.refusedPage(at: socket, in: host) }
      return promise.succeed(error.response(id))
    }
    guard !host.isStopping else {
      promise.succeed(AWSError.stopping.response(id))
      return
    }
    do {
      guard let route else { throw AWSError.noRoute(request) }
      try route.handler(host, FrontCall(request: request, id: id, promise: promise))
    } catch let error as AWSError {
      promise.succeed(error.response(id))
    } catch {
      promise.fail(error)
    }
  }

  /// Has whoever runs the host read its configuration again.
  func serveReload(_ call: FrontCall) throws(AWSError) {
    guard let reload else { throw .notImplemented("This host has no configuration file to read again.") }
    call.promise.completeWith(HTTPResponse.reloaded(by: reload, on: call.promise.futureResult.eventLoop))
  }

  // MARK: What a request brings

  func trace(of request: HTTPRequest, _ id: RequestID, in host: isolated HostCore) -> TraceID {
    TraceID(sent: request.headers.first(name: "X-Amzn-Trace-Id"), of: id, at: host.clock.now())
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
  /// Keeps an event, and answers once it is on the disk.
  func accept(
    _ event: QueuedEvent, as id: RequestID, in host: isolated HostCore,
    _ answer: @escaping @Sendable (HTTPResponse) -> Void
  ) {
    let now = host.clock.now()
    host.asynchronous.accept(event, as: id, at: now, in: host) { acceptance in
      switch acceptance {
      case .kept: answer(InvokeAnswer.accepted(id, event.trace, at: now))
      case .full: answer(.throttled(id, .callerRateLimit, at: now))
      case .failed(let error):
        answer(AWSError.unavailable("The host could not keep the event: \(error.message).").response(id))
      }
    }
  }

  // MARK: Function URL

  func serveFunctionURL(_ call: FrontCall, in host: isolated HostCore) throws(AWSError) {
    let (request, id, promise) = (call.request, call.id, call.promise)
    guard let target = FunctionURLTarget(parameters: request.route.parameters) else { throw .noRoute(request) }
    let name = try functionName(of: target)
    let arn = host.identity.arn(name, qualifier: Deployment.currentAlias)
    guard let function = host.indices[name],
      let version = host[function].deployment.resolve(qualifier: Deployment.currentAlias)
    else {
      throw .functionNotFound(
        name, qualifier: host.indices[name] == nil ? nil : Deployment.currentAlias, of: host.identity)
    }
    let trace = trace(of: request, id, in: host)
    let event = FunctionURLEvent(
      function: name, request: id, time: host.clock.now(), method: request.method.rawValue, rawPath: target.rawPath,
      rawQuery: request.query ?? "", headers: request.headers, sourceAddress: request.remoteAddress?.ipAddress ?? "",
      port: port, trace: trace, body: request.body)
    let payload = event.document()
    guard payload.readableBytes <= PayloadLimits.answerBytesMax else {
      throw .tooLarge(limit: PayloadLimits.answerBytesMax, operation: "function URL")
    }
    try holdSurplus(of: payload, over: request.body, for: function, until: promise, in: host)
    host.submit(
      Submission(
        request: id, function: function, version: version, trigger: .http, payload: payload, clientContext: nil,
        arn: arn, trace: trace,
        completion: FunctionURLCompletion(
          promise: promise, streams: host[function].configuration.invokeMode == .responseStream)))
  }

  private func nearestName(of target: FunctionURLTarget) -> String {
    if target.isHostName, case .one(let name) = names.match(target.function) { return name }
    return target.function
  }

  /// The name of the function that is meant; whether there is one remains to be seen.
  private func functionName(of target: FunctionURLTarget) throws(AWSError) -> String {
    guard target.isHostName else { return target.function }
    switch names.match(target.function) {
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

extension Front {
  /// Takes the memory that an event needs beyond the body that it was made of, until its caller has been answered.
  func holdSurplus(
    of payload: ByteBuffer, over body: ByteBuffer, for function: FunctionIndex,
    until promise: EventLoopPromise<HTTPResponse>, in host: isolated HostCore
  ) throws(AWSError) {
    let surplus = payload.readableBytes - body.readableBytes
    guard surplus > BodyBudget.smallBytesMax else { return }
    let budget = host.bodies.callers(of: function)
    guard budget.reserve(surplus, of: payload.readableBytes) else { throw .noRoom }
    promise.futureResult.whenComplete { _ in budget.release(surplus) }
  }
}
