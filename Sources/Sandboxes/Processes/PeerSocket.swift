import CLinux
package import NIOCore

/// The other end of a TCP connection on this machine, as the kernel reports it. Asking costs some ten microseconds, so
/// it is done once for a connection, not for a request.
package struct PeerSocket {
  /// Where it is connected from.
  var peer: SocketAddress
  /// Where it is connected to.
  var server: SocketAddress

  /// Makes the pair of a connection's two ends, as the kernel lists it.
  ///
  /// - Returns: `nil` if either is not known.
  package init?(of peer: SocketAddress?, to server: SocketAddress?) {
    guard let peer, let server else { return nil }
    self.peer = peer
    self.server = server
  }

  /// What the kernel tells of it.
  package enum State: Equatable {
    /// A process has it open; with its number in `/proc/PID/fd`.
    case open(UInt32)
    /// No process has it open any more.
    case closed
    /// The kernel does not say.
    case unknown
  }

  /// Asks the kernel.
  package func state() -> State {
    // SAFETY: the addresses are read during the call alone, and are as long as their family says.
    let number = unsafe peer.withSockAddr { own, _ in
      unsafe server.withSockAddr { other, _ in unsafe clinux_tcp_socket(own, other) }
    }
    return number < 0 ? .unknown : number == 0 ? .closed : .open(UInt32(truncatingIfNeeded: number))
  }
}
