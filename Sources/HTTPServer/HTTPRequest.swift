internal import Text
public import NIOCore
public import NIOHTTP1

/// One request, its body complete or a stream.
public struct HTTPRequest: Sendable {
  /// The method.
  public var method: HTTPMethod
  /// The request target as sent: path and query, nothing decoded.
  public var target: String
  /// The header fields as sent.
  public var headers: HTTPHeaders
  /// The whole body; at most ``HTTPServerLimits/bodyBytesMax`` bytes. It may share memory with what was read from the
  /// socket (up to 64 KiB): who keeps a small body for long copies it.
  public var body: ByteBuffer
  /// What comes in place of ``body``, while it arrives, where ``HTTPServerAnswers/streamsBody`` says so. An answer before its end closes the
  /// connection.
  public var stream: HTTPRequestStream?
  /// Whether the peer means to send more requests on this connection.
  public var isKeepAlive: Bool
  /// Who sent it; nil if the connection was gone before it could be asked.
  public var remoteAddress: SocketAddress?
  /// The route that it is for; ``RouteMatch/notFound`` where the server has no routes.
  public var route = RouteMatch.notFound
  /// The fields behind a chunked body, of routes that take them.
  public var trailers: HTTPHeaders?
  /// The protocol to which it asks to change, in lower case: one of those of its route. The handler may go along with it
  /// (``HTTPResponse/switchingProtocols(to:headers:_:)``) or answer as if it had not asked.
  public var upgrade: String?
  /// When its head had arrived; nil if it did not come over a connection.
  public var begunAt: NIODeadline?
  /// Completes when the connection that brought this request is closed, by whichever side; never fails. Costs nothing to
  /// ignore.
  public var connectionClosed: EventLoopFuture<Void>

  /// The path as sent, nothing decoded: what is before the first `?`, without scheme and authority.
  /// - Complexity: O(length of the target); no copy if there is no query.
  public var path: String {
    let bounds = pathBounds
    return bounds.lowerBound == target.startIndex && bounds.upperBound == target.endIndex
      ? target : String(target[bounds])
  }

  /// The query as sent, nothing decoded: what is after the first `?`. Nil if there is no `?`.
  public var query: String? {
    let end = pathBounds.upperBound
    return end == target.endIndex ? nil : String(target[target.index(after: end)...])
  }

  /// The query's items in order, percent-decoded, `+` read as a space. An item without `=` has a nil value; empty items
  /// are left out. Nil if an escape is malformed or what it decodes to is not UTF-8 (answer 400).
  public var queryItems: [HTTPQueryItem]? {
    let end = pathBounds.upperBound
    guard end != target.endIndex else { return [] }
    var items: [HTTPQueryItem] = []
    for part in target[target.index(after: end)...].utf8.split(separator: UInt8(ascii: "&")) {
      let equals = part.firstIndex(of: UInt8(ascii: "=")) ?? part.endIndex
      guard let name = PercentEncoding.decoded(part[..<equals], plusIsSpace: true) else { return nil }
      guard equals != part.endIndex else {
        items.append(HTTPQueryItem(name: name, value: nil))
        continue
      }
      guard let value = PercentEncoding.decoded(part[part.index(after: equals)...], plusIsSpace: true) else {
        return nil
      }
      items.append(HTTPQueryItem(name: name, value: value))
    }
    return items
  }

  /// A request, as tests and fronts make them.
  public init(
    method: HTTPMethod, target: String, headers: HTTPHeaders, body: ByteBuffer, isKeepAlive: Bool,
    remoteAddress: SocketAddress?, connectionClosed: EventLoopFuture<Void>
  ) {
    self.method = method
    self.target = target
    self.headers = headers
    self.body = body
    self.isKeepAlive = isKeepAlive
    self.remoteAddress = remoteAddress
    self.connectionClosed = connectionClosed
  }

  // RFC 9112 3.2.2: a server must accept the absolute form, `http://host/path`, too.
  private var pathBounds: Range<String.Index> {
    let bytes = target.utf8
    var start = bytes.startIndex
    if bytes.first != UInt8(ascii: "/"), target.hasPrefix("http://") || target.hasPrefix("https://") {
      let authority = bytes.index(start, offsetBy: target.hasPrefix("http://") ? 7 : 8)
      start = bytes[authority...].firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? bytes.endIndex
    }
    return start..<(bytes[start...].firstIndex(of: UInt8(ascii: "?")) ?? bytes.endIndex)
  }
}

/// One `name=value` of a query, decoded.
public struct HTTPQueryItem: Hashable, Sendable {
  /// What is before the `=`.
  public var name: String
  /// What is after the `=`; nil if there is none.
  public var value: String?

  /// An item.
  public init(name: String, value: String?) {
    self.name = name
    self.value = value
  }
}
