/// Reads one reply from bytes that come in any pieces. Pure: no socket, no clock.
struct HTTPReplyParser {
  private enum Phase {
    case head
    case body(remaining: Int)
    case chunkSize
    case chunk(remaining: Int)
    case chunkEnd
    case trailers
    case untilClose
    case done
  }

  private let limits: HTTPLimits
  private let isHead: Bool
  private var phase = Phase.head
  /// The head so far, or the current line of a chunked body.
  private var line: [UInt8] = []
  private var trailerBytes = 0
  private(set) var reply = HTTPReply(status: 0)
  /// Whether the connection may serve another request after this reply.
  private(set) var keepsAlive = false
  /// Whether any byte was fed.
  private(set) var hasBegun = false

  /// - Parameter isHead: Whether the request was a HEAD, whose reply has no body whatever its headers say.
  init(isHead: Bool, limits: HTTPLimits) {
    self.isHead = isHead
    self.limits = limits
  }

  /// Whether the reply is whole.
  var isDone: Bool { if case .done = phase { true } else { false } }

  /// Takes bytes up to the end of the reply.
  ///
  /// - Returns: How many were taken; fewer than given only when the reply is whole.
  /// - Throws: ``HTTPClientError/Code/malformed`` or ``HTTPClientError/Code/tooLarge``; the parser is then spent.
  mutating func feed(_ bytes: Span<UInt8>) throws(HTTPClientError) -> Int {
    var index = 0
    if !bytes.isEmpty { hasBegun = true }
    while index < bytes.count {
      switch phase {
      case .done: return index
      case .head, .chunkSize, .chunkEnd, .trailers:
        index += try takeLine(bytes, from: index)
      case .body(let remaining):
        let count = try copy(bytes, from: index, atMost: remaining)
        index += count
        phase = count == remaining ? .done : .body(remaining: remaining - count)
      case .chunk(let remaining):
        let count = try copy(bytes, from: index, atMost: remaining)
        index += count
        phase = count == remaining ? .chunkEnd : .chunk(remaining: remaining - count)
      case .untilClose: index += try copy(bytes, from: index, atMost: .max)
      }
    }
    return index
  }

  /// Says that the other side closed the connection.
  ///
  /// - Throws: ``HTTPClientError/Code/closed`` if the reply is not whole.
  mutating func finish() throws(HTTPClientError) {
    switch phase {
    case .done: return
    case .untilClose: phase = .done
    default: throw HTTPClientError(.closed, "The connection was closed before the reply was complete.")
    }
  }

  private mutating func copy(_ bytes: Span<UInt8>, from index: Int, atMost limit: Int) throws(HTTPClientError) -> Int {
    let count = min(limit, bytes.count - index)
    guard reply.body.count + count <= limits.bodyBytes else { throw bodyTooLarge() }
    // SAFETY: the pointer is used inside the closure only.
    unsafe bytes.extracting(index..<index + count).withUnsafeBufferPointer { unsafe reply.body.append(contentsOf: $0) }
    return count
  }

  /// Takes bytes up to the end of a line, or as many as there are.
  private mutating func takeLine(_ bytes: Span<UInt8>, from index: Int) throws(HTTPClientError) -> Int {
    var end = index
    while end < bytes.count, bytes[end] != 0x0A { end += 1 }
    let isWhole = end < bytes.count
    if isWhole { end += 1 }
    guard line.count + end - index <= limits.headBytes else {
      throw HTTPClientError(.tooLarge, "The head of the reply is over its limit of \(limits.headBytes) bytes.")
    }
    // SAFETY: the pointer is used inside the closure only.
    unsafe bytes.extracting(index..<end).withUnsafeBufferPointer { unsafe line.append(contentsOf: $0) }
    if isWhole { try lineEnded() }
    return end - index
  }

  private mutating func lineEnded() throws(HTTPClientError) {
    switch phase {
    case .head: if isEndOfHead { try readHead() }
    case .chunkSize: try readChunkSize()
    case .chunkEnd:
      guard trimmedLine.isEmpty else { throw malformed("a chunk is longer than it says") }
      line.removeAll(keepingCapacity: true)
      phase = .chunkSize
    default: try readTrailer()
    }
  }

  private var trimmedLine: ArraySlice<UInt8> { HTTPReplyParser.withoutLineEnd(line[...]) }

  private static func withoutLineEnd(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var rest = line
    if rest.last == 0x0A { rest.removeLast() }
    if rest.last == 0x0D { rest.removeLast() }
    return rest
  }

  /// Whether the line that just ended is empty. It is not the first: then something is wrong, and reading it says so.
  private var isEndOfHead: Bool {
    let count = line.count
    guard count > 1, line[count - 2] != 0x0A else { return true }
    return line[count - 2] == 0x0D && (count == 2 || line[count - 3] == 0x0A)
  }

  private mutating func readHead() throws(HTTPClientError) {
    let head = line
    line.removeAll(keepingCapacity: true)
    var lines = head.split(separator: 0x0A).map(HTTPReplyParser.withoutLineEnd)[...]
    let version = try readStatus(lines.popFirst() ?? [])
    reply.headers = HTTPHeaders()
    for line in lines where !line.isEmpty { try readField(line) }
    // An interim reply (RFC 9110, 15.2) announces the real one; a switch of protocols was never asked for.
    if reply.status < 200 {
      guard reply.status != 101 else { throw malformed("the protocol was switched unasked") }
      return
    }
    let connection = (reply.headers["Connection"] ?? "").utf8.map(HTTPHeaders.lowered)
    keepsAlive = version == 1 ? connection != Array("close".utf8) : connection == Array("keep-alive".utf8)
    try chooseBody()
  }

  private mutating func chooseBody() throws(HTTPClientError) {
    let length = try contentLength()
    let encodings = reply.headers.values(of: "Transfer-Encoding")
    if isHead || reply.status == 204 || reply.status == 304 {
      phase = .done
    } else if !encodings.isEmpty {
      guard encodings.count == 1, HTTPHeaders.areEqual(encodings[0], "chunked") else {
        throw malformed("its transfer encoding is not just \"chunked\"")
      }
      // Both is how requests are smuggled (RFC 9112, 6.3); nobody honest sends it.
      guard length == nil else { throw malformed("it has both a length and a transfer encoding") }
      phase = .chunkSize
    } else if let length {
      guard length <= limits.bodyBytes else { throw bodyTooLarge() }
      reply.body.reserveCapacity(length)
      phase = length == 0 ? .done : .body(remaining: length)
    } else {
      keepsAlive = false
      phase = .untilClose
    }
  }

  /// - Returns: The minor version.
  private mutating func readStatus(_ line: ArraySlice<UInt8>) throws(HTTPClientError) -> UInt8 {
    let bytes = Array(line)
    guard bytes.count >= 12, bytes.starts(with: "HTTP/1.".utf8), (0x30...0x31).contains(bytes[7]), bytes[8] == 0x20,
      bytes.count == 12 || bytes[12] == 0x20,
      let status = HTTPReplyParser.number(bytes[9..<12], radix: 10), status >= 100
    else { throw malformed("its first line is not a status line") }
    reply.status = status
    return bytes[7] - 0x30
  }

  private mutating func readField(_ line: ArraySlice<UInt8>) throws(HTTPClientError) {
    guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex,
      line[..<colon].allSatisfy(HTTPSyntax.isToken), line[colon...].allSatisfy(HTTPSyntax.isValue)
    else { throw malformed("a header is not a name, a colon and a value") }
    var value = line[(colon + 1)...]
    while let first = value.first, first == 0x20 || first == 0x09 { value.removeFirst() }
    while let last = value.last, last == 0x20 || last == 0x09 { value.removeLast() }
    reply.headers.append(String(decoding: line[..<colon], as: UTF8.self), String(decoding: value, as: UTF8.self))
  }

  private func contentLength() throws(HTTPClientError) -> Int? {
    let values = reply.headers.values(of: "Content-Length")
    guard let first = values.first else { return nil }
    guard values.allSatisfy({ $0 == first }), let length = HTTPReplyParser.number(first.utf8, radix: 10) else {
      throw malformed("its length is not one number")
    }
    return length
  }

  private mutating func readChunkSize() throws(HTTPClientError) {
    // What follows a semicolon is an extension, which a reader passes over (RFC 9112, 7.1.1).
    let digits = trimmedLine.prefix { $0 != UInt8(ascii: ";") && $0 != 0x20 && $0 != 0x09 }
    guard let size = HTTPReplyParser.number(digits, radix: 16) else { throw malformed("a chunk has no size") }
    line.removeAll(keepingCapacity: true)
    guard size <= limits.bodyBytes - reply.body.count else { throw bodyTooLarge() }
    phase = size == 0 ? .trailers : .chunk(remaining: size)
  }

  private mutating func readTrailer() throws(HTTPClientError) {
    trailerBytes += line.count
    guard trailerBytes <= limits.headBytes else {
      throw HTTPClientError(.tooLarge, "The trailers of the reply are over their limit of \(limits.headBytes) bytes.")
    }
    if trimmedLine.isEmpty { phase = .done }
    line.removeAll(keepingCapacity: true)
  }

  /// Digits and nothing else; nil for none and for more than fits.
  private static func number(_ digits: some Collection<UInt8>, radix: Int) -> Int? {
    var value = 0
    guard !digits.isEmpty else { return nil }
    for byte in digits {
      guard let digit = digit(byte), digit < radix else { return nil }
      let (product, overflowed) = value.multipliedReportingOverflow(by: radix)
      let (sum, carried) = product.addingReportingOverflow(digit)
      guard !overflowed, !carried else { return nil }
      value = sum
    }
    return value
  }

  private static func digit(_ byte: UInt8) -> Int? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(byte) - 0x30
    case UInt8(ascii: "a")...UInt8(ascii: "f"): Int(byte) - 0x57
    case UInt8(ascii: "A")...UInt8(ascii: "F"): Int(byte) - 0x37
    default: nil
    }
  }

  private func malformed(_ what: String) -> HTTPClientError {
    HTTPClientError(.malformed, "The reply cannot be read: \(what).")
  }

  private func bodyTooLarge() -> HTTPClientError {
    HTTPClientError(.tooLarge, "The body of the reply is over its limit of \(limits.bodyBytes) bytes.")
  }
}
