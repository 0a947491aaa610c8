import HTTPServer
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization
import Testing

enum MultiThreadedSupport {
  static var loop: any EventLoop { MultiThreadedEventLoopGroup.singleton.any() }
}

/// A protocol whose server says everything twice, and closes when it is told to.
private final class Repeater: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let said = unwrapInboundIn(data)
    guard String(buffer: said) != "bye" else { return context.close(promise: nil) }
    context.write(wrapOutboundOut(said), promise: nil)
    context.writeAndFlush(wrapOutboundOut(said), promise: nil)
  }
}

@Suite struct `A change of protocol` {
  private struct Failure: Error {}

  private static let routes = RouteTable([
    Route(
      "repeat", [.GET, .POST], "/repeat", limits: RouteLimits(bodyBytesMax: 10, upgrades: ["repeat"]), handler: ()),
    Route("plain", [.GET], "/plain", handler: ()),
  ])
  private static let handler: HTTPServer.Handler = { request, loop in
    guard let upgrade = request.upgrade, request.query != "no" else {
      if request.query == "lies" {
        return loop.makeSucceededFuture(.switchingProtocols(to: "repeat") { _ in loop.makeSucceededVoidFuture() })
      }
      return loop.makeSucceededFuture(.text(.ok, "plain \(request.upgrade ?? "none")"))
    }
    return loop.makeSucceededFuture(
      .switchingProtocols(to: upgrade, headers: ["X-Found": "yes"]) { channel in
        guard request.query != "fails" else { return loop.makeFailedFuture(Failure()) }
        return channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(Repeater())
        }
      })
  }
  private static let asks = "Host: x\r\nConnection: Upgrade\r\nUpgrade: other/1, Repeat\r\n\r\n"

  @Test func `hands the connection over, with what was read already`() async throws {
    try await serving(Self.handler, routes: Self.routes) { server in
      let client = try #require(RawConnection(port: server.port))
      client.send("GET /repeat HTTP/1.1\r\n" + Self.asks + "hello")
      let response = try #require(client.response(hasBody: false))
      #expect(response.statusLine == "HTTP/1.1 101 Switching Protocols")
      #expect(response.headers.contains("connection: upgrade") && response.headers.contains("upgrade: repeat"))
      #expect(response.headers.contains("x-found: yes"))
      #expect(!response.headers.contains { $0.hasPrefix("content-length") })
      #expect(client.bytes(10) == "hellohello")
      client.send("GET / HTTP/1.1\r\n\r\n")
      #expect(client.bytes(36) == "GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n")
      #expect(server.counters.connectionsOpen == 1)
      client.send("bye")
      #expect(client.isClosedByPeer())
      await until { server.counters.connectionsOpen == 0 }
      #expect(server.statistics.counts.requests == [.init(route: "repeat", statusClass: 1, count: 1)])
    }
  }

  @Test(arguments: [
    ("GET /repeat?no HTTP/1.1\r\n" + asks, "plain repeat"), ("GET /plain HTTP/1.1\r\n" + asks, "plain none"),
    ("GET /nothing HTTP/1.1\r\n" + asks, "plain none"),
    ("GET /repeat HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: other\r\n\r\n", "plain none"),
    ("GET /repeat HTTP/1.0\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: repeat\r\n\r\n", "plain none"),
    (
      "POST /repeat HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: repeat\r\nContent-Length: 2\r\n\r\n{}",
      "plain none"
    ),
  ])
  func `is not made where nobody offers it, and the answer is the last`(
    _ request: String, _ body: String
  ) async throws {
    try await serving(Self.handler, routes: Self.routes) { server in
      let client = try #require(RawConnection(port: server.port))
      client.send(request)
      let response = try #require(client.response())
      #expect(response.status == 200 && response.body == body)
      #expect(client.isClosedByPeer())
    }
  }

  @Test func `that nobody asked for is the server's failure`() async throws {
    try await serving(Self.handler, routes: Self.routes) { server in
      let client = try #require(RawConnection(port: server.port))
      client.send("GET /plain?lies HTTP/1.1\r\nHost: x\r\n\r\n")
      #expect(client.response()?.status == 500)
      #expect(client.isClosedByPeer())
    }
  }

  @Test func `that fails closes the connection`() async throws {
    try await serving(Self.handler, routes: Self.routes) { server in
      let client = try #require(RawConnection(port: server.port))
      client.send("GET /repeat?fails HTTP/1.1\r\n" + Self.asks)
      #expect(client.response(hasBody: false)?.status == 101)
      #expect(client.isClosedByPeer())
    }
  }
}
