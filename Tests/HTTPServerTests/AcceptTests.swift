import Glibc
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization
import Testing

@testable import HTTPServer

@Suite struct `A connection that is accepted` {
  @Test func `sends small answers at once`() async throws {
    try await serving(echo) { server in
      let client = try #require(RawConnection(port: server.port))
      client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
      #expect(client.response()?.status == 200)
      let accepted = descriptors(accepted: server.port)
      #expect(!accepted.isEmpty)
      for descriptor in accepted { #expect(noDelay(descriptor) == 1) }
    }
  }

  @Test func `is told about when its options cannot be set, once`() async throws {
    let told = Mutex<[String]>([])
    var logger = Logger(label: "test") { _ in Listener { message in told.withLock { $0.append(message) } } }
    logger.logLevel = .debug
    let service = ConnectionService(
      limits: HTTPServerLimits(), answers: HTTPServerAnswers(), routes: NoRoutes(),
      statistics: ListenerStatistics("test", NoRoutes()), handler: echo)
    let server = try await HTTPServer.bind(
      host: "127.0.0.1", port: 0, on: MultiThreadedEventLoopGroup.singleton.any(), service, logger: logger,
      childOption: (ChannelOptions.Types.SocketOption(level: .tcp, name: .init(rawValue: 9_999)), 1)
    ).get()
    for _ in 1...3 { #expect(try #require(RawConnection(port: server.port)).isClosedByPeer()) }
    await until { server.counters.connectionsFailed == 3 }
    #expect(server.counters.requests == 0)
    let messages = told.withLock { $0 }
    #expect(messages.count == 1, "\(messages)")
    #expect(messages.first?.contains("could not be set up") == true)
    try await server.drain(within: .zero).get()
  }

  @Test func `takes the place of one that waits for a request`() async throws {
    var limits = HTTPServerLimits()
    limits.connectionsMax = 3
    limits.closesIdle = true
    try await serving(echo, limits: limits) { server in
      var idle = try (0..<3).map { _ in try #require(RawConnection(port: server.port)) }
      // The first has been of use; the others have said nothing, or half of a request.
      idle[0].send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
      #expect(idle[0].response()?.status == 200)
      idle[2].send("GET / HT")
      await until { server.counters.connectionsAccepted == 3 }
      for _ in 0..<2 {
        let new = try #require(RawConnection(port: server.port))
        new.send("GET /new HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(new.response()?.body == "GET /new ")
        idle.append(new)
      }
      #expect(idle[1].isClosedByPeer())
      idle[0].send("GET /still HTTP/1.1\r\nHost: x\r\n\r\n")
      #expect(idle[0].response()?.body == "GET /still ")
      #expect(server.counters.connectionsClosedForOthers == 2)
      #expect(server.counters.connectionsRefused == 0)
      #expect(server.counters.connectionsOpen == 3)
    }
  }

  @Test func `takes no place where requests are being answered`() async throws {
    let gates = Mutex<[EventLoopPromise<HTTPResponse>]>([])
    let handler: HTTPServer.Handler = { _, loop in
      let promise = loop.makePromise(of: HTTPResponse.self)
      gates.withLock { $0.append(promise) }
      return promise.futureResult
    }
    var limits = HTTPServerLimits()
    limits.connectionsMax = 2
    limits.closesIdle = true
    try await serving(handler, limits: limits) { server in
      let busy = try (0..<2).map { _ in try #require(RawConnection(port: server.port)) }
      for client in busy { client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n") }
      await until { gates.withLock { $0.count } == 2 }
      let surplus = try #require(RawConnection(port: server.port))
      let refusal = try #require(surplus.response())
      #expect(refusal.status == 503)
      #expect(refusal.headers.contains("retry-after: 1"))
      for gate in gates.withLock({ $0 }) { gate.succeed(.text(.ok, "done")) }
      for client in busy { #expect(client.response()?.body == "done") }
    }
  }

  /// This process's ends of the connections to a port of its own.
  private func descriptors(accepted port: Int) -> [Int32] {
    (3..<4_096).filter { descriptor in
      var address = sockaddr_in()
      var length = socklen_t(MemoryLayout<sockaddr_in>.size)
      let local = unsafe withUnsafeMutablePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          unsafe getsockname(descriptor, $0, &length)
        }
      }
      guard local == 0, Int(UInt16(bigEndian: address.sin_port)) == port else { return false }
      length = socklen_t(MemoryLayout<sockaddr_in>.size)
      return unsafe withUnsafeMutablePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          unsafe getpeername(descriptor, $0, &length)
        }
      } == 0
    }
  }

  private func noDelay(_ descriptor: Int32) -> Int32 {
    var value: Int32 = -1
    var length = socklen_t(MemoryLayout<Int32>.size)
    unsafe getsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &value, &length)
    return value
  }
}

/// Hears what is logged at `warning` and above.
private struct Listener: LogHandler {
  var hear: @Sendable (String) -> Void
  var metadata: Logger.Metadata = [:]
  var logLevel = Logger.Level.debug

  init(_ hear: @escaping @Sendable (String) -> Void) { self.hear = hear }

  subscript(metadataKey key: String) -> Logger.MetadataValue? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    if event.level >= .warning { hear("\(event.message)") }
  }
}
