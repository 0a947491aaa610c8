import HTTPServer
import HostRules
import LambdaAPI
import Lifecycle
import NIOCore
import NIOHTTP1
import QueueAPI

/// A request of a caller, with what answers it.
struct FrontCall {
  var request: HTTPRequest
  var id: RequestID
  var promise: EventLoopPromise<HTTPResponse>

  /// The query's items, decoded.
  func query() throws(AWSError) -> [HTTPQueryItem] {
    guard let items = request.queryItems else { throw .badEscape }
    return items
  }
}

/// What callers ask a host for: function URLs, and AWS's Lambda API.
///
/// A host name of a function comes before every path: such a request is the function's, whatever it asks for.
struct FrontRoutes: RouteFinder {
  // Throws AWSError and nothing else; said so, it makes the compiler (6.3.1) crash.
  typealias Handler = @Sendable (isolated HostCore, FrontCall) throws -> Void

  static let shared = FrontRoutes()

  /// By `/url/NAME/…`, whatever the method; what stands behind the name is as sent.
  private let functionURL = Route<Handler>(
    "function-url", [], "/url/{name}/{rest*}", limits: payload, access: .ownRules
  ) { core, call in try core.front.serveFunctionURL(call, in: core) }
  /// SQS's API, whatever the path: clients send to the host, or to the address of a queue.
  private let queues = Route<Handler>(
    "queues", [.POST], "/{rest*}", limits: RouteLimits(bodyBytesMax: QueueCall.bodyBytesMax)
  ) { core, call in core.queues.operations.serve(call, in: core) }
  private let api = RouteTable<Handler>(
    WebSocketRoutes.all + ScheduleRoutes.all + QueueInspection.routes
      + ControlPlaneAPI.entries.map { entry in
        let operation = ControlPlaneOperation(rawValue: entry.operation)
        return Route(
          entry.operation, [HTTPMethod(rawValue: entry.method)], entry.path,
          limits: operation?.takesPayload ?? false ? payload : RouteLimits(bodyBytesMax: RequestBody.bytesMax),
          handler: handler(operation, named: entry.operation))
      },
    // Clients of some years ago ask for some paths with a slash at the end.
    toleratesSlash: true)

  /// What is handed to a function.
  private static let payload = RouteLimits(bodyBytesMax: PayloadLimits.answerBytesMax)

  private static func handler(_ operation: ControlPlaneOperation?, named name: String) -> Handler {
    switch operation {
    case nil: { _, _ in throw AWSError.notImplemented(ControlPlane.sentence(about: name)) }
    case .invoke: { core, call in try core.front.serveInvoke(core.target(of: call), call, in: core) }
    case .invokeAsync: { core, call in try core.front.serveInvokeAsync(core.target(of: call), call, in: core) }
    case .invokeWithResponseStream:
      { core, call in try core.front.serveInvokeWithResponseStream(core.target(of: call), call, in: core) }
    case let operation?: { core, call in try core.controlPlane.serve(operation, call, in: core) }
    }
  }

  /// `POST /-/reload`, as servers of Prometheus' kind have it.
  private let reload = Route<Handler>(
    "reload", [.POST], "/-/reload", limits: RouteLimits(bodyBytesMax: RequestBody.bytesMax)
  ) { core, call in try core.front.serveReload(call) }

  /// The position of function URLs; those of the API begin at 0.
  private var positionOfURL: Int { api.routes.count }
  private var positionOfReload: Int { positionOfURL + 1 }
  private var positionOfQueues: Int { positionOfURL + 2 }

  subscript(position: Int) -> Route<Handler> {
    switch position {
    case positionOfURL: functionURL
    case positionOfReload: reload
    case positionOfQueues: queues
    default: api[position]
    }
  }

  var names: [String] { api.names + [functionURL.name, reload.name, queues.name] }

  var headerBytesMax: Int { 0 }

  func limits(of position: Int) -> RouteLimits { self[position].limits }

  func find(_ head: HTTPRequestHead) -> RouteMatch {
    let path = head.uri.utf8.firstIndex(of: UInt8(ascii: "?")).map { String(head.uri[..<$0]) } ?? head.uri
    if let target = FunctionURLTarget(host: head.headers.first(name: "Host") ?? "", path: path) {
      return RouteMatch(.found(positionOfURL), parameters: target.parameters)
    }
    if path == "/-/reload" {
      return RouteMatch(
        head.method == .POST ? .found(positionOfReload) : .wrongMethod(allowed: [.POST]), parameters: [])
    }
    if head.method == .POST,
      head.headers.first(name: "X-Amz-Target")?.hasPrefix(QueueCall.targetPrefix) ?? false
    {
      return RouteMatch(.found(positionOfQueues))
    }
    return api.find(head)
  }
}

extension HTTPRequest {
  /// The route that it is for; `nil` if it is for none.
  var frontRoute: Route<FrontRoutes.Handler>? { route.position.map { FrontRoutes.shared[$0] } }
}

extension HostCore {
  /// The function that a call names, and the version that its qualifier stands for.
  func target(of call: FrontCall) throws(AWSError) -> FunctionTarget {
    let qualifier = try call.query().first { $0.name == "Qualifier" }?.value
    return try target(call.request.route.parameters.first ?? "", qualifier: qualifier)
  }
}

extension AWSError {
  static let badEscape = AWSError.invalidParameter(
    "The path or the query has an escape that is malformed or not UTF-8.")

  /// For a method or a path that there is not.
  static func noRoute(_ request: HTTPRequest) -> AWSError {
    if case .malformed = request.route.outcome { return .badEscape }
    let opening = "This host does not implement \(request.method) \(request.path); "
    if case .wrongMethod(let allowed) = request.route.outcome {
      return .notImplemented(opening + "the path has \(allowed.map(\.rawValue).sorted().joined(separator: ", ")).")
    }
    return .notImplemented(
      opening + "it has AWS Lambda's API for functions, such as "
        + "POST /2015-03-31/functions/{name}/invocations, and function URLs under /url/{name}/.")
  }
}
