import HTTPServer
import NIOCore

/// The body of a caller's response that is sent as it comes: nothing of it is left out, and what its caller has not taken waits here.
/// Used on the host's loop.
final class OutgoingBody {
  /// Above this, whoever writes is to wait.
  private static let waitingBytesMax = 128 << 10

  /// What the server sends.
  let stream: HTTPBodyStream
  /// Called when there is room again, and when nobody takes the body any more.
  var onRoom: () -> Void = {}
  private var waiting = CircularBuffer<ByteBuffer>()
  private var waitingBytes = 0
  private var isOpen = true
  private var isFinished = false

  init(on loop: any EventLoop) {
    // The server has the stream, the stream its callbacks, and they this body until it has ended.
    let body = NIOLoopBoundBox<OutgoingBody?>(nil, eventLoop: loop)
    stream = HTTPBodyStream(
      mayEndEarly: false,
      onEnd: {
        body.value?.ended()
        body.value = nil
      }, onRoom: { body.value?.sendNext() })
    body.value = self
  }

  /// Whether whoever writes may go on.
  var hasRoom: Bool { waitingBytes <= OutgoingBody.waitingBytesMax }

  /// Sends bytes, now or once what was before them is sent. Once the body has ended they are dropped.
  func send(_ bytes: ByteBuffer) {
    guard isOpen, !isFinished, bytes.readableBytes > 0 else { return }
    waiting.append(bytes)
    waitingBytes += bytes.readableBytes
    sendNext()
  }

  /// Ends the body behind what was sent.
  func finish() {
    guard isOpen else { return }
    isFinished = true
    if waiting.isEmpty { stream.finish() }
  }

  /// Breaks the body off, so that its caller does not take it for whole.
  func cut() {
    isOpen = false
    drop()
    stream.cut()
  }

  private func sendNext() {
    let hadRoom = hasRoom
    while let next = waiting.first, case .taken = stream.write(next) {
      waiting.removeFirst()
      waitingBytes -= next.readableBytes
    }
    if isFinished, isOpen, waiting.isEmpty { stream.finish() }
    if !hadRoom, hasRoom { onRoom() }
  }

  private func ended() {
    isOpen = false
    drop()
    onRoom()
    onRoom = {}
  }

  private func drop() {
    waiting.removeAll()
    waitingBytes = 0
  }
}
