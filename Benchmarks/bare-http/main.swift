// The least that an HTTP exchange costs on SwiftNIO: one thread, NIO's own HTTP/1.1 pipeline, a body read whole, a small answer.
// The yardstick of the host's warm invocations, which are three such exchanges: caller and host, and twice runtime and host.
//
// Prints its port, on a line of its own, and serves until it is killed.
import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix

final class Echo: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  private var body = ByteBuffer()

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head: body.clear()
    case .body(var part): body.writeBuffer(&part)
    case .end:
      let fields: HTTPHeaders = ["Content-Type": "application/json", "Content-Length": "\(body.readableBytes)"]
      let head = HTTPResponseHead(version: .http1_1, status: .ok, headers: fields)
      context.write(wrapOutboundOut(.head(head)), promise: nil)
      context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
      context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
  }
}

let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
let channel = try await ServerBootstrap(group: group)
  .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
  .childChannelInitializer { channel in
    channel.eventLoop.makeCompletedFuture {
      try channel.pipeline.syncOperations.configureHTTPServerPipeline()
      try channel.pipeline.syncOperations.addHandler(Echo())
    }
  }
  .bind(host: "127.0.0.1", port: 0).get()
// Not print, which keeps it until more comes.
let line = Array("\(channel.localAddress?.port ?? 0)\n".utf8)
unsafe _ = line.withUnsafeBytes { unsafe write(STDOUT_FILENO, $0.baseAddress, $0.count) }
try await channel.closeFuture.get()
