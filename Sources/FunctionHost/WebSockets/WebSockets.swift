import HTTPServer
import HostRules
import LambdaAPI
import Lifecycle
import Logging
import NIOCore
import NIOHTTP1
import WebSocketServer

/// The WebSocket APIs of a host: clients connect at `/ws/NAME`, and functions answer them. Used on the host's loop.
///
/// Functions are known by name alone, and looked up for each event. Messages of one connection are handled beside each other, as in API
/// Gateway: each is given to its function when it comes, and answers go back as they are there.
final class WebSockets {
  /// Those of the configuration, and those that were removed from it and of which something is still there.
  private var apis: [String: WebSocketAPI]
  private var sessions: [GatewayID: WebSocketSession] = [:]
  /// The most connections of all APIs together: the rest is for callers who do not stay.
  private let connectionsMax: Int
  private var taken = 0
  /// Clients that wait for their answer to `$connect` and are still there.
  private var pending: Set<GatewayID> = []
  /// Whether the event that was submitted last was refused at once.
  private var wasRefused = false

  init(_ configuration: HostConfiguration, connectionsMax: Int) {
    apis = Dictionary(uniqueKeysWithValues: configuration.webSockets.map { ($0.name, WebSocketAPI($0)) })
    self.connectionsMax = connectionsMax
  }

  /// The configuration has changed: connections stay, and what comes over them goes where it says now. Those of an API that is gone are
  /// closed.
  func take(_ configuration: HostConfiguration) {
    for api in apis.values { api.isConfigured = false }
    for specification in configuration.webSockets {
      let api = apis[specification.name] ?? WebSocketAPI(specification)
      api.specification = specification
      api.isConfigured = true
      apis[specification.name] = api
    }
    apis = apis.filter { $1.isConfigured || !$1.isOver }
    for session in sessions.values where !session.api.isConfigured {
      session.connection?.close(.goingAway)
    }
  }

  /// Tells what is going on now: at a start nothing, whatever an earlier process left behind.
  func announce(in host: isolated HostCore) {
    let now = host.clock.now()
    for (_, api) in apis.sorted(by: { $0.key < $1.key }) {
      host.tell(
        api.source, at: now, [.level(.connections, Int64(api.open)), .level(.inFlight, Int64(api.inFlight))])
    }
  }

  /// The API that clients know by this name.
  private func configured(_ name: String) -> WebSocketAPI? { apis[name].flatMap { $0.isConfigured ? $0 : nil } }

  // MARK: Handshakes

  /// Which web pages may connect beside the host's own; `nil` if there is no such API.
  func allowedOrigins(of name: String) -> [String]? { configured(name)?.specification.allowOrigins }

  /// A web page that may not connect was turned away.
  func refusedPage(at name: String, in host: isolated HostCore) { configured(name)?.refused(in: host) }

  /// Answers a client that asks for a connection, now or when `$connect` has been answered.
  func serveConnect(_ call: FrontCall, in host: isolated HostCore) throws(AWSError) {
    guard let name = call.request.route.parameters.first, let api = configured(name) else {
      throw .notFound(
        "There is no WebSocket API '\(call.request.route.parameters.first ?? "")'; kelvin.yaml has those below websockets."
      )
    }
    let handshake: WebSocketHandshake
    do throws(WebSocketHandshake.Problem) {
      handshake = try WebSocketHandshake(call.request)
    } catch {
      api.refused(in: host)
      return call.promise.succeed(error.answer)
    }
    guard api.taken < api.specification.connectionsMax, taken < connectionsMax else {
      api.refused(in: host)
      throw .tooManySockets
    }
    let identity = identity(of: call, api, in: host)
    api.taken += 1
    taken += 1
    pending.insert(identity.id)
    let connect = PendingConnect(handshake: handshake, identity: identity, promise: call.promise)
    // Whatever becomes of it, the client is gone then.
    call.request.connectionClosed.assumeIsolated().whenComplete { [core = host] _ in
      core.assumeIsolated { $0.webSockets.channelClosed(identity.id, of: name, in: $0) }
    }
    do throws(AWSError) {
      try submitConnect(connect, call, api, in: host)
    } catch {
      api.refused(in: host)
      throw error
    }
  }

  private func submitConnect(
    _ connect: PendingConnect, _ call: FrontCall, _ api: WebSocketAPI, in host: isolated HostCore
  ) throws(AWSError) {
    guard let function = api.specification.routes[WebSocketRouteKey.connect] else {
      return accept(connect, answer: nil, in: host)
    }
    let trace = host.front.trace(of: call.request, call.id, in: host)
    let event = WebSocketEvent(
      .connect(call.request.headers, query: try call.query(), port: host.front.port, trace: trace),
      on: connect.identity, request: GatewayID(using: &host.generator), at: host.clock.now())
    let submission = try submission(
      of: event, to: function, api, request: call.id, trace: trace,
      completion: ConnectCompletion(connect: connect), in: host)
    host.submit(submission)
  }

  private func identity(of call: FrontCall, _ api: WebSocketAPI, in host: isolated HostCore) -> WebSocketIdentity {
    WebSocketIdentity(
      id: GatewayID(using: &host.generator), api: api.specification.name,
      domainName: call.request.headers.first(name: "Host") ?? "", connectedAt: host.clock.now(),
      sourceAddress: call.request.remoteAddress?.ipAddress ?? "",
      userAgent: call.request.headers.first(name: "User-Agent") ?? "")
  }

  /// Opens a connection.
  ///
  /// - Parameter answer: What `$connect` answered, if it was asked.
  func accept(_ connect: PendingConnect, answer: HTTPResponse?, in host: isolated HostCore) {
    // A reload may have taken it away meanwhile.
    guard let api = configured(connect.identity.api) else {
      return connect.promise.succeed(AWSError.gone.response(host.newRequestID()))
    }
    let chosen = answer?.headers.first(name: "Sec-WebSocket-Protocol")
    if let chosen, !connect.handshake.protocols.contains(chosen) {
      host.logger.warning(
        "A function chose a subprotocol that its client did not offer, so no connection was made.",
        metadata: ["websocket": "\(api.specification.name)", "subprotocol": "\(chosen.prefix(100))"])
      return refuse(connect, AWSError.badSubprotocol.response(host.newRequestID()), in: host)
    }
    let id = connect.identity.id
    sessions[id] = WebSocketSession(connect.identity, api, at: host.clock.now())
    api.connected(in: host)
    guard pending.remove(id) != nil else {
      // The client has gone meanwhile. The function takes it for connected, so it is told of the end.
      connect.promise.succeed(AWSError.gone.response(host.newRequestID()))
      return ended(id, .lost, in: host)
    }
    let (limits, budget) = (api.specification.limits, host.callersBudget)
    connect.promise.succeed(
      connect.handshake.accept(subprotocol: chosen) { [core = host] channel in
        let connection = try WebSocketConnection(
          channel, limits: limits, receiver: WebSocketSessionReceiver(host: core, id: id), budget: budget)
        core.assumeIsolated { $0.webSockets.sessions[id]?.connection = connection }
      })
  }

  /// Answers a client that gets no connection.
  func refuse(_ connect: PendingConnect, _ response: HTTPResponse, in host: isolated HostCore) {
    apis[connect.identity.api]?.refused(in: host)
    connect.promise.succeed(response)
  }

  // MARK: Messages

  func received(_ message: WebSocketMessage, on id: GatewayID, in host: isolated HostCore) {
    guard let session = sessions[id] else { return }
    let (api, now) = (session.api, host.clock.now())
    let routes = api.specification.routes
    let key = message.isText ? api.specification.key.key(in: message.data) : nil
    let routeKey = key.flatMap { $0.hasPrefix("$") || routes[$0] == nil ? nil : $0 } ?? WebSocketRouteKey.other
    let request = GatewayID(using: &host.generator)
    let reply = WebSocketReply(connection: id, request: request)
    guard let function = routes[routeKey] else {
      api.undelivered(.failed, at: now, in: host)
      return finish(
        reply, error: "No route takes this message: there is no $default.", gatewayText: "Forbidden", in: host)
    }
    let event = WebSocketEvent(
      .message(
        message.data, isText: message.isText, id: GatewayID(using: &host.generator), routeKey: routeKey),
      on: session.identity, request: request, at: now)
    do throws(AWSError) {
      guard !host.isStopping else { throw .stopping }
      let requestID = host.newRequestID()
      var submission = try submission(
        of: event, to: function, api, request: requestID, trace: TraceID(sent: nil, of: requestID, at: now),
        completion: DisconnectCompletion(), in: host)
      let bytes = submission.payload.readableBytes
      guard host.bodies.callers(of: submission.function).reserve(bytes, of: bytes) else { throw .noRoom }
      submission.completion = MessageCompletion(reply: reply, api: api.specification.name, hold: bytes)
      api.begin()
      wasRefused = false
      host.submit(submission)
      if !wasRefused { api.delivered(at: now, in: host) }
    } catch {
      api.undelivered(error.status == 503 ? .throttled : .failed, at: now, in: host)
      finish(reply, error: error.message, in: host)
    }
  }

  /// A message was refused for lack of concurrency.
  func throttled(
    _ message: MessageCompletion, _ reason: ThrottleReason, at now: Timestamp, in host: isolated HostCore
  ) {
    wasRefused = true
    apis[message.api]?.end()
    apis[message.api]?.undelivered(.throttled, at: now, in: host)
    finish(message.reply, error: AWSError.throttled(reason).message, in: host)
  }

  /// A message's function has answered, or has not.
  func finished(
    _ message: MessageCompletion, _ outcome: MessageCompletion.Outcome, _ times: InvocationTimes,
    in host: isolated HostCore
  ) {
    apis[message.api]?.end()
    apis[message.api]?.processed(outcome.counter, times, in: host)
    if let error = outcome.error { return finish(message.reply, error: error, in: host) }
    finish(message.reply, sending: outcome.data, isText: outcome.isText, in: host)
  }

  /// Tells a client that its message failed; the connection stays.
  private func finish(
    _ reply: WebSocketReply, error: String, gatewayText: String = "Internal server error", in host: isolated HostCore
  ) {
    guard let session = sessions[reply.connection] else { return }
    let document =
      switch session.api.specification.errorForm {
      case .kelvin: WebSocketError.document(error)
      case .gateway:
        WebSocketError.gatewayDocument(gatewayText, connection: reply.connection, request: reply.request)
      }
    finish(reply, sending: document, isText: true, in: host)
  }

  private func finish(
    _ reply: WebSocketReply, sending data: ByteBuffer?, isText: Bool, in host: isolated HostCore
  ) {
    guard let session = sessions[reply.connection], let connection = session.connection else { return }
    if let data { _ = send(data, isText: isText, to: session, in: host) }
    connection.messageDone()
  }

  /// - Returns: Whether the client is still there to be sent something.
  func send(_ data: ByteBuffer, isText: Bool, to session: WebSocketSession, in host: isolated HostCore) -> Bool {
    guard session.connection?.send(data, isText: isText) ?? false else { return false }
    session.api.sent(in: host)
    return true
  }

  /// The largest message of an API in either direction, in bytes.
  func messageBytesMax(of name: String) -> Int { apis[name]?.specification.limits.messageBytesMax ?? 0 }

  // MARK: The end

  /// A connection is closed: for `$disconnect`, which nobody waits for.
  func ended(_ id: GatewayID, _ close: WebSocketClose, in host: isolated HostCore) {
    guard let session = sessions.removeValue(forKey: id) else { return }
    let api = session.api
    api.disconnected(openedAt: session.openedAt, in: host)
    // A host that stops must not start instances any more.
    guard !host.isStopping, let function = api.specification.routes[WebSocketRouteKey.disconnect] else { return }
    let request = host.newRequestID()
    let now = host.clock.now()
    let event = WebSocketEvent(
      .disconnect(code: close.code, reason: close.reason), on: session.identity,
      request: GatewayID(using: &host.generator), at: now)
    guard
      let submission = try? submission(
        of: event, to: function, api, request: request, trace: TraceID(sent: nil, of: request, at: now),
        completion: DisconnectCompletion(), in: host)
    else { return }  // Its function is gone, and nobody is left to be told.
    host.submit(submission)
  }

  /// The socket of a client is closed.
  private func channelClosed(_ id: GatewayID, of name: String, in host: isolated HostCore) {
    taken -= 1
    pending.remove(id)
    apis[name]?.taken -= 1
    // One that was opened has said so itself.
    if let session = sessions[id], session.connection == nil { ended(id, .lost, in: host) }
  }

  // MARK: What others ask

  /// An open connection.
  func session(_ id: GatewayID) -> WebSocketSession? {
    guard let session = sessions[id], session.connection != nil else { return nil }
    return session
  }

  private func submission(
    of event: WebSocketEvent, to name: String, _ api: WebSocketAPI, request: RequestID, trace: TraceID,
    completion: any SubmissionCompletion, in host: isolated HostCore
  ) throws(AWSError) -> Submission {
    let target = try host.target(name, qualifier: Deployment.currentAlias)
    return Submission(
      request: request, function: target.index, version: target.version, trigger: .websocket,
      payload: event.document(), clientContext: nil, arn: target.arn, trace: trace,
      timeLimit: api.specification.timeout, completion: completion)
  }
}

/// A client whose `$connect` is being asked.
struct PendingConnect: Sendable {
  let handshake: WebSocketHandshake
  let identity: WebSocketIdentity
  let promise: EventLoopPromise<HTTPResponse>
}

/// What comes over a connection, for the host.
private struct WebSocketSessionReceiver: WebSocketReceiver {
  let host: HostCore
  let id: GatewayID

  func received(_ message: WebSocketMessage) {
    host.assumeIsolated { $0.webSockets.received(message, on: id, in: $0) }
  }

  func ended(_ close: WebSocketClose) { host.assumeIsolated { $0.webSockets.ended(id, close, in: $0) } }
}

extension AWSError {
  static let tooManySockets = AWSError(
    status: 503, code: "ServiceException",
    message: "As many WebSocket connections are open as there may be; try again in a moment.")

  static let badSubprotocol = AWSError(
    status: 502, code: "BadGatewayException",
    message: "$connect answered with a Sec-WebSocket-Protocol that the client did not offer.")
}
