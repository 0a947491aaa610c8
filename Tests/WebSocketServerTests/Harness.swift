import HTTPServer
import Lifecycle
import NIOCore
import NIOEmbedded
import NIOWebSocket
import Testing

@testable import WebSocketServer

/// A frame as a client or a server sends it.
struct RawFrame: Equatable, CustomStringConvertible {
  var opcode: UInt8
  var data: [UInt8]
  var isFinal = true
  var reserved: UInt8 = 0
  var isMasked = true

  static func text(_ text: String, isFinal: Bool = true) -> RawFrame {
    RawFrame(opcode: 1, data: Array(text.utf8), isFinal: isFinal)
  }
  static func more(_ text: String, isFinal: Bool = true) -> RawFrame {
    RawFrame(opcode: 0, data: Array(text.utf8), isFinal: isFinal)
  }
  static func ping(_ text: String = "") -> RawFrame { RawFrame(opcode: 9, data: Array(text.utf8)) }
  static func pong(_ text: String = "") -> RawFrame { RawFrame(opcode: 10, data: Array(text.utf8)) }
  static func close(_ code: UInt16? = nil, _ reason: String = "") -> RawFrame {
    RawFrame(opcode: 8, data: (code.map { [UInt8($0 >> 8), UInt8($0 & 255)] } ?? []) + Array(reason.utf8))
  }

  var description: String {
    "\(opcode)\(isFinal ? "" : "…") \(data.count > 40 ? "(\(data.count) bytes)" : "\(data)")"
  }

  /// As a client writes it.
  var bytes: [UInt8] {
    let key: [UInt8] = [0x37, 0xFA, 0x21, 0x3D]
    var bytes = [(isFinal ? 0x80 : 0) | reserved << 4 | opcode]
    let mask: UInt8 = isMasked ? 0x80 : 0
    switch data.count {
    case ...125: bytes.append(mask | UInt8(data.count))
    case ...0xFFFF: bytes += [mask | 126, UInt8(data.count >> 8), UInt8(data.count & 255)]
    default: bytes += [mask | 127] + (0..<8).map { UInt8(truncatingIfNeeded: data.count >> (56 - 8 * $0)) }
    }
    guard isMasked else { return bytes + data }
    return bytes + key + data.enumerated().map { $1 ^ key[$0 % 4] }
  }

  /// What a server sent: unmasked, and in whole frames.
  static func read(_ bytes: [UInt8]) -> [RawFrame] {
    var frames: [RawFrame] = []
    var rest = bytes[...]
    while let first = rest.popFirst(), let length = rest.popFirst() {
      var count = Int(length & 127)
      if count > 125 {
        let width = count == 126 ? 2 : 8
        count = rest.prefix(width).reduce(0) { $0 << 8 | Int($1) }
        rest = rest.dropFirst(width)
      }
      frames.append(
        RawFrame(
          opcode: first & 15, data: Array(rest.prefix(count)), isFinal: first & 0x80 != 0, reserved: first >> 4 & 7,
          isMasked: length & 0x80 != 0))
      rest = rest.dropFirst(count)
    }
    return frames
  }
}

/// Sends back what it is given, at once or when it is told to.
final class Echo: WebSocketReceiver, @unchecked Sendable {
  // Used on the one loop of a test only.
  var connection: WebSocketConnection?
  var isHolding = false
  var held: [WebSocketMessage] = []
  var ends: [WebSocketClose] = []

  func received(_ message: WebSocketMessage) {
    if isHolding { held.append(message) } else { answer(message) }
  }

  func answer(_ message: WebSocketMessage) {
    _ = connection?.send(message.data, isText: message.isText)
    connection?.messageDone()
  }

  func ended(_ close: WebSocketClose) { ends.append(close) }
}

/// A connection without a socket.
struct Harness {
  let channel = EmbeddedChannel()
  let echo = Echo()
  private let counter = ReadCounter()

  /// How often the channel was asked to read.
  var reads: Int { counter.count }

  init(_ limits: WebSocketLimits = WebSocketLimits(), budget: BodyBudget? = nil) throws {
    try channel.pipeline.syncOperations.addHandler(counter)
    try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    echo.connection = try WebSocketConnection(channel, limits: limits, receiver: echo, budget: budget)
  }

  /// Sends bytes in pieces of `size`.
  func send(_ bytes: [UInt8], inPiecesOf size: Int = .max) throws {
    var rest = bytes[...]
    while !rest.isEmpty, channel.isActive {
      try channel.writeInbound(ByteBuffer(bytes: rest.prefix(size)))
      rest = rest.dropFirst(size)
    }
  }

  func send(_ frames: RawFrame...) throws { for frame in frames { try send(frame.bytes) } }

  /// What was sent to the client since the last call.
  func received() throws -> [RawFrame] {
    var bytes: [UInt8] = []
    while let buffer = try channel.readOutbound(as: ByteBuffer.self) { bytes += Array(buffer.readableBytesView) }
    return RawFrame.read(bytes)
  }
}

extension RawFrame {
  /// As a server sends it.
  var unmasked: RawFrame {
    var frame = self
    frame.isMasked = false
    return frame
  }
}

private final class ReadCounter: ChannelOutboundHandler {
  typealias OutboundIn = Never
  var count = 0

  func read(context: ChannelHandlerContext) {
    count += 1
    context.read()
  }
}
