public import NIOCore
public import NIOHTTP1

/// The body of a request that is handed on while it arrives, for routes of which ``HTTPServerAnswers/streamsBody`` says so.
///
/// Whoever takes the parts holds back the sender by ``pause()``: then at most what one read of the socket brought waits here. No
/// limit of time and none of size is kept: both are the taker's. Used on the connection's loop alone.
public final class HTTPRequestStream: Sendable {
  /// What comes of a body, in this order.
  public enum Part: Sendable {
    /// The next bytes; never none.
    case bytes(ByteBuffer)
    /// The body is whole; with the fields behind it, if it was chunked and has some. Nothing follows.
    case end(HTTPHeaders?)
    /// The connection broke, the body was no valid HTTP, or the request was answered before the body's end. Nothing follows.
    case broken
  }

  private struct State {
    var waiting = CircularBuffer<Part>()
    var take: ((Part) -> Void)?
    var isPaused = false
    var isDelivering = false
    var hasEnded = false
    var readOn: (() -> Void)?
  }

  private let state: NIOLoopBoundBox<State>

  /// A body of which nothing has arrived.
  ///
  /// - Parameter readOn: Called when the sender is no longer held back.
  init(on loop: any EventLoop, readOn: @escaping () -> Void) {
    state = NIOLoopBoundBox(State(readOn: readOn), eventLoop: loop)
  }

  /// Says who takes the parts; what has come already is handed over at once.
  public func attach(_ take: @escaping (Part) -> Void) {
    state.value.take = take
    deliver()
  }

  /// Holds the sender back: no part is handed over until ``resume()``.
  public func pause() { state.value.isPaused = true }

  /// Ends a pause.
  public func resume() {
    guard state.value.isPaused else { return }
    state.value.isPaused = false
    deliver()
    if !isHeld { state.value.readOn?() }
  }

  /// Whether nothing more is to be read of the connection for now.
  var isHeld: Bool { state.value.isPaused || state.value.take == nil && !state.value.waiting.isEmpty }

  /// Takes what arrived. Behind the end nothing is taken.
  func arrived(_ part: Part) {
    guard !state.value.hasEnded else { return }
    if case .bytes(let bytes) = part {
      guard bytes.readableBytes > 0 else { return }
    } else {
      state.value.hasEnded = true
      state.value.readOn = nil
    }
    state.value.waiting.append(part)
    deliver()
  }

  private func deliver() {
    guard !state.value.isDelivering else { return }
    state.value.isDelivering = true
    while !state.value.isPaused, let take = state.value.take, let part = state.value.waiting.popFirst() { take(part) }
    state.value.isDelivering = false
    // Whoever takes the parts may hold on to this object.
    if state.value.hasEnded, state.value.waiting.isEmpty { state.value.take = nil }
  }
}
