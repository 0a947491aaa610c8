import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization
import Testing

@testable import HTTPServer

@Suite struct `A budget of bytes` {
  @Test func `gives what it has, and takes it back`() {
    let budget = BodyBudget(bytesMax: 100)
    #expect(budget.reserve(60, of: 60))
    #expect(!budget.reserve(41, of: 41))
    #expect(budget.reserve(40, of: 40))
    #expect(budget.bytesUsed == 100)
    budget.release(100)
    #expect(budget.bytesUsed == 0)
  }

  @Test func `keeps a quarter for what is small`() {
    let small = BodyBudget.smallBytesMax
    let budget = BodyBudget(bytesMax: 8 * small)
    #expect(!budget.reserve(7 * small, of: 7 * small))
    #expect(budget.reserve(6 * small, of: 6 * small))
    #expect(!budget.reserve(1, of: small + 1))
    #expect(budget.reserve(2 * small, of: small))
  }

  @Test func `is a part of another`() {
    let whole = BodyBudget(bytesMax: 100)
    let parts = [BodyBudget(bytesMax: 80, within: whole), BodyBudget(bytesMax: 80, within: whole)]
    #expect(parts[0].reserve(80, of: 80))
    #expect(!parts[1].reserve(30, of: 30))
    #expect(parts[1].bytesUsed == 0)
    parts[0].release(80)
    #expect(whole.bytesUsed == 0)
    #expect(parts[1].reserve(30, of: 30))
  }

  @Test func `wakes those who wait when something comes back, here or in what it is a part of`() {
    let whole = BodyBudget(bytesMax: 100)
    let parts = [BodyBudget(bytesMax: 80, within: whole), BodyBudget(bytesMax: 80, within: whole)]
    let woken = Mutex(0)
    #expect(parts[0].reserve(80, of: 80))
    parts[1].wait(ObjectIdentifier(parts[1])) { woken.withLock { $0 += 1 } }
    parts[0].release(10)
    #expect(woken.withLock { $0 } == 1)
    parts[1].wait(ObjectIdentifier(parts[1])) { woken.withLock { $0 += 1 } }
    parts[1].forget(ObjectIdentifier(parts[1]))
    parts[0].release(70)
    #expect(woken.withLock { $0 } == 1)
  }
}

@Suite struct `The bodies of a server` {
  private static let large = 300 << 10

  private func limits(_ budget: BodyBudget, waits: Bool = false) -> HTTPServerLimits {
    var limits = HTTPServerLimits()
    limits.bodyBudget = budget
    limits.waitsForRoom = waits
    return limits
  }

  private func request(_ path: String, _ count: Int) -> String {
    "POST \(path) HTTP/1.1\r\nHost: x\r\nContent-Length: \(count)\r\n\r\n"
  }

  /// Holds requests to `/hold`, and tells the lengths of all others.
  private final class Holder: Sendable {
    let held = Mutex<[EventLoopPromise<HTTPResponse>]>([])
    var count: Int { held.withLock { $0.count } }

    var handler: HTTPServer.Handler {
      { [self] request, loop in
        guard request.path == "/hold" else {
          return loop.makeSucceededFuture(.text(.ok, "\(request.body.readableBytes)"))
        }
        let promise = loop.makePromise(of: HTTPResponse.self)
        held.withLock { $0.append(promise) }
        return promise.futureResult
      }
    }

    func release() {
      for promise in held.withLock({ held in
        defer { held.removeAll() }
        return held
      }) { promise.succeed(.text(.ok, "released")) }
    }
  }

  @Test func `beyond their bound are refused before they are read, and those without one are answered`() async throws {
    let budget = BodyBudget(bytesMax: 400 << 10)
    let holder = Holder()
    try await serving(holder.handler, limits: limits(budget)) { server in
      let first = try #require(RawConnection(port: server.port))
      first.send(request("/hold", Self.large))
      first.send([UInt8](repeating: 120, count: Self.large))
      await until { holder.count == 1 }
      #expect(budget.bytesUsed == Self.large)
      let second = try #require(RawConnection(port: server.port))
      second.send(request("/", Self.large))
      let refusal = try #require(second.response())
      #expect(refusal.status == 503)
      #expect(refusal.headers.contains("retry-after: 1"))
      #expect(second.isClosedByPeer())
      #expect(server.counters.requestsWithoutRoom == 1)
      let small = try #require(RawConnection(port: server.port))
      small.send(request("/", 3) + "abc" + "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
      #expect(small.response()?.body == "3")
      #expect(small.response()?.body == "0")
      holder.release()
      #expect(first.response()?.body == "released")
      await until { budget.bytesUsed == 0 }
      first.send(request("/", Self.large))
      first.send([UInt8](repeating: 120, count: Self.large))
      #expect(first.response()?.body == "\(Self.large)")
    }
    #expect(budget.bytesUsed == 0)
  }

  @Test func `that are only announced hold a small part`() async throws {
    let budget = BodyBudget(bytesMax: 64 << 20)
    try await serving(echo, limits: limits(budget)) { server in
      let clients = try (0..<20).map { _ in try #require(RawConnection(port: server.port)) }
      for client in clients { client.send(request("/", 6 << 20)) }
      await until { budget.bytesUsed > 0 }
      #expect(budget.bytesUsed <= 20 * (256 << 10))
      withExtendedLifetime(clients) {}
    }
    await until { budget.bytesUsed == 0 }
  }

  @Test func `of unknown length are counted as they come`() async throws {
    let budget = BodyBudget(bytesMax: 256 << 10)
    try await serving(echo, limits: limits(budget)) { server in
      let client = try #require(RawConnection(port: server.port))
      client.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
      let chunk = "8000\r\n" + String(repeating: "x", count: 0x8000) + "\r\n"
      for _ in 0..<20 { client.send(chunk) }
      #expect(client.response()?.status == 503)
      #expect(client.isClosedByPeer())
    }
    #expect(budget.bytesUsed == 0)
  }

  @Test func `wait for room where they are not refused`() async throws {
    let budget = BodyBudget(bytesMax: 400 << 10)
    let holder = Holder()
    try await serving(holder.handler, limits: limits(budget, waits: true)) { server in
      let first = try #require(RawConnection(port: server.port))
      first.send(request("/hold", Self.large))
      first.send([UInt8](repeating: 120, count: Self.large))
      await until { holder.count == 1 }
      let second = try #require(RawConnection(port: server.port))
      second.send(request("/", Self.large))
      second.send([UInt8](repeating: 120, count: 100))
      let small = try #require(RawConnection(port: server.port))
      small.send(request("/", 3) + "abc")
      #expect(small.response()?.body == "3")
      #expect(server.counters.requests == 2)
      holder.release()
      #expect(first.response()?.body == "released")
      second.send([UInt8](repeating: 120, count: Self.large - 100))
      #expect(second.response()?.body == "\(Self.large)")
      #expect(server.counters.requestsWithoutRoom == 0)
    }
    #expect(budget.bytesUsed == 0)
  }

  @Test func `that wait in vain are refused in the end`() async throws {
    let budget = BodyBudget(bytesMax: 400 << 10)
    #expect(budget.reserve(Self.large, of: Self.large))
    var limits = limits(budget, waits: true)
    limits.transferTimeout = .milliseconds(50)
    try await serving(echo, limits: limits) { server in
      let client = try #require(RawConnection(port: server.port))
      client.send(request("/", Self.large))
      #expect(client.response()?.status == 503)
      #expect(client.isClosedByPeer())
    }
    #expect(budget.bytesUsed == Self.large)
  }

  @Test func `are refused unread where a path takes none`() async throws {
    let routes = RouteTable([
      Route("none", [.GET, .POST], "/none", handler: ()),
      Route("some", [.POST], "/some", limits: RouteLimits(bodyBytesMax: 10), handler: ()),
    ])
    try await serving(echo, routes: routes) { server in
      for (path, count, status) in [("/none", 1, 413), ("/some", 10, 200), ("/some", 11, 413)] {
        let client = try #require(RawConnection(port: server.port))
        client.send(request(path, count) + (status == 200 ? String(repeating: "x", count: count) : ""))
        #expect(client.response()?.status == status)
      }
      let client = try #require(RawConnection(port: server.port))
      client.send("GET /none HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
      #expect(client.response()?.status == 200)
    }
  }

  @Test func `leave nothing reserved when their peers go away`() async throws {
    let budget = BodyBudget(bytesMax: 64 << 20)
    let holder = Holder()
    try await serving(holder.handler, limits: limits(budget)) { server in
      do {
        let gone = try (0..<4).map { _ in try #require(RawConnection(port: server.port)) }
        gone[0].send(request("/", 1 << 20) + "x")
        gone[1].send("POST / HTTP/1.1\r\nHost: x\r\nX: \(String(repeating: "x", count: 40_000))")
        gone[2].send(request("/hold", 3) + "abc")
        gone[3].send(request("/", 1 << 20) + "x")
        await until { holder.count == 1 && budget.bytesUsed > 64 << 10 }
      }
      holder.release()
      await until { budget.bytesUsed == 0 }
    }
  }
}

@Suite struct `The heads of a server` {
  @Test func `may be large, and share the memory of bodies`() async throws {
    let budget = BodyBudget(bytesMax: 256 << 10)
    var limits = HTTPServerLimits()
    limits.headerBytesMax = 1 << 20
    limits.bodyBudget = budget
    try await serving(echo, limits: limits) { server in
      let client = try #require(RawConnection(port: server.port))
      client.send("GET / HTTP/1.1\r\nHost: x\r\nX: \(String(repeating: "x", count: 150_000))\r\n\r\n")
      #expect(client.response()?.status == 200)
      let large = try #require(RawConnection(port: server.port))
      large.send("GET / HTTP/1.1\r\nHost: x\r\nX: \(String(repeating: "x", count: 900_000))\r\n\r\n")
      let refusal = try #require(large.response())
      #expect(refusal.status == 503)
      #expect(refusal.headers.contains("retry-after: 1"))
      #expect(server.counters.requestsWithoutRoom == 1)
    }
    #expect(budget.bytesUsed == 0)
  }

  @Test func `have a time to arrive in, however slowly they come`() async throws {
    var limits = HTTPServerLimits()
    limits.idleTimeout = .hours(24)
    limits.transferTimeout = .milliseconds(200)
    try await serving(echo, limits: limits) { server in
      let client = try #require(RawConnection(port: server.port))
      // The deadline is that of the head's first byte, whatever comes after it.
      for byte in "GET / HTTP/1.1\r\nHost: x\r\nX: \(String(repeating: "and so on ", count: 100))".utf8 {
        guard server.counters.transfersTimedOut == 0, client.send([byte]) else { break }
        try await Task.sleep(for: .milliseconds(10))
      }
      #expect(client.response()?.status == 408)
      #expect(server.counters.transfersTimedOut == 1)
    }
  }
}
