import AWSClient
import Access
import BlockingHTTP
import Configuration
import Documents

/// Asks one server. Blocks; a command does one thing at a time.
struct ServerClient {
  let server: Server
  let address: ServerAddress
  /// Whether the address is that of `kelvin.yaml`, and not what somebody said.
  private let isConfigured: Bool

  /// - Parameter option: What the command line says; else the environment, else `kelvin.yaml` in the working directory, else
  ///   the default port decides.
  init(_ server: Server, option: String?) throws {
    self.server = server
    address = try ServerClient.address(server, option: option)
    isConfigured = option == nil && (Console.environment(server.variable) ?? "").isEmpty
  }

  init(_ server: Server, at address: ServerAddress) {
    self.server = server
    self.address = address
    isConfigured = false
  }

  /// Where a server is, as the command line says; else the environment, `fallback`, `kelvin.yaml`, the default port.
  ///
  /// - Parameter complain: Called if `kelvin.yaml` cannot be used.
  static func address(
    _ server: Server, option: String?, fallback: String? = nil, complain: (String) -> Void = Console.message
  ) throws -> ServerAddress {
    if let text = option ?? Console.environment(server.variable).flatMap({ $0.isEmpty ? nil : $0 }) ?? fallback {
      let address = try ServerAddress(text, defaultPort: server.defaultPort)
      guard server == .agent || address.secure == nil else {
        throw CommandFailure.usage(
          "\(text) asks for TLS, which the host does not speak; write http://, or --endpoint-url for another service.")
      }
      return address
    }
    let address = ServerClient.configuredAddress(server, complain)
    return try ServerAddress(address ?? "127.0.0.1", defaultPort: server.defaultPort)
  }

  /// Sends one request and waits for the answer, of whatever status.
  ///
  /// - Throws: ``CommandFailure`` with exit code 69 if nobody answers at the address, 1 if the answer is not HTTP or not in
  ///   time.
  func send(_ sent: ClientRequest, timeout: Duration = .seconds(30)) throws(CommandFailure) -> HTTPReply {
    var request = sent
    let role: AccessRole = request.method == "POST" ? .ingest : .read
    if server == .agent, let token = try AgentCredentials.token(for: role, isConfigured: isConfigured) {
      request.headers.append("Authorization", "Bearer \(token)")
    }
    if let authority = address.secure { return try sendSecurely(request, to: authority, timeout: timeout) }
    for (index, endpoint) in address.endpoints.enumerated() {
      do {
        return try HTTPConnection(endpoint).send(request, timeout: timeout)
      } catch {
        let isLast = index == address.endpoints.count - 1
        if error.code == .refused, !isLast { continue }
        throw failure(error, at: endpoint)
      }
    }
    throw CommandFailure.usage("No address of the \(server.name) is known.")
  }

  private func sendSecurely(
    _ request: ClientRequest, to authority: String, timeout: Duration
  ) throws(CommandFailure) -> HTTPReply {
    do {
      return HTTPReply(
        try HTTPExchange(request, to: authority, timeout: timeout).answer(trusting: AgentCredentials.authoritiesFile))
    } catch {
      throw .unreachable("\(error.message) \(server.advice)")
    }
  }

  /// Asks for a document.
  ///
  /// - Parameter function: The function that the path asks about, for the sentence that says it is not there.
  /// - Throws: ``CommandFailure`` as ``send(_:timeout:)`` does; also with exit code 64 if the server refuses a parameter, and 1
  ///   if it answers with any other status than 200.
  func get(
    _ path: String, about function: String? = nil, accepting type: String = "application/json",
    timeout: Duration = .seconds(30)
  ) throws(CommandFailure) -> HTTPReply {
    let reply = try send(ClientRequest("GET", path, headers: ["Accept": type]), timeout: timeout)
    guard reply.status != 200 else { return reply }
    // A body that is not an error document is somebody else's answer; the status says it all then.
    let document = try? ErrorDocument(json: reply.body)
    let message = document?.message
    if let function, document?.code == "unknown-function" {
      let known = try? status(timeout: timeout).functions.map(\.displayName)
      throw UnknownFunction.failure(function, known: known, at: "at \(address)")
    }
    if reply.status == 401 || reply.status == 403 {
      throw CommandFailure.failure(
        "The \(server.name) at \(address) refuses: \(message.map(Sentence.text) ?? "\(reply.status)") "
          + AgentCredentials.advice)
    }
    if let message, reply.status == 400 || reply.status == 404 { throw CommandFailure.usage(Sentence.text(message)) }
    throw CommandFailure.failure(
      "The \(server.name) at \(address) answered \(reply.status) to \(path)\(message.map { ": \($0)" } ?? ".")")
  }

  private func failure(_ error: HTTPClientError, at endpoint: HTTPEndpoint) -> CommandFailure {
    let address = "http://\(endpoint)"
    if error.code == .closed {
      return .unreachable(
        "The server at \(address) closed the connection without an answer. Is it a Kelvin \(server.name)? "
          + server.advice
      )
    }
    if error.code == .refused || error.code == .system {
      return .unreachable("No \(server.name) answers at \(address). \(server.advice)")
    }
    if error.code == .timedOut {
      return .unreachable("The \(server.name) at \(address) did not answer in time. Is it a Kelvin \(server.name)?")
    }
    return .failure("The answer from \(address) cannot be read: \(error.message)")
  }

  /// What `kelvin.yaml` in the working directory says. A file with problems still has the addresses that could be read.
  private static func configuredAddress(_ server: Server, _ complain: (String) -> Void) -> String? {
    guard ConfigurationFile.exists(defaultConfigurationPath) else { return nil }
    guard let reading = try? ConfigurationFile.read(path: defaultConfigurationPath), reading.problems.isEmpty else {
      // The command needs no more than an address; `check-config` is the one that lists what is wrong.
      complain("kelvin: kelvin.yaml has problems and is ignored; kelvin check-config lists them.")
      return nil
    }
    let agent = reading.configuration.agent
    var listen = server == .agent ? agent.listen : reading.configuration.host.listen
    guard listen.port != 0 else { return nil }
    // Every address of this machine: its own loopback is one.
    if listen.host == "0.0.0.0" { listen.host = "127.0.0.1" }
    if listen.host == "::" { listen.host = "::1" }
    guard server == .agent, let path = agent.webConfigFile,
      let web = try? ConfigurationFile.webConfiguration(path: path), web.certificateFile != nil
    else { return "\(listen)" }
    return "https://\(listen)"
  }
}

extension HTTPExchange {
  /// A request to a server of Kelvin's that speaks TLS.
  ///
  /// - Parameter authority: Name or address, and port.
  init(_ request: ClientRequest, to authority: String, timeout: Duration) {
    self.init(
      method: request.method, url: "https://\(authority)\(request.path)",
      headers: request.headers.fields.map { Header($0.name, $0.value) }, body: request.body, timeout: timeout)
  }
}

extension HTTPReply {
  /// The answer of a server of Kelvin's that speaks TLS.
  init(_ result: HTTPResult) {
    self.init(
      status: result.status,
      headers: HTTPHeaders(result.headers.map { HTTPHeaders.Field(name: $0.name, value: $0.value) }), body: result.body)
  }
}

/// Where commands look for a configuration that they are not given.
let defaultConfigurationPath = "kelvin.yaml"
