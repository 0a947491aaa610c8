internal import DequeModule
package import HTTPServer
package import Lifecycle
package import NIOCore
internal import NIOWebSocket

/// Who is told what comes over a connection. Called on its loop.
package protocol WebSocketReceiver: Sendable {
  /// A whole message came. ``WebSocketConnection/messageDone()`` is to be called once for each, at once or later.
  func received(_ message: WebSocketMessage)

  /// The connection is closed; nothing more comes, and nothing more is sent.
  func ended(_ close: WebSocketClose)
}

/// An open connection. Copies are the same connection; all is to be called on its loop.
package struct WebSocketConnection: Sendable {
  private let handler: NIOLoopBound<WebSocketHandler>

  /// Adds the protocol to a channel that HTTP is about to leave.
  ///
  /// Messages of one connection are handed on as they come, without waiting for each other. A `DrainEvent` closes the connection with
  /// 1001 as soon as all of them are done.
  ///
  /// - Parameter budget: Where the bytes of messages are reserved whose end has not come; a connection that finds no room is closed with 1013.
  package init(
    _ channel: any Channel, limits: WebSocketLimits, receiver: any WebSocketReceiver, budget: BodyBudget? = nil
  ) throws {
    let handler = WebSocketHandler(limits, receiver, budget, on: channel.eventLoop)
    try channel.pipeline.syncOperations.addHandlers([
      ArrivalCounter(handler),
      ByteToMessageHandler(WebSocketFrameDecoder(maxFrameSize: limits.frameBytesMax)), handler,
    ])
    self.handler = NIOLoopBound(handler, eventLoop: channel.eventLoop)
  }

  /// Sends a message.
  ///
  /// - Returns: Whether it was taken; not if the connection is closing, nor if the client reads so slowly that the connection is ended now.
  package func send(_ data: ByteBuffer, isText: Bool) -> Bool {
    handler.value.send(data, opcode: isText ? .text : .binary)
  }

  /// Closes it, and waits for the client's closing frame for a moment.
  package func close(_ close: WebSocketClose) { handler.value.close(close) }

  /// A message that was handed on is done with.
  package func messageDone() { handler.value.messageDone() }

  /// How long ago the last frame came or was sent.
  package var idle: Nanoseconds { handler.value.idle }
}

/// The protocol's state on a channel.
final class WebSocketHandler: ChannelDuplexHandler, RemovableChannelHandler {
  typealias InboundIn = WebSocketFrame
  typealias OutboundIn = Never
  typealias OutboundOut = ByteBuffer

  private enum Phase {
    case open
    /// Our closing frame is written, and the client's is awaited.
    case closing
    /// The last byte is written; what the client still sends is dropped, because closing a socket with unread bytes destroys the closing
    /// frame on its way.
    case lingering
    case closed
  }

  private let limits: WebSocketLimits
  private let receiver: any WebSocketReceiver
  private let budget: BodyBudget?
  private let loop: any EventLoop
  private var context: ChannelHandlerContext?
  private var phase = Phase.open
  private var assembly: MessageAssembly
  /// Why it ends; the first cause counts.
  private var end: WebSocketClose?
  private var inFlight = 0
  /// Came in one read with what reached the limit of messages in progress.
  private var waiting = Deque<WebSocketFrame>()
  private var waitingBytes = 0
  /// What has come of a frame whose end has not, in bytes.
  private var partialBytes = 0
  private var isHandlingWaiting = false
  /// What is reserved of the budget, in bytes.
  private var reserved = 0
  private var holdsRead = false
  private var isDraining = false
  private var lingeringReads = 0
  private var lastActive: NIODeadline
  private let openedAt: NIODeadline
  private var closeBy = NIODeadline.distantFuture
  private var timer: Scheduled<Void>?

  /// Reads of what is dropped; each is at most 64 KiB.
  private static let lingeringReadsMax = 1_024
  private static let lingeringLimit = TimeAmount.seconds(1)

  init(_ limits: WebSocketLimits, _ receiver: any WebSocketReceiver, _ budget: BodyBudget?, on loop: any EventLoop) {
    self.limits = limits
    self.receiver = receiver
    self.budget = budget
    self.loop = loop
    openedAt = loop.now
    lastActive = openedAt
    assembly = MessageAssembly(bytesMax: limits.messageBytesMax)
  }

  /// How long ago the last frame came or was sent.
  var idle: Nanoseconds { Nanoseconds((loop.now - lastActive).nanoseconds) }

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    armTimer()
  }

  func channelInactive(context: ChannelHandlerContext) {
    ended()
    context.fireChannelInactive()
  }

  func handlerRemoved(context: ChannelHandlerContext) { ended() }

  private func ended() {
    guard phase != .closed else { return }
    phase = .closed
    context = nil
    timer?.cancel()
    timer = nil
    waiting.removeAll()
    budget?.release(reserved)
    reserved = 0
    receiver.ended(end ?? .lost)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let frame = unwrapInboundIn(data)
    guard phase == .open || phase == .closing else { return }
    lastActive = loop.now
    partialBytes = max(0, partialBytes - frame.wireLength)
    if mayTake, waiting.isEmpty {
      take(frame)
    } else {
      waiting.append(frame)
      waitingBytes += frame.length
    }
  }

  /// Bytes are about to be made frames of.
  fileprivate func arriving(_ count: Int) { partialBytes += count }

  /// Of the bytes that arrived, all whole frames were taken.
  fileprivate func arrived() {
    // A client that writes lengths longer than they need be is taken to hold no more than a frame.
    partialBytes = min(partialBytes, limits.frameBytesMax + WebSocketFrame.headBytesMax)
    reserve()
  }

  /// Whether another message may be handed on, or will be dropped anyway.
  private var mayTake: Bool { phase != .open || inFlight < limits.inFlightMax }

  /// Takes frames that wait, in their order, as far as messages may be handed on. What is handed on may be done with at once.
  private func takeWaiting() {
    guard !isHandlingWaiting else { return }
    isHandlingWaiting = true
    defer { isHandlingWaiting = false }
    while phase == .open || phase == .closing, mayTake, let frame = waiting.popFirst() {
      waitingBytes -= frame.length
      take(frame)
    }
    reserve()
  }

  private func take(_ frame: WebSocketFrame) {
    switch assembly.take(frame) {
    case .nothing: break
    // Once it closes, nothing of the client is of interest but its closing frame.
    case .message(let message) where phase == .open:
      inFlight += 1
      receiver.received(message)
    case .ping(let data) where phase == .open: pong(data)
    case .message, .ping: break
    case .close(let close): answerClose(close)
    case .fail(let close): fail(close)
    }
  }

  /// Reserves what is kept of the client's bytes, or gives back what is not kept any more.
  private func reserve() {
    guard let budget, phase == .open || phase == .closing else { return }
    let bytes = assembly.unfinishedBytes + waitingBytes + partialBytes
    if bytes <= reserved {
      budget.release(reserved - bytes)
    } else if !budget.reserve(bytes - reserved, of: bytes) {
      return fail(.noRoom)
    }
    reserved = bytes
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    if phase == .lingering {
      lingeringReads += 1
      if lingeringReads > WebSocketHandler.lingeringReadsMax { context.close(promise: nil) }
    }
    context.fireChannelReadComplete()
  }

  // Flow control: a client that sends faster than its messages are handled is not read.
  func read(context: ChannelHandlerContext) {
    if phase == .open, inFlight >= limits.inFlightMax || !waiting.isEmpty { holdsRead = true } else { context.read() }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    switch error as? NIOWebSocketError {
    case .invalidFrameLength?: fail(.frameTooLarge)
    case .fragmentedControlFrame?, .multiByteControlFrameLength?: fail(.controlFrame)
    // Bytes behind those that were refused.
    case nil where error is ByteToMessageDecoderError: break
    case nil: context.close(promise: nil)
    }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    guard event is DrainEvent else { return context.fireUserInboundEventTriggered(event) }
    isDraining = true
    closeIfDrained()
  }
}

// What is sent.
extension WebSocketHandler {
  func send(_ data: ByteBuffer, opcode: WebSocketOpcode) -> Bool {
    guard phase == .open, let context else { return false }
    guard hasRoom(for: data.readableBytes, context) else {
      end = end ?? .tooSlow
      context.close(promise: nil)
      return false
    }
    lastActive = loop.now
    // Up to here copying is cheaper than a second buffer in the system call.
    if data.readableBytes <= 16 << 10 {
      var frame = OutgoingFrame.head(opcode, payloadBytes: data.readableBytes, room: data.readableBytes)
      frame.writeImmutableBuffer(data)
      context.writeAndFlush(wrapOutboundOut(frame), promise: nil)
    } else {
      context.write(wrapOutboundOut(OutgoingFrame.head(opcode, payloadBytes: data.readableBytes)), promise: nil)
      context.writeAndFlush(wrapOutboundOut(data), promise: nil)
    }
    return true
  }

  private func hasRoom(for bytes: Int, _ context: ChannelHandlerContext) -> Bool {
    guard !context.channel.isWritable else { return true }
    // An option that every channel over a socket has.
    let waiting = (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
    return waiting + bytes <= limits.outboundBytesMax
  }

  private func pong(_ data: ByteBuffer) { _ = send(data, opcode: .pong) }

  func messageDone() {
    inFlight -= 1
    takeWaiting()
    closeIfDrained()
    guard holdsRead, inFlight < limits.inFlightMax, waiting.isEmpty else { return }
    holdsRead = false
    context?.read()
  }

  private func closeIfDrained() {
    if isDraining, inFlight == 0, waiting.isEmpty { close(.goingAway) }
  }
}

// The end.
extension WebSocketHandler {
  func close(_ close: WebSocketClose) {
    guard phase == .open, let context else { return }
    phase = .closing
    end = end ?? close
    releaseRead(context)
    context.writeAndFlush(wrapOutboundOut(OutgoingFrame.close(close)), promise: nil)
    closeBy = loop.now + .nanoseconds(limits.closeLimit.count)
    armTimer()
    // The client's closing frame may be there already.
    takeWaiting()
  }

  /// The client closed: its code goes back, and then the server closes first (RFC 6455 section 7.1.1).
  private func answerClose(_ close: WebSocketClose) {
    guard let context else { return }
    end = end ?? close
    let isAnswered = phase == .closing
    phase = .lingering
    guard !isAnswered else { return context.close(promise: nil) }
    finish(OutgoingFrame.close(close), context)
  }

  /// The client broke a rule, or a limit.
  private func fail(_ close: WebSocketClose) {
    guard let context, phase == .open || phase == .closing else { return }
    end = end ?? close
    let isSaid = phase == .closing
    phase = .lingering
    guard !isSaid else { return context.close(promise: nil) }
    finish(OutgoingFrame.close(close), context)
  }

  private func finish(_ frame: ByteBuffer, _ context: ChannelHandlerContext) {
    releaseRead(context)
    closeBy = loop.now + WebSocketHandler.lingeringLimit
    armTimer()
    context.writeAndFlush(wrapOutboundOut(frame), promise: nil)
    // Behind the frame: what waits is written before.
    context.close(mode: .output, promise: nil)
  }

  private func releaseRead(_ context: ChannelHandlerContext) {
    guard holdsRead else { return }
    holdsRead = false
    context.read()
  }

  /// One timer that looks at what is due when it fires: arming one for each frame would cost more than the frame.
  private func armTimer() {
    guard let context, phase != .closed else { return }
    timer?.cancel()
    timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: nextDeadline) { self.timerFired() }
  }

  private var nextDeadline: NIODeadline {
    phase == .open
      ? min(lastActive + .nanoseconds(limits.idle.count), openedAt + .nanoseconds(limits.lifetime.count)) : closeBy
  }

  private func timerFired() {
    timer = nil
    guard nextDeadline <= loop.now else { return armTimer() }
    guard phase == .open else {
      context?.close(promise: nil)
      return
    }
    close(openedAt + .nanoseconds(limits.lifetime.count) <= loop.now ? .expired : .idle)
  }
}

/// Says how many bytes come to the decoder, which keeps those of a frame until its end is there.
private final class ArrivalCounter: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer

  private let handler: WebSocketHandler

  init(_ handler: WebSocketHandler) { self.handler = handler }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    handler.arriving(unwrapInboundIn(data).readableBytes)
    context.fireChannelRead(data)
    handler.arrived()
  }
}

extension WebSocketFrame {
  /// The longest head: two bytes, a length of eight, and a key.
  fileprivate static let headBytesMax = 14

  /// What the frame took on the wire, if its length was written as short as it can be, in bytes.
  fileprivate var wireLength: Int {
    2 + (length <= 125 ? 0 : length <= 0xFFFF ? 2 : 8) + (maskKey == nil ? 0 : 4) + length
  }
}
