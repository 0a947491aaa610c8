import HTTPServer
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization
import Testing

@Suite struct `Limit tests` {
  private var smallBody: HTTPServerLimits {
    var limits = HTTPServerLimits()
    limits.bodyBytesMax = 10
    return limits
  }

  @Test func `a body of exactly the limit passes`() async throws {
    try await serving(echo, limits: smallBody) { server in
      let client = try #require(RawConnection(port: server.port))
      client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n0123456789")
      #expect(client.response()?.status == 200)
    }
  }

  @Test(arguments: [
    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1000000000000\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n012345\r\n5\r\n01234\r\n",
  ])
  func `a larger body is refused in the front's own shape`(_ request: String) async throws {
    var answers = HTTPServerAnswers()
    answers.bodyTooLarge = { .json(.payloadTooLarge, "{\"path\":\"\($0.path)\"}") }
    try await serving(echo, limits: smallBody, answers: answers) { server in
      let client = try #require(RawConnection(port: server.port))
      client.send(request)
      let response = try #require(client.response())
      #expect(response.status == 413)
      #expect(response.body == "{\"path\":\"/\"}")
      #expect(client.isClosedByPeer())
      #expect(server.counters.requests == 0)
      #expect(server.counters.requestsRefused == 1)
    }
  }

  @Test func `a client that first sends all of a body too large still reads the refusal`() async throws {
    try await serving(echo, limits: smallBody) { server in
      let client = try #require(RawConnection(port: server.port))
      client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n")
      client.send([UInt8](repeating: 120, count: 3_000_000))
      #expect(client.response()?.status == 413)
      #expect(client.isClosedByPeer())
    }
  }

  @Test(arguments: [
    ("GET / HTTP/1.1\r\nHost: x\r\nX: \(String(repeating: "y", count: 70_000))\r\n\r\n", 431),
    ("GET /\(String(repeating: "y", count: 70_000)) HTTP/1.1\r\nHost: x\r\n\r\n", 431),
    ("GET / HTTP/1.1\r\nHost: x\r\n" + String(repeating: "X: y\r\n", count: 300) + "\r\n", 431),
    ("nonsense\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400), ("GET / HTTP/2.0\r\n\r\n", 505),
  ])
  func `what cannot be parsed is refused and the connection closed`(_ request: String, _ status: Int) async throws {
    try await serving(echo) { server in
      let client = try #require(RawConnection(port: server.port))
      client.send(request)
      #expect(client.response()?.status == status)
      #expect(client.isClosedByPeer())
      #expect(server.counters.requestsRefused == 1)
    }
  }

  @Test func `nonsense behind a good request is refused after its answer`() async throws {
    try await serving(echo) { server in
      let client = try #require(RawConnection(port: server.port))
      client.send("GET /good HTTP/1.1\r\nHost: x\r\n\r\nnonsense\r\n\r\n")
      #expect(client.response()?.body == "GET /good ")
      #expect(client.response()?.status == 400)
      #expect(client.isClosedByPeer())
    }
  }

  @Test func `a connection above the limit is answered 503 and closed`() async throws {
    var limits = HTTPServerLimits()
    limits.connectionsMax = 2
    try await serving(echo, limits: limits) { server in
      let clients = try (0..<2).map { _ in try #require(RawConnection(port: server.port)) }
      for client in clients {
        client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(client.response()?.status == 200)
      }
      let surplus = try #require(RawConnection(port: server.port))
      surplus.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
      #expect(surplus.response()?.status == 503)
      #expect(surplus.isClosedByPeer())
      #expect(server.counters.connectionsRefused == 1)
      clients[0].send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
      #expect(clients[0].response()?.status == 200)
    }
  }

  @Test(arguments: ["", "GET / HT", "GET / HTTP/1.1\r\nHost"])
  func `a connection that says nothing whole is closed`(_ beginning: String) async throws {
    var limits = HTTPServerLimits()
    limits.idleTimeout = .milliseconds(50)
    limits.transferTimeout = .milliseconds(50)
    try await serving(echo, limits: limits) { server in
      let client = try #require(RawConnection(port: server.port))
      client.send(beginning)
      if !beginning.isEmpty { #expect(client.response()?.status == 408) }
      #expect(client.isClosedByPeer())
    }
  }

  @Test func `half a body is answered 408 and closed`() async throws {
    var limits = HTTPServerLimits()
    limits.transferTimeout = .milliseconds(50)
    try await serving(echo, limits: limits) { server in
      let client = try #require(RawConnection(port: server.port))
      client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n01234")
      #expect(client.response()?.status == 408)
      #expect(client.isClosedByPeer())
      #expect(server.counters.transfersTimedOut == 1)
    }
  }

  @Test(arguments: [
    "POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345",
    "POST /p HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n123456\r\n6\r\n12",
  ])
  func `a body that breaks off is told to the front and answered if anybody reads it`(_ request: String) async throws {
    for answersHalfClosed in [true, false] {
      let (paths, path) = AsyncStream<String>.makeStream()
      var limits = HTTPServerLimits()
      limits.answersHalfClosed = answersHalfClosed
      var answers = HTTPServerAnswers()
      answers.bodyTruncated = { request in
        path.yield("\(request.path) \(request.body.readableBytes > 0)")
        return .text(.badRequest, "short")
      }
      try await serving(echo, limits: limits, answers: answers) { server in
        let client = try #require(RawConnection(port: server.port))
        client.send(request)
        client.closeSending()
        var told = paths.makeAsyncIterator()
        #expect(await told.next() == "/p true")
        if answersHalfClosed { #expect(client.response()?.body == "short") }
        #expect(client.isClosedByPeer())
        #expect(server.counters.requests == 0)
        #expect(server.counters.requestsRefused == 1)
      }
    }
  }

  @Test func `a peer that has sent all gets its answers, and is closed after them`() async throws {
    var limits = HTTPServerLimits()
    limits.answersHalfClosed = true
    try await serving(echo, limits: limits) { server in
      let client = try #require(RawConnection(port: server.port))
      let request = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n1"
      client.send(request + request)
      client.closeSending()
      #expect(client.response()?.status == 200)
      #expect(client.response()?.status == 200)
      #expect(client.isClosedByPeer())
      let silent = try #require(RawConnection(port: server.port))
      silent.closeSending()
      #expect(silent.isClosedByPeer())
    }
  }

  @Test func `a request that is being handled is under no timeout`() async throws {
    var limits = HTTPServerLimits()
    limits.idleTimeout = .milliseconds(20)
    limits.transferTimeout = .milliseconds(20)
    let handler: HTTPServer.Handler = { _, loop in
      loop.scheduleTask(in: .milliseconds(150)) { HTTPResponse.text(.ok, "slow") }.futureResult
    }
    try await serving(handler, limits: limits) { server in
      let client = try #require(RawConnection(port: server.port))
      client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
      #expect(client.response()?.body == "slow")
      #expect(client.isClosedByPeer())
    }
  }

  @Test func `a peer that does not take its answer is closed`() async throws {
    var limits = HTTPServerLimits()
    limits.transferTimeout = .milliseconds(50)
    let handler: HTTPServer.Handler = { _, loop in
      loop.makeSucceededFuture(HTTPResponse(status: .ok, body: ByteBuffer(repeating: 0, count: 64 * 1024 * 1024)))
    }
    try await serving(handler, limits: limits) { server in
      let client = try #require(RawConnection(port: server.port))
      client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
      await until { server.counters.transfersTimedOut == 1 && server.counters.connectionsOpen == 0 }
      withExtendedLifetime(client) {}
    }
  }
}

@Suite struct `Drain tests` {
  @Test func `draining closes idle connections, finishes what is in flight, and refuses new ones`() async throws {
    let gate = Mutex<EventLoopPromise<HTTPResponse>?>(nil)
    let handler: HTTPServer.Handler = { request, loop in
      guard request.path == "/slow" else { return loop.makeSucceededFuture(.text(.ok, "quick")) }
      let promise = loop.makePromise(of: HTTPResponse.self)
      gate.withLock { $0 = promise }
      return promise.futureResult
    }
    try await serving(handler) { server in
      let idle = try #require(RawConnection(port: server.port))
      idle.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
      #expect(idle.response()?.status == 200)
      let busy = try #require(RawConnection(port: server.port))
      busy.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
      await until { gate.withLock { $0 != nil } }
      let drained = server.drain(within: .seconds(60))
      #expect(idle.isClosedByPeer())
      // Another server may have been given the port by now; this one must not answer on it.
      _ = RawConnection(port: server.port)
      #expect(server.counters.connectionsAccepted == 2)
      gate.withLock { $0 }?.succeed(.text(.ok, "slow"))
      let response = try #require(busy.response())
      #expect(response.body == "slow")
      #expect(response.headers.contains("connection: close"))
      #expect(busy.isClosedByPeer())
      try await drained.get()
      #expect(server.counters.connectionsOpen == 0)
    }
  }

  @Test func `draining cuts off what takes longer than its deadline`() async throws {
    let gate = Mutex<EventLoopPromise<HTTPResponse>?>(nil)
    let handler: HTTPServer.Handler = { _, loop in
      let promise = loop.makePromise(of: HTTPResponse.self)
      gate.withLock { $0 = promise }
      return promise.futureResult
    }
    try await serving(handler) { server in
      let busy = try #require(RawConnection(port: server.port))
      busy.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
      await until { gate.withLock { $0 != nil } }
      try await server.drain(within: .milliseconds(30)).get()
      #expect(busy.isClosedByPeer())
      gate.withLock { $0 }?.succeed(.text(.ok, "late"))
    }
  }
}
