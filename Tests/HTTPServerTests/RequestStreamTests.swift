import HTTPServer
import NIOCore
import NIOHTTP1
import Synchronization
import Testing

@Suite struct `A request body that is handed on while it arrives` {
  /// Takes the bodies of requests for `/up`, and answers when a test says so.
  private final class Sink: Sendable {
    struct State {
      var text = ""
      var trailers: [String] = []
      var hasEnded = false
      var isBroken = false
      var stream: HTTPRequestStream?
      var loop: (any EventLoop)?
      var promise: EventLoopPromise<HTTPResponse>?
    }

    let state = Mutex(State())

    var answers: HTTPServerAnswers {
      var answers = HTTPServerAnswers()
      answers.streamsBody = { head, _ in head.uri == "/up" }
      return answers
    }

    var handler: HTTPServer.Handler {
      { [self] request, loop in
        guard let stream = request.stream else { return loop.makeSucceededFuture(.text(.ok, request.path)) }
        let promise = loop.makePromise(of: HTTPResponse.self)
        state.withLock {
          $0 = State()
          ($0.stream, $0.loop, $0.promise) = (stream, loop, promise)
        }
        stream.attach { [self] part in
          state.withLock { state in
            switch part {
            case .bytes(let bytes): state.text += String(buffer: bytes)
            case .end(let trailers):
              state.hasEnded = true
              state.trailers = trailers?.map { "\($0)=\($1)" } ?? []
            case .broken: state.isBroken = true
            }
          }
        }
        return promise.futureResult
      }
    }

    func get<Value: Sendable>(_ part: (State) -> Value) -> Value { state.withLock { part($0) } }

    /// Does something with the stream where it may be used.
    func onLoop(_ body: @escaping @Sendable (HTTPRequestStream) -> Void) async throws {
      let (stream, loop) = get { ($0.stream, $0.loop) }
      let (known, there) = (try #require(stream), try #require(loop))
      try await there.submit { body(known) }.get()
    }

    func answer() { get { $0.promise }?.succeed(.text(.accepted, "taken")) }
  }

  private static let head = "POST /up HTTP/1.1\r\nHost: x\r\n"
  private static let chunked = head + "Transfer-Encoding: chunked\r\n\r\n"

  private func withSink(
    _ body: (Sink, RawConnection, HTTPServer) async throws -> Void
  ) async throws {
    let sink = Sink()
    try await serving(sink.handler, answers: sink.answers) { server in
      try await body(sink, try #require(RawConnection(port: server.port)), server)
    }
  }

  @Test func `comes piece by piece, with the fields behind it, and the connection serves on`() async throws {
    try await withSink { sink, client, _ in
      client.send(Self.chunked + "3\r\none\r\n")
      await until { sink.get { $0.text } == "one" }
      #expect(!sink.get { $0.hasEnded })
      client.send("3\r\ntwo\r\n0\r\nX-Error: yes\r\n\r\nGET /next HTTP/1.1\r\nHost: x\r\n\r\n")
      await until { sink.get { $0.hasEnded } }
      #expect(sink.get { $0.text } == "onetwo")
      #expect(sink.get { $0.trailers } == ["X-Error=yes"])
      sink.answer()
      #expect(client.response()?.body == "taken")
      #expect(client.response()?.body == "/next")
      #expect(!sink.get { $0.isBroken })
    }
  }

  @Test func `may have a length`() async throws {
    try await withSink { sink, client, _ in
      client.send(Self.head + "Content-Length: 6\r\nExpect: 100-continue\r\n\r\n")
      #expect(client.response(hasBody: false)?.status == 100)
      client.send("onetwo")
      await until { sink.get { $0.hasEnded } }
      #expect(sink.get { $0.text } == "onetwo")
      sink.answer()
      #expect(client.response()?.status == 202)
    }
  }

  @Test func `holds its sender back during a pause`() async throws {
    try await withSink { sink, client, _ in
      client.send(Self.chunked + "3\r\none\r\n")
      await until { sink.get { $0.text } == "one" }
      try await sink.onLoop { $0.pause() }
      // More than the sockets' buffers hold: its end can only be sent once the rest is taken.
      let size = 16 << 20
      let resumed = Atomic<Bool>(false)
      let stream = try #require(sink.get { $0.stream })
      let loop = try #require(sink.get { $0.loop })
      loop.scheduleTask(in: .milliseconds(50)) {
        resumed.store(sink.get { $0.text } == "one", ordering: .relaxed)
        stream.resume()
      }
      client.send("\(String(size, radix: 16))\r\n" + String(repeating: "a", count: size) + "\r\n0\r\n\r\n")
      await until { sink.get { $0.hasEnded } }
      let wasHeld = resumed.load(ordering: .relaxed)
      #expect(wasHeld, "nothing came during the pause")
      #expect(sink.get { $0.text.utf8.count } == size + 3)
      sink.answer()
      #expect(client.response()?.body == "taken")
    }
  }

  @Test func `is broken by an answer before its end, which closes the connection`() async throws {
    try await withSink { sink, client, _ in
      client.send(Self.chunked + "3\r\none\r\n")
      await until { sink.get { $0.text } == "one" }
      sink.answer()
      let answer = try #require(client.response())
      #expect(answer.body == "taken")
      #expect(answer.headers.contains("connection: close"))
      #expect(client.isClosedByPeer())
      #expect(sink.get { $0.isBroken })
    }
  }

  @Test(arguments: ["zz\r\n", "3\r\nonetwo\r\n", "3\r\none"])
  func `is broken by what is no chunk, and by a connection that ends`(rest: String) async throws {
    try await withSink { sink, client, server in
      client.send(Self.chunked + rest)
      client.closeSending()
      await until { sink.get { $0.isBroken } }
      #expect(!sink.get { $0.hasEnded })
      sink.answer()
      await until { server.counters.connectionsOpen == 0 }
    }
  }
}

@Suite struct `A body that must be whole` {
  private func streaming(
    _ version: String, _ body: (HTTPBodyStream, RawConnection, HTTPServer) async throws -> Void
  ) async throws {
    let made = Mutex<HTTPBodyStream?>(nil)
    try await serving({ _, loop in
      let stream = HTTPBodyStream(mayEndEarly: false)
      made.withLock { $0 = stream }
      return loop.makeSucceededFuture(HTTPResponse(status: .ok, headers: HTTPHeaders(), stream: stream))
    }) { server in
      let client = try #require(RawConnection(port: server.port))
      client.send("GET / HTTP/\(version)\r\nHost: x\r\n\r\n")
      _ = try #require(client.response(hasBody: false))
      let stream = try #require(made.withLock { $0 })
      #expect(stream.write(ByteBuffer(string: "one")) == .taken)
      try await body(stream, client, server)
    }
  }

  @Test func `has no end when it is cut`() async throws {
    try await streaming("1.1") { stream, client, _ in
      #expect(client.bytes(8) == "3\r\none\r\n")
      stream.cut()
      #expect(client.isClosedByPeer())
      #expect(stream.write(ByteBuffer(string: "two")) == .ended)
    }
  }

  @Test func `is reset where the end of the connection would be its end`() async throws {
    try await streaming("1.0") { stream, client, _ in
      #expect(client.bytes(3) == "one")
      stream.cut()
      #expect(client.isReset())
    }
  }

  @Test func `is waited for by a server that drains`() async throws {
    try await streaming("1.1") { stream, client, server in
      #expect(client.bytes(8) == "3\r\none\r\n")
      let drained = server.drain(within: .seconds(10))
      await until { stream.write(ByteBuffer(string: "two")) == .taken }
      #expect(client.bytes(8) == "3\r\ntwo\r\n")
      stream.finish()
      #expect(client.bytes(5) == "0\r\n\r\n")
      #expect(client.isClosedByPeer())
      try await drained.get()
    }
  }
}
