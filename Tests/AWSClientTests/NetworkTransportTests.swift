import HTTPServer
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization
import Testing

@testable import AWSClient

/// What goes over a socket, against a server of this process.
@Suite struct `The network transport` {
  /// Answers what it was asked: method, target, headers as lines, and the body behind an empty line.
  private static func echo(_ request: HTTPRequest, _ loop: any EventLoop) -> EventLoopFuture<HTTPResponse> {
    var lines = "\(request.method.rawValue) \(request.target)\n"
    for header in request.headers { lines += "\(header.name.lowercased()): \(header.value)\n" }
    var body = ByteBuffer(string: lines + "\n")
    body.writeImmutableBuffer(request.body)
    let headers: HTTPHeaders = ["X-Twice": "one", "x-twice": "two", "Empty": ""]
    return loop.makeSucceededFuture(HTTPResponse(status: .ok, headers: headers, body: body))
  }

  private func withServer(
    _ handler: @escaping HTTPServer.Handler = echo, _ body: (String, HTTPServer) async throws -> Void
  ) async throws {
    let server = try await HTTPServer.bind(
      host: "127.0.0.1", port: 0, on: MultiThreadedEventLoopGroup.singleton, handler: handler
    ).get()
    try await body("http://127.0.0.1:\(server.port)", server)
    try await server.drain(within: .seconds(1)).get()
  }

  private func send(_ exchange: HTTPExchange) async throws -> HTTPResult {
    try await NetworkTransport.with(certificates: nil) { try await $0.send(exchange) }
  }

  private func failure(_ exchange: HTTPExchange) async -> AWSClientError? {
    do {
      _ = try await send(exchange)
      return nil
    } catch {
      return error as? AWSClientError
    }
  }

  @Test func `sends what it is given and adds nothing but a host`() async throws {
    try await withServer { url, server in
      let result = try await send(
        HTTPExchange(
          method: "PUT", url: "\(url)/a/../b%2Fc?x=%20y",
          headers: [Header("X-One", "1"), Header("Content-Type", "text/x")],
          body: Array("body".utf8), timeout: .seconds(20)))
      #expect(result.status == 200)
      let expected = """
        PUT /a/../b%2Fc?x=%20y
        host: 127.0.0.1:\(server.port)
        x-one: 1
        content-type: text/x
        content-length: 4

        body
        """
      #expect(String(decoding: result.body, as: UTF8.self) == expected)
      let twice = result.headers.filter { $0.name.lowercased() == "x-twice" }.map(\.value)
      #expect(twice == ["one", "two"])
      #expect(result.header("EMPTY") == "")
    }
  }

  @Test(arguments: [("POST", true), ("PUT", true), ("GET", false), ("DELETE", false)])
  func `tells the length of an empty body where a method has one`(_ method: String, _ tells: Bool) async throws {
    try await withServer { url, _ in
      let result = try await send(HTTPExchange(method: method, url: url + "/", timeout: .seconds(20)))
      let text = String(decoding: result.body, as: UTF8.self)
      #expect(text.hasPrefix("\(method) /\n"))
      #expect(text.contains("content-length: 0\n") == tells, "\(text)")
      #expect(!text.contains("accept") && !text.contains("content-type") && !text.contains("expect"), "\(text)")
    }
  }

  @Test func `keeps its connection for the next request`() async throws {
    try await withServer { url, server in
      try await NetworkTransport.with(certificates: nil) { transport in
        for _ in 0..<5 {
          _ = try await transport.send(HTTPExchange(method: "GET", url: url + "/", timeout: .seconds(20)))
        }
      }
      #expect(server.counters.requests == 5)
      #expect(server.counters.connectionsAccepted == 1)
    }
  }

  @Test func `says who is not there`() async throws {
    var port = 0
    try await withServer { _, server in port = server.port }
    let error = await failure(HTTPExchange(method: "GET", url: "http://127.0.0.1:\(port)/x", timeout: .seconds(20)))
    #expect(error?.code == .unreachable)
    #expect(error?.message == "http://127.0.0.1:\(port) cannot be reached: nobody listens there.")
  }

  @Test func `waits no longer than it may`() async throws {
    let promises = PromiseKeeper()
    try await withServer({ _, loop in promises.make(loop) }) { url, _ in
      let error = await failure(HTTPExchange(method: "GET", url: url + "/", timeout: .milliseconds(200)))
      #expect(error?.code == .timedOut)
      #expect(error?.message == "\(url) did not answer in time.")
      promises.keep()
    }
  }

  @Test func `takes no answer without an end`() async throws {
    let large = ByteBuffer(repeating: 0x20, count: NetworkTransport.bodyBytesLimit + 1)
    try await withServer({ _, loop in loop.makeSucceededFuture(HTTPResponse(status: .ok, body: large)) }) { url, _ in
      let error = await failure(HTTPExchange(method: "GET", url: url + "/", timeout: .seconds(60)))
      #expect(error?.code == .malformed)
      #expect(error?.message == "The answer of \(url) cannot be read: it is larger than 16 MiB.")
    }
  }

  @Test(arguments: ["a\r\nX-Other: 1", "a\nb", "\0"])
  func `sends no header that would begin another`(_ value: String) async throws {
    let error = await failure(
      HTTPExchange(method: "GET", url: "http://127.0.0.1:1/", headers: [Header("X-A", value)], timeout: .seconds(1)))
    #expect(error?.code == .settings)
  }

  @Test func `ends with its task`() async throws {
    let promises = PromiseKeeper()
    try await withServer({ _, loop in promises.make(loop) }) { url, _ in
      let task = Task { await failure(HTTPExchange(method: "GET", url: url + "/", timeout: .seconds(60))) }
      let start = ContinuousClock.now
      task.cancel()
      #expect(await task.value?.code == .unreachable)
      #expect(ContinuousClock.now - start < .seconds(30))
      promises.keep()
    }
  }
}

/// Answers of a server that come only when it ends.
private final class PromiseKeeper: Sendable {
  private let promises = Mutex<[EventLoopPromise<HTTPResponse>]>([])

  func make(_ loop: any EventLoop) -> EventLoopFuture<HTTPResponse> {
    let promise = loop.makePromise(of: HTTPResponse.self)
    promises.withLock { $0.append(promise) }
    return promise.futureResult
  }

  func keep() {
    for promise in promises.withLock({ $0 }) { promise.succeed(HTTPResponse(status: .ok)) }
  }
}
