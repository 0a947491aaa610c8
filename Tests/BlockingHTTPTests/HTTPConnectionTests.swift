import Testing

@testable import BlockingHTTP

private let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

private func connection(_ server: ScriptedServer, limits: HTTPLimits = HTTPLimits()) throws -> HTTPConnection {
  HTTPConnection(try HTTPEndpoint(host: "127.0.0.1", port: server.port), limits: limits)
}

@Test func `several requests share one connection`() throws {
  let server = ScriptedServer([
    [.answer(ok), .answerInPieces(["HTTP/1.1 200 OK\r\nContent-", "Length: 1\r\n\r\n", "x"])]
  ])
  let connection = try connection(server)
  #expect(try connection.send("GET", "/one?a=b", headers: ["X-A": "b"]).text == "ok")
  #expect(try connection.send("POST", "/two", body: Array("hello".utf8)).text == "x")
  #expect(
    server.requests == [
      "GET /one?a=b HTTP/1.1\r\nHost: 127.0.0.1:\(server.port)\r\nX-A: b\r\n\r\n",
      "POST /two HTTP/1.1\r\nHost: 127.0.0.1:\(server.port)\r\nContent-Length: 5\r\n\r\nhello",
    ])
}

@Test func `a long body arrives whole`() throws {
  let server = ScriptedServer([[.answer(ok)]])
  let body = [UInt8](repeating: UInt8(ascii: "x"), count: 600_000)
  #expect(try connection(server).send("POST", "/", body: body).status == 200)
  #expect(server.requests[0].hasSuffix("\r\n\r\n" + String(decoding: body, as: UTF8.self)))
}

@Test func `a connection closed between requests is opened anew`() async throws {
  let server = ScriptedServer([[.answer(ok)], [.answer(ok)]])
  let connection = try connection(server)
  #expect(try connection.send("POST", "/1").status == 200)
  let deadline = ContinuousClock.now + .seconds(10)
  while server.closedConnections == 0, ContinuousClock.now < deadline { try await Task.sleep(for: .milliseconds(1)) }
  #expect(try connection.send("POST", "/2").status == 200)
}

@Test func `a request that may be repeated is, once`() throws {
  let server = ScriptedServer([[.answer(ok), .hangUp], [.answer(ok), .hangUp], [.hangUp], [.answer(ok)]])
  let connection = try connection(server)
  #expect(try connection.send("GET", "/1").status == 200)
  #expect(try connection.send("GET", "/2").status == 200)
  let error = #expect(throws: HTTPClientError.self) { try connection.send("GET", "/3") }
  #expect(error?.code == .closed)
  #expect(server.requests.count == 5)
  #expect(try connection.send("GET", "/4").status == 200)
}

@Test func `a request that was sent and may not be repeated is not`() throws {
  let server = ScriptedServer([[.answer(ok), .hangUp], [.answer(ok)]])
  let connection = try connection(server)
  #expect(try connection.send("POST", "/1").status == 200)
  let error = #expect(throws: HTTPClientError.self) { try connection.send("POST", "/2") }
  #expect(error?.code == .closed)
  #expect(server.requests.count == 2)
}

@Test func `nobody listening is refused`() throws {
  let server = ScriptedServer([])
  let connection = try connection(server)
  let error = #expect(throws: HTTPClientError.self) {
    // The listener closes at once, on a thread of its own.
    for _ in 0..<1_000 { _ = try connection.send("GET", "/", timeout: .seconds(5)) }
  }
  #expect(error?.code == .refused || error?.code == .closed)
}

@Test func `a silent server is waited for only so long`() throws {
  let server = ScriptedServer([[.keepSilent], [.answer(ok)]])
  let connection = try connection(server)
  let error = #expect(throws: HTTPClientError.self) { try connection.send("GET", "/", timeout: .milliseconds(20)) }
  #expect(error?.code == .timedOut)
  #expect(try connection.send("GET", "/").status == 200)
}

@Test func `an answer that breaks off, is too long or runs on is an error`() throws {
  let server = ScriptedServer([
    [.answer("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")],
    [.answer("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n")], [.answer(ok + "more")],
  ])
  let connection = try connection(server, limits: HTTPLimits(bodyBytes: 10))
  for code in [HTTPClientError.Code.closed, .tooLarge, .malformed] {
    let error = #expect(throws: HTTPClientError.self) { try connection.send("GET", "/") }
    #expect(error?.code == code)
  }
}

@Test(
  arguments: [
    ClientRequest("GET", "no-slash"), ClientRequest("GET", "/a b"), ClientRequest("GET", "/a\r\nX: y"),
    ClientRequest("G T", "/"), ClientRequest("", "/"), ClientRequest("GET", "/", headers: ["A": "b\r\nC: d"]),
    ClientRequest("GET", "/", headers: ["A b": "c"]), ClientRequest("GET", "/", headers: ["": "c"]),
    ClientRequest("GET", "/", headers: ["content-length": "3"]), ClientRequest("GET", "/", headers: ["Host": "x"]),
  ])
func `a request that would break its own frame is not sent`(_ request: ClientRequest) throws {
  let connection = HTTPConnection(try HTTPEndpoint("127.0.0.1:9"))
  let error = #expect(throws: HTTPClientError.self) { try connection.send(request) }
  #expect(error?.code == .invalidRequest)
}

@Test(
  arguments: zip(
    ["127.0.0.1:27315", "http://127.0.0.1:27315/", "localhost:1", "[::1]:27315", "169.254.100.1:9001"],
    ["127.0.0.1:27315", "127.0.0.1:27315", "localhost:1", "[::1]:27315", "169.254.100.1:9001"]))
func `reads an address`(_ text: String, _ description: String) throws {
  #expect(try HTTPEndpoint(text).description == description)
}

@Test(
  arguments: [
    "", ":", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:x", "example.org:80", "1.2.3:4",
    "127.0.0.1:80/path", "https://127.0.0.1:1",
  ])
func `refuses what is not an address`(_ text: String) {
  let error = #expect(throws: HTTPClientError.self) { try HTTPEndpoint(text) }
  #expect(error?.code == .invalidAddress)
  #expect(error?.description.contains("\"\(text)") == true || text.isEmpty)
}
