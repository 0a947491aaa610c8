import NIOCore
import NIOHTTP1
import Testing

@testable import HTTPServer

struct RouteCase: CustomTestStringConvertible, Sendable {
  var method: HTTPMethod
  var target: String
  var outcome: RouteMatch.Outcome
  var parameters: [String]

  init(_ method: HTTPMethod, _ target: String, _ outcome: RouteMatch.Outcome, _ parameters: [String] = []) {
    self.method = method
    self.target = target
    self.outcome = outcome
    self.parameters = parameters
  }

  var testDescription: String { "\(method) \(target)" }
}

@Suite struct `Route table tests` {
  private static let routes = [
    Route("list", [.GET, .HEAD], "/functions", handler: 0),
    Route("create", [.POST], "/functions", handler: 1),
    Route("invoke", [.POST], "/functions/{name}/invocations", handler: 2),
    Route("alias", [.PUT], "/functions/{name}/aliases/{alias}", handler: 3),
    Route("url", [.GET], "/url/{name}/{rest*}", handler: 4),
    Route("all", [.DELETE], "/all{rest*}", handler: 5),
  ]

  @Test(arguments: [
    RouteCase(.GET, "/functions", .found(0)), RouteCase(.HEAD, "/functions", .found(0)),
    RouteCase(.POST, "/functions", .found(1)), RouteCase(.GET, "/functions?a=/b", .found(0)),
    RouteCase(.DELETE, "/functions", .wrongMethod(allowed: [.GET, .HEAD, .POST])),
    RouteCase(.POST, "/functions/orders/invocations", .found(2), ["orders"]),
    RouteCase(.POST, "/functions/orders/invocations?Qualifier=1", .found(2), ["orders"]),
    RouteCase(.POST, "/functions/a%2Fb%3Ac/invocations", .found(2), ["a/b:c"]),
    RouteCase(.POST, "/functions/%C3%BC/invocations", .found(2), ["ü"]),
    RouteCase(.POST, "/f%75nctions/orders/%69nvocations", .found(2), ["orders"]),
    RouteCase(.POST, "/functions/a+b/invocations", .found(2), ["a+b"]),
    RouteCase(.POST, "/functions/%FF/invocations", .malformed),
    RouteCase(.POST, "/functions/%/invocations", .malformed),
    RouteCase(.POST, "/functions/%4/invocations", .malformed),
    RouteCase(.GET, "/functions/orders/invocations", .wrongMethod(allowed: [.POST])),
    RouteCase(.PUT, "/functions/orders/aliases/blue", .found(3), ["orders", "blue"]),
    RouteCase(.PUT, "/functions/orders/aliases/", .notFound), RouteCase(.PUT, "/functions//aliases/blue", .notFound),
    RouteCase(.GET, "/url/orders/a/b/", .found(4), ["orders", "a/b/"]),
    RouteCase(.GET, "/url/orders/", .found(4), ["orders", ""]),
    RouteCase(.GET, "/url/orders", .notFound), RouteCase(.DELETE, "/all", .found(5), [""]),
    RouteCase(.DELETE, "/allow", .found(5), ["ow"]), RouteCase(.GET, "/functions/", .notFound),
    RouteCase(.GET, "/functions%2F", .notFound), RouteCase(.GET, "/functions%", .notFound),
    RouteCase(.GET, "/function", .notFound), RouteCase(.GET, "/functionss", .notFound), RouteCase(.GET, "/", .notFound),
    RouteCase(.GET, "", .notFound), RouteCase(.OPTIONS, "*", .notFound), RouteCase(.GET, "?", .notFound),
    RouteCase(.CONNECT, "localhost:80", .notFound), RouteCase(.GET, "/%FE", .notFound),
    RouteCase(.GET, "/%FF", .notFound),
  ])
  func `finds a route by path and method`(_ given: RouteCase) {
    let match = RouteTable(Self.routes).find(given.method, target: given.target)
    #expect(match.outcome == given.outcome)
    #expect(match.parameters == given.parameters)
  }

  @Test func `takes a slash at the end only where it is told to`() {
    let tolerant = RouteTable(Self.routes, toleratesSlash: true)
    #expect(tolerant.find(.GET, target: "/functions/").outcome == .found(0))
    #expect(tolerant.find(.GET, target: "/functions/?x").outcome == .found(0))
    #expect(tolerant.find(.GET, target: "/functions//").outcome == .notFound)
    #expect(tolerant.find(.POST, target: "/functions/orders/invocations/").parameters == ["orders"])
  }

  @Test func `takes no two routes for one request`() async {
    await #expect(processExitsWith: .failure) {
      _ = RouteTable([Route("a", [.GET], "/a", handler: 0), Route("b", [.GET], "/a", handler: 1)])
    }
  }
}

@Suite struct `Request line tests` {
  @Test(arguments: [1, 7, 1_000])
  func `is put together from its pieces`(_ pieceBytes: Int) throws {
    let bytes = Array("\r\n\nPOST /a?b HTTP/1.1\r\nHost: x\r\nX: y z\r\n".utf8)
    var line = RequestLine()
    for start in stride(from: 0, to: bytes.count, by: pieceBytes) where !line.isComplete {
      line.append(ByteBuffer(bytes: bytes[start..<min(start + pieceBytes, bytes.count)]), isFromStart: true)
    }
    let parts = try #require(line.parts)
    #expect(parts.method == "POST" && parts.target == "/a?b")
  }

  @Test(arguments: ["POST /a\r\n", "\r\n", "a b c d\r\n", "POST /\(String(repeating: "a", count: 9_000)) HTTP/1.1\r\n"])
  func `is for no route if it is none`(_ text: String) {
    var line = RequestLine()
    line.append(ByteBuffer(string: text), isFromStart: true)
    #expect(line.parts == nil)
  }

  @Test func `is not looked for behind the end of another request`() {
    var line = RequestLine()
    line.append(ByteBuffer(string: "POST /a HTTP/1.1\r\n"), isFromStart: false)
    #expect(line.isComplete && line.parts == nil)
  }
}

@Suite struct `A route` {
  private static let routes = RouteTable([
    Route("small", [.GET, .POST], "/small", limits: RouteLimits(bodyBytesMax: 10), handler: ()),
    Route(
      "large", [.POST], "/large/{name}", limits: RouteLimits(bodyBytesMax: 10, headerBytesMax: 1 << 20), handler: ()),
    Route("trailers", [.POST], "/trailers", limits: RouteLimits(bodyBytesMax: 10, takesTrailers: true), handler: ()),
  ])

  private static let handler: HTTPServer.Handler = { request, loop in
    let trailers = request.trailers?.map { "\($0)=\($1)" }.joined(separator: ",") ?? "none"
    let route = request.route.position.map { routes[$0].name } ?? "none"
    return loop.makeSucceededFuture(.text(.ok, "\(route) \(trailers)"))
  }

  /// Sends a header with one large field, in pieces that each come alone.
  private func status(_ path: String, headerBytes: Int, pieceBytes: Int) async throws -> Int? {
    var status: Int?
    try await serving(Self.handler, routes: Self.routes) { server in
      let client = try #require(RawConnection(port: server.port))
      let head = Array("POST \(path) HTTP/1.1\r\nHost: x\r\nX: ".utf8)
      let bytes = head + [UInt8](repeating: 0x79, count: headerBytes) + Array("\r\nContent-Length: 0\r\n\r\n".utf8)
      var position = 0
      while position < bytes.count {
        // What is refused is not read to its end.
        guard client.send(Array(bytes[position..<min(position + pieceBytes, bytes.count)])) else { break }
        position += pieceBytes
        if position > 200 { break }
      }
      if position < bytes.count { client.send(Array(bytes[position...])) }
      status = client.response()?.status
    }
    return status
  }

  @Test(arguments: [
    ("/small", 60_000, 200), ("/small", 70_000, 431), ("/small", 900_000, 431), ("/large/x", 70_000, 200),
    ("/large/x", 900_000, 200), ("/large/x", 1_100_000, 431), ("/nothing", 900_000, 431), ("/nothing", 60_000, 200),
  ])
  func `has a limit of its own for the header`(_ path: String, _ bytes: Int, _ expected: Int) async throws {
    // Whole at once, and with a request line in pieces.
    for pieceBytes in [2_000_000, 7] {
      #expect(try await status(path, headerBytes: bytes, pieceBytes: pieceBytes) == expected, "\(pieceBytes)")
    }
  }

  @Test func `has a limit of its own for the body`() async throws {
    var limits = HTTPServerLimits()
    limits.bodyBytesMax = 1_000
    try await serving(Self.handler, limits: limits, routes: Self.routes) { server in
      for (path, count, status) in [("/small", 10, 200), ("/small", 11, 413), ("/nothing", 11, 200)] {
        let client = try #require(RawConnection(port: server.port))
        client.send("POST \(path) HTTP/1.1\r\nHost: x\r\nContent-Length: \(count)\r\n\r\n")
        client.send(String(repeating: "x", count: count))
        #expect(client.response()?.status == status, "\(path) \(count)")
      }
    }
  }

  @Test func `takes fields behind a chunked body only if it says so`() async throws {
    try await serving(Self.handler, routes: Self.routes) { server in
      let body = "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX: y\r\nZ:\r\n\r\n"
      let taken = try #require(RawConnection(port: server.port))
      taken.send("POST /trailers HTTP/1.1\r\nHost: x\r\n" + body)
      #expect(taken.response()?.body == "trailers X=y,Z=")
      for path in ["/small", "/nothing"] {
        let refused = try #require(RawConnection(port: server.port))
        refused.send("POST \(path) HTTP/1.1\r\nHost: x\r\n" + body + "GET /small HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(refused.response()?.status == 400)
        #expect(refused.isClosedByPeer())
      }
      taken.send("POST /trailers HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n")
      #expect(taken.response()?.body == "trailers none")
      #expect(server.counters.requestsRefused == 2)
    }
  }

  @Test func `is counted by the class of its answers`() async throws {
    let statistics = ListenerStatistics("test", Self.routes)
    let server = try await HTTPServer.bind(
      host: "127.0.0.1", port: 0, on: MultiThreadedSupport.loop, routes: Self.routes, statistics: statistics,
      handler: Self.handler
    ).get()
    let client = try #require(RawConnection(port: server.port))
    for path in ["/small", "/small?x", "/nothing", "/large/a"] {
      client.send("GET \(path) HTTP/1.1\r\nHost: x\r\n\r\n")
      #expect(client.response()?.status == 200)
    }
    client.send("POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n")
    #expect(client.response()?.status == 413)
    let broken = try #require(RawConnection(port: server.port))
    broken.send("GET /small HTTP/1.1\r\nHost: x\r\n\r\nnonsense\r\n\r\n")
    #expect(broken.response()?.status == 200)
    #expect(broken.response()?.status == 400)
    let counts = statistics.counts
    #expect(
      counts.requests == [
        .init(route: "small", statusClass: 2, count: 3), .init(route: "small", statusClass: 4, count: 1),
        .init(route: "other", statusClass: 2, count: 2), .init(route: "other", statusClass: 4, count: 1),
      ])
    #expect(counts.refusals[HTTPRefusal.bodyTooLarge.rawValue] == 1)
    #expect(counts.refusals[HTTPRefusal.malformed.rawValue] == 1)
    #expect(counts.refusals.reduce(0, +) == 2)
    try await server.drain(within: .zero).get()
    #expect(statistics.counts.connections == 0)
  }
}
