import HTTPServer
import HostRules
import Lifecycle
import NIOCore
import NIOHTTP1
import NIOPosix
import Sandboxes
import Testing

@testable import FunctionHost

@Suite(.serialized, .timeLimit(.minutes(2))) struct `Visitors of an instance's APIs` {
  /// Every call that changes something, as a stranger would make it.
  private static let calls: [(HTTPMethod, String)] = [
    (.GET, "/2018-06-01/runtime/invocation/next"), (.POST, "/2018-06-01/runtime/init/error"),
    (.POST, "/2018-06-01/runtime/invocation/01234567-89ab-cdef-0123-456789abcdef/response"),
    (.POST, "/2018-06-01/runtime/invocation/01234567-89ab-cdef-0123-456789abcdef/error"),
    (.PUT, "/kelvin/v1/configuration"), (.PUT, "/kelvin/v1/warmup"), (.POST, "/2020-01-01/extension/register"),
    (.PUT, "/2022-07-01/telemetry"), (.GET, "/ping"),
  ]

  /// Where an instance's APIs are.
  private func place(of host: HostFixture) async throws -> (address: String, port: Int) {
    let body = try await host.invoke("f", #"{"do":"environment"}"#).body
    let marker = #""AWS_LAMBDA_RUNTIME_API": ""#
    let start = try #require(body.firstRange(of: marker)).upperBound
    let parts = body[start...].prefix { $0 != "\"" }.split(separator: ":").map(String.init)
    return (try #require(parts.first), try #require(Int(parts[1])))
  }

  @Test func `are told apart from its own processes, and change nothing`() async throws {
    let events = try await HostFixture.run(HostConfiguration(functions: [python("f")])) { host async throws in
      let (address, port) = try await place(of: host)
      #expect(address.hasPrefix("127.") && address != "127.0.0.1")
      try await host.eventuallyIdle()
      for (method, path) in Self.calls {
        let text = try await Knock.answer(to: "\(method) \(path) HTTP/1.1\r\nHost: a\r\n\r\n", address, port)
        #expect(text.hasPrefix("HTTP/1.1 403 ") && text.contains("AccessDenied"), "\(path): \(text)")
      }
      for _ in 0..<3 { #expect(try await host.invoke("f", "1").body == "1") }
      #expect(try await place(of: host) == (address, port))
    }
    #expect(events.started.count == 1 && events.ready.count == 1)
    #expect(events.finished.map(\.outcome) == Array(repeating: .success, count: 5))
    #expect(events.limits.count == 1)
  }

  @Test func `are let in without isolation, and a call that does not fit the state changes nothing`() async throws {
    var configuration = HostConfiguration(functions: [python("f")])
    configuration.isolation = .none
    let events = try await HostFixture.run(configuration) { host async throws in
      let (address, port) = try await place(of: host)
      try await host.eventuallyIdle()
      for (method, path) in Self.calls.prefix(4) {
        let body = method == .GET ? "" : "{}"
        let answer = try await TestClient.send(method, path, address: address, port: port, body: body)
        #expect(answer.status == (path.hasSuffix("next") || path.hasSuffix("init/error") ? 403 : 400), "\(path)")
        #expect(answer.body.contains("InvalidStateTransition") || answer.body.contains("InvalidRequestID"))
      }
      for _ in 0..<3 { #expect(try await host.invoke("f", "1").body == "1") }
    }
    #expect(events.started.count == 1)
    #expect(events.finished.map(\.outcome) == Array(repeating: .success, count: 4))
  }

  @Test func `find an instance on 127.0.0.1 where its own address is not to be had`() async throws {
    try await HostFixture.run(HostConfiguration(functions: [python("f")])) { host async throws in
      let core = try #require(host.host.core)
      // An address of no machine's own (RFC 5737).
      let binding = await RuntimeAPI.bind(
        "192.0.2.1", for: FunctionIndex(position: 0), InstanceKey(pool: .onDemand, number: .max), of: core)
      let server = try await binding.get()
      #expect(server.endpoint == "127.0.0.1:\(server.port)")
      try await server.close().get()
    }
  }

  @Test func `do not guess the address`() {
    var generator = KernelRandom()
    var seen: Set<String> = []
    for _ in 0..<1000 {
      let address = InstanceVisitors.address(using: &generator)
      let parts = address.split(separator: ".").compactMap { UInt8($0) }
      #expect(parts.count == 4 && parts[0] == 127 && parts[1] > 0 && (1...254).contains(parts[3]))
      seen.insert(address)
    }
    #expect(seen.count > 990)
  }
}

/// Connects, sends, and keeps whatever comes until the peer closes: a refusal may be there before anything was sent, which is no
/// answer to a client of HTTP.
private final class Knock: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  private let promise: EventLoopPromise<String>
  private var text = ""

  private init(_ promise: EventLoopPromise<String>) { self.promise = promise }

  static func answer(to request: String, _ address: String, _ port: Int) async throws -> String {
    let promise = MultiThreadedEventLoopGroup.singleton.next().makePromise(of: String.self)
    let channel = try await ClientBootstrap(group: promise.futureResult.eventLoop)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Knock(promise)) }
      }
      .connect(host: address, port: port).get()
    channel.writeAndFlush(ByteBuffer(string: request), promise: nil)
    return try await promise.futureResult.get()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) { text += String(buffer: unwrapInboundIn(data)) }
  func channelInactive(context: ChannelHandlerContext) { promise.succeed(text) }
  // What came before a reset counts.
  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
