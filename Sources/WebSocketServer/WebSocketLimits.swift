package import Lifecycle

/// The limits of a connection; by default those of API Gateway, where it has such a limit.
package struct WebSocketLimits: Hashable, Sendable {
  /// The largest message, all of its frames together, in bytes; above: closed with 1009. At least 1.
  package var messageBytesMax = 128 << 10
  /// The largest frame, in bytes; above: closed with 1009. At least 125, at most 2^32 - 1.
  package var frameBytesMax = 32 << 10
  /// How long a connection may be open without a frame in either direction; then it is closed with 1001.
  package var idle = Nanoseconds.seconds(600)
  /// How long a connection may be open at all; then it is closed with 1001.
  package var lifetime = Nanoseconds.seconds(7_200)
  /// How much may wait for a client that reads too slowly, in bytes; one message more, and the connection is ended without a closing frame.
  package var outboundBytesMax = 512 << 10
  /// The most messages of one connection that are being handled; until one of them is done, nothing more is read, and what has been read
  /// waits. At least 1.
  package var inFlightMax = 32
  /// How long a client has to answer a closing frame.
  package var closeLimit = Nanoseconds.seconds(2)

  /// The limits above.
  package init() {}
}
