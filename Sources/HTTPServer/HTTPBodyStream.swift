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
    var isEnded = false
    var wake: (@Sendable () -> Void)?
  }

  private let state = Mutex(State())
  private let onEnd: @Sendable () -> Void

  /// Makes a stream before its first part.
  ///
  /// - Parameter onEnd: Called once, on any thread, when no more pieces are taken; not by ``finish()``'s caller only. It must
  ///   not block.
  public init(onEnd: @escaping @Sendable () -> Void = {}) { self.onEnd = onEnd }

  /// Hands over the next piece. Pieces that were taken are sent whole and in order, unless the connection breaks.
  public func write(_ piece: ByteBuffer) -> Acceptance {
    let (acceptance, wake) = state.withLock { state -> (Acceptance, (@Sendable () -> Void)?) in
      guard !state.isEnded, !state.isFinished else { return (.ended, nil) }
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

  /// Says whom to tell that there is something to send; what is there already is told at once.
  func attach(_ wake: @escaping @Sendable () -> Void) {
    let isDue = state.withLock { state in
      guard !state.isEnded else { return false }
      state.wake = wake
      return state.waiting != nil || state.isFinished
    }
    if isDue { wake() }
  }

  /// What to send next; only the connection asks.
  func next() -> Step {
    state.withLock { state in
      if let piece = state.waiting.take() { return .send(piece) }
      return state.isFinished ? .finish : .nothing
    }
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
