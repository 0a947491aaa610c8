/// A server's answer.
public struct HTTPReply: Equatable, Sendable {
  /// 200 to 999.
  public var status: Int
  /// As received, without what chunked transfer left behind the body.
  public var headers: HTTPHeaders
  /// Decoded from chunks; never from a content coding.
  public var body: [UInt8]

  /// Makes a reply of its parts.
  public init(status: Int, headers: HTTPHeaders = [:], body: [UInt8] = []) {
    self.status = status
    self.headers = headers
    self.body = body
  }

  /// The body as text; what is not UTF-8 is replaced.
  public var text: String { String(decoding: body, as: UTF8.self) }
}

/// How much of a reply is taken in.
public struct HTTPLimits: Equatable, Sendable {
  /// The most bytes of a head, and of the trailers behind a chunked body.
  public var headBytes: Int
  /// The most bytes of a decoded body.
  public var bodyBytes: Int
  /// The longest wait for a connection; the timeout of an exchange may end it sooner.
  public var connectTimeout: Duration

  /// 64 KiB of head, 64 MiB of body and 5 s to connect, unless given.
  public init(headBytes: Int = 64 << 10, bodyBytes: Int = 64 << 20, connectTimeout: Duration = .seconds(5)) {
    self.headBytes = headBytes
    self.bodyBytes = bodyBytes
    self.connectTimeout = connectTimeout
  }
}
