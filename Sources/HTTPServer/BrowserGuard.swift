internal import NIOCore
internal import NIOHTTP1

/// Distinguishes requests that a web page of another origin made a browser send from those of people and programs.
///
/// A server on loopback is reached by every page that a browser on this machine shows: by a form, an image or a script
/// (the page's origin is a foreign one), or by a name of the page's own that was pointed at 127.0.0.1 after the page was
/// loaded (DNS rebinding: the `Host` is a foreign one). A browser tells both, in fields that a page cannot set. Programs such as
/// curl, Prometheus or an SDK of AWS send neither `Origin` nor `Sec-Fetch-Site`.
public struct BrowserGuard: Hashable, Sendable {
  /// Why a request is refused. Texts are as sent, cut at 200 bytes.
  public enum Refusal: Error, Hashable, Sendable {
    /// The request is for a name that is neither of loopback nor allowed.
    case foreignHost(String)
    /// The page that sent it is of another origin; `null` is that of a page without one.
    case foreignOrigin(String)
    /// The browser says that another site, or another port of this one, caused it: the value of `Sec-Fetch-Site`.
    case foreignSite(String)
  }

  private let allowedHosts: Set<String>
  private let takesAnyHost: Bool

  /// Makes a guard that knows the names of loopback and those given.
  ///
  /// - Parameters:
  ///   - allowedHosts: Names and addresses beside those of loopback by which the server may be asked: without a port,
  ///     case ignored, an IPv6 address with or without brackets.
  ///   - takesAnyHost: Whether the server may be asked by any name: where requests need credentials, which a browser has for the
  ///     server's own name alone.
  public init(allowedHosts: [String] = [], takesAnyHost: Bool = false) {
    self.takesAnyHost = takesAnyHost
    self.allowedHosts = Set(
      allowedHosts.map { name in
        let bare = name.hasPrefix("[") && name.hasSuffix("]") ? name.dropFirst().dropLast() : name[...]
        return Authority.normal(bare)
      })
  }

  /// Why a request is not to be answered; `nil` if nothing speaks against it.
  ///
  /// - Complexity: O(number of header fields); no copy of a usual request.
  public func refusal(_ request: HTTPRequest) -> Refusal? {
    if !takesAnyHost, let host = foreignHost(request) { return .foreignHost(BrowserGuard.cut(host)) }
    let sender = Sender(request.headers)
    guard let origin = sender.origin else {
      guard let site = sender.site, !BrowserGuard.isOwn(site) else { return nil }
      return .foreignSite(BrowserGuard.cut(site))
    }
    // A page with the policy `no-referrer` is nobody to its own server, too, when it posts a form; the browser knows better.
    if origin == "null", let site = sender.site, equalsIgnoringCase(site, "same-origin") { return nil }
    guard isOwn(origin, request) else { return .foreignOrigin(BrowserGuard.cut(origin)) }
    return nil
  }

  /// Whether a person follows a link to this server: the browser shows the answer alone, in place of the page or beside it, and the
  /// page that has the link learns nothing of it. Only for what changes and invokes nothing.
  public static func isNavigation(_ request: HTTPRequest) -> Bool {
    guard request.method == .GET || request.method == .HEAD else { return false }
    let headers = request.headers
    return headers.first(name: "Sec-Fetch-Mode") == "navigate" && headers.first(name: "Sec-Fetch-Dest") == "document"
      && !headers.contains(name: "Origin")
  }

  // MARK: Parts of a request

  /// What a browser says of the page that caused a request.
  private struct Sender {
    var origin: String?
    var site: String?

    init(_ headers: HTTPHeaders) {
      for (name, value) in headers {
        switch name.utf8.count {
        // A browser sends one of each; of several, none is believed.
        case 6 where equalsIgnoringCase(name, "origin"): origin = origin == nil ? value : "null"
        case 14 where equalsIgnoringCase(name, "sec-fetch-site"): site = site == nil ? value : "several"
        default: break
        }
      }
    }
  }

  /// `none`: a person typed the address. A page on another port of this host is `same-site`, and no friend.
  private static func isOwn(_ site: String) -> Bool {
    equalsIgnoringCase(site, "same-origin") || equalsIgnoringCase(site, "none")
  }

  private func foreignHost(_ request: HTTPRequest) -> String? {
    // RFC 9112 3.2.2: of a target in absolute form, its authority is what is asked for.
    if request.target.utf8.first != UInt8(ascii: "/"), let authority = Authority.ofTarget(request.target),
      !isKnown(Authority(authority))
    {
      return String(authority)
    }
    for (name, value) in request.headers where name.utf8.count == 4 && equalsIgnoringCase(name, "host") {
      if !isKnown(Authority(value[...])) { return value }
    }
    // Without a Host it is no browser.
    return nil
  }

  private func isKnown(_ authority: Authority?) -> Bool {
    guard let authority else { return false }
    return authority.isLoopback || allowedHosts.contains(Authority.normal(authority.name))
  }

  /// Whether an origin is the server itself, by the name by which it was asked.
  private func isOwn(_ origin: String, _ request: HTTPRequest) -> Bool {
    guard let host = request.headers.first(name: "Host"), let own = Authority(host[...]) else { return false }
    for (scheme, port) in [("http://", "80" as Substring), ("https://", "443")] where origin.hasPrefix(scheme) {
      guard let other = Authority(origin.dropFirst(scheme.count)) else { return false }
      return Authority.normal(own.name) == Authority.normal(other.name) && (own.port ?? port) == (other.port ?? port)
    }
    return false
  }

  private static func cut(_ text: some StringProtocol) -> String {
    text.utf8.count <= 200 ? String(text) : String(decoding: text.utf8.prefix(200), as: UTF8.self) + "…"
  }
}

/// A host and maybe a port, as in `Host` and in an origin.
private struct Authority {
  /// Without brackets; may end with a dot.
  var name: Substring
  var isBracketed: Bool
  var port: Substring?

  /// `nil` if it has another form.
  init?(_ text: Substring) {
    let bytes = text.utf8
    if bytes.first == UInt8(ascii: "[") {
      guard let end = bytes.firstIndex(of: UInt8(ascii: "]")) else { return nil }
      name = text[bytes.index(after: bytes.startIndex)..<end]
      isBracketed = true
      port = text[bytes.index(after: end)...]
    } else {
      let end = bytes.firstIndex(of: UInt8(ascii: ":")) ?? bytes.endIndex
      name = text[..<end]
      isBracketed = false
      port = text[end...]
    }
    guard let rest = port, !rest.isEmpty else {
      port = nil
      return
    }
    // A colon alone means the scheme's own port (RFC 3986 3.2.3).
    guard rest.utf8.first == UInt8(ascii: ":"), rest.utf8.dropFirst().allSatisfy({ (48...57).contains($0) }) else {
      return nil
    }
    port = rest.utf8.count == 1 ? nil : rest.dropFirst()
  }

  /// What is between the scheme of a target in absolute form and its path, without a user's name.
  static func ofTarget(_ target: String) -> Substring? {
    guard let scheme = target.firstRange(of: "://") else { return nil }
    let rest = target[scheme.upperBound...]
    let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    return authority.lastIndex(of: "@").map { authority[authority.index(after: $0)...] } ?? authority
  }

  /// Lower case and without the dot at the end of a whole name, so that equal names are equal texts.
  static func normal(_ name: Substring) -> String {
    let whole = name.utf8.last == UInt8(ascii: ".") ? name.dropLast() : name
    return whole.lowercased()
  }

  var isLoopback: Bool {
    if isBracketed { return isLoopbackIPv6 }
    if isLoopbackIPv4 { return true }
    let name = Authority.normal(name)
    return name == "localhost" || name.hasSuffix(".localhost")
  }

  /// 127.0.0.0/8 in the one form that browsers send, whatever was typed.
  private var isLoopbackIPv4: Bool {
    let bytes = name.utf8.last == UInt8(ascii: ".") ? name.utf8.dropLast() : name.utf8[...]
    var value = 0
    var digits = 0
    var parts = 0
    for byte in bytes {
      if byte == UInt8(ascii: ".") {
        guard digits > 0, parts < 3, parts > 0 || value == 127 else { return false }
        (parts, value, digits) = (parts + 1, 0, 0)
      } else {
        guard (48...57).contains(byte), digits < 3 else { return false }
        (value, digits) = (value * 10 + Int(byte - 48), digits + 1)
        guard value < 256 else { return false }
      }
    }
    return parts == 3 && digits > 0
  }

  private var isLoopbackIPv6: Bool {
    if name == "::1" { return true }
    // Written at length, or as an IPv4 address in one of IPv6. What is no address at all is no loopback either.
    guard let address = try? SocketAddress(ipAddress: String(name), port: 0).ipAddress else { return false }
    return address == "::1" || address.hasPrefix("::ffff:127.")
  }
}
