/// A request whose body goes out in chunks while it is made (RFC 9112, 7.1), over a connection of its own.
///
/// Blocks its thread for as long as the server takes less than is written. Not to be used from two threads at once.
public struct ChunkedRequest: ~Copyable {
  private let socket: TCPSocket
  private let limits: HTTPLimits

  /// Connects and sends the head.
  ///
  /// - Parameter request: Without a body; `Transfer-Encoding` is added.
  /// - Throws: ``HTTPClientError`` if the server cannot be reached, or a part of the head would break out of its place.
  public init(_ request: ClientRequest, to endpoint: HTTPEndpoint, limits: HTTPLimits = HTTPLimits())
    throws(HTTPClientError)
  {
    let head = try request.encodedHead(host: endpoint.description, isChunked: true)
    let socket = try TCPSocket.connect(to: endpoint, deadline: Deadline(after: limits.connectTimeout))
    do throws(HTTPClientError) {
      var sent = 0
      try socket.send(head, [], deadline: nil, sentBytes: &sent)
    } catch {
      socket.close()
      throw error
    }
    self.socket = socket
    self.limits = limits
  }

  deinit { socket.close() }

  /// Sends a piece of the body; one of no bytes is left out.
  ///
  /// - Throws: ``HTTPClientError``, usually because the server has closed the connection.
  public func write(_ bytes: [UInt8]) throws(HTTPClientError) {
    guard !bytes.isEmpty else { return }
    // In the same segments as the bytes, where these are few.
    try send(Array("\(String(bytes.count, radix: 16))\r\n".utf8), bytes)
    try send(Array("\r\n".utf8))
  }

  /// Ends the body and waits for the reply.
  ///
  /// - Parameter trailers: Fields behind the body.
  /// - Throws: ``HTTPClientError``.
  public consuming func finish(trailers: HTTPHeaders = [:], timeout: Duration = .seconds(30)) throws(HTTPClientError)
    -> HTTPReply
  {
    var end = Array("0\r\n".utf8)
    for field in trailers.fields {
      guard HTTPSyntax.isField(field) else {
        throw HTTPClientError(.invalidRequest, "The field \"\(field.name)\" cannot be written behind a body.")
      }
      ClientRequest.append(name: field.name, value: field.value, to: &end)
    }
    try send(end + "\r\n".utf8)
    var parser = HTTPReplyParser(isHead: false, limits: limits)
    let deadline = Deadline(after: timeout)
    var buffer = [UInt8](repeating: 0, count: 4 << 10)
    while !parser.isDone {
      let count = try socket.receive(into: &buffer, deadline: deadline)
      guard count > 0 else {
        try parser.finish()
        break
      }
      _ = try parser.feed(buffer.span.extracting(0..<count))
    }
    return parser.reply
  }

  private func send(_ bytes: [UInt8], _ more: [UInt8] = []) throws(HTTPClientError) {
    var sent = 0
    try socket.send(bytes, more, deadline: nil, sentBytes: &sent)
  }
}
