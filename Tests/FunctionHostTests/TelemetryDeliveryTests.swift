import NIOCore
import NIOPosix
import Testing

@testable import FunctionHost

struct ListenerCase: Sendable, CustomTestStringConvertible {
  var testDescription: String
  var answer: String
  /// How often that is said.
  var count = 1
  var isDelivered: Bool
}

@Suite(.timeLimit(.minutes(1))) struct `A batch of telemetry` {
  private static let interim = "HTTP/1.1 100 Continue\r\n\r\n"
  private static let final = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

  @Test(arguments: [
    ListenerCase(testDescription: "an acknowledgement", answer: final, isDelivered: true),
    ListenerCase(testDescription: "after one interim answer", answer: interim + final, isDelivered: true),
    ListenerCase(testDescription: "interim answers without end", answer: interim, count: 100_000, isDelivered: false),
    ListenerCase(
      testDescription: "after too many", answer: String(repeating: interim, count: 9) + final, isDelivered: false),
    ListenerCase(
      testDescription: "a body without end", answer: "HTTP/1.1 200 OK\r\n\r\n" + String(repeating: "x", count: 70_000),
      isDelivered: true),
    ListenerCase(
      testDescription: "an error with one", answer: "HTTP/1.1 500 No\r\n\r\n" + String(repeating: "x", count: 70_000),
      isDelivered: false),
    ListenerCase(testDescription: "no HTTP", answer: String(repeating: "x", count: 1000), isDelivered: false),
  ])
  func `is done with a listener after a bounded answer`(_ given: ListenerCase) async throws {
    let loop = MultiThreadedEventLoopGroup.singleton.any()
    let server = try await ServerBootstrap(group: loop).childChannelInitializer { channel in
      channel.eventLoop.makeCompletedFuture {
        try channel.pipeline.syncOperations.addHandler(Sayer(given.answer, given.count))
      }
    }.bind(host: "127.0.0.1", port: 0).get()
    let port = try #require(server.localAddress?.port)
    let delivered = try await loop.submit { () -> EventLoopFuture<Bool> in
      let delivery = TelemetryDelivery(to: .http(port: port, path: "/"), on: loop)
      let batch = TelemetryBuffer.Batch(records: [ByteBuffer(string: "{}")], bytesCount: 2)
      return delivery.send(batch).map { true }.recover { _ in false }
    }.get().get()
    #expect(delivered == given.isDelivered)
    try await server.close()
  }
}

/// Says the same to whoever connects, again and again, and never closes.
private final class Sayer: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  private let text: String
  private let count: Int

  init(_ text: String, _ count: Int) {
    self.text = text
    self.count = count
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    for _ in 0..<count { context.write(NIOAny(context.channel.allocator.buffer(string: text)), promise: nil) }
    context.flush()
  }
}
