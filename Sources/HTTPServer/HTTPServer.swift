public import Logging
public import NIOCore
internal import NIOHTTP1
internal import NIOPosix

/// A server of HTTP/1.1 on one address: keep-alive, pipelining, chunked requests, limits.
///
/// The handler is called on the event loop of the connection, one request of a connection at a time; its future may
/// complete at any later moment, on any loop. Given one loop, the server runs everything there.
public final class HTTPServer: Sendable {
  /// Answers a request. It is called on the loop it is given and must not block it.
  public typealias Handler = @Sendable (HTTPRequest, any EventLoop) -> EventLoopFuture<HTTPResponse>

  /// The address on which the server listens, with the port that was chosen if 0 was asked for.
  public let localAddress: SocketAddress

  private let channel: any Channel
  private let registry: ConnectionRegistry
  /// What this server did, and all others that count there.
  public let statistics: ListenerStatistics
  /// The file that goes with the server; `nil` unless it listens in the file system.
  private let socketPath: String?

  private init(
    channel: any Channel, address: SocketAddress, registry: ConnectionRegistry, statistics: ListenerStatistics,
    socketPath: String?
  ) {
    self.channel = channel
    self.registry = registry
    self.statistics = statistics
    self.socketPath = socketPath
    localAddress = address
  }

  /// Listens on an address and serves from then on.
  ///
  /// - Parameters:
  ///   - host: An IP address or a name that resolves to one of this machine. A name other than an address is looked up
  ///     before this returns, which may block.
  ///   - port: 0 to 65535; 0 lets the system choose.
  ///   - group: Where connections are served. One event loop is a group too: then all run on that loop.
  ///   - routes: The server finds the route of each request once, applies its limits, and hands it on in
  ///     ``HTTPRequest/route``. The handler also gets requests without a route. `nil`: no request has one.
  ///   - statistics: Counts what the server does; servers with the same routes may share one. `nil`: one of its own.
  ///   - secure: Puts what ciphers between a connection's socket and its other handlers; called on the connection's loop. If it throws, the
  ///     connection is closed. `nil`: nothing is ciphered.
  ///   - logger: Logs connections that cannot be accepted or set up, once a minute for each kind.
  /// - Returns: The server, or a failure with an ``HTTPServerError``.
  public static func bind(
    host: String, port: Int, on group: any EventLoopGroup, limits: HTTPServerLimits = HTTPServerLimits(),
    answers: HTTPServerAnswers = HTTPServerAnswers(), routes: (any RouteFinder)? = nil,
    statistics: ListenerStatistics? = nil, secure: (@Sendable (any Channel) throws -> Void)? = nil,
    logger: Logger? = nil, handler: @escaping Handler
  ) -> EventLoopFuture<HTTPServer> {
    let routes = routes ?? NoRoutes()
    let statistics = statistics ?? ListenerStatistics("", routes)
    let service = ConnectionService(
      limits: limits, answers: answers, routes: routes, statistics: statistics, secure: secure, handler: handler)
    return bind(host: host, port: port, on: group, service, logger: logger)
  }

  /// Listens at a path of the file system, for processes that may open it, and serves from then on.
  ///
  /// The file is made with mode 0600 before anybody can open it, and takes the place of one that nobody listens at any more.
  ///
  /// - Parameter path: At most ``UnixSocket/pathBytesMax`` bytes, in a folder that is there.
  /// - Returns: The server, or a failure with an ``HTTPServerError``.
  public static func bind(
    unixSocket path: String, on group: any EventLoopGroup, limits: HTTPServerLimits = HTTPServerLimits(),
    answers: HTTPServerAnswers = HTTPServerAnswers(), routes: (any RouteFinder)? = nil,
    statistics: ListenerStatistics? = nil, logger: Logger? = nil, handler: @escaping Handler
  ) -> EventLoopFuture<HTTPServer> {
    let routes = routes ?? NoRoutes()
    let statistics = statistics ?? ListenerStatistics("", routes)
    let service = ConnectionService(
      limits: limits, answers: answers, routes: routes, statistics: statistics, handler: handler)
    let place: UnixSocket.Place
    do throws(HTTPServerError) {
      place = try UnixSocket.Place(path)
    } catch {
      return group.any().makeFailedFuture(error)
    }
    return listen(ServerBootstrap(group: group), service, logger: logger, socketPath: path) {
      $0.bind(unixDomainSocketPath: place.temporaryPath)
    }.flatMapThrowing { server in
      // Until here nobody could reach it: the folder is ours alone.
      do throws(HTTPServerError) {
        try place.publish()
        return server
      } catch {
        server.channel.close(promise: nil)
        throw error
      }
    }.flatMapErrorThrowing { error in
      place.discard()
      throw error as? HTTPServerError
        ?? HTTPServerError(code: .failed, message: "Cannot listen at \(path).", cause: error)
    }
  }

  /// The same, with the option that every connection gets as a test wants it.
  static func bind(
    host: String, port: Int, on group: any EventLoopGroup, _ service: ConnectionService, logger: Logger?,
    childOption: (ChannelOptions.Types.SocketOption, SocketOptionValue) = (.tcpOption(.tcp_nodelay), 1)
  ) -> EventLoopFuture<HTTPServer> {
    guard (0...65535).contains(port) else {
      let error = HTTPServerError(code: .unknownHost, message: "Port \(port) is not a port: choose one of 0 to 65535.")
      return group.any().makeFailedFuture(error)
    }
    let bootstrap = ServerBootstrap(group: group)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(childOption.0, value: childOption.1)
    return listen(bootstrap, service, logger: logger) { $0.bind(host: host, port: port) }
      .flatMapErrorThrowing { error in
        throw error as? HTTPServerError ?? HTTPServerError(binding: host, port: port, cause: error)
      }
  }

  private static func listen(
    _ bootstrap: ServerBootstrap, _ service: ConnectionService, logger: Logger?, socketPath: String? = nil,
    _ bind: (ServerBootstrap) -> EventLoopFuture<any Channel>
  ) -> EventLoopFuture<HTTPServer> {
    let (limits, registry, statistics) = (service.limits, service.registry, service.statistics)
    let bootstrap =
      bootstrap
      .serverChannelOption(.backlog, value: CInt(clamping: max(1, limits.backlog)))
      .childChannelOption(.allowRemoteHalfClosure, value: limits.answersHalfClosed)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try service.take(channel) }
      }
    return bind(bootstrap)
      .flatMapThrowing { channel in
        guard let address = channel.localAddress else {
          throw HTTPServerError(code: .failed, message: "The server was closed while it started.")
        }
        // Behind NIO's own handler, which reports what it could not set up to those after it. We are still in the turn of the
        // loop in which the socket began to listen, so that none was accepted before.
        try channel.pipeline.syncOperations.addHandler(
          AcceptWatch(registry: registry, statistics: statistics, logger: logger))
        return HTTPServer(
          channel: channel, address: address, registry: registry, statistics: statistics, socketPath: socketPath)
      }
  }

  /// The port on which the server listens.
  public var port: Int { localAddress.port ?? 0 }

  /// The server's counts so far.
  public var counters: HTTPServerCounters { statistics.counters }

  /// Stops accepting; open connections are served on. Calling it again does nothing.
  public func close() -> EventLoopFuture<Void> {
    if let socketPath, channel.isActive { UnixSocket.remove(socketPath) }
    channel.close(promise: nil)
    return channel.closeFuture
  }

  /// Stops accepting, closes idle connections at once and the others after the answer they wait for, and those that have
  /// not come to that within `deadline` without an answer. Completes when all are closed; never fails.
  public func drain(within deadline: TimeAmount) -> EventLoopFuture<Void> {
    let loop = channel.eventLoop
    let registry = registry
    return close().flatMap {
      let channels = registry.beginDraining()
      for channel in channels { channel.pipeline.fireUserInboundEventTriggered(DrainEvent()) }
      let cut = loop.scheduleTask(in: deadline) {
        for channel in channels { channel.close(promise: nil) }
      }
      return EventLoopFuture<Void>.andAllComplete(channels.map(\.closeFuture), on: loop).always { _ in cut.cancel() }
    }
  }
}

/// Tells a connection that its server ends: close now if idle, else after the answer. The handlers of a protocol that
/// took a connection over get it as a user event, and have until the deadline to end by themselves.
public struct DrainEvent: Sendable {}

/// The state that all connections of a server share.
final class ConnectionService: Sendable {
  let limits: HTTPServerLimits
  let answers: HTTPServerAnswers
  let routes: any RouteFinder
  let statistics: ListenerStatistics
  let registry: ConnectionRegistry
  let handler: HTTPServer.Handler
  private let secure: (@Sendable (any Channel) throws -> Void)?

  init(
    limits: HTTPServerLimits, answers: HTTPServerAnswers, routes: any RouteFinder, statistics: ListenerStatistics,
    secure: (@Sendable (any Channel) throws -> Void)? = nil, handler: @escaping HTTPServer.Handler
  ) {
    self.secure = secure
    self.limits = limits
    self.answers = answers
    self.routes = routes
    self.statistics = statistics
    registry = ConnectionRegistry(
      connectionsMax: limits.connectionsMax, closesIdle: limits.closesIdle, statistics)
    self.handler = handler
  }

  /// Sets up an accepted connection; called on its loop.
  func take(_ channel: any Channel) throws {
    try secure?(channel)
    guard let stranger = answers.stranger else { return try admit(channel) }
    // Where it comes from is known once it is active.
    try channel.pipeline.syncOperations.addHandler(PeerGate(service: self, stranger: stranger))
  }

  /// Answers a connection that is not served.
  func turnAway(_ channel: any Channel, with answer: HTTPResponse) throws {
    guard registry.admitStranger(channel) else { return channel.close(promise: nil) }
    channel.closeFuture.whenComplete { [registry] _ in registry.remove(channel) }
    try channel.pipeline.syncOperations.addHandler(
      ConnectionHandler(service: self, entry: nil, progress: HeadProgress(nil), refusal: answer))
  }

  func admit(_ channel: any Channel) throws {
    let pipeline = channel.pipeline.syncOperations
    let admission = registry.admit(channel)
    if case .close = admission {
      channel.close(promise: nil)
      return
    }
    channel.closeFuture.whenComplete { [registry] _ in registry.remove(channel) }
    let progress = HeadProgress(limits.bodyBudget)
    guard case .serve(let entry, let other) = admission else {
      try pipeline.addHandler(
        ConnectionHandler(service: self, entry: nil, progress: progress, refusal: answers.tooManyConnections()))
      return
    }
    other?.channel.pipeline.fireUserInboundEventTriggered(MakeRoomEvent())
    try pipeline.addHandlers([
      ByteToMessageHandler(RequestDecoder(limits, routes, progress)),
      ConnectionHandler(service: self, entry: entry, progress: progress, refusal: nil),
    ])
  }
}
