import Lifecycle
import NIOCore
import NIOHTTP1
import NIOPosix

/// Sends batches to a subscriber's listener, always on loopback. Used on the host's loop.
final class TelemetryDelivery {
  enum Failure: Error {
    case refused(UInt)
    case connectionEnded
    /// More interim answers (1xx) than `AcknowledgementReader.interimMax`, and no final one.
    case interimAnswersOnly
  }

  private let loop: any EventLoop
  private let destination: Subscription.Destination
  /// The connection of a listener for TCP, or that of the request under way.
  private var channel: (any Channel)?

  private static let connectTimeout = TimeAmount.seconds(1)

  init(to destination: Subscription.Destination, on loop: any EventLoop) {
    self.destination = destination
    self.loop = loop
  }

  /// Sends a batch. Completes when the listener has acknowledged it, or (TCP) when it was written.
  func send(_ batch: TelemetryBuffer.Batch) -> EventLoopFuture<Void> {
    switch destination {
    case .http(let port, let path): post(batch.array, port, path)
    case .tcp(let port): write(batch.lines, port)
    }
  }

  /// Gives up what is under way.
  func cancel() {
    channel?.close(promise: nil)
    channel = nil
  }

  private func connect(_ port: Int, _ setUp: @escaping @Sendable (any Channel) throws -> Void) -> EventLoopFuture<
    any Channel
  > {
    ClientBootstrap(group: loop).connectTimeout(TelemetryDelivery.connectTimeout)
      .channelInitializer { channel in channel.eventLoop.makeCompletedFuture { try setUp(channel) } }
      .connect(host: "127.0.0.1", port: port)
  }

  // MARK: HTTP

  private func post(_ body: ByteBuffer, _ port: Int, _ path: String) -> EventLoopFuture<Void> {
    let answered = loop.makePromise(of: Void.self)
    let connected = connect(port) { channel in
      // As addHTTPClientHandlers has them, but for interim answers, which are counted and not passed over in silence.
      let decoder = HTTPResponseDecoder(leftOverBytesStrategy: .dropBytes, informationalResponseStrategy: .forward)
      try channel.pipeline.syncOperations.addHandlers(
        HTTPRequestEncoder(), ByteToMessageHandler(decoder), NIOHTTPRequestHeadersValidator(),
        AcknowledgementReader(answered))
    }
    connected.assumeIsolated().whenComplete { result in
      switch result {
      case .failure(let error): answered.fail(error)
      case .success(let channel):
        self.channel = channel
        let headers = HTTPHeaders([
          ("Host", "sandbox.localdomain:\(port)"), ("Content-Type", "application/json"),
          ("Content-Length", String(body.readableBytes)),
        ])
        let head = HTTPRequestHead(version: .http1_1, method: .POST, uri: path, headers: headers)
        channel.write(HTTPClientRequestPart.head(head), promise: nil)
        channel.write(HTTPClientRequestPart.body(.byteBuffer(body)), promise: nil)
        channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
      }
    }
    return answered.futureResult
  }

  // MARK: TCP

  private func write(_ lines: ByteBuffer, _ port: Int) -> EventLoopFuture<Void> {
    if let channel, channel.isActive { return channel.writeAndFlush(lines) }
    let promise = loop.makePromise(of: Void.self)
    // A listener need not send anything; what it sends is not read.
    connect(port) { try $0.syncOptions?.setOption(.autoRead, value: false) }.assumeIsolated().whenComplete { result in
      switch result {
      case .failure(let error): promise.fail(error)
      case .success(let channel):
        self.channel = channel
        channel.writeAndFlush(lines, promise: promise)
      }
    }
    return promise.futureResult
  }
}

/// Waits for the answer to one request, and closes its connection. However much the listener sends, little of it is read.
private final class AcknowledgementReader: ChannelInboundHandler {
  typealias InboundIn = HTTPClientResponsePart
  /// The most interim answers (100 Continue and the like) before the final one.
  private static let interimMax = 8
  /// The most bytes that an answer may have; its status says all that is asked for.
  private static let bodyBytesMax = 64 * 1024

  private let promise: EventLoopPromise<Void>
  private var status: UInt = 0
  private var interimCount = 0
  private var bodyBytes = 0
  private var isDone = false

  init(_ promise: EventLoopPromise<Void>) { self.promise = promise }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard !isDone else { return }
    switch unwrapInboundIn(data) {
    case .head(let head) where (100..<200).contains(head.status.code) && head.status != .switchingProtocols:
      interimCount += 1
      if interimCount > AcknowledgementReader.interimMax {
        finish(context, .failure(TelemetryDelivery.Failure.interimAnswersOnly))
      }
    case .head(let head): status = head.status.code
    case .body(let part):
      bodyBytes += part.readableBytes
      if bodyBytes > AcknowledgementReader.bodyBytesMax { finish(context, result) }
    case .end: finish(context, result)
    }
  }

  private var result: Result<Void, any Error> {
    (200..<300).contains(status) ? .success(()) : .failure(TelemetryDelivery.Failure.refused(status))
  }

  private func finish(_ context: ChannelHandlerContext, _ result: Result<Void, any Error>) {
    isDone = true
    promise.completeWith(result)
    context.close(promise: nil)
  }

  func channelInactive(context: ChannelHandlerContext) { promise.fail(TelemetryDelivery.Failure.connectionEnded) }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    promise.fail(error)
    context.close(promise: nil)
  }
}
