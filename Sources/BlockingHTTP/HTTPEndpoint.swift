import Glibc

/// An IP address and a port; names are not looked up, so that a static binary needs no resolver.
public struct HTTPEndpoint: Hashable, Sendable, CustomStringConvertible {
  /// `host:port`, with brackets around an IPv6 address: what `Host` carries.
  public let description: String
  enum Address: Hashable, Sendable {
    case v4(UInt32)
    case v6(UInt64, UInt64)
  }
  /// In network byte order.
  let address: Address
  /// In host byte order.
  public let port: UInt16

  /// Reads `127.0.0.1:27315`, `[::1]:27315` or `localhost:27315` (which is 127.0.0.1), also behind `http://` and
  /// before a slash.
  ///
  /// - Throws: ``HTTPClientError/Code/invalidAddress``.
  public init(_ text: String) throws(HTTPClientError) {
    var rest = Substring(text)
    if rest.hasPrefix("http://") { rest.removeFirst("http://".utf8.count) }
    if rest.utf8.last == UInt8(ascii: "/") { rest.removeLast() }
    guard let colon = rest.utf8.lastIndex(of: UInt8(ascii: ":")), let port = UInt16(rest[rest.index(after: colon)...])
    else { throw HTTPEndpoint.invalid(text) }
    var host = rest[..<colon]
    if host.hasPrefix("[") && host.hasSuffix("]") { host = host.dropFirst().dropLast() }
    try self.init(host: String(host), port: port)
  }

  /// Takes an IPv4 or IPv6 literal, or `localhost`, and a port.
  ///
  /// - Throws: ``HTTPClientError/Code/invalidAddress``.
  public init(host: String, port: UInt16) throws(HTTPClientError) {
    guard port > 0 else { throw HTTPEndpoint.invalid("\(host):\(port)") }
    let literal = host == "localhost" ? "127.0.0.1" : host
    var v4 = in_addr()
    var v6: (UInt64, UInt64) = (0, 0)
    if unsafe inet_pton(AF_INET, literal, &v4) == 1 {
      address = .v4(v4.s_addr)
      description = "\(host):\(port)"
    } else if unsafe inet_pton(AF_INET6, literal, &v6) == 1 {
      address = .v6(v6.0, v6.1)
      description = "[\(host)]:\(port)"
    } else {
      throw HTTPEndpoint.invalid("\(host):\(port)")
    }
    self.port = port
  }

  private static func invalid(_ text: String) -> HTTPClientError {
    HTTPClientError(
      .invalidAddress, "\"\(text)\" is not an IP address and a port, as in 127.0.0.1:27315 or [::1]:27315.")
  }
}
