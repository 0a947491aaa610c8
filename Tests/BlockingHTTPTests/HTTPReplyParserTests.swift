import Testing

@testable import BlockingHTTP

struct ReplyCase: Sendable, CustomTestStringConvertible {
  var testDescription: String
  var wire: String
  var isHead = false
  var endsWithClose = false
  var status = 200
  var body = ""
  var keepsAlive = true
}

struct BadReplyCase: Sendable, CustomTestStringConvertible {
  var testDescription: String
  var wire: String
  var code = HTTPClientError.Code.malformed
}

private func parse(_ wire: String, isHead: Bool = false, pieceLength: Int, limits: HTTPLimits = HTTPLimits())
  throws(HTTPClientError) -> HTTPReplyParser
{
  var parser = HTTPReplyParser(isHead: isHead, limits: limits)
  var rest = Array(wire.utf8)[...]
  while !rest.isEmpty, !parser.isDone {
    let piece = Array(rest.prefix(pieceLength))
    rest = rest.dropFirst(try parser.feed(piece.span))
  }
  return parser
}

@Test(
  arguments: [
    ReplyCase(
      testDescription: "a length", wire: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", body: "hello"),
    ReplyCase(
      testDescription: "an empty body", wire: "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n", status: 202),
    ReplyCase(testDescription: "no reason", wire: "HTTP/1.1 404\r\ncontent-length:1\r\n\r\nx", status: 404, body: "x"),
    ReplyCase(
      testDescription: "chunks with extensions and trailers",
      wire: "HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n"
        + "5;name=value\r\nhello\r\nA\r\n, world 12\r\n0\r\nTrailer: x\r\n\r\n",
      body: "hello, world 12"),
    ReplyCase(
      testDescription: "a reply to HEAD", wire: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", isHead: true),
    ReplyCase(testDescription: "no content", wire: "HTTP/1.1 204 No Content\r\n\r\n", status: 204),
    ReplyCase(
      testDescription: "not modified with a length", wire: "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
      status: 304),
    ReplyCase(
      testDescription: "an interim reply before the real one",
      wire: "HTTP/1.1 100 Continue\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", body: "x"),
    ReplyCase(
      testDescription: "a body until the end", wire: "HTTP/1.1 200 OK\r\n\r\nhello", endsWithClose: true, body: "hello",
      keepsAlive: false),
    ReplyCase(
      testDescription: "a server that will close",
      wire: "HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 0\r\n\r\n",
      keepsAlive: false),
    ReplyCase(
      testDescription: "HTTP/1.0", wire: "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", keepsAlive: false),
    ReplyCase(
      testDescription: "HTTP/1.0 kept alive",
      wire: "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n"),
    ReplyCase(testDescription: "bare line feeds", wire: "HTTP/1.1 200 OK\nContent-Length: 2\n\nab", body: "ab"),
    ReplyCase(
      testDescription: "the same length twice",
      wire: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nab", body: "ab"),
  ], [1, 3, 4096])
func `reads a reply in pieces of any length`(_ given: ReplyCase, _ pieceLength: Int) throws {
  var parser = try parse(given.wire, isHead: given.isHead, pieceLength: pieceLength)
  #expect(parser.isDone == !given.endsWithClose)
  try parser.finish()
  #expect(parser.isDone)
  #expect(parser.reply.status == given.status)
  #expect(parser.reply.text == given.body)
  #expect(parser.keepsAlive == given.keepsAlive)
}

@Test(
  arguments: [
    BadReplyCase(testDescription: "not HTTP", wire: "SSH-2.0-OpenSSH_9.2p1\r\n\r\n"),
    BadReplyCase(testDescription: "HTTP/2", wire: "HTTP/2 200\r\n\r\n"),
    BadReplyCase(testDescription: "a status of two digits", wire: "HTTP/1.1 20 OK\r\n\r\n"),
    BadReplyCase(testDescription: "a status below 100", wire: "HTTP/1.1 099 OK\r\n\r\n"),
    BadReplyCase(testDescription: "a switch of protocols", wire: "HTTP/1.1 101 Switching\r\n\r\n"),
    BadReplyCase(testDescription: "nothing but blank lines", wire: "\n\n"),
    BadReplyCase(testDescription: "a header without a colon", wire: "HTTP/1.1 200 OK\r\nnothing\r\n\r\n"),
    BadReplyCase(testDescription: "a blank before the colon", wire: "HTTP/1.1 200 OK\r\nA : b\r\n\r\n"),
    BadReplyCase(testDescription: "a folded header", wire: "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n"),
    BadReplyCase(testDescription: "a control character", wire: "HTTP/1.1 200 OK\r\nA: b\u{0}\r\n\r\n"),
    BadReplyCase(testDescription: "a negative length", wire: "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"),
    BadReplyCase(testDescription: "a length with a plus", wire: "HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\n"),
    BadReplyCase(
      testDescription: "a length past Int", wire: "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n"),
    BadReplyCase(
      testDescription: "two lengths", wire: "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"),
    BadReplyCase(
      testDescription: "a length and chunks",
      wire: "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"),
    BadReplyCase(testDescription: "gzip as transfer", wire: "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n"),
    BadReplyCase(
      testDescription: "a chunk without a size", wire: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n"),
    BadReplyCase(
      testDescription: "a chunk longer than it says",
      wire: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n"),
    BadReplyCase(
      testDescription: "a length over the limit", wire: "HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n",
      code: .tooLarge),
    BadReplyCase(
      testDescription: "a chunk over the limit", wire: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n",
      code: .tooLarge),
    BadReplyCase(
      testDescription: "a body until the end over the limit",
      wire: "HTTP/1.1 200 OK\r\n\r\n" + String(repeating: "x", count: 101), code: .tooLarge),
    BadReplyCase(
      testDescription: "a head over the limit",
      wire: "HTTP/1.1 200 OK\r\nA: " + String(repeating: "x", count: 200) + "\r\n\r\n", code: .tooLarge),
    BadReplyCase(
      testDescription: "trailers over the limit",
      wire: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + String(repeating: "A: b\r\n", count: 50),
      code: .tooLarge),
  ], [1, 4096])
func `refuses what is not a reply`(_ given: BadReplyCase, _ pieceLength: Int) {
  let limits = HTTPLimits(headBytes: 150, bodyBytes: 100)
  let error = #expect(throws: HTTPClientError.self) {
    _ = try parse(given.wire, pieceLength: pieceLength, limits: limits)
  }
  #expect(error?.code == given.code)
}

@Test func `every cut of a reply is an early end`() throws {
  for wire in [
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
  ] {
    for count in 0..<wire.utf8.count {
      var parser = try parse(String(Substring(wire.utf8.prefix(count))), pieceLength: 7)
      let error = #expect(throws: HTTPClientError.self) { try parser.finish() }
      #expect(error?.code == .closed)
    }
  }
}

@Test func `leaves what follows a reply`() throws {
  var parser = HTTPReplyParser(isHead: false, limits: HTTPLimits())
  let bytes = Array("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxHTTP".utf8)
  #expect(try parser.feed(bytes.span) == bytes.count - 4)
}

@Test func `finds headers in any case`() throws {
  let headers = try parse("HTTP/1.1 204 No\r\nX-A:  one \t\r\nx-a: two\r\n\r\n", pieceLength: 9).reply.headers
  #expect(headers["X-a"] == "one")
  #expect(headers.values(of: "x-A") == ["one", "two"])
  #expect(headers["x-b"] == nil)
}
