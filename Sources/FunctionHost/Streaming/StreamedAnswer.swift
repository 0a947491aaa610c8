import HTTPServer
import LambdaAPI
import Lifecycle
import NIOCore
import NIOHTTP1

/// The answer of an invocation that its runtime sends piece by piece, and that its caller is sent as it comes. Used on the host's loop.
///
/// The runtime is held back while the caller takes less than it sends, so that little of the answer is ever here. A caller who has gone, or
/// who has another answer already, holds nobody back: the rest is dropped.
final class StreamedAnswer {
  /// How the runtime's part ended.
  enum Ending {
    /// With the fields behind the body, if there are some.
    case whole(HTTPHeaders?)
    /// The runtime's connection broke.
    case broken
    /// It is more than may be sent.
    case tooLarge
  }

  /// When its first byte came.
  private(set) var firstByteAt: Timestamp?
  /// How much of it came, in bytes.
  private(set) var bytesCount = 0
  /// The status that its caller has seen, once there is one.
  private(set) var status: UInt16?
  private var form: any StreamForm
  private let head: EventLoopPromise<HTTPResponse>
  private let body: OutgoingBody
  private var isOver = false

  /// An answer of which nothing has come.
  ///
  /// - Parameter head: Completed with the caller's response as soon as that can be said.
  init(_ form: any StreamForm, to head: EventLoopPromise<HTTPResponse>) {
    self.form = form
    self.head = head
    body = OutgoingBody(on: head.futureResult.eventLoop)
  }

  /// Takes the answer as it comes.
  ///
  /// - Parameters:
  ///   - now: Says what time it is.
  ///   - ended: Called once, when nothing more comes.
  func follow(_ source: HTTPRequestStream, now: @escaping () -> Timestamp, ended: @escaping (Ending) -> Void) {
    body.onRoom = { source.resume() }
    var hasEnded = false
    source.attach { part in
      guard !hasEnded else { return }
      switch part {
      case .bytes(let bytes):
        if self.firstByteAt == nil { self.firstByteAt = now() }
        self.bytesCount += bytes.readableBytes
        guard self.bytesCount <= PayloadLimits.streamBytesMax else {
          hasEnded = true
          return ended(.tooLarge)
        }
        self.take(bytes)
        if !self.isOver, !self.body.hasRoom { source.pause() }
      case .end(let trailers):
        hasEnded = true
        ended(.whole(trailers))
      case .broken:
        hasEnded = true
        ended(.broken)
      }
    }
  }

  private func take(_ bytes: ByteBuffer) {
    if !isOver { perform(form.take(bytes)) }
  }

  private func perform(_ step: StreamStep) {
    switch step {
    case .nothing: break
    case .begin(var response, let bytes):
      status = UInt16(response.status.code)
      response.stream = body.stream
      head.succeed(response)
      body.send(bytes)
    case .send(let bytes): body.send(bytes)
    case .refuse(let response):
      status = UInt16(response.status.code)
      isOver = true
      head.succeed(response)
    }
  }

  /// Whether its caller has seen a part of it, so that the caller cannot be given another answer.
  var hasBegun: Bool { status != nil }

  /// The function's part is whole: a caller who has seen nothing of it sees the beginning.
  func close() {
    if !isOver { perform(form.end()) }
  }

  /// The caller's part is whole.
  ///
  /// - Parameter last: What is sent at its end.
  func finish(_ last: ByteBuffer = ByteBuffer()) {
    guard !isOver else { return }
    isOver = true
    body.send(last)
    body.finish()
  }

  /// The caller is not to take what was sent for whole.
  func cut() {
    guard !isOver else { return }
    isOver = true
    body.cut()
    // Nobody is held back any more.
    body.onRoom()
  }

  /// Nothing of it is sent: the caller is given another answer.
  func abandon() {
    isOver = true
    body.onRoom()
  }
}
