import HTTPServer
import NIOCore
import NIOHTTP1
import Synchronization
import Testing

@Suite struct `A body that is written while it is sent` {
  /// A server whose `/stream` answers with the stream of a test, and whose other paths echo.
  private final class Source: Sendable {
    let isEnded = Atomic<Bool>(false)
    private let made = Mutex<HTTPBodyStream?>(nil)

    var hasEnded: Bool { isEnded.load(ordering: .relaxed) }

    var stream: HTTPBodyStream? { made.withLock { $0 } }

    var handler: HTTPServer.Handler {
      { [self] request, loop in
        guard request.path == "/stream" else { return loop.makeSucceededFuture(.text(.ok, request.path)) }
        let stream = HTTPBodyStream { [self] in isEnded.store(true, ordering: .relaxed) }
        made.withLock { $0 = stream }
        return loop.makeSucceededFuture(
          HTTPResponse(status: .ok, headers: ["Content-Type": "text/plain"], stream: stream))
      }
    }

    func begun() async throws -> HTTPBodyStream {
      await until { stream != nil }
      return try #require(stream)
    }
  }

  /// Writes once there is room.
  private func write(_ text: String, to stream: HTTPBodyStream) async {
    await until { stream.write(ByteBuffer(string: text)) == .taken }
  }

  @Test func `arrives piece by piece, and the connection serves on`() async throws {
    let source = Source()
    try await serving(source.handler) { server in
      let client = try #require(RawConnection(port: server.port))
      client.send("GET /stream HTTP/1.1\r\nHost: x\r\n\r\nGET /next HTTP/1.1\r\nHost: x\r\n\r\n")
      let head = try #require(client.response(hasBody: false))
      #expect(head.headers.contains("transfer-encoding: chunked"))
      #expect(!head.headers.contains { $0.hasPrefix("content-length") })
      let stream = try await source.begun()
      await write("one", to: stream)
      #expect(client.bytes(8) == "3\r\none\r\n")
      await write("", to: stream)
      await write("twenty characters...", to: stream)
      #expect(client.bytes(26) == "14\r\ntwenty characters...\r\n")
      #expect(server.counters.requests == 1)
      stream.finish()
      #expect(client.bytes(5) == "0\r\n\r\n")
      #expect(client.response()?.body == "/next")
      #expect(source.hasEnded)
      #expect(stream.write(ByteBuffer(string: "late")) == .ended)
    }
  }

  @Test func `holds no more than one piece for a reader that is slow`() async throws {
    let source = Source()
    try await serving(source.handler) { server in
      let client = try #require(RawConnection(port: server.port))
      client.send("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n")
      _ = try #require(client.response(hasBody: false))
      let stream = try await source.begun()
      let size = 1 << 20
      let piece = ByteBuffer(repeating: 0x61, count: size)
      var taken = 0
      var refusedInARow = 0
      // Full for a while: the sockets' buffers hold no more.
      while refusedInARow < 200 {
        try #require(taken < 64, "everything is taken, whoever reads")
        if stream.write(piece) == .taken {
          taken += 1
          refusedInARow = 0
        } else {
          refusedInARow += 1
          try await Task.sleep(for: .milliseconds(1))
        }
      }
      #expect(!source.hasEnded)
      for _ in 0..<taken { #expect(client.bytes(size + 10)?.hasPrefix("100000\r\n") == true) }
      await write("newest", to: stream)
      #expect(client.bytes(11) == "6\r\nnewest\r\n")
    }
  }

  @Test func `ends a reader that takes nothing for too long`() async throws {
    let source = Source()
    var limits = HTTPServerLimits()
    limits.transferTimeout = .milliseconds(200)
    try await serving(source.handler, limits: limits) { server in
      let client = try #require(RawConnection(port: server.port))
      client.send("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n")
      let stream = try await source.begun()
      let piece = ByteBuffer(repeating: 0x61, count: 1 << 20)
      await until { stream.write(piece) == .ended }
      #expect(source.hasEnded)
      #expect(server.counters.transfersTimedOut == 1)
      withExtendedLifetime(client) {}
    }
  }

  @Test func `ends when its reader goes away`() async throws {
    let source = Source()
    try await serving(source.handler) { server in
      var client = RawConnection(port: server.port)
      client?.send("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n")
      let stream = try await source.begun()
      #expect(client?.response(hasBody: false)?.status == 200)
      client = nil
      await until { source.hasEnded }
      #expect(stream.write(ByteBuffer(string: "x")) == .ended)
    }
  }

  @Test func `ends whole when the server drains`() async throws {
    let source = Source()
    try await serving(source.handler) { server in
      let client = try #require(RawConnection(port: server.port))
      client.send("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n")
      _ = try #require(client.response(hasBody: false))
      await write("one", to: try await source.begun())
      #expect(client.bytes(8) == "3\r\none\r\n")
      try await server.drain(within: .seconds(10)).get()
      #expect(client.bytes(5) == "0\r\n\r\n")
      #expect(client.isClosedByPeer())
      #expect(source.hasEnded)
    }
  }

  @Test func `is not begun for HEAD`() async throws {
    let source = Source()
    try await serving(source.handler) { server in
      let client = try #require(RawConnection(port: server.port))
      client.send("HEAD /stream HTTP/1.1\r\nHost: x\r\n\r\nGET /next HTTP/1.1\r\nHost: x\r\n\r\n")
      #expect(client.response(hasBody: false)?.headers.contains("transfer-encoding: chunked") == true)
      #expect(client.response()?.body == "/next")
      #expect(source.hasEnded)
    }
  }

  @Test func `has no chunks and ends with the connection for HTTP 1.0`() async throws {
    let source = Source()
    try await serving(source.handler) { server in
      let client = try #require(RawConnection(port: server.port))
      client.send("GET /stream HTTP/1.0\r\n\r\n")
      let head = try #require(client.response(hasBody: false))
      #expect(!head.headers.contains { $0.hasPrefix("transfer-encoding") || $0.hasPrefix("content-length") })
      let stream = try await source.begun()
      await write("one", to: stream)
      #expect(client.bytes(3) == "one")
      stream.finish()
      #expect(client.isClosedByPeer())
    }
  }
}
