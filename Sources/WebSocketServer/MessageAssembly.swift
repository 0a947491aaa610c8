package import NIOCore
internal import NIOWebSocket

/// A whole message of a client.
package struct WebSocketMessage: Equatable, Sendable {
  /// Whether it is text, and then UTF-8.
  package var isText: Bool
  /// What the client sent, unmasked.
  package var data: ByteBuffer

  /// A message.
  package init(isText: Bool, data: ByteBuffer) {
    self.isText = isText
    self.data = data
  }
}

/// Makes messages of a client's frames, and finds what breaks the rules of RFC 6455.
struct MessageAssembly {
  /// What a frame leads to.
  enum Step: Equatable {
    /// Nothing yet.
    case nothing
    case message(WebSocketMessage)
    /// Is to be answered with a pong of the same data.
    case ping(ByteBuffer)
    /// The client closes; what is to be sent back.
    case close(WebSocketClose)
    /// The client breaks a rule; nothing more is to be given.
    case fail(WebSocketClose)
  }

  private struct Begun {
    var isText: Bool
    var data: ByteBuffer
    var validation = UTF8Validation()
  }

  let bytesMax: Int
  private var begun: Begun?

  init(bytesMax: Int) { self.bytesMax = bytesMax }

  /// What has come of a message whose end has not, in bytes.
  var unfinishedBytes: Int { begun?.data.readableBytes ?? 0 }

  mutating func take(_ frame: WebSocketFrame) -> Step {
    guard !frame.rsv1, !frame.rsv2, !frame.rsv3 else { return .fail(.reserved) }
    guard frame.maskKey != nil else { return .fail(.unmasked) }
    switch frame.opcode {
    case .text, .binary: return begin(frame, isText: frame.opcode == .text)
    case .continuation: return continueMessage(frame)
    case .ping: return .ping(frame.unmaskedData)
    case .pong: return .nothing
    case .connectionClose: return close(frame.unmaskedData)
    default: return .fail(.unknownOpcode)
    }
  }

  private mutating func begin(_ frame: WebSocketFrame, isText: Bool) -> Step {
    guard begun == nil else { return .fail(.unfinished) }
    return add(frame, to: Begun(isText: isText, data: ByteBuffer()))
  }

  private mutating func continueMessage(_ frame: WebSocketFrame) -> Step {
    guard let message = begun.take() else { return .fail(.unexpectedContinuation) }
    return add(frame, to: message)
  }

  private mutating func add(_ frame: WebSocketFrame, to message: Begun) -> Step {
    guard frame.length <= bytesMax - message.data.readableBytes else { return .fail(.messageTooLarge) }
    var message = message
    let data = frame.unmaskedData
    if message.isText, !message.validation.append(data.readableBytesUInt8Span) { return .fail(.badText) }
    if message.data.readableBytes == 0 {
      message.data = data
    } else {
      message.data.writeImmutableBuffer(data)
    }
    guard frame.fin else {
      begun = message
      return .nothing
    }
    guard !message.isText || message.validation.isComplete else { return .fail(.badText) }
    return .message(WebSocketMessage(isText: message.isText, data: message.data))
  }

  private func close(_ data: ByteBuffer) -> Step {
    var data = data
    guard data.readableBytes > 0 else { return .close(.noStatus) }
    guard let code = data.readInteger(as: UInt16.self), WebSocketClose.mayBeSent(code) else { return .fail(.badCode) }
    guard let reason = String(validating: data.readableBytesView, as: UTF8.self) else { return .fail(.badText) }
    return .close(WebSocketClose(code, reason))
  }
}

/// What a server sends: never masked, each message in one frame.
enum OutgoingFrame {
  /// What comes before the payload, which may be appended to it.
  static func head(_ opcode: WebSocketOpcode, payloadBytes count: Int, room: Int = 0) -> ByteBuffer {
    var buffer = ByteBuffer()
    buffer.reserveCapacity(10 + room)
    buffer.writeInteger(0x80 | UInt8(webSocketOpcode: opcode))
    switch count {
    case ...125: buffer.writeInteger(UInt8(count))
    case ...0xFFFF:
      buffer.writeInteger(126 as UInt8)
      buffer.writeInteger(UInt16(count))
    default:
      buffer.writeInteger(127 as UInt8)
      buffer.writeInteger(UInt64(count))
    }
    return buffer
  }

  static func close(_ close: WebSocketClose) -> ByteBuffer {
    // Only codes that may be sent stand in a frame.
    guard WebSocketClose.mayBeSent(close.code) else { return head(.connectionClose, payloadBytes: 0) }
    var buffer = head(.connectionClose, payloadBytes: 2 + close.reason.utf8.count, room: 125)
    buffer.writeInteger(close.code)
    buffer.writeString(close.reason)
    return buffer
  }
}
