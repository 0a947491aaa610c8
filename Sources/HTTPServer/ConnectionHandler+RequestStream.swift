internal import Glibc
internal import NIOCore
internal import NIOHTTP1

// Bodies that are handed on while they arrive. The request is being handled meanwhile, and an answer that comes before the body's end
// is the connection's last.
extension ConnectionHandler {
  /// The head of a request has come whose body is handed on.
  func beginStream() {
    guard let context else { return }
    let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
    let stream = HTTPRequestStream(on: context.eventLoop) { handler.value.releaseRead() }
    incoming = stream
    dispatch(stream)
  }

  /// Takes a part of such a body.
  ///
  /// - Returns: Whether it was one.
  func feed(_ part: HTTPServerRequestPart) -> Bool {
    guard let incoming, phase == .handling else { return false }
    switch part {
    case .head: return false
    case .body(let bytes): incoming.arrived(.bytes(bytes))
    case .end(let trailers):
      self.incoming = nil
      incoming.arrived(.end(trailers))
    }
    return true
  }

  /// The rest of such a body will not come, or is not wanted.
  ///
  /// - Returns: Whether there was one.
  @discardableResult
  func breakStream() -> Bool {
    guard let incoming else { return false }
    self.incoming = nil
    framing.closes = true
    incoming.arrived(.broken)
    return true
  }
}

// Bodies that end before they are whole.
extension ConnectionHandler {
  /// Closes the connection in the middle of the answer's body, so that the peer does not take it for whole. Where the end of the connection
  /// would be the end of the body, it is reset.
  func cutStream(_ context: ChannelHandlerContext) {
    endStream()
    guard framing.isVersion10, let options = context.channel as? any SocketOptionProvider else {
      return context.close(promise: nil)
    }
    // If it cannot be set, the connection has gone already.
    options.setSoLinger(linger(l_onoff: 1, l_linger: 0)).hop(to: context.eventLoop).assumeIsolated().whenComplete { _ in
      self.context?.close(promise: nil)
    }
  }
}
