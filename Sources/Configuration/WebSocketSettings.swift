package import Lifecycle

/// One entry of `websockets`: clients connect to it at `/ws/NAME` of the host.
package struct WebSocketSettings: Hashable, Sendable {
  /// What a client is sent whose message failed.
  package enum ErrorForm: String, CaseIterable, Hashable, Sendable {
    /// `{"error": "…"}`, with what went wrong.
    case kelvin
    /// API Gateway's own text, which says nothing but that.
    case aws
  }

  /// 1 to 140 letters, digits, `-` and `_`; unique in a file.
  package var name: String
  /// The names of functions by the keys of routes; each is in the file.
  package var routes: [String: String] = [:]
  /// The member of a message that says which route it is for, in API Gateway's form or without `$request.body.`.
  package var key = "action"
  /// How long the function may take for one event, 100 ms to 900 s; `nil`: as long as the function's own timeout.
  package var timeout: Nanoseconds?
  /// How long a connection may be silent, 1 s to 24 h.
  package var idle = Nanoseconds.seconds(600)
  /// How long a connection may be open, 1 s to 7 days.
  package var lifetime = Nanoseconds.seconds(7_200)
  /// The largest message, 1 KiB to 1 MiB, in bytes.
  package var messageBytesMax: Int64 = 128 << 10
  /// The largest frame, 1 KiB to 1 MiB, in bytes.
  package var frameBytesMax: Int64 = 32 << 10
  /// The most connections at once, 1 to 100,000.
  package var connectionsMax: Int64 = 10_000
  /// What a client is sent whose message failed.
  package var errors = ErrorForm.kelvin
  /// Origins of web pages that may connect beside the host's own; `*` stands for all.
  package var allowOrigins: [String] = []

  /// An API of which nothing is said but its name.
  package init(name: String) { self.name = name }
}
