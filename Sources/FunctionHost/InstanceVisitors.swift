import HTTPServer
import HostRules
import Lifecycle
import NIOCore
import NIOHTTP1
import Sandboxes

/// Decides who may call an instance's APIs: only the instance's own processes. Any other process that connects (a port
/// scan, another function, another user) must neither take an event nor cause a call of the runtime to be refused.
enum InstanceVisitors {
  /// An address of 127.0.0.0/8 that nobody guesses: not one of 127.0.0.0/16, where other programs of the machine listen.
  static func address(using generator: inout some RandomNumberGenerator) -> String {
    "127.\(Int.random(in: 1...254, using: &generator)).\(Int.random(in: 0...255, using: &generator))"
      + ".\(Int.random(in: 1...254, using: &generator))"
  }

  /// The most that are remembered of those who had gone when they were looked at; further ones are refused.
  static let gonePortsMax = 64

  /// The answer to a process that is not the instance's.
  static let refusal = RuntimeAPI.error(
    .forbidden, "AccessDenied",
    "These are the APIs of one instance of a function, and the process that asks does not belong to it. Call the function by the "
      + "host's own port; for debugging, host.isolation: none in kelvin.yaml lets every process in.")

  /// What is known of the process that has connected.
  enum Standing: Equatable {
    /// A process of the instance, or one that cannot be distinguished from those.
    case admitted
    /// It has gone already, so that nobody can say whose it was. What it sent may be the rest of an answer, never a wish for an event.
    case gone
    /// A process that is certain not to be the instance's.
    case stranger
  }

  /// - Parameter sandbox: `nil` if the instance has no processes yet.
  static func standing(of peer: SocketAddress?, at server: SocketAddress?, in sandbox: (any Sandbox)?) -> Standing {
    guard let socket = PeerSocket(of: peer, to: server) else { return .admitted }
    switch socket.state() {
    case .open(let inode): return sandbox.map { $0.hasOpen(socket: inode) == false } ?? true ? .stranger : .admitted
    case .closed: return .gone
    case .unknown: return .admitted
    }
  }

  /// Whether the sender of a waiting call is certain to be gone, so that another may take its place.
  static func isGone(_ peer: SocketAddress?, from server: SocketAddress?) -> Bool {
    PeerSocket(of: peer, to: server)?.state() == .closed
  }
}

/// A call that waits for an event.
struct ParkedCall {
  var promise: EventLoopPromise<HTTPResponse>
  var peer: SocketAddress?

  init(_ request: HTTPRequest, _ promise: EventLoopPromise<HTTPResponse>) {
    self.promise = promise
    peer = request.remoteAddress
  }

  func succeed(_ response: HTTPResponse) { promise.succeed(response) }
}

extension HTTPServer {
  /// Address and port, as in `AWS_LAMBDA_RUNTIME_API`.
  var endpoint: String { "\(localAddress.ipAddress ?? "127.0.0.1"):\(port)" }
}
