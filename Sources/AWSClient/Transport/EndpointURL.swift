/// The address of a service: scheme, host, port and a prefix of all paths.
package struct EndpointURL: Hashable, Sendable, CustomStringConvertible {
  /// Whether requests go over TLS.
  package var isSecure: Bool
  /// A name or an IP address, without brackets.
  package var host: String
  /// 1 to 65,535.
  package var port: Int
  /// Empty, or begins with a slash and does not end with one.
  package var path: String

  /// Reads `http://host`, `https://host:port/path`, `http://[::1]:port`.
  ///
  /// - Throws: ``AWSClientError`` with ``AWSClientError/Code/settings`` if it has another form; user names, queries and fragments are
  ///   not taken.
  package init(_ text: String) throws(AWSClientError) {
    guard let url = EndpointURL(reading: text) else {
      throw AWSClientError(
        .settings, "\(text) is not the address of a service; write http://HOST:PORT or https://HOST.")
    }
    self = url
  }

  private init?(reading text: String) {
    let lowercased = text.lowercased()
    let scheme = ["http://", "https://"].first { lowercased.hasPrefix($0) }
    guard let scheme else { return nil }
    isSecure = scheme == "https://"
    let rest = text.dropFirst(scheme.count)
    let authority = rest.prefix { $0 != "/" }
    let path = rest.dropFirst(authority.count)
    guard let (host, port) = EndpointURL.hostAndPort(authority), path.allSatisfy(EndpointURL.isPathCharacter) else {
      return nil
    }
    self.host = host
    self.port = port ?? (isSecure ? 443 : 80)
    self.path = String(path)
    while self.path.last == "/" { self.path.removeLast() }
  }

  /// Host, and port unless it is the usual one: the `Host` of requests.
  package var authority: String {
    let host = host.contains(":") ? "[\(host)]" : host
    return port == (isSecure ? 443 : 80) ? host : "\(host):\(port)"
  }

  /// The address as ``init(_:)`` reads it, without a port that is the usual one.
  package var description: String { "\(isSecure ? "https" : "http")://\(authority)\(path)" }

  /// Whether it is on this machine for certain.
  package var isLoopback: Bool {
    if host == "::1" || host.lowercased() == "localhost" || host.lowercased().hasSuffix(".localhost") { return true }
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
  }

  private static func hostAndPort(_ authority: Substring) -> (host: String, port: Int?)? {
    if authority.first == "[" {
      guard let end = authority.firstIndex(of: "]") else { return nil }
      let host = authority[authority.index(after: authority.startIndex)..<end]
      guard host.contains(":"), host.allSatisfy({ ($0.isHexDigit && $0.isASCII) || $0 == ":" || $0 == "." }) else {
        return nil
      }
      return port(authority[authority.index(after: end)...]).map { (String(host), $0) }
    }
    let host = authority.prefix { $0 != ":" }
    guard !host.isEmpty, host.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "-._".contains($0)) }) else {
      return nil
    }
    return port(authority.dropFirst(host.count)).map { (String(host), $0) }
  }

  /// `nil` if `text` is neither empty nor a colon with a port.
  private static func port(_ text: Substring) -> Int?? {
    if text.isEmpty { return .some(nil) }
    guard text.first == ":", text.dropFirst().allSatisfy({ $0.isASCII && $0.isNumber }),
      let port = UInt16(text.dropFirst()), port > 0
    else { return nil }
    return .some(Int(port))
  }

  private static func isPathCharacter(_ character: Character) -> Bool {
    character.isASCII && (character.isLetter || character.isNumber || "/-._~%!$&'()*+,;=:@".contains(character))
  }
}
