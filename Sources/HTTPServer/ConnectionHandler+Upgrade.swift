internal import NIOCore

// Another protocol behind this answer.
extension ConnectionHandler {
  func changeProtocol(_ change: HTTPUpgrade, _ response: HTTPResponse, _ context: ChannelHandlerContext) {
    guard upgrade != nil, !isDraining else {
      return finish(with: service.answers.handlerFailed(UpgradeNotAskedFor()), lingers: false)
    }
    phase = .changing
    timer.cancel()
    framing.changesProtocol = true
    write(response, to: context, promise: nil)
    guard self.context != nil else { return }
    change.takeOver(context.channel).hop(to: context.eventLoop).assumeIsolated().whenComplete { result in
      guard let context = self.context else { return }
      guard case .success = result else { return context.close(promise: nil) }
      self.leave(context)
    }
  }

  /// Removes this handler, and then the decoder, which hands on what it has read beyond the request.
  private func leave(_ context: ChannelHandlerContext) {
    let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
    // Not in the middle of what the decoder is doing.
    context.eventLoop.execute {
      guard let context = bound.value.context else { return }
      let channel = context.channel
      let operations = context.pipeline.syncOperations
      operations.removeHandler(context: context, promise: nil)
      guard let decoder = try? operations.handler(type: ByteToMessageHandler<RequestDecoder>.self) else {
        return channel.close(promise: nil)  // It was closed meanwhile.
      }
      operations.removeHandler(decoder).assumeIsolated().whenComplete { _ in
        if bound.value.holdsRead { channel.read() }
      }
    }
  }
}

/// A handler that went along with a change of protocol which nobody had asked for, or that came when the server was ending.
struct UpgradeNotAskedFor: Error {}
