internal import NIOCore

/// Decides about a new connection before anything is read: makes room for it, or closes it.
final class PeerGate: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = ByteBuffer

  private let service: ConnectionService
  private let stranger: @Sendable (SocketAddress?) -> HTTPResponse?

  init(service: ConnectionService, stranger: @escaping @Sendable (SocketAddress?) -> HTTPResponse?) {
    self.service = service
    self.stranger = stranger
  }

  func channelActive(context: ChannelHandlerContext) {
    do {
      if let answer = stranger(context.remoteAddress) {
        try service.turnAway(context.channel, with: answer)
      } else {
        try service.admit(context.channel)
      }
    } catch {
      return context.close(promise: nil)
    }
    context.fireChannelActive()
    context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
  }
}
