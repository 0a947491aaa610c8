internal import NIOHTTP1

/// What a connection does now.
enum ConnectionPhase {
  case idle, receiving, handling
  /// An answer is written that the peer has not taken; nothing more is done until it has.
  case sending
  /// The head of an answer is written, and its body follows piece by piece.
  case streaming
  /// The last answer is written; once the peer has taken it, the connection is closed.
  case finishing
  /// The last answer was taken, but the peer may still be sending: what it sends is read and dropped for a moment,
  /// because closing a socket with unread bytes resets the connection and destroys the answer on its way.
  case lingering
  /// Another protocol is taking the connection over.
  case changing
  case closed
}

/// What arrived while a request was being answered.
enum PendingPart {
  case part(HTTPServerRequestPart)
  case failure(any Error)
}
