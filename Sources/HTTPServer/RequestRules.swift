internal import NIOCore
internal import NIOHTTP1

/// Why the server refuses a request by itself.
enum RequestFault: Error, Equatable {
  /// 400, with a sentence.
  case malformed(String)
  /// 501: a transfer coding that the server does not undo.
  case unknownTransferCoding
  /// 417: an expectation other than 100-continue.
  case unknownExpectation
  /// 503: the head is large, and others hold all the memory that there is for requests.
  case noRoom
}

/// What RFC 9112 asks of a request's head beyond what the parser looks at, and what the connection needs to know of it.
struct RequestRules {
  /// What `Content-Length` says; 0 without one, `.max` if it is no number that an `Int` can hold.
  private(set) var contentLength = 0
  private(set) var isChunked = false
  private(set) var expectsContinue = false
  /// The protocols that the request would change to, as `Upgrade` lists them; `nil` without one.
  private(set) var upgrade: String?
  /// How the body is coded; `nil` as it is.
  private(set) var contentCoding: String?
  /// The sum of request target, names and values.
  private(set) var headerBytes: Int

  var hasBody: Bool { contentLength > 0 || isChunked }

  /// Checks a head, and gives a target in absolute form the form that all others have.
  ///
  /// - Throws: ``RequestFault``, after which the connection is closed: who reads the head differently from us may take
  ///   for a request what we take for a body.
  init(_ head: inout HTTPRequestHead) throws(RequestFault) {
    headerBytes = head.uri.utf8.count
    var hosts = 0
    var host = ""
    var isPadded = false
    for (name, value) in head.headers {
      headerBytes += name.utf8.count + value.utf8.count
      switch name.utf8.count {
      case 4 where equalsIgnoringCase(name, "host"):
        hosts += 1
        host = withoutTrailingBlanks(value)
        isPadded = host.utf8.count != value.utf8.count
      case 6 where equalsIgnoringCase(name, "expect"): try takeExpectation(withoutTrailingBlanks(value))
      case 7 where equalsIgnoringCase(name, "upgrade"):
        upgrade = upgrade.map { "\($0),\(value)" } ?? value
      case 14 where equalsIgnoringCase(name, "content-length"):
        contentLength = Int(withoutTrailingBlanks(value)) ?? .max
      case 16 where equalsIgnoringCase(name, "content-encoding"): takeContentCoding(withoutTrailingBlanks(value))
      case 17 where equalsIgnoringCase(name, "transfer-encoding"):
        try takeTransferEncoding(withoutTrailingBlanks(value), head.version)
      default: break
      }
    }
    try RequestRules.check(hosts: hosts, host, head.version)
    // Handlers compare it with names.
    if isPadded { head.headers.replaceOrAdd(name: "Host", value: host) }
    try RequestRules.normalizeTarget(&head)
  }

  private mutating func takeExpectation(_ value: String) throws(RequestFault) {
    guard equalsIgnoringCase(value, "100-continue") else { throw .unknownExpectation }
    expectsContinue = true
  }

  // One coding after the other is a list, whether in one field or in several.
  private mutating func takeContentCoding(_ value: String) {
    guard !value.isEmpty, !equalsIgnoringCase(value, "identity") else { return }
    contentCoding = contentCoding.map { "\($0),\(value)" } ?? value
  }

  /// Whether the body is coded with gzip alone (RFC 9110 8.4.1.3).
  var isGzip: Bool {
    contentCoding.map { equalsIgnoringCase($0, "gzip") || equalsIgnoringCase($0, "x-gzip") } ?? false
  }

  /// The first of the protocols that the request would change to which is among these; they are in lower case.
  func upgrade(among taken: [String]) -> String? {
    guard !taken.isEmpty, let upgrade else { return nil }
    for element in upgrade.split(separator: ",") {
      let name = element.filter { $0 != " " && $0 != "\t" }.lowercased()
      if taken.contains(name) { return name }
    }
    return nil
  }

  // RFC 9112 6.1: whoever does not undo a coding answers 501. In HTTP/1.0 there is no such field, and one that is there has
  // passed somebody who did not understand it. `chunked` twice is a request for a second reading of the same bytes.
  private mutating func takeTransferEncoding(_ value: String, _ version: HTTPVersion) throws(RequestFault) {
    guard version != .http1_0 else { throw .malformed("Transfer-Encoding needs HTTP/1.1.") }
    guard equalsIgnoringCase(value, "chunked") else { throw .unknownTransferCoding }
    guard !isChunked else { throw .malformed("The request has more than one Transfer-Encoding.") }
    isChunked = true
  }

  // RFC 9112 3.2.
  private static func check(hosts: Int, _ host: String, _ version: HTTPVersion) throws(RequestFault) {
    guard hosts <= 1 else { throw .malformed("The request has more than one Host.") }
    if hosts == 0 {
      guard version == .http1_0 else { throw .malformed("An HTTP/1.1 request must have a Host.") }
    } else {
      guard isAuthority(host) else { throw .malformed("The request's Host is not a valid host and port.") }
    }
  }

  private static func normalizeTarget(_ head: inout HTTPRequestHead) throws(RequestFault) {
    let target = head.uri.utf8
    if target.contains(UInt8(ascii: "#")) { throw .malformed("The request's target has a fragment.") }
    guard target.first != UInt8(ascii: "/") else { return }
    if head.method == .OPTIONS, head.uri == "*" { return }
    // A tunnel's target; every handler refuses the method.
    if head.method == .CONNECT, isAuthority(head.uri) { return }
    for scheme in ["http://", "https://"] where head.uri.lowercased().hasPrefix(scheme) {
      let rest = head.uri.dropFirst(scheme.count)
      let end = rest.utf8.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? rest.endIndex
      let authority = String(rest[..<end])
      guard isAuthority(authority) else { break }
      // RFC 9112 3.2.2: the target says who is meant, whatever Host says.
      head.headers.replaceOrAdd(name: "Host", value: authority)
      head.uri = rest[end...].first == "/" ? String(rest[end...]) : "/\(rest[end...])"
      return
    }
    throw .malformed("The request's target is neither a path nor an absolute URL.")
  }

  /// Whether a text is a host's name or address, and a port where there is one (RFC 3986 3.2, without user information).
  ///
  /// A comma is refused although a name may have one: it is what a list of two hosts looks like.
  static func isAuthority(_ text: String) -> Bool {
    let bytes = text.utf8
    var index = bytes.startIndex
    if bytes.first == UInt8(ascii: "[") {
      guard let end = bytes.firstIndex(of: UInt8(ascii: "]")) else { return false }
      let address = bytes[bytes.index(after: index)..<end]
      guard address.contains(UInt8(ascii: ":")), address.allSatisfy(isAddressByte) else { return false }
      index = bytes.index(after: end)
    } else {
      index = bytes.firstIndex { !isNameByte($0) } ?? bytes.endIndex
      guard index != bytes.startIndex else { return false }
    }
    guard index != bytes.endIndex else { return true }
    guard bytes[index] == UInt8(ascii: ":") else { return false }
    let port = bytes[bytes.index(after: index)...]
    return port.count <= 5 && port.allSatisfy { $0 >= 0x30 && $0 <= 0x39 } && (Int(Substring(port)) ?? 0) <= 65_535
  }

  // Hexadecimal digits, and what IPv4 in IPv6 and a zone need.
  private static func isAddressByte(_ byte: UInt8) -> Bool {
    isNameByte(byte) || byte == UInt8(ascii: ":")
  }

  // Letters, digits and -._~%!$&'()*+;= as bits.
  private static func isNameByte(_ byte: UInt8) -> Bool {
    let bits: UInt64 = byte < 64 ? 0x2BFF6FF200000000 : byte < 128 ? 0x47FFFFFE87FFFFFE : 0
    return bits >> UInt64(byte & 63) & 1 == 1
  }
}

// The parser leaves them, and RFC 9112 5.1 says that they are no part of the value.
private func withoutTrailingBlanks(_ value: String) -> String {
  guard let last = value.utf8.last, last == 0x20 || last == 0x09 else { return value }
  guard let end = value.utf8.lastIndex(where: { $0 != 0x20 && $0 != 0x09 }) else { return "" }
  return String(value[...end])
}

extension RequestRules {
  /// The reason that such a refusal is counted under.
  static func refusal(_ error: any Error) -> HTTPRefusal {
    if case .noRoom? = error as? RequestFault { return .noRoom }
    return error as? HTTPParserError == .headerOverflow ? .headerTooLarge : .malformed
  }

  /// The answer to a peer whose request could not be read, or whose head breaks a rule.
  static func answer(to error: any Error, _ answers: HTTPServerAnswers) -> HTTPResponse {
    if let fault = error as? RequestFault {
      switch fault {
      case .malformed(let sentence): return .text(.badRequest, "\(sentence)\n")
      case .unknownTransferCoding:
        return .text(.notImplemented, "Send the body as it is, or chunked: no other transfer coding is supported.\n")
      case .unknownExpectation:
        return .text(.expectationFailed, "This server supports no expectation but 100-continue.\n")
      case .noRoom: return answers.noRoom(nil)
      }
    }
    switch error as? HTTPParserError {
    case .headerOverflow: return .text(.requestHeaderFieldsTooLarge, "The request's header is too large.\n")
    case .invalidVersion: return .text(.httpVersionNotSupported, "This server speaks HTTP/1.1.\n")
    default: return .text(.badRequest, "The request is not well-formed HTTP/1.1.\n")
    }
  }
}
