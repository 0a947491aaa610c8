import HTTPServer
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization
import Testing

@Suite struct `HTTP server tests` {
  @Test func `answers a request and keeps the connection`() async throws {
    try await serving(echo) { server in
      let client = try #require(RawConnection(port: server.port))
      for round in 1...3 {
        client.send("POST /echo?round=\(round) HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello")
        let response = try #require(client.response())
        #expect(response.statusLine == "HTTP/1.1 200 OK")
        #expect(response.body == "POST /echo?round=\(round) hello")
        #expect(!response.headers.contains("connection: close"))
      }
      #expect(server.counters.requests == 3)
      #expect(server.counters.connectionsAccepted == 1)
    }
  }

  @Test func `answers pipelined requests in order even when later ones are ready first`() async throws {
    let gates = Mutex<[EventLoopPromise<HTTPResponse>]>([])
    let handler: HTTPServer.Handler = { request, loop in
      guard request.path == "/slow" else { return loop.makeSucceededFuture(.text(.ok, request.path)) }
      let promise = loop.makePromise(of: HTTPResponse.self)
      gates.withLock { $0.append(promise) }
      return promise.futureResult
    }
    try await serving(handler) { server in
      let client = try #require(RawConnection(port: server.port))
      let others = (1...500).map { "GET /\($0) HTTP/1.1\r\nHost: x\r\n\r\n" }
      client.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n" + others.joined())
      await until { gates.withLock { $0.count } == 1 }
      #expect(server.counters.requests == 1)
      gates.withLock { $0[0] }.succeed(.text(.ok, "slow"))
      #expect(client.response()?.body == "slow")
      for number in 1...500 { #expect(client.response()?.body == "/\(number)") }
    }
  }

  @Test func `answers HEAD without a body but with its length`() async throws {
    try await serving(echo) { server in
      let client = try #require(RawConnection(port: server.port))
      client.send("HEAD /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\n")
      let head = try #require(client.response(hasBody: false))
      #expect(head.headers.contains("content-length: 8"))
      #expect(client.response()?.body == "GET /b ")
    }
  }

  @Test func `sends no body and no length with 204`() async throws {
    try await serving({ _, loop in loop.makeSucceededFuture(HTTPResponse(status: .noContent)) }) { server in
      let client = try #require(RawConnection(port: server.port))
      client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
      let response = try #require(client.response())
      #expect(response.statusLine == "HTTP/1.1 204 No Content")
      #expect(response.headers.allSatisfy { $0.hasPrefix("date: ") })
    }
  }

  @Test func `reads a chunked body`() async throws {
    try await serving(echo) { server in
      let client = try #require(RawConnection(port: server.port))
      client.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
      client.send("4\r\ndefg\r\n0\r\n\r\n")
      #expect(client.response()?.body == "POST / abcdefg")
    }
  }

  @Test func `asks for the body of a client that expects it`() async throws {
    try await serving(echo) { server in
      let client = try #require(RawConnection(port: server.port))
      client.send("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
      #expect(client.response()?.statusLine == "HTTP/1.1 100 Continue")
      client.send("abc")
      #expect(client.response()?.body == "POST / abc")
    }
  }

  @Test func `closes after the answer when asked to`() async throws {
    try await serving(echo) { server in
      for request in ["GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "GET / HTTP/1.0\r\n\r\n"] {
        let client = try #require(RawConnection(port: server.port))
        client.send(request)
        let response = try #require(client.response())
        #expect(response.headers.contains("connection: close"))
        #expect(client.isClosedByPeer())
      }
    }
  }

  @Test func `keeps an HTTP 1 0 connection that asks for it`() async throws {
    try await serving(echo) { server in
      let client = try #require(RawConnection(port: server.port))
      client.send("GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
      #expect(client.response()?.headers.contains("connection: keep-alive") == true)
      client.send("GET /2 HTTP/1.0\r\n\r\n")
      #expect(client.response()?.body == "GET /2 ")
    }
  }

  @Test func `answers a request for another protocol and closes`() async throws {
    try await serving(echo) { server in
      let client = try #require(RawConnection(port: server.port))
      client.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n")
      #expect(client.response()?.status == 200)
      #expect(client.isClosedByPeer())
    }
  }

  @Test func `a large answer arrives whole`() async throws {
    let size = 8 * 1024 * 1024
    let handler: HTTPServer.Handler = { _, loop in
      loop.makeSucceededFuture(
        HTTPResponse(status: .ok, body: ByteBuffer(repeating: UInt8(ascii: "x"), count: size)))
    }
    try await serving(handler) { server in
      let client = try #require(RawConnection(port: server.port))
      client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n")
      #expect(client.response()?.body.utf8.count == size)
      #expect(client.response()?.body.utf8.count == size)
    }
  }

  @Test func `a failed handler is a 500 that does not tell why`() async throws {
    struct Secret: Error {}
    try await serving({ _, loop in loop.makeFailedFuture(Secret()) }) { server in
      let client = try #require(RawConnection(port: server.port))
      client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
      let response = try #require(client.response())
      #expect(response.status == 500)
      #expect(!response.body.contains("Secret"))
    }
  }

  @Test func `header fields that would break the answer are dropped`() async throws {
    let handler: HTTPServer.Handler = { _, loop in
      let headers = HTTPHeaders([
        ("X-Good", "yes"), ("X-Split", "a\r\nSet-Cookie: b"), ("X Bad", "1"), ("", "2"), ("Content-Length", "9999"),
        ("Transfer-Encoding", "chunked"), ("Connection", "upgrade"),
      ])
      return loop.makeSucceededFuture(HTTPResponse(status: .ok, headers: headers, body: ByteBuffer(string: "ok")))
    }
    try await serving(handler) { server in
      let client = try #require(RawConnection(port: server.port))
      client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
      #expect(client.response()?.headers.filter { !$0.hasPrefix("date: ") } == ["x-good: yes", "content-length: 2"])
    }
  }

  @Test func `a client that goes away is told to the handler and its answer dropped`() async throws {
    let pending = Mutex<EventLoopPromise<HTTPResponse>?>(nil)
    let gone = Mutex(false)
    let handler: HTTPServer.Handler = { request, loop in
      let promise = loop.makePromise(of: HTTPResponse.self)
      pending.withLock { $0 = promise }
      request.connectionClosed.whenComplete { _ in gone.withLock { $0 = true } }
      return promise.futureResult
    }
    try await serving(handler) { server in
      do {
        let client = try #require(RawConnection(port: server.port))
        client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await until { pending.withLock { $0 != nil } }
        #expect(!gone.withLock { $0 })
        _ = client
      }
      await until { gone.withLock { $0 } }
      pending.withLock { $0 }?.succeed(.text(.ok, "late"))
      await until { server.counters.answersDropped == 1 }
      #expect(server.counters.connectionsOpen == 0)
    }
  }

  @Test func `a port in use is a typed error that names it`() async throws {
    try await serving(echo) { server in
      let error = await #expect(throws: HTTPServerError.self) {
        _ = try await HTTPServer.bind(
          host: "127.0.0.1", port: server.port, on: MultiThreadedEventLoopGroup.singleton, handler: echo
        ).get()
      }
      #expect(error?.code == .addressInUse)
      #expect(error?.description.contains("127.0.0.1:\(server.port)") == true)
    }
  }

  @Test(arguments: [("127.0.0.1", 65536), ("127.0.0.1", -1), ("a..b", 0)])
  func `an address that is none is a typed error`(_ host: String, _ port: Int) async throws {
    let error = await #expect(throws: HTTPServerError.self) {
      _ = try await HTTPServer.bind(
        host: host, port: port, on: MultiThreadedEventLoopGroup.singleton, handler: echo
      ).get()
    }
    #expect(error?.code == .unknownHost)
  }
}

let echo: HTTPServer.Handler = { request, loop in
  loop.makeSucceededFuture(.text(.ok, "\(request.method.rawValue) \(request.target) \(String(buffer: request.body))"))
}

/// Runs a server on one loop, gives it to `body`, and closes it with everything open.
func serving(
  _ handler: @escaping HTTPServer.Handler, limits: HTTPServerLimits = HTTPServerLimits(),
  answers: HTTPServerAnswers = HTTPServerAnswers(), routes: (any RouteFinder)? = nil,
  _ body: (HTTPServer) async throws -> Void
) async throws {
  let server = try await HTTPServer.bind(
    host: "127.0.0.1", port: 0, on: MultiThreadedEventLoopGroup.singleton.any(), limits: limits, answers: answers,
    routes: routes, handler: handler
  ).get()
  do {
    try await body(server)
  } catch {
    try await server.drain(within: .zero).get()
    throw error
  }
  try await server.drain(within: .zero).get()
  #expect(server.counters.connectionsOpen == 0)
}

/// Polls until `condition` holds, for at most 10 s.
func until(_ condition: () -> Bool, sourceLocation: SourceLocation = #_sourceLocation) async {
  let clock = ContinuousClock()
  let deadline = clock.now + .seconds(10)
  while !condition() {
    guard clock.now < deadline else {
      Issue.record("the condition did not come true within 10 s", sourceLocation: sourceLocation)
      return
    }
    try? await clock.sleep(for: .milliseconds(2))  // Cancelled: the test ends anyway.
  }
}
