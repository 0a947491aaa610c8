import Lifecycle
import NIOCore
import NIOEmbedded

@testable import LambdaAPI
@testable import WebSocketServer

extension FuzzTarget {
  /// What clients and functions send by WebSockets.
  static let webSockets: [FuzzTarget] = [
    FuzzTarget("websocket-frames", frames),
    FuzzTarget("websocket-answers", answers),
  ]

  /// Sends back what it is given, and checks that texts are texts.
  private final class Echo: WebSocketReceiver, @unchecked Sendable {
    // Used on one embedded loop only.
    var connection: WebSocketConnection?
    var ends = 0

    func received(_ message: WebSocketMessage) {
      require(ends == 0, "a message came behind the end")
      require(message.data.readableBytes <= 2_048, "a message is over the limit")
      if message.isText {
        require(
          String(validating: message.data.readableBytesView, as: UTF8.self) != nil, "a text message is not UTF-8")
      }
      _ = connection?.send(message.data, isText: message.isText)
      connection?.messageDone()
    }

    func ended(_ close: WebSocketClose) { ends += 1 }
  }

  /// A connection that is given the bytes in parts, whose length the first byte says.
  private static func frames(_ bytes: [UInt8]) {
    guard let first = bytes.first else { return }
    let step = first == 0 ? max(1, bytes.count) : Int(first)
    var limits = WebSocketLimits()
    limits.frameBytesMax = 1_024
    limits.messageBytesMax = 2_048
    let channel = EmbeddedChannel()
    let echo = Echo()
    do {
      try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
      echo.connection = try WebSocketConnection(channel, limits: limits, receiver: echo)
      for start in stride(from: 1, to: bytes.count, by: step) {
        try channel.writeInbound(ByteBuffer(bytes: bytes[start..<min(bytes.count, start + step)]))
        guard channel.isActive else { break }
      }
    } catch {}  // What a closed channel says to what comes behind it.
    var closings = 0
    while let frame = try? channel.readOutbound(as: ByteBuffer.self) {
      guard let first = frame.getInteger(at: frame.readerIndex, as: UInt8.self) else { continue }
      require(closings == 0, "a frame was sent behind the closing one")
      if first == 0x88 { closings += 1 }
    }
    _ = try? channel.finish(acceptAlreadyClosed: true)
    channel.embeddedEventLoop.run()
    require(echo.ends == 1, "a connection ended \(echo.ends) times")
  }

  /// A client's message and a function's answer.
  private static func answers(_ bytes: [UInt8]) {
    let data = ByteBuffer(bytes: bytes)
    let isJSON = data.jsonProblem() == nil
    let key = WebSocketRouteKey("a.b")?.key(in: data)
    require(key == nil || isJSON, "a key was found in what is not JSON")
    switch WebSocketAnswer(data) {
    case .send(let sent, let isText), .failed(_, let sent, let isText):
      require(isJSON, "an answer that is not JSON was sent")
      require(
        !isText || String(validating: sent.readableBytesView, as: UTF8.self) != nil, "a text that is not UTF-8 was sent"
      )
    case .nothing: require(isJSON || bytes.isEmpty, "an answer that is not JSON was taken for nothing")
    case .malformed: break
    }
    let text = String(decoding: bytes, as: UTF8.self)
    if let id = GatewayID(text) { require(id.text == text, "an id is written differently from how it was read") }
    if let route = WebSocketRouteKey(text) {
      require((1...WebSocketRouteKey.depthMax).contains(route.path.count), "a route's key is too deep")
    }
  }
}
