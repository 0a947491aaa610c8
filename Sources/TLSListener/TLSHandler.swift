internal import COpenSSL
package import NIOCore

/// TLS between a socket and the handlers behind: what arrives is deciphered, what is written is enciphered.
///
/// Holds no bytes longer than a record takes to arrive, and the answers that are written before the handshake is over, of which there are none. A peer that
/// does not finish its handshake in time, or breaks a rule, loses its connection; it is told why, in an alert.
@safe package final class TLSHandler: ChannelDuplexHandler {
  /// What the socket brings.
  package typealias InboundIn = ByteBuffer
  /// What the peer meant.
  package typealias InboundOut = ByteBuffer
  /// What the peer is to read.
  package typealias OutboundIn = ByteBuffer
  /// What the socket takes.
  package typealias OutboundOut = ByteBuffer

  /// How long a handshake may take.
  package static let handshakeLimit = TimeAmount.seconds(10)
  private static let chunkBytes = 16_384

  private let tls: TLSContext
  private let failed: @Sendable () -> Void
  /// `nil` before it was added and after it was removed.
  private var connection: OpaquePointer?
  private var isOpen = false
  private var isClosing = false
  private var deadline: Scheduled<Void>?
  /// Written before the handshake was over.
  private var early: [(bytes: ByteBuffer, promise: EventLoopPromise<Void>?)] = []

  /// A handler for one connection.
  ///
  /// - Parameters:
  ///   - tls: Certificates and rules.
  ///   - failed: Called if the handshake fails.
  package init(_ tls: TLSContext, failed: @escaping @Sendable () -> Void = {}) {
    self.tls = tls
    self.failed = failed
  }

  // MARK: Life

  /// Makes the connection's state.
  package func handlerAdded(context: ChannelHandlerContext) {
    unsafe connection = SSL_new(tls.pointer)
    guard let connection = unsafe connection, unsafe copenssl_set_memories(connection) == 1 else {
      return context.close(promise: nil)
    }
    unsafe SSL_set_accept_state(connection)
    let loop = context.eventLoop.assumeIsolated()
    deadline = loop.scheduleTask(in: Self.handshakeLimit) { [weak self] in
      guard let self, !self.isOpen else { return }
      self.giveUp(context)
    }
  }

  /// Frees the connection's state.
  package func handlerRemoved(context: ChannelHandlerContext) { free() }

  /// The socket has closed.
  package func channelInactive(context: ChannelHandlerContext) {
    free()
    context.fireChannelInactive()
  }

  private func free() {
    deadline?.cancel()
    deadline = nil
    if let connection = unsafe connection { unsafe SSL_free(connection) }
    unsafe connection = nil
    for write in early { write.promise?.fail(ChannelError.ioOnClosedChannel) }
    early = []
  }

  // MARK: In

  /// Deciphers what the socket brought.
  package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard let connection = unsafe connection, !isClosing else { return }
    let bytes = unwrapInboundIn(data)
    let taken = unsafe bytes.withUnsafeReadableBytes { bytes in
      unsafe BIO_write(SSL_get_rbio(connection), bytes.baseAddress, Int32(bytes.count))
    }
    guard taken == bytes.readableBytes else { return giveUp(context) }
    ERR_clear_error()
    if !isOpen {
      guard unsafe shakeHands(connection, context) else { return }
    }
    unsafe readRecords(connection, context)
  }

  /// - Returns: Whether the connection is open.
  private func shakeHands(_ connection: OpaquePointer, _ context: ChannelHandlerContext) -> Bool {
    let result = unsafe SSL_do_handshake(connection)
    let error = unsafe SSL_get_error(connection, result)
    unsafe send(connection, context, promise: nil)
    context.flush()
    guard result == 1 else {
      if error != SSL_ERROR_WANT_READ { giveUp(context) }
      return false
    }
    isOpen = true
    deadline?.cancel()
    deadline = nil
    let waiting = early
    early = []
    for write in waiting { unsafe encipher(write.bytes, connection, context, write.promise) }
    if !waiting.isEmpty { context.flush() }
    return true
  }

  private func readRecords(_ first: OpaquePointer, _ context: ChannelHandlerContext) {
    // Whoever is given bytes may close the connection, and with it its state.
    while let connection = unsafe connection, !isClosing {
      var buffer = context.channel.allocator.buffer(capacity: Self.chunkBytes)
      var result: Int32 = 0
      unsafe buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: Self.chunkBytes) { room in
        result = unsafe SSL_read(connection, room.baseAddress, Int32(clamping: room.count))
        return max(0, Int(result))
      }
      guard result <= 0 else {
        context.fireChannelRead(wrapInboundOut(buffer))
        continue
      }
      let error = unsafe SSL_get_error(connection, result)
      // Answers of the protocol itself: new keys, alerts.
      if unsafe copenssl_pending_output(connection) > 0 {
        unsafe send(connection, context, promise: nil)
        context.flush()
      }
      switch error {
      case SSL_ERROR_WANT_READ: return
      case SSL_ERROR_ZERO_RETURN: return close(context: context, mode: .all, promise: nil)
      default: return giveUp(context)
      }
    }
  }

  private func giveUp(_ context: ChannelHandlerContext) {
    guard !isClosing else { return }
    isClosing = true
    if !isOpen { failed() }
    context.close(promise: nil)
  }

  // MARK: Out

  /// Enciphers what is written.
  package func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    let bytes = unwrapOutboundIn(data)
    guard let connection = unsafe connection, !isClosing else {
      promise?.fail(ChannelError.ioOnClosedChannel)
      return
    }
    guard isOpen else { return early.append((bytes, promise)) }
    unsafe encipher(bytes, connection, context, promise)
  }

  private func encipher(
    _ bytes: ByteBuffer, _ connection: OpaquePointer, _ context: ChannelHandlerContext,
    _ promise: EventLoopPromise<Void>?
  ) {
    ERR_clear_error()
    var position = 0
    while position < bytes.readableBytes {
      let written = unsafe bytes.withUnsafeReadableBytes { all in
        let rest = unsafe UnsafeRawBufferPointer(rebasing: all[position...])
        return unsafe SSL_write(connection, rest.baseAddress, Int32(clamping: rest.count))
      }
      guard written > 0 else {
        promise?.fail(ChannelError.ioOnClosedChannel)
        return giveUp(context)
      }
      position += Int(written)
    }
    unsafe send(connection, context, promise: promise)
  }

  /// Hands to the socket what there is for it.
  private func send(_ connection: OpaquePointer, _ context: ChannelHandlerContext, promise: EventLoopPromise<Void>?) {
    let count = unsafe Int(copenssl_pending_output(connection))
    guard count > 0 else {
      promise?.succeed()
      return
    }
    var buffer = context.channel.allocator.buffer(capacity: count)
    unsafe buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { room in
      unsafe max(0, Int(BIO_read(SSL_get_wbio(connection), room.baseAddress, Int32(clamping: count))))
    }
    context.write(wrapOutboundOut(buffer), promise: promise)
  }

  /// Says goodbye, so that the peer knows that nothing is missing, and closes.
  package func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
    if let connection = unsafe connection, isOpen, !isClosing, mode != .input {
      isClosing = mode == .all
      _ = unsafe SSL_shutdown(connection)
      unsafe send(connection, context, promise: nil)
      context.flush()
    }
    context.close(mode: mode, promise: promise)
  }
}
