public import NIOCore
internal import Synchronization

/// The body of an answer that is written piece by piece while the reader reads.
///
/// Any thread may write; nobody waits. One piece at most waits here for the connection: a reader that is slower than the
/// writer makes ``write(_:)`` say so, and the writer decides what is left out. The stream ends by ``finish()``, when the peer
/// closes, when it takes nothing for ``HTTPServerLimits/transferTimeout``, or when the server drains.
public final class HTTPBodyStream: Sendable {
  /// The result of sending a piece.
  public enum Acceptance: Sendable {
    /// It is sent next.
    case taken
    /// The piece before it still waits, so this one was not taken.
    case full
    /// The stream has ended; no further piece will be taken.
    case ended
  }

  /// What the connection does next.
  enum Step {
    case nothing
    case send(ByteBuffer)
    case finish
  }

  private struct State {
    var waiting: ByteBuffer?
    var isFinished = false
    var isCut = false
    var isEnded = false
    var wake: (@Sendable () -> Void)?
  }

  private let state = Mutex(State())
  private let onEnd: @Sendable () -> Void
  private let onRoom: @Sendable () -> Void
  /// Whether a server that drains ends the body behind what was sent.
  let mayEndEarly: Bool

  /// Makes a stream before its first part.
  ///
  /// - Parameter mayEndEarly: Whether a server that drains may end the body behind what was sent, as is right for news that have no end of
  ///   their own. If not, the server waits for the end until its deadline, and then cuts the connection.
  /// - Parameter onRoom: Called on the connection's loop whenever a piece that waited is being sent, so that the next is taken.
  /// - Parameter onEnd: Called once, on any thread, when no more pieces are taken; not by ``finish()``'s caller only. It must
  ///   not block.
  public init(
    mayEndEarly: Bool = true, onEnd: @escaping @Sendable () -> Void = {}, onRoom: @escaping @Sendable () -> Void = {}
  ) {
    self.mayEndEarly = mayEndEarly
    self.onRoom = onRoom
    self.onEnd = onEnd
  }

  /// Hands over the next piece. Pieces that were taken are sent whole and in order, unless the connection breaks.
  public func write(_ piece: ByteBuffer) -> Acceptance {
    let (acceptance, wake) = state.withLock { state -> (Acceptance, (@Sendable () -> Void)?) in
      guard !state.isEnded, !state.isFinished, !state.isCut else { return (.ended, nil) }
      guard state.waiting == nil else { return (.full, nil) }
      state.waiting = piece
      return (.taken, state.wake)
    }
    wake?()
    return acceptance
  }

  /// Ends the body after the piece that waits.
  public func finish() {
    let wake = state.withLock { state in
      state.isFinished = true
      return state.wake
    }
    wake?()
  }

  /// Closes the connection in the middle of the body, at once: whoever reads cannot take it for whole.
  public func cut() {
    let wake = state.withLock { state in
      state.isCut = true
      return state.wake
    }
    wake?()
  }

  /// Says whom to tell that there is something to send; what is there already is told at once.
  func attach(_ wake: @escaping @Sendable () -> Void) {
    let isDue = state.withLock { state in
      guard !state.isEnded else { return false }
      state.wake = wake
      return state.waiting != nil || state.isFinished || state.isCut
    }
    if isDue { wake() }
  }

  /// Whether the connection is to be closed in the middle of the body.
  var isCut: Bool { state.withLock { $0.isCut } }

  /// What to send next; only the connection asks.
  func next() -> Step {
    let step = state.withLock { state -> Step in
      if state.isCut { return .nothing }
      if let piece = state.waiting.take() { return .send(piece) }
      return state.isFinished ? .finish : .nothing
    }
    if case .send = step { onRoom() }
    return step
  }

  /// Takes no more pieces, whoever wants to write.
  func end() {
    let isNew = state.withLock { state in
      defer { state = State(isEnded: true) }
      return !state.isEnded
    }
    if isNew { onEnd() }
  }
}
