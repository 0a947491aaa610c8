public import NIOCore
public import NIOHTTP1

/// One answer, its body complete or a stream.
///
/// The server adds `Content-Length` or `Transfer-Encoding` and `Connection` itself and drops those given here, as well as every field that could
/// not be written safely (a name that is no token, a value with a control character in it). It adds `Date` where none is given.
public struct HTTPResponse: Sendable {
  /// The status; not one of the 1xx.
  public var status: HTTPResponseStatus
  /// Header fields, in the order in which they are sent.
  public var headers: HTTPHeaders
  /// The body. Not sent to a HEAD request, nor with 204 or 304.
  public var body: ByteBuffer
  /// What is sent in place of ``body``, piece by piece; it has ended once the answer is over, whether or not it was sent.
  public var stream: HTTPBodyStream?
  /// Whether the connection is closed after this answer, even if the peer would keep it.
  public var closesConnection: Bool
  /// Who takes the connection over after this answer.
  var upgrade: HTTPUpgrade?

  /// An answer.
  public init(
    status: HTTPResponseStatus, headers: HTTPHeaders = HTTPHeaders(), body: ByteBuffer = ByteBuffer(),
    closesConnection: Bool = false
  ) {
    self.status = status
    self.headers = headers
    self.body = body
    self.closesConnection = closesConnection
  }

  /// An answer whose body is written while it is sent.
  public init(status: HTTPResponseStatus, headers: HTTPHeaders, stream: HTTPBodyStream) {
    self.init(status: status, headers: headers)
    self.stream = stream
  }

  /// 101: behind this answer, another protocol is spoken. Only for a request that asked for it (``HTTPRequest/upgrade``).
  ///
  /// - Parameters:
  ///   - name: The protocol, as in `Upgrade`.
  ///   - headers: What else the answer says.
  ///   - takeOver: Adds the protocol's handlers at the end of the channel's pipeline. Called once on the connection's loop, when the
  ///     answer has been written; when its future has succeeded, HTTP's handlers are removed, and the first bytes of the
  ///     protocol, some of which may have been read already, come to those that were added. If it fails, the connection is closed.
  ///     The connection counts as open until it is closed, and is closed by ``HTTPServer/drain(within:)`` at its deadline.
  public static func switchingProtocols(
    to name: String, headers: HTTPHeaders = HTTPHeaders(),
    _ takeOver: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>
  ) -> HTTPResponse {
    var response = HTTPResponse(status: .switchingProtocols, headers: headers)
    response.upgrade = HTTPUpgrade(name: name, takeOver: takeOver)
    return response
  }

  /// Plain text in UTF-8.
  public static func text(_ status: HTTPResponseStatus, _ text: String) -> HTTPResponse {
    HTTPResponse(
      status: status, headers: HTTPHeaders([("Content-Type", "text/plain; charset=utf-8")]),
      body: ByteBuffer(string: text))
  }

  /// A JSON document, given as its bytes.
  public static func json(_ status: HTTPResponseStatus, _ document: ByteBuffer) -> HTTPResponse {
    HTTPResponse(status: status, headers: HTTPHeaders([("Content-Type", "application/json")]), body: document)
  }

  /// A JSON document, given as text.
  public static func json(_ status: HTTPResponseStatus, _ document: String) -> HTTPResponse {
    json(status, ByteBuffer(string: document))
  }
}

/// The change of a connection to another protocol.
struct HTTPUpgrade: Sendable {
  /// As in `Upgrade`.
  var name: String
  var takeOver: @Sendable (any Channel) -> EventLoopFuture<Void>
}

/// What the request that is answered says about how to write the answer.
struct ResponseFraming {
  /// The method of the request was HEAD.
  var omitsBody = false
  /// The request was HTTP/1.0: keeping the connection must be said.
  var isVersion10 = false
  /// The connection is closed after this answer.
  var closes = false
  /// The connection is another protocol's after this answer.
  var changesProtocol = false

  /// Writes a piece of a body whose length was not told. A piece of no bytes would be the end of the body.
  func write(_ piece: ByteBuffer, into output: inout ByteBuffer) {
    if !isVersion10 { output.writeString(String(piece.readableBytes, radix: 16) + "\r\n") }
    output.writeImmutableBuffer(piece)
    if !isVersion10 { output.writeStaticString("\r\n") }
  }
}

extension HTTPResponse {
  /// Writes status line and header fields. The body follows exactly if `sendsBody(framing)`.
  func writeHead(into output: inout ByteBuffer, framing: ResponseFraming) {
    if status == .ok {
      output.writeStaticString("HTTP/1.1 200 OK\r\n")
    } else {
      output.writeStaticString("HTTP/1.1 ")
      output.writeString(String(status.code))
      output.writeStaticString(" ")
      if status.reasonPhrase.utf8.allSatisfy({ isFieldValueByte($0) }) { output.writeString(status.reasonPhrase) }
      output.writeStaticString("\r\n")
    }
    var hasDate = false
    for (name, value) in headers where !isFramingField(name) && isSafe(name, value) {
      if name.utf8.count == 4, equalsIgnoringCase(name, "date") { hasDate = true }
      output.writeString(name)
      output.writeStaticString(": ")
      output.writeString(value)
      output.writeStaticString("\r\n")
    }
    if !hasDate { HTTPDate.writeField(into: &output) }
    if stream != nil, status.mayHaveResponseBody {
      if !framing.isVersion10 { output.writeStaticString("Transfer-Encoding: chunked\r\n") }
    } else if status.mayHaveResponseBody {
      output.writeStaticString("Content-Length: ")
      output.writeString(String(body.readableBytes))
      output.writeStaticString("\r\n")
    }
    if let upgrade, framing.changesProtocol {
      output.writeStaticString("Connection: upgrade\r\nUpgrade: ")
      output.writeString(upgrade.name)
      output.writeStaticString("\r\n")
    } else if framing.closes {
      output.writeStaticString("Connection: close\r\n")
    } else if framing.isVersion10 {
      output.writeStaticString("Connection: keep-alive\r\n")
    }
    output.writeStaticString("\r\n")
  }

  /// Whether the body's bytes are sent.
  func sendsBody(_ framing: ResponseFraming) -> Bool {
    !framing.omitsBody && status.mayHaveResponseBody && stream == nil && body.readableBytes > 0
  }
}

private func isFramingField(_ name: String) -> Bool {
  switch name.utf8.count {
  case 10: equalsIgnoringCase(name, "connection") || equalsIgnoringCase(name, "keep-alive")
  case 14: equalsIgnoringCase(name, "content-length")
  case 17: equalsIgnoringCase(name, "transfer-encoding")
  default: false
  }
}

private func isSafe(_ name: String, _ value: String) -> Bool {
  !name.isEmpty && name.utf8.allSatisfy(isTokenByte) && value.utf8.allSatisfy(isFieldValueByte)
}

// RFC 9110 5.6.2: letters, digits and !#$%&'*+-.^_`|~, as bits: this is looked up for every byte of every field's name.
func isTokenByte(_ byte: UInt8) -> Bool {
  let bits: UInt64 = byte < 64 ? 0x03FF6CFA00000000 : byte < 128 ? 0x57FFFFFFC7FFFFFE : 0
  return bits >> UInt64(byte & 63) & 1 == 1
}

// RFC 9110 5.5: a tab, and everything that is no control character.
private func isFieldValueByte(_ byte: UInt8) -> Bool { byte == 0x09 || byte >= 0x20 && byte != 0x7F }

/// Compares ASCII letters without regard to case. `lowercase` is in lower case.
func equalsIgnoringCase(_ text: String, _ lowercase: StaticString) -> Bool {
  guard text.utf8.count == lowercase.utf8CodeUnitCount else { return false }
  return lowercase.withUTF8Buffer { expected in
    var index = 0
    for byte in text.utf8 {
      let lowered = byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
      guard unsafe lowered == expected[index] else { return false }
      index += 1
    }
    return true
  }
}
