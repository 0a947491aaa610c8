import Text
import HTTPServer
import HostRules
import Lifecycle
import NIOCore
import NIOHTTP1
import Sandboxes

/// The Runtime API of AWS Lambda, version 2018-06-01, as one instance sees it on a loopback port of its own, and Kelvin's
/// own paths beside it.
enum RuntimeAPI {
  /// Listens on a free port of an address of loopback, or of 127.0.0.1 if the machine has not the whole of it; every call comes to
  /// the host's loop. Connections of processes that are certain not to be the instance's are refused.
  static func bind(
    _ address: String, for function: FunctionIndex, _ key: InstanceKey, of core: HostCore
  ) -> EventLoopFuture<HTTPServer> {
    let limits = InstanceLimits.limits(core.bodies.instances(of: function))
    var answers = InstanceLimits.answers()
    answers.bodyTooLarge = { request in
      core.assumeIsolated { $0.runtimeSentTooMuch(request, function, key) }
    }
    answers.bodyTruncated = { request in
      core.assumeIsolated { $0.runtimeSentTooLittle(request, function, key) }
    }
    answers.stranger = { peer in core.assumeIsolated { $0.visited(by: peer, function, key) } }
    let bind = { @Sendable [limits, answers] (address: String) -> EventLoopFuture<HTTPServer> in
      HTTPServer.bind(
        host: address, port: 0, on: core.loop, limits: limits, answers: answers, logger: core.logger
      ) { request, loop in
        let promise = loop.makePromise(of: HTTPResponse.self)
        core.assumeIsolated { $0.runtimeCalled(request, promise, function, key) }
        return promise.futureResult
      }
    }
    return bind(address).flatMapError { _ in bind("127.0.0.1") }
  }

  /// What a request of a runtime asks for.
  enum Route: Equatable {
    case call(InstanceMachine.Call)
    case ping
    case warmUp
    case configuration
    case telemetry
    case logs
    case extensions(ExtensionsAPI.Route)
    case unknown
  }

  private static let invocations = "/2018-06-01/runtime/invocation/"

  static func route(_ method: HTTPMethod, _ path: String, errorType: String?) -> Route {
    switch (method, path) {
    case (.GET, "/2018-06-01/runtime/invocation/next"): return .call(.next)
    case (.POST, "/2018-06-01/runtime/init/error"): return .call(.initializationError)
    case (.GET, "/ping"), (.GET, "/2018-06-01/ping"): return .ping
    case (.PUT, "/kelvin/v1/warmup"): return .warmUp
    case (.PUT, "/kelvin/v1/configuration"): return .configuration
    case (.PUT, "/2022-07-01/telemetry"): return .telemetry
    case (.PUT, "/2020-08-15/logs"): return .logs
    case (_, _) where path.hasPrefix(ExtensionsAPI.prefix):
      return ExtensionsAPI.route(method, path).map { .extensions($0) } ?? .unknown
    case (.POST, _) where path.hasPrefix(invocations):
      return invocationRoute(path.dropFirst(invocations.count), errorType)
    case (.PUT, _) where path.hasPrefix("/kelvin/v1/overlap-ended/"):
      return .call(.overlapEnded(request(path.dropFirst("/kelvin/v1/overlap-ended/".count))))
    default: return .unknown
    }
  }

  private static func invocationRoute(_ rest: Substring, _ errorType: String?) -> Route {
    // An identifier and one word; whatever else has a slash in it is neither.
    guard let slash = rest.utf8.firstIndex(of: UInt8(ascii: "/")) else { return .unknown }
    let id = rest[..<slash]
    switch rest[rest.utf8.index(after: slash)...] {
    case "response": return .call(.response(request(id)))
    case "error": return .call(.error(request(id), isHandlerTimeout: errorType == "Function.HandlerTimeout"))
    default: return .unknown
    }
  }

  /// What is no identifier is nobody's: the zero one is never given out.
  private static func request(_ text: Substring) -> RequestID { RequestID(Identifier128(text: text) ?? .zero) }

  static let accepted = HTTPResponse.json(.accepted, "{\"status\":\"OK\"}\n")
  static let tooLarge = error(
    .payloadTooLarge, "RequestEntityTooLarge",
    "Exceeded maximum allowed payload size (\(PayloadLimits.answerBytesMax) bytes).")
  static let truncated = error(.badRequest, "TruncatedHTTPRequest", "HTTP request detected as truncated")
  static let unknownPath = error(.notFound, "NotFound", "This path is not part of the Runtime API.")

  /// The error document of AWS's Runtime API.
  static func error(_ status: HTTPResponseStatus, _ type: String, _ message: String) -> HTTPResponse {
    var writer = JSONWriter()
    writer.object {
      $0.member("errorMessage", message)
      $0.member("errorType", type)
    }
    return .json(status, writer.buffer)
  }
}

/// The answer to `next`: an event and its headers. Those without a value are left out.
enum RuntimeEvent {
  static func response(_ invocation: Invocation, deadline: Timestamp) -> HTTPResponse {
    let submission = invocation.submission
    let request = submission.request.value
    var headers = HTTPHeaders()
    headers.reserveCapacity(6)
    // Exactly this: awslambdaric parses the event only if there is no charset beside it.
    headers.add(name: "Content-Type", value: "application/json")
    headers.add(name: "Lambda-Runtime-Aws-Request-Id", value: request.uuidText)
    headers.add(name: "Lambda-Runtime-Deadline-Ms", value: String(deadline.nanoseconds / 1_000_000))
    headers.add(name: "Lambda-Runtime-Invoked-Function-Arn", value: submission.arn)
    headers.add(name: "Lambda-Runtime-Trace-Id", value: submission.trace.text)
    if let context = submission.clientContext {
      headers.add(name: "Lambda-Runtime-Client-Context", value: context)
    }
    return HTTPResponse(status: .ok, headers: headers, body: submission.payload)
  }
}

extension HostCore {
  /// Somebody connected to an instance's APIs.
  ///
  /// - Returns: The answer to a process that may not connect; `nil` lets it in.
  func visited(by peer: SocketAddress?, _ function: FunctionIndex, _ key: InstanceKey) -> HTTPResponse? {
    guard configuration.isolation != .none, let instance = self[function].instances[key], let server = instance.server
    else { return nil }
    let port = peer?.port ?? 0
    switch InstanceVisitors.standing(of: peer, at: server.localAddress, in: instance.sandbox) {
    case .admitted: instance.gonePorts.remove(port)
    case .gone where instance.gonePorts.count < InstanceVisitors.gonePortsMax: instance.gonePorts.insert(port)
    case .gone, .stranger: return InstanceVisitors.refusal
    }
    return nil
  }

  /// A call of an instance's runtime.
  func runtimeCalled(
    _ request: HTTPRequest, _ promise: EventLoopPromise<HTTPResponse>, _ function: FunctionIndex, _ key: InstanceKey
  ) {
    guard let instance = self[function].instances[key] else {
      promise.succeed(RuntimeAPI.error(.forbidden, "InvalidStateTransition", "This instance has ended."))
      return
    }
    let errorType = request.headers.first(name: "Lambda-Runtime-Function-Error-Type")
    let route = RuntimeAPI.route(request.method, request.path, errorType: errorType)
    if !instance.gonePorts.isEmpty, instance.gonePorts.contains(request.remoteAddress?.port ?? 0),
      !InstanceVisitors.takesFromGone(route)
    {
      return promise.succeed(InstanceVisitors.refusal)
    }
    switch route {
    case .call(let call): take(call, request, promise, from: instance)
    case .ping: promise.succeed(.text(.ok, "pong"))
    case .warmUp: promise.succeed(takeWarmUp(request.body, from: instance))
    case .configuration: promise.succeed(takeConfiguration(request.body, from: instance))
    case .telemetry: promise.succeed(subscribe(request, isLogs: false, in: instance))
    case .logs: promise.succeed(subscribe(request, isLogs: true, in: instance))
    case .extensions(let route): extensionCalled(route, request, promise, from: instance)
    case .unknown: promise.succeed(RuntimeAPI.unknownPath)
    }
  }

  /// A body over what is read at all: told by its head.
  func runtimeSentTooMuch(_ request: HTTPRequest, _ function: FunctionIndex, _ key: InstanceKey) -> HTTPResponse {
    guard let instance = self[function].instances[key] else { return RuntimeAPI.tooLarge }
    if case .call(.response(let id)) = RuntimeAPI.route(request.method, request.path, errorType: nil) {
      let step = instance.machine.take(.response(id), at: clock.now())
      follow(step, with: .failure(.answerTooLarge()), from: instance)
    }
    return InstanceLimits.tooLarge(request)
  }

  /// The runtime closed its connection in the middle of what it sent.
  func runtimeSentTooLittle(_ request: HTTPRequest, _ function: FunctionIndex, _ key: InstanceKey) -> HTTPResponse {
    guard let instance = self[function].instances[key] else { return RuntimeAPI.truncated }
    if case .call(.response(let id)) = RuntimeAPI.route(request.method, request.path, errorType: nil) {
      let step = instance.machine.take(.response(id), at: clock.now())
      follow(step, with: .failure(.truncated(id)), from: instance)
    }
    return RuntimeAPI.truncated
  }

  private func take(
    _ call: InstanceMachine.Call, _ request: HTTPRequest, _ promise: EventLoopPromise<HTTPResponse>,
    from instance: Instance
  ) {
    let isTooLarge = request.body.readableBytes > PayloadLimits.answerBytesMax
    let result = result(of: call, request, isTooLarge: isTooLarge)
    let step = instance.machine.take(call, at: clock.now())
    if case .answered = step.effect { noteAnswer(request, result, from: instance, at: clock.now()) }
    switch step.reply {
    case .accepted: promise.succeed(isTooLarge ? RuntimeAPI.tooLarge : answer(to: call, request))
    case .wait: instance.parked = ParkedCall(request, promise)
    case .waitsAlready: park(request, promise, in: instance)
    case .sameEvent: promise.succeed(instance.event ?? refusal(from: "RuntimeRunning", to: "RuntimeReady"))
    case .invalidRequestID:
      promise.succeed(RuntimeAPI.error(.badRequest, "InvalidRequestID", "Invalid request ID"))
    case .invalidState(let from, let to): promise.succeed(refusal(from: from, to: to))
    }
    follow(step, with: result, from: instance)
  }

  /// A runtime that lost its connection asks again; any other call beside the one that waits changes nothing.
  private func park(_ request: HTTPRequest, _ promise: EventLoopPromise<HTTPResponse>, in instance: Instance) {
    let refused = refusal(from: "RuntimeReady", to: "RuntimeReady")
    if let parked = instance.parked {
      guard InstanceVisitors.isGone(parked.peer, from: instance.server?.localAddress) else {
        return promise.succeed(refused)
      }
      parked.succeed(refused)
    }
    instance.parked = ParkedCall(request, promise)
  }

  private func result(of call: InstanceMachine.Call, _ request: HTTPRequest, isTooLarge: Bool) -> InvocationResult {
    if isTooLarge { return .failure(.answerTooLarge()) }
    switch call {
    case .response:
      if let mode = request.headers.first(name: "Lambda-Runtime-Function-Response-Mode"), mode != "streaming" {
        return .failure(.invalidResponseMode(mode))
      }
      return .success(request.body)
    case .error(_, isHandlerTimeout: true): return .failure(.handlerTimeout(request.body))
    case .initializationError:
      let type = request.headers.first(name: "Lambda-Runtime-Function-Error-Type")
      return .failure(.reported(request.body, errorType: FunctionFault.normalizedErrorType(type)))
    case .error, .next, .overlapEnded: return .failure(.reported(request.body))
    }
  }

  private func answer(to call: InstanceMachine.Call, _ request: HTTPRequest) -> HTTPResponse {
    if case .response = call, let mode = request.headers.first(name: "Lambda-Runtime-Function-Response-Mode"),
      mode != "streaming"
    {
      return RuntimeAPI.error(.badRequest, "InvalidFunctionResponseMode", "Invalid function response mode \(mode)")
    }
    return RuntimeAPI.accepted
  }

  private func refusal(from: String, to: String) -> HTTPResponse {
    RuntimeAPI.error(
      .forbidden, "InvalidStateTransition",
      "State transition from \(from) to \(to) failed for runtime. Error: State transition is not allowed")
  }

  /// Does what the state machine said follows from a call.
  private func follow(_ step: InstanceMachine.Step, with result: InvocationResult, from instance: Instance) {
    let now = clock.now()
    // The invocation's end before the end of its overlap: a reader of the events meets them in the order of their causes.
    switch step.effect {
    case .nothing: break
    case .initialized:
      tellRuntimeInitialized(instance, .success, nil, at: now)
      if !awaitExtensions(of: instance) { initialized(instance, at: now) }
    case .available:
      tellRuntimeDone(instance, .success, nil, at: now)
      if !awaitExtensions(of: instance) { settled(instance, at: now) }
    case .answered:
      // It may be large, and is not handed out again.
      instance.event = nil
      if let invocation = instance.invocation { finish(invocation, in: instance, result, at: now) }
      poolAnswered(instance, at: now)
    case .initializationFailed:
      // It ends by itself; the grace lets it write why.
      initializationFailed(instance, .error, at: now, killAfter: .milliseconds(500)) { _ in
        guard case .failure(let fault) = result else { return .reported(ByteBuffer()) }
        return fault
      }
    }
    if let request = step.overlapEnded { overlapEnded(request, in: instance, at: now) }
  }

  /// Runtime and extensions are done with an invocation.
  func settled(_ instance: Instance, at now: Timestamp) {
    instance.machine.settle()
    instance.restartTimer(nil)
    tellReport(instance, .success, nil, at: now)
    releaseHeldSlot(of: instance)
    if !instance.eventIDs.isEmpty {
      instance.eventIDs = instance.eventIDs.filter { instance.machine.isOverlapping($0.key) }
    }
    poolBecameAvailable(instance, at: now)
  }

  private func takeWarmUp(_ body: ByteBuffer, from instance: Instance) -> HTTPResponse {
    var duration: Int64?
    var succeeded = true
    let isObject = body.readObject { (reader: inout JSONReader, name: String) throws(JSONError) in
      switch name {
      case "durationNanoseconds": duration = try reader.integerOrOther()
      case "error":
        succeeded = try reader.kind() == .null
        try reader.skip()
      default: try reader.skip()
      }
    }
    guard isObject, let duration, duration >= 0 else {
      return RuntimeAPI.error(.badRequest, "InvalidWarmUp", "durationNanoseconds must be a whole number of at least 0.")
    }
    let now = clock.now()
    guard let began = instance.machine.warmUpPossibleSince else {
      return RuntimeAPI.error(
        .forbidden, "InvalidStateTransition",
        "A warm-up is a part of the initialization: report it once, before the first call of next.")
    }
    let passed = now - began
    guard Nanoseconds(duration) <= passed else {
      return RuntimeAPI.error(
        .badRequest, "InvalidWarmUp",
        "A warm-up of \(duration) ns is longer than the initialization that it is a part of, which began \(passed.count) ns ago."
      )
    }
    instance.machine.warmUp()
    emit(instance, .warmedUp(WarmedUp(time: now, duration: Nanoseconds(duration), succeeded: succeeded)))
    return RuntimeAPI.accepted
  }

  private func takeConfiguration(_ body: ByteBuffer, from instance: Instance) -> HTTPResponse {
    var memoryBytes: Int64?
    var timeout: Nanoseconds?
    let isObject = body.readObject { (reader: inout JSONReader, name: String) throws(JSONError) in
      switch name {
      case "memoryBytes": memoryBytes = try reader.integerOrOther()
      case "timeoutNanoseconds": timeout = try reader.integerOrOther().map(Nanoseconds.init)
      default: try reader.skip()
      }
    }
    guard isObject, memoryBytes.map({ (1...FunctionConfiguration.memoryBytesMax).contains($0) }) ?? true,
      timeout.map({ $0 > .zero && $0 <= FunctionConfiguration.timeoutMax }) ?? true
    else {
      return RuntimeAPI.error(
        .badRequest, "InvalidConfiguration",
        "memoryBytes must be 1 to \(FunctionConfiguration.memoryBytesMax), timeoutNanoseconds above 0 to 900 s.")
    }
    self[instance.function].codeMemoryBytes = memoryBytes ?? self[instance.function].codeMemoryBytes
    self[instance.function].codeTimeout = timeout ?? self[instance.function].codeTimeout
    tellLimits(of: instance.function, at: clock.now())
    return RuntimeAPI.accepted
  }
}
