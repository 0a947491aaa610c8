public import NIOCore
internal import NIOHTTP1

/// What a server takes before it turns a peer away. Everything turned away is counted in ``HTTPServerCounters``.
public struct HTTPServerLimits: Sendable {
  /// The largest request body, in bytes. A larger one is answered with ``HTTPServerAnswers/bodyTooLarge``: at once if its
  /// `Content-Length` tells, else as soon as that many bytes have arrived.
  public var bodyBytesMax = 6 * 1024 * 1024
  /// The largest sum of request target, header names and values, in bytes; above: 431.
  public var headerBytesMax = 64 * 1024
  /// The most header fields; above: 431.
  public var headerCountMax = 200
  /// The most connections open at once. One more is answered 503 and closed.
  public var connectionsMax = 4096
  /// The most connections that wait to be accepted; the system may hold it to less (`net.core.somaxconn`).
  public var backlog = 1024
  /// How long a connection may stay open between an answer and the end of the next request's head. Also bounds how long
  /// a head may take to arrive.
  public var idleTimeout = TimeAmount.seconds(75)
  /// How long a request's body may take to arrive from its head on (then 408), and how long a peer may take to accept
  /// an answer larger than the socket buffers (then the connection is closed).
  public var transferTimeout = TimeAmount.seconds(30)

  /// Whether a peer that closed its sending side still gets its answers. The price is that a peer that went away altogether
  /// is noticed only when it is answered.
  public var answersHalfClosed = false

  /// The limits above.
  public init() {}
}

/// The answers that a server gives by itself; a front replaces them with the shapes that its clients know.
public struct HTTPServerAnswers: Sendable {
  /// To a request whose body is over the limit. The connection is closed after it. Default: 413.
  public var bodyTooLarge: @Sendable (HTTPRequest) -> HTTPResponse = { _ in
    .text(.payloadTooLarge, "The request body is too large.\n")
  }
  /// To a request whose peer closed before its body was whole, for what it is worth: only a peer that closed no more than its
  /// sending side can read it, see ``HTTPServerLimits/answersHalfClosed``. The request's body is what came. Default: 400.
  public var bodyTruncated: @Sendable (HTTPRequest) -> HTTPResponse = { _ in
    .text(.badRequest, "The request ended before its body was whole.\n")
  }
  /// To a connection above ``HTTPServerLimits/connectionsMax``, which is closed after it. Default: 503.
  public var tooManyConnections: @Sendable () -> HTTPResponse = {
    .text(.serviceUnavailable, "Too many connections are open; try again in a moment.\n")
  }
  /// To whoever has just connected, before anything is read; the connection is closed after it and takes no place of those that
  /// are served. Called once for each connection, with where it comes from, on the connection's loop; it must not block.
  /// `nil` lets it in. Default: everybody is let in, and nobody is asked.
  public var stranger: (@Sendable (SocketAddress?) -> HTTPResponse?)?
  /// To a request whose handler's future failed. Default: 500, without the error's text.
  public var handlerFailed: @Sendable (any Error) -> HTTPResponse = { _ in
    .text(.internalServerError, "The server failed to answer this request.\n")
  }

  /// The answers above.
  public init() {}
}

/// What a server did since it was started; each only grows, but for ``connectionsOpen``.
public struct HTTPServerCounters: Equatable, Sendable {
  /// Connections accepted, those refused included.
  public var connectionsAccepted = 0
  /// Connections open now.
  public var connectionsOpen = 0
  /// Connections refused because of ``HTTPServerLimits/connectionsMax``, or as ``HTTPServerAnswers/stranger``.
  public var connectionsRefused = 0
  /// Requests handed to the handler.
  public var requests = 0
  /// Requests refused as malformed, with too many headers, or with a body over the limit.
  public var requestsRefused = 0
  /// Connections closed because a request or the taking of an answer took too long.
  public var transfersTimedOut = 0
  /// Answers that nobody waited for any more when they came.
  public var answersDropped = 0
}
