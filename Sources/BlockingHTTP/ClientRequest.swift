/// A request to a server.
public struct ClientRequest: Equatable, Sendable {
  /// In capital letters, as in `GET`.
  public var method: String
  /// The path and the query, percent-encoded, from the first slash on.
  public var path: String
  /// Beside `Host` and `Content-Length`, which are written by the connection.
  public var headers: HTTPHeaders
  /// Sent with its length, never in chunks.
  public var body: [UInt8]
  /// Whether the request may be sent again when a kept-alive connection turned out closed before the first byte of
  /// its reply. At first: whether its method is idempotent (RFC 9110, 9.2.2).
  public var isRepeatable: Bool

  /// Makes a request of its parts.
  public init(_ method: String, _ path: String, headers: HTTPHeaders = [:], body: [UInt8] = []) {
    self.method = method
    self.path = path
    self.headers = headers
    self.body = body
    isRepeatable = ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"].contains(method)
  }

  /// The head as it goes over the wire.
  ///
  /// - Throws: ``HTTPClientError/Code/invalidRequest`` if a part would break out of its place.
  ///
  /// - Parameter isChunked: Whether the body follows in chunks.
  func encodedHead(host: String, isChunked: Bool = false) throws(HTTPClientError) -> [UInt8] {
    guard !method.isEmpty, method.utf8.allSatisfy(HTTPSyntax.isToken) else {
      throw HTTPClientError(.invalidRequest, "\"\(method)\" is not a method.")
    }
    guard path.utf8.first == UInt8(ascii: "/"), path.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else {
      throw HTTPClientError(.invalidRequest, "The path \"\(path)\" does not begin with a slash or holds a blank.")
    }
    var head: [UInt8] = []
    head.reserveCapacity(256)
    head += method.utf8
    head.append(0x20)
    head += path.utf8
    head += " HTTP/1.1\r\n".utf8
    ClientRequest.append(name: "Host", value: host, to: &head)
    for field in headers.fields {
      guard HTTPSyntax.isField(field) else {
        throw HTTPClientError(.invalidRequest, "The header \"\(field.name)\" cannot be written into a request.")
      }
      ClientRequest.append(name: field.name, value: field.value, to: &head)
    }
    if isChunked {
      ClientRequest.append(name: "Transfer-Encoding", value: "chunked", to: &head)
    } else if !body.isEmpty || method == "POST" || method == "PUT" || method == "PATCH" {
      ClientRequest.append(name: "Content-Length", value: String(body.count), to: &head)
    }
    head += "\r\n".utf8
    return head
  }

  static func append(name: String, value: String, to head: inout [UInt8]) {
    head += name.utf8
    head += ": ".utf8
    head += value.utf8
    head += "\r\n".utf8
  }
}

/// The few rules of RFC 9110 that both directions need.
enum HTTPSyntax {
  static func isToken(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "a")...UInt8(ascii: "z"):
      true
    case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "!"), UInt8(ascii: "#"),
      UInt8(ascii: "$"), UInt8(ascii: "%"), UInt8(ascii: "&"), UInt8(ascii: "'"), UInt8(ascii: "*"),
      UInt8(ascii: "+"), UInt8(ascii: "^"), UInt8(ascii: "`"), UInt8(ascii: "|"), UInt8(ascii: "~"):
      true
    default: false
    }
  }

  /// Text, blank or tab: no control character can end a line or a value early.
  static func isValue(_ byte: UInt8) -> Bool { byte == 0x09 || (byte >= 0x20 && byte != 0x7F) }

  static func isField(_ field: HTTPHeaders.Field) -> Bool {
    !field.name.isEmpty && field.name.utf8.allSatisfy(isToken) && field.value.utf8.allSatisfy(isValue)
      && !HTTPHeaders.areEqual(field.name, "Content-Length") && !HTTPHeaders.areEqual(field.name, "Transfer-Encoding")
      && !HTTPHeaders.areEqual(field.name, "Host")
  }
}
