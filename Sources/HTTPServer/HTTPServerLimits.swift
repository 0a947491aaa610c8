public import NIOCore
public import NIOHTTP1

/// The limits of a server. ``HTTPServerCounters`` counts everything that the server refuses because of them.
public struct HTTPServerLimits: Sendable {
  /// The largest body of a request without a route, in bytes; each route has a limit of its own. A larger one is
  /// answered with ``HTTPServerAnswers/bodyTooLarge``: at once if its `Content-Length` tells, else as soon as that many
  /// bytes have arrived. With 0, requests have no body: one that has is
  /// answered with ``HTTPServerAnswers/bodyNotTaken`` before it is read.
  public var bodyBytesMax = 6 * 1024 * 1024
  /// The memory that bodies and large heads in flight share, with whatever else the budget was handed to. `nil`: no bound
  /// in sum.
  public var bodyBudget: BodyBudget?
  /// Whether a body for which there is no room waits, unread, for up to ``transferTimeout``; else it is answered with
  /// ``HTTPServerAnswers/noRoom`` at once.
  public var waitsForRoom = false
  /// The memory that the body of one request is taken from, asked for by its head and its route, for requests with a body over
  /// ``bodyBytesUnasked``. `nil`: ``bodyBudget`` holds for all. Called on the connection's loop.
  public var budgetOf: (@Sendable (HTTPRequestHead, RouteMatch) -> BodyBudget)?
  /// A body whose `Content-Length` is up to this many bytes is taken from ``bodyBudget``, whatever it is for.
  public var bodyBytesUnasked = 0
  /// The largest sum of request target, header names and values, in bytes, unless a route has a limit of its own; above: 431.
  public var headerBytesMax = 64 * 1024
  /// The most header fields; above: 431.
  public var headerCountMax = 200
  /// The most connections open at once. For one more, one that waits for a request is closed (``closesIdle``), or else the new
  /// one is answered 503 and closed.
  public var connectionsMax = 4096
  /// Whether a new connection over ``connectionsMax`` takes the place of one whose peer has sent no whole request: the one that
  /// is silent for longest, or nearly.
  public var closesIdle = false
  /// The most connections that wait to be accepted; the system may hold it to less (`net.core.somaxconn`).
  public var backlog = 1024
  /// How long a connection may stay open between an answer and the first byte of the next request.
  public var idleTimeout = TimeAmount.seconds(75)
  /// How long a request's head may take to arrive from its first byte on, and a request's body from its head on (then 408);
  /// and how long a peer may take to accept an answer larger than the socket buffers (then the connection is closed).
  public var transferTimeout = TimeAmount.seconds(30)

  /// Whether a peer that closed its sending side still gets its answers. The price is that a peer that went away altogether
  /// is noticed only when it is answered.
  public var answersHalfClosed = false

  /// The limits above.
  public init() {}

  /// What holds for a request with a body; `route` is `nil` if it is for none.
  func limits(
    for head: HTTPRequestHead, _ match: RouteMatch, _ route: RouteLimits?, contentLength: Int
  ) -> BodyLimits {
    var limits = BodyLimits(bodyBytesMax: route?.bodyBytesMax ?? bodyBytesMax)
    limits.budget = bodyBudget
    limits.waitsForRoom = waitsForRoom
    if let budgetOf, contentLength == 0 || contentLength > bodyBytesUnasked { limits.budget = budgetOf(head, match) }
    return limits
  }
}

/// A server's limits for the body of one request.
struct BodyLimits: Sendable {
  /// The largest body as it is sent, in bytes; 0: none.
  var bodyBytesMax: Int
  /// The largest body as it is handed on, in bytes.
  var contentBytesMax: Int
  /// The memory that it is taken from. `nil`: no bound in sum.
  var budget: BodyBudget?
  /// Whether it waits for room in the budget.
  var waitsForRoom = false
  /// How it is inflated. `nil`: not at all.
  var inflation: InflationLimits?

  init(bodyBytesMax: Int) {
    self.bodyBytesMax = bodyBytesMax
    contentBytesMax = bodyBytesMax
  }
}

/// The answers that a server gives by itself; a front replaces them with the shapes that its clients know.
public struct HTTPServerAnswers: Sendable {
  /// To a request whose body is over the limit. The connection is closed after it. Default: 413.
  public var bodyTooLarge: @Sendable (HTTPRequest) -> HTTPResponse = { _ in
    .text(.payloadTooLarge, "The request body is too large.\n")
  }
  /// To a request with a body where none is taken, before it is read. The connection is closed after it. Default: 413.
  public var bodyNotTaken: @Sendable (HTTPRequest) -> HTTPResponse = { _ in
    .text(.payloadTooLarge, "This path takes no request body: send the request without one.\n")
  }
  /// To a request with a body whose sender may not send it, as far as its head tells, before the body is read. The connection is closed after it.
  /// `nil` lets it be read. Called on the connection's loop; it must not block. Default: nobody is asked.
  public var bodyForbidden: (@Sendable (HTTPRequestHead, RouteMatch) -> HTTPResponse?)?
  /// Whether the body of a request is handed on while it arrives (``HTTPRequest/stream``), and no limit of its route is kept. Asked once
  /// for each request with a body that its route takes. Called on the connection's loop; it must not block. Default: none is.
  public var streamsBody: (@Sendable (HTTPRequestHead, RouteMatch) -> Bool)?
  /// To a request whose body is in a coding that the route does not undo, before it is read. The connection is closed after it. Default:
  /// 415, with the coding that is undone in `Accept-Encoding` (RFC 9110 15.5.16).
  public var codingNotTaken: @Sendable (HTTPRequest) -> HTTPResponse = { _ in
    var response = HTTPResponse.text(.unsupportedMediaType, "Send the body as it is, or with Content-Encoding: gzip.\n")
    response.headers.add(name: "Accept-Encoding", value: "gzip")
    return response
  }
  /// To a request for which ``HTTPServerLimits/bodyBudget`` has no room; `nil` if not even its head found room. The connection
  /// is closed after it. Default: 503 with `Retry-After`.
  public var noRoom: @Sendable (HTTPRequest?) -> HTTPResponse = { _ in
    .unavailable("The requests in progress use all the memory that the server has for them; try again in a moment.\n")
  }
  /// To a request whose peer closed before its body was whole, for what it is worth: only a peer that closed no more than its
  /// sending side can read it, see ``HTTPServerLimits/answersHalfClosed``. The request's body is what came. Default: 400.
  public var bodyTruncated: @Sendable (HTTPRequest) -> HTTPResponse = { _ in
    .text(.badRequest, "The request ended before its body was complete.\n")
  }
  /// To a connection above ``HTTPServerLimits/connectionsMax``, which is closed after it. Default: 503.
  public var tooManyConnections: @Sendable () -> HTTPResponse = {
    .unavailable("Too many connections are open; try again in a moment.\n")
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

extension HTTPResponse {
  /// 503 with a sentence, to be tried again after a second.
  fileprivate static func unavailable(_ sentence: String) -> HTTPResponse {
    var response = text(.serviceUnavailable, sentence)
    response.headers.add(name: "Retry-After", value: "1")
    return response
  }
}

/// Counts of what a server did since it was started, and of all others with the same ``ListenerStatistics``; each only
/// grows, but for ``connectionsOpen``.
public struct HTTPServerCounters: Equatable, Sendable {
  /// Connections accepted, those refused included.
  public var connectionsAccepted = 0
  /// Connections open now.
  public var connectionsOpen = 0
  /// Connections refused because of ``HTTPServerLimits/connectionsMax``, or as ``HTTPServerAnswers/stranger``.
  public var connectionsRefused = 0
  /// Connections closed before they sent a whole request, to make room for others (``HTTPServerLimits/closesIdle``).
  public var connectionsClosedForOthers = 0
  /// How often no connection could be accepted, because of a limit of open files or of memory; each is tried again.
  public var acceptsFailed = 0
  /// Connections closed before their first byte, because an option of theirs could not be set.
  public var connectionsFailed = 0
  /// Requests handed to the handler.
  public var requests = 0
  /// Requests refused as malformed, with too many headers, with a body over the limit, or for lack of room.
  public var requestsRefused = 0
  /// Requests refused because others held all of ``HTTPServerLimits/bodyBudget``; they are in ``requestsRefused``, too.
  public var requestsWithoutRoom = 0
  /// Connections closed because a request or the taking of an answer took too long.
  public var transfersTimedOut = 0
  /// Answers that nobody waited for any more when they came.
  public var answersDropped = 0
}
