import HTTPServer
import LambdaAPI
import Lifecycle
import NIOCore
import NIOHTTP1
import Text
import WebSocketServer

/// Where WebSockets begin, and API Gateway's API for those that are open.
enum WebSocketRoutes {
  /// The name of the route where connections begin.
  static let connect = "websocket"

  static var all: [Route<FrontRoutes.Handler>] {
    let connect = Route<FrontRoutes.Handler>(
      connect, [.GET], "/ws/{name}", limits: RouteLimits(upgrades: [WebSocketHandshake.protocolName])
    ) { core, call in try core.webSockets.serveConnect(call, in: core) }
    // What stands before is a stage, of whatever name: connections have ids of their own.
    let paths = ["/@connections/{id}", "/{}/@connections/{id}"]
    return [connect] + paths.flatMap { path in ConnectionOperation.allCases.map { $0.route(path) } }
  }
}

/// What API Gateway's management API does with an open connection, by its names.
enum ConnectionOperation: String, CaseIterable {
  case post = "PostToConnection"
  case get = "GetConnection"
  case delete = "DeleteConnection"

  /// The largest message that can be configured, in bytes.
  static let messageBytesMax = 1 << 20

  fileprivate func route(_ path: String) -> Route<FrontRoutes.Handler> {
    let limits = RouteLimits(bodyBytesMax: self == .post ? ConnectionOperation.messageBytesMax : 0)
    return switch self {
    case .post:
      Route(rawValue, [.POST], path, limits: limits) { core, call in try core.webSockets.post(call, in: core) }
    case .get: Route(rawValue, [.GET], path, limits: limits) { core, call in try core.webSockets.get(call, in: core) }
    case .delete:
      Route(rawValue, [.DELETE], path, limits: limits) { core, call in try core.webSockets.delete(call, in: core) }
    }
  }
}

extension WebSockets {
  private func session(of call: FrontCall) throws(AWSError) -> (WebSocketSession, WebSocketConnection) {
    let text = call.request.route.parameters.last ?? ""
    guard let id = GatewayID(text) else { throw .invalidConnection(text) }
    guard let session = session(id), let connection = session.connection else { throw .gone }
    return (session, connection)
  }

  /// Sends a client what the body is: text if it is UTF-8, else bytes.
  fileprivate func post(_ call: FrontCall, in host: isolated HostCore) throws(AWSError) {
    let (session, _) = try session(of: call)
    let data = call.request.body
    let limit = session.api.specification.limits.messageBytesMax
    guard data.readableBytes <= limit else { throw .messageTooLarge(limit: limit) }
    var validation = UTF8Validation()
    let isText = validation.append(data.readableBytesUInt8Span) && validation.isComplete
    guard send(data, isText: isText, to: session, in: host) else { throw .gone }
    call.promise.succeed(call.answer(.ok))
  }

  fileprivate func get(_ call: FrontCall, in host: isolated HostCore) throws(AWSError) {
    let (session, connection) = try session(of: call)
    let identity = session.identity
    let lastActiveAt = host.clock.now() - connection.idle
    var response = call.answer(.ok)
    var writer = JSONWriter()
    writer.object {
      $0.member("connectedAt", RFC3339.milliseconds(nanoseconds: identity.connectedAt.nanoseconds))
      $0.key("identity")
      $0.object {
        $0.member("sourceIp", identity.sourceAddress)
        $0.member("userAgent", identity.userAgent)
      }
      $0.member("lastActiveAt", RFC3339.milliseconds(nanoseconds: lastActiveAt.nanoseconds))
    }
    response.headers.add(name: "Content-Type", value: "application/json")
    response.body = writer.buffer
    call.promise.succeed(response)
  }

  fileprivate func delete(_ call: FrontCall, in host: isolated HostCore) throws(AWSError) {
    try session(of: call).1.close(.normal)
    call.promise.succeed(call.answer(.noContent))
  }
}

extension FrontCall {
  fileprivate func answer(_ status: HTTPResponseStatus) -> HTTPResponse {
    HTTPResponse(status: status, headers: ["x-amzn-RequestId": id.value.uuidText])
  }
}
