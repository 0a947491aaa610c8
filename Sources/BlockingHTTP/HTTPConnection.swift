import Glibc

/// A connection to one server that is kept open between requests. Blocks the thread that sends.
///
/// Not for use from two threads at once: make one for each.
public final class HTTPConnection {
  /// The server's address.
  public let endpoint: HTTPEndpoint
  private let limits: HTTPLimits
  private var socket: TCPSocket?
  /// Whether the socket has served an exchange, so that the other side may have closed it meanwhile.
  private var isReused = false
  /// What the kernel writes into; kept, because clearing it anew for every reply costs more than parsing one.
  private var buffer = [UInt8](repeating: 0, count: 16 << 10)

  /// Connects with the first request, not before.
  public init(_ endpoint: HTTPEndpoint, limits: HTTPLimits = HTTPLimits()) {
    self.endpoint = endpoint
    self.limits = limits
  }

  deinit { disconnect() }

  /// Closes the connection; the next request opens a new one.
  public func close() { disconnect() }

  /// Sends a request and waits for the whole reply. See ``send(_:timeout:)``.
  public func send(
    _ method: String, _ path: String, headers: HTTPHeaders = [:], body: [UInt8] = [],
    timeout: Duration? = .seconds(30)
  ) throws(HTTPClientError) -> HTTPReply {
    try send(ClientRequest(method, path, headers: headers, body: body), timeout: timeout)
  }

  /// Sends a request and waits for the whole reply, of whatever status.
  ///
  /// A kept-alive connection that turns out closed is opened anew once, if nothing was sent over it or the request
  /// may be repeated. Redirects are not followed.
  ///
  /// - Parameter timeout: The longest the whole exchange may take; nil waits as long as it takes (connecting is
  ///   bounded all the same, by ``HTTPLimits/connectTimeout``).
  /// - Throws: ``HTTPClientError``; the connection is then closed and may be used again.
  public func send(_ request: ClientRequest, timeout: Duration? = .seconds(30)) throws(HTTPClientError) -> HTTPReply {
    let head = try request.encodedHead(host: endpoint.description)
    let deadline = timeout.map(Deadline.init(after:))
    for attempt in 0... {
      try connect(deadline)
      switch try attemptExchange(request, head: head, deadline: deadline, mayRepeat: attempt == 0 && isReused) {
      case .reply(let reply): return reply
      case .repeat: continue
      }
    }
    fatalError("BUG: an endless loop ended")
  }

  private enum Attempt {
    case reply(HTTPReply)
    case `repeat`
  }

  private func connect(_ deadline: Deadline?) throws(HTTPClientError) {
    // A server that closed while nothing was asked, or that talks unasked, is not asked over this connection.
    if let socket, socket.hasSomethingToRead { disconnect() }
    guard socket == nil else { return }
    let limit = Deadline(after: limits.connectTimeout)
    socket = try TCPSocket.connect(to: endpoint, deadline: deadline.map { min($0, limit) } ?? limit)
    isReused = false
  }

  private func disconnect() {
    socket?.close()
    socket = nil
  }

  private func attemptExchange(
    _ request: ClientRequest, head: [UInt8], deadline: Deadline?, mayRepeat: Bool
  ) throws(HTTPClientError) -> Attempt {
    guard let socket else { return .repeat }
    var parser = HTTPReplyParser(isHead: request.method == "HEAD", limits: limits)
    var sentBytes = 0
    do throws(HTTPClientError) {
      do throws(HTTPClientError) {
        try socket.send(head, request.body, deadline: deadline, sentBytes: &sentBytes)
      } catch  where error.code == .closed && sentBytes > 0 {
        // A server that refuses a long body answers and closes before it has read it: the answer may be there.
      }
      try receive(from: socket, into: &parser, deadline: deadline)
    } catch {
      disconnect()
      if error.code == .closed, mayRepeat, !parser.hasBegun, sentBytes == 0 || request.isRepeatable { return .repeat }
      throw error
    }
    isReused = true
    if !parser.keepsAlive { disconnect() }
    return .reply(parser.reply)
  }

  private func receive(
    from socket: TCPSocket, into parser: inout HTTPReplyParser, deadline: Deadline?
  ) throws(HTTPClientError) {
    // Moved out and back, so that it is nobody else's while it is read.
    var buffer: [UInt8] = []
    swap(&buffer, &self.buffer)
    defer { swap(&buffer, &self.buffer) }
    while !parser.isDone {
      let count = try socket.receive(into: &buffer, deadline: deadline)
      guard count > 0 else { return try parser.finish() }
      let taken = try parser.feed(buffer.span.extracting(0..<count))
      guard taken == count else {
        throw HTTPClientError(.malformed, "The server sent more than its reply.")
      }
    }
  }
}
