import Text
import HTTPServer
import HostRules
import LambdaAPI
import LambdaRecords
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
      core.assumeIsolated { $0.runtimes.runtimeSentTooMuch(request, function, key, in: $0) }
    }
    answers.bodyTruncated = { request in
      core.assumeIsolated { $0.runtimes.runtimeSentTooLittle(request, function, key, in: $0) }
    }
    answers.stranger = { peer in core.assumeIsolated { $0.runtimes.visited(by: peer, function, key, in: $0) } }
    let bind = { @Sendable [limits, answers] (address: String) -> EventLoopFuture<HTTPServer> in
      HTTPServer.bind(
        host: address, port: 0, on: core.loop, limits: limits, answers: answers, logger: core.logger
      ) { request, loop in
        let promise = loop.makePromise(of: HTTPResponse.self)
        core.assumeIsolated { $0.runtimes.runtimeCalled(request, promise, function, key, in: $0) }
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
