package import LambdaAPI
package import Lifecycle
package import WebSocketServer

/// The configuration of one WebSocket API: where its messages go, and its limits.
package struct WebSocketSpecification: Hashable, Sendable {
  /// What a client is sent whose message failed.
  package enum ErrorForm: Hashable, Sendable {
    /// `{"error": "…"}`, with what went wrong.
    case kelvin
    /// API Gateway's own text, which says nothing but that.
    case gateway
  }

  /// The name, in its path `/ws/NAME`.
  package var name: String
  /// The names of functions by the keys of routes, `$connect` and the like among them.
  package var routes: [String: String]
  /// Where a message says which route it is for.
  package var key = WebSocketRouteKey.action
  /// How long the function may take for one event, if its own timeout is not shorter.
  package var timeout: Nanoseconds?
  /// The most connections that are open or asked for at once; at least 1.
  package var connectionsMax = 10_000
  /// The limits of each connection.
  package var limits = WebSocketLimits()
  /// What a client is sent whose message failed.
  package var errorForm = ErrorForm.kelvin
  /// Origins of web pages that may connect beside the host's own, such as `http://localhost:5173`; `*` stands for all.
  package var allowOrigins: [String] = []

  /// Makes a configuration; nothing is checked before the host is made.
  package init(name: String, routes: [String: String]) {
    self.name = name
    self.routes = routes
  }
}

extension WebSocketSpecification {
  /// Says what is wrong with WebSocket APIs, if anything is.
  static func validate(_ apis: [WebSocketSpecification], functions: Set<String>) throws(HostError) {
    var names: Set<String> = []
    for api in apis {
      guard FunctionReference.isName(api.name), names.insert(api.name).inserted else {
        throw HostError(
          .configuration,
          "'\(api.name)' cannot name a WebSocket API, or names two: use 1 to \(FunctionID.nameBytesLimit) letters, digits, - and _."
        )
      }
      for (key, function) in api.routes.sorted(by: { $0.key < $1.key }) where !functions.contains(function) {
        throw HostError(
          .configuration,
          "The route \(key) of the WebSocket API '\(api.name)' is for '\(function)', which is no function of the configuration."
        )
      }
    }
  }
}
