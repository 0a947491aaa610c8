import Text
import Configuration
import FunctionHost
import Sandboxes

/// The lines that a server prints on standard error once it answers.
enum Banner {
  /// - Parameters:
  ///   - agent: Where the agent answers.
  ///   - isSecure: Whether the agent speaks TLS.
  ///   - host: Where the host answers; `nil` if there is none in this process.
  ///   - sockets: The names of the host's WebSocket APIs.
  ///   - isolation: What the host enforces; `nil` if there is none.
  static func lines(
    agent: ListenAddress, isSecure: Bool = false, host: ListenAddress?, functions: [FunctionSettings],
    sockets: [String] = [], isolation: Isolation? = nil
  ) -> [String] {
    let base = "\(isSecure ? "https" : "http")://\(agent)"
    var lines = [
      "Kelvin \(kelvinVersion)", "  page       \(base)/", "  metrics    \(base)/metrics",
      "  API        \(base)/api/v1/windows, /api/v1/status, /api/v1/instances",
    ]
    if let host { lines += self.host(host, functions, sockets, isolation) }
    return lines + ["Stop with Ctrl-C."]
  }

  /// The lines of a host whose agent is another process.
  static func lines(
    agentElsewhere agent: String, host: ListenAddress, _ functions: [FunctionSettings], sockets: [String] = [],
    _ isolation: Isolation?
  ) -> [String] {
    ["Kelvin \(kelvinVersion)", "  events     sent to the agent at \(agent)"]
      + self.host(host, functions, sockets, isolation)
      + ["Stop with Ctrl-C."]
  }

  private static func host(
    _ host: ListenAddress, _ functions: [FunctionSettings], _ sockets: [String], _ isolation: Isolation?
  ) -> [String] {
    var lines: [String] = []
    lines.append("  invoke     http://\(host) (AWS Lambda's API: kelvin invoke, boto3, aws --endpoint-url)")
    if let isolation {
      lines.append("  isolation  \(isolation.summary)")
      lines += isolation.shortcomings.map { "             \($0)" }
    }
    lines.append("  functions")
    let width = functions.map(\.name.count).max() ?? 0
    for function in functions.prefix(functionsShown) {
      let padding = String(repeating: " ", count: width - function.name.count)
      lines.append("    \(function.name)\(padding)  http://\(host)/url/\(function.name)/\(limits(function))")
    }
    if functions.count > functionsShown { lines.append("    and \(functions.count - functionsShown) more") }
    if !sockets.isEmpty { lines.append("  websockets") }
    for socket in sockets.prefix(functionsShown) { lines.append("    \(socket)  ws://\(host)/ws/\(socket)") }
    if sockets.count > functionsShown { lines.append("    and \(sockets.count - functionsShown) more") }
    return lines
  }

  private static let functionsShown = 50

  private static func limits(_ function: FunctionSettings) -> String {
    var limits: [String] = []
    if let memory = function.memoryBytes { limits.append("memory \(MemoryText.text(bytes: memory))") }
    if let timeout = function.timeout { limits.append("timeout \(DurationText.text(timeout))") }
    if let reserved = function.reserved { limits.append("reserved \(reserved)\(reserved == 0 ? " (paused)" : "")") }
    if let provisioned = function.provisioned, provisioned > 0 { limits.append("provisioned \(provisioned)") }
    return limits.isEmpty ? "" : "  " + limits.joined(separator: ", ")
  }
}
