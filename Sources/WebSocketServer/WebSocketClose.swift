/// How a connection is closed: the code and the reason of a closing frame (RFC 6455 section 7.4).
package struct WebSocketClose: Hashable, Sendable {
  /// 1000 to 4999.
  package var code: UInt16
  /// At most 123 bytes.
  package var reason: String

  /// A close; of `reason`, what is beyond 123 bytes is cut off.
  package init(_ code: UInt16, _ reason: String = "") {
    self.code = code
    var reason = reason
    while reason.utf8.count > 123 { reason.removeLast() }
    self.reason = reason
  }

  /// 1000: what the connection was for is done.
  package static let normal = WebSocketClose(1000)
  /// 1001: the host ends.
  package static let goingAway = WebSocketClose(1001, "Going away")
  /// 1001: nothing came and nothing was sent for too long.
  package static let idle = WebSocketClose(1001, "Idle timeout")
  /// 1001: the connection was open for as long as one may be.
  package static let expired = WebSocketClose(1001, "Connection duration limit")
  /// 1005, which is never sent: the client's closing frame had no code.
  package static let noStatus = WebSocketClose(1005, "Client-side close frame status not set")
  /// 1006, which is never sent: the connection was lost.
  package static let lost = WebSocketClose(1006, "Connection closed abnormally")
  /// 1006, which is never sent: the client read too slowly, and the connection was ended.
  package static let tooSlow = WebSocketClose(1006, "The client reads too slowly")
  static let unmasked = WebSocketClose(1002, "A client's frames must be masked")
  static let reserved = WebSocketClose(1002, "Reserved bits are set and no extension was agreed on")
  static let unknownOpcode = WebSocketClose(1002, "Unknown opcode")
  static let controlFrame = WebSocketClose(1002, "A control frame has at most 125 bytes and no fragments")
  static let unexpectedContinuation = WebSocketClose(1002, "A continuation without a message")
  static let unfinished = WebSocketClose(1002, "A new message inside of a fragmented one")
  static let badCode = WebSocketClose(1002, "Invalid close code")
  static let badText = WebSocketClose(1007, "Invalid UTF-8")
  static let frameTooLarge = WebSocketClose(1009, "Frame too large")
  static let messageTooLarge = WebSocketClose(1009, "Message too large")
  static let noRoom = WebSocketClose(1013, "No memory is left for unfinished messages; try again later")

  /// Whether a peer may send this code (RFC 6455 section 7.4, and the codes that IANA has registered since).
  static func mayBeSent(_ code: UInt16) -> Bool {
    switch code {
    case 1000...1003, 1007...1014, 3000...4999: true
    default: false
    }
  }
}
