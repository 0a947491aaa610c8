internal import Glibc
internal import NIOCore

/// Why a server could not be started.
public struct HTTPServerError: Error, Sendable, CustomStringConvertible {
  /// The kind of error, to branch on.
  public struct Code: Hashable, Sendable {
    private enum Kind { case addressInUse, addressUnavailable, permissionDenied, unknownHost, failed }
    private let kind: Kind
    private init(_ kind: Kind) { self.kind = kind }
    /// Another process (or another server of this one) listens there already.
    public static let addressInUse = Code(.addressInUse)
    /// The address belongs to no interface of this machine.
    public static let addressUnavailable = Code(.addressUnavailable)
    /// The port needs rights that this process does not have.
    public static let permissionDenied = Code(.permissionDenied)
    /// The host name means nothing, or the port is not one.
    public static let unknownHost = Code(.unknownHost)
    /// Anything else; the cause says more.
    public static let failed = Code(.failed)
  }

  /// The kind of error, to branch on.
  public var code: Code
  /// One sentence for people: which address, and what to do.
  public var message: String
  /// The error below, where there is one.
  public var cause: (any Error)?

  /// The sentence, and the cause where the sentence does not contain it.
  public var description: String {
    guard code == .failed, let cause else { return message }
    return "\(message) (\(cause))"
  }

  init(code: Code, message: String, cause: (any Error)? = nil) {
    self.code = code
    self.message = message
    self.cause = cause
  }

  /// Translates what bind(2) or name resolution said about `host` and `port`.
  init(binding host: String, port: Int, cause: any Error) {
    let address = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    self.cause = cause
    switch (cause as? IOError)?.errnoCode {
    case EADDRINUSE:
      code = .addressInUse
      message = "Address \(address) is in use: stop the process that listens there, or choose another port."
    case EADDRNOTAVAIL:
      code = .addressUnavailable
      message = "Address \(address) is not one of this machine: listen on 127.0.0.1 or on an address it has."
    case EACCES, EPERM:
      code = .permissionDenied
      message = "Not permitted to listen on \(address): choose a port of 1024 or above."
    default:
      if cause is SocketAddressError || cause is SocketAddressError.UnknownHost {
        code = .unknownHost
        message = "Cannot listen on \(address): \(host) is not an address or a name that resolves."
      } else {
        code = .failed
        message = "Cannot listen on \(address)."
      }
    }
  }
}
