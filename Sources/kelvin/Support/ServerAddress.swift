import AWSClient
import ArgumentParser
import BlockingHTTP

/// The address of a server: `http://127.0.0.1:27315`, also without the scheme or without the port.
struct ServerAddress: Hashable, Sendable, CustomStringConvertible {
  /// To be tried in this order; `localhost` is two of them. Empty with ``secure``.
  var endpoints: [HTTPEndpoint] = []
  /// Name or address, and port, of a server that speaks TLS.
  var secure: String?

  var description: String { secure.map { "https://\($0)" } ?? endpoints.first.map { "http://\($0)" } ?? "" }

  /// For a client that resolves names.
  var url: String {
    guard secure == nil else { return description }
    guard let first = endpoints.first, endpoints.count > 1 else { return description }
    return "http://localhost:\(first.port)"
  }

  /// Names other than `localhost` are not resolved.
  ///
  /// - Throws: ``CommandFailure`` with exit code 64 if `text` has another form.
  init(_ text: String, defaultPort: Int) throws {
    var rest = Substring(text)
    if let url = try ServerAddress.secureURL(text) {
      guard url.path.isEmpty else { throw CommandFailure.usage("\(text) has a path; write https://HOST:PORT.") }
      let host = url.host.contains(":") ? "[\(url.host)]" : url.host
      // Without a port, the server's own is meant, as with http.
      let authority = text.dropFirst("https://".count)
      let hasPort = (authority.lastIndex(of: "]").map { authority[$0...] } ?? authority).contains(":")
      secure = "\(host):\(hasPort ? url.port : defaultPort)"
      return
    }
    if rest.hasPrefix("http://") { rest = rest.dropFirst("http://".count) }
    if rest.hasSuffix("/") { rest = rest.dropLast() }
    var host = rest
    var port = "\(defaultPort)"
    if let colon = rest.lastIndex(of: ":"), !rest.hasSuffix("]") {
      host = rest[..<colon]
      port = String(rest[rest.index(after: colon)...])
    }
    let hosts = host == "localhost" ? ["127.0.0.1", "[::1]"] : [String(host)]
    do {
      endpoints = try hosts.map { try HTTPEndpoint("\($0):\(port)") }
    } catch {
      throw CommandFailure.usage(
        "\(text) is not an address of a server; write an IP address or localhost, and a port: "
          + "http://127.0.0.1:\(defaultPort)."
      )
    }
  }
}

extension ServerAddress {
  /// `nil` if it is for no server that speaks TLS.
  private static func secureURL(_ text: String) throws -> EndpointURL? {
    guard text.lowercased().hasPrefix("https://") else { return nil }
    do {
      return try EndpointURL(text)
    } catch {
      throw CommandFailure.usage("\(text) is not an address of a server; write https://HOST:PORT.")
    }
  }
}

/// A server of Kelvin that commands ask.
enum Server: Sendable {
  case agent, host

  var name: String {
    switch self {
    case .agent: "agent"
    case .host: "host"
    }
  }

  /// The variable of the environment with its address.
  var variable: String {
    switch self {
    case .agent: "KELVIN_AGENT"
    case .host: "KELVIN_HOST"
    }
  }

  var defaultPort: Int {
    switch self {
    case .agent: 27315
    case .host: 27316
    }
  }

  /// How it is started, for the sentence that says it is not there.
  var advice: String {
    switch self {
    case .agent: "Start one with kelvin host (functions and agent) or kelvin agent, or name another with --agent."
    case .host: "Start one with kelvin host, or name another with --host-url."
    }
  }
}

struct AgentOptions: ParsableArguments {
  @Option(
    name: .customLong("agent"),
    help: ArgumentHelp(
      "The agent's address. Default: $KELVIN_AGENT, else ./kelvin.yaml, else http://127.0.0.1:27315.", valueName: "url")
  )
  var agent: String?
}

struct HostOptions: ParsableArguments {
  @Option(
    name: [.customLong("host-url"), .customLong("host-address")],
    help: ArgumentHelp(
      "The host's address. Default: $KELVIN_HOST, else ./kelvin.yaml, else http://127.0.0.1:27316.", valueName: "url"))
  var host: String?
}
