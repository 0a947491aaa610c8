import Lifecycle
import Text

/// Reads the section `websockets`.
struct WebSocketReader {
  var nodes: NodeReader
  /// The names of the file's functions.
  let functions: [String]

  /// The most routes of one API, as in API Gateway.
  private static let routesMax = 300
  private static let routeBytesMax = 128
  private static let fixedRoutes = ["$connect", "$default", "$disconnect"]

  mutating func read(_ section: YAMLNode.Entry) -> [WebSocketSettings] {
    nodes.uniqueEntries(of: section.value, name: "websockets").map { readWebSocket($0) }
  }

  private mutating func readWebSocket(_ entry: YAMLNode.Entry) -> WebSocketSettings {
    nodes.checkName(entry, of: "a WebSocket")
    let keys = nodes.entries(
      of: entry.value, name: "the WebSocket \(quoted(entry.key))",
      keys: [
        "function", "routes", "key", "timeout", "idle", "lifetime", "messageSize", "frameSize", "connections", "errors",
        "allowOrigins",
      ])
    var socket = WebSocketSettings(name: entry.key)
    socket.routes = webSocketRoutes(keys)
    if socket.routes.isEmpty, keys["function"] == nil, keys["routes"] == nil {
      nodes.problems.append(
        ConfigurationProblem(
          line: entry.line, column: entry.column,
          message:
            "The WebSocket \(quoted(entry.key)) has no function; write function: NAME, or routes: {$default: NAME}."))
    }
    if let key = keys["key"], let text = nodes.text(key) { socket.key = routeKey(text, key) ?? socket.key }
    socket.timeout = nodes.timeout(keys["timeout"])
    let day = Nanoseconds.seconds(86_400)
    socket.idle = nodes.duration(keys["idle"], in: .seconds(1)...day) ?? socket.idle
    socket.lifetime =
      nodes.duration(keys["lifetime"], in: .seconds(1)...Nanoseconds.seconds(7 * 86_400)) ?? socket.lifetime
    socket.messageBytesMax = size(keys["messageSize"]) ?? socket.messageBytesMax
    socket.frameBytesMax = size(keys["frameSize"]) ?? socket.frameBytesMax
    socket.connectionsMax = nodes.integer(keys["connections"], in: 1...100_000) ?? socket.connectionsMax
    if let entry = keys["errors"], let text = nodes.text(entry) {
      if let form = WebSocketSettings.ErrorForm(rawValue: text) {
        socket.errors = form
      } else {
        nodes.add(entry.value, "errors must be kelvin or aws, but is \(quoted(text)).")
      }
    }
    socket.allowOrigins = nodes.texts(
      keys["allowOrigins"], what: "an origin, such as https://www.example.com or *", ConfigurationReader.isOrigin)
    return socket
  }

  /// Where the events of each route go: one function for all, and others for single routes.
  private mutating func webSocketRoutes(_ keys: [String: YAMLNode.Entry]) -> [String: String] {
    var routes: [String: String] = [:]
    if let function = nodes.functionName(keys["function"], among: functions) {
      for key in Self.fixedRoutes { routes[key] = function }
    }
    guard let entry = keys["routes"] else { return routes }
    let entries = nodes.uniqueEntries(of: entry.value, name: "routes")
    guard entries.count <= Self.routesMax else {
      nodes.add(entry.value, "routes has \(entries.count) entries; at most \(Self.routesMax) are allowed.")
      return routes
    }
    for route in entries {
      let isFixed = Self.fixedRoutes.contains(route.key)
      guard isFixed || !route.key.hasPrefix("$") && (1...Self.routeBytesMax).contains(route.key.utf8.count) else {
        let hint = Suggestion.closest(to: route.key, in: Self.fixedRoutes).map { "did you mean \($0)?" }
        nodes.problems.append(
          ConfigurationProblem(
            line: route.line, column: route.column,
            message: "\(quoted(route.key)) is not a key of a route; "
              + (hint ?? "write $connect, $default, $disconnect, or a key of 1 to 128 bytes that a message names.")))
        continue
      }
      if let function = nodes.functionName(route, among: functions) { routes[route.key] = function }
    }
    return routes
  }

  private mutating func routeKey(_ text: String, _ entry: YAMLNode.Entry) -> String? {
    let names = text.hasPrefix("$request.body.") ? text.dropFirst("$request.body.".count) : text[...]
    let parts = names.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count <= 8, parts.allSatisfy({ !$0.isEmpty && !$0.contains("$") && !$0.contains(" ") }) else {
      nodes.add(
        entry.value, "key must be the name of a member, such as action or $request.body.action, but is \(quoted(text))."
      )
      return nil
    }
    return text
  }

  /// A number of kilobytes, such as `128KB`, or `1MB`.
  private mutating func size(_ entry: YAMLNode.Entry?) -> Int64? {
    guard let entry, let text = nodes.text(entry) else { return nil }
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    let factor: Int64? =
      switch text.dropFirst(digits.count).lowercased() {
      case "kb", "kib": 1_024
      case "mb", "mib": 1 << 20
      default: nil
      }
    guard digits.count <= 6, let factor, let number = Int64(digits), (1_024...1 << 20).contains(number * factor) else {
      nodes.add(entry.value, "\(entry.key) must be from 1KB to 1MB, such as 128KB, but is \(quoted(text)).")
      return nil
    }
    return number * factor
  }
}
