import Text
import HTTPServer
import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

@testable import HTTPServer

/// A request as it is sent, and the status that it gets.
struct RequestCase: CustomTestStringConvertible {
  var testDescription: String
  var request: String
  var status: Int

  init(_ testDescription: String, _ request: String, _ status: Int) {
    self.testDescription = testDescription
    self.request = request
    self.status = status
  }
}

@Suite struct `What RFC 9112 asks of a request` {
  @Test(arguments: [
    RequestCase("no Host", "GET / HTTP/1.1\r\n\r\n", 400),
    RequestCase("two equal ones", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
    RequestCase("two that differ", "GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n", 400),
    RequestCase("two in HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", 400),
    RequestCase("a list", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400),
    RequestCase("a list without a space", "GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", 400),
    RequestCase("an empty one", "GET / HTTP/1.1\r\nHost: \r\n\r\n", 400),
    RequestCase("user information", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400),
    RequestCase("a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
    RequestCase("a port that is none", "GET / HTTP/1.1\r\nHost: a:http\r\n\r\n", 400),
    RequestCase("a port above all", "GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n", 400),
    RequestCase("half an address", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400),
    RequestCase("brackets without an address", "GET / HTTP/1.1\r\nHost: []\r\n\r\n", 400),
    RequestCase("other letters", "GET / HTTP/1.1\r\nHost: \u{FC}\r\n\r\n", 400),
    RequestCase("a name", "GET / HTTP/1.1\r\nHost: a-b.c_d.example\r\n\r\n", 200),
    RequestCase("a port", "GET / HTTP/1.1\r\nHost: a:80\r\n\r\n", 200),
    RequestCase("no port after the colon", "GET / HTTP/1.1\r\nHost: a:\r\n\r\n", 200),
    RequestCase("an address", "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", 200),
    RequestCase("blanks around it", "GET / HTTP/1.1\r\nHost: \t a \t\r\n\r\n", 200),
    RequestCase("none in HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", 200),
  ])
  func `one Host that names a host`(_ given: RequestCase) async throws { try await check(given) }

  @Test(arguments: [
    RequestCase("Content-Length twice", "Content-Length: 1\r\nContent-Length: 1\r\n\r\n1", 400),
    RequestCase("both lengths", "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    RequestCase("both, the other way round", "Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\n", 400),
    RequestCase("a coding that nobody undoes", "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
    RequestCase("chunked twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    RequestCase("a plus", "Content-Length: +1\r\n\r\n1", 400),
    RequestCase("a number above all", "Content-Length: 99999999999999999999\r\n\r\n1", 400),
    RequestCase("a line that goes on", "X: a\r\n b\r\n\r\n", 400),
    RequestCase("a blank before the colon", "X : a\r\n\r\n", 400),
    RequestCase("NUL", "X: a\0b\r\n\r\n", 400),
    RequestCase("a line feed alone", "X: a\nY: b\r\n\r\n", 400),
    RequestCase("another expectation", "Expect: a-miracle\r\n\r\n", 417),
    RequestCase("chunked in capitals", "Transfer-Encoding: CHUNKED\r\n\r\n1\r\na\r\n0\r\n\r\n", 200),
    RequestCase("a length and a blank", "Content-Length: 1 \r\n\r\na", 200),
  ])
  func `one length, and fields as they are defined`(_ given: RequestCase) async throws {
    try await check(RequestCase("", "POST / HTTP/1.1\r\nHost: a\r\n\(given.request)", given.status))
  }

  @Test func `no Transfer-Encoding in HTTP 1 0`() async throws {
    try await check(RequestCase("", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400))
  }

  @Test(arguments: [
    ("/a?b", "/a?b", "x"), ("http://other:8/a?b", "/a?b", "other:8"), ("HTTP://other", "/", "other"),
    ("https://other?b", "/?b", "other"),
  ])
  func `a target in absolute form says who is meant`(_ target: String, _ path: String, _ host: String) async throws {
    let handler: HTTPServer.Handler = { request, loop in
      loop.makeSucceededFuture(.text(.ok, "\(request.target) \(request.headers["Host"].joined(separator: "|"))"))
    }
    try await serving(handler) { server in
      let client = try #require(RawConnection(port: server.port))
      // Blanks behind it are no part of it.
      client.send("GET \(target) HTTP/1.1\r\nHost: x \t\r\n\r\n")
      #expect(client.response()?.body == "\(path) \(host)")
    }
  }

  @Test(arguments: ["*", "a", "/a#b", "ftp://a/", "http:///a", "http://u@a/", "a:80"])
  func `a target of another form is refused`(_ target: String) async throws {
    try await check(RequestCase("", "GET \(target) HTTP/1.1\r\nHost: x\r\n\r\n", 400))
  }

  /// A refusal is the connection's last answer: what follows may be read differently by whoever sent it.
  private func check(_ given: RequestCase) async throws {
    try await serving(echo) { server in
      let client = try #require(RawConnection(port: server.port))
      client.send(given.request)
      #expect(client.response()?.status == given.status)
      guard given.status != 200 else { return }
      #expect(client.isClosedByPeer())
      #expect(server.counters.requestsRefused == 1)
    }
  }
}

@Suite struct `The Date of an answer` {
  @Test(arguments: [
    (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
    (951_782_399, "Mon, 28 Feb 2000 23:59:59 GMT"), (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
    (951_868_800, "Wed, 01 Mar 2000 00:00:00 GMT"), (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
    (4_107_542_399, "Sun, 28 Feb 2100 23:59:59 GMT"), (1_798_761_599, "Thu, 31 Dec 2026 23:59:59 GMT"),
  ])
  func `has the form of RFC 9110`(_ seconds: Int, _ text: String) {
    #expect(CalendarText.http(seconds: Int64(seconds)) == text)
  }

  @Test func `is on every answer, once`() async throws {
    let handler: HTTPServer.Handler = { request, loop in
      var response = HTTPResponse.text(.ok, "")
      if request.path == "/own" { response.headers.add(name: "date", value: "mine") }
      return loop.makeSucceededFuture(response)
    }
    try await serving(handler) { server in
      for request in ["GET / HTTP/1.1\r\nHost: x\r\n\r\n", "nonsense\r\n\r\n", "HEAD / HTTP/1.0\r\n\r\n"] {
        let client = try #require(RawConnection(port: server.port))
        client.send(request)
        let dates = try #require(client.response(hasBody: false)).headers.filter { $0.hasPrefix("date: ") }
        #expect(dates.count == 1 && dates[0].hasSuffix(" gmt") && dates[0].utf8.count == 35, "\(dates)")
      }
      let client = try #require(RawConnection(port: server.port))
      client.send("GET /own HTTP/1.1\r\nHost: x\r\n\r\n")
      #expect(client.response()?.headers.filter { $0.hasPrefix("date: ") } == ["date: mine"])
    }
  }
}
