import Configuration
import Lifecycle
import Testing

@Suite struct `What a file says of WebSockets` {
  private static let functions = "functions: {chat: {command: [a]}, auth: {command: [a]}}\n"

  private func reading(_ text: String) -> ConfigurationReading {
    ConfigurationFile.read(Array((Self.functions + text).utf8), folder: "/f")
  }

  @Test func `is read`() {
    let reading = reading(
      """
      websockets:
        small: {function: chat}
        large:
          function: chat
          routes: {$connect: auth, join: auth}
          key: $request.body.to.room
          timeout: 29s
          idle: 1m
          lifetime: 1h
          messageSize: 1MB
          frameSize: 64KB
          connections: 5
          errors: aws
          allowOrigins: ["http://localhost:5173"]
      """)
    #expect(reading.problems == [])
    var small = WebSocketSettings(name: "small")
    small.routes = ["$connect": "chat", "$default": "chat", "$disconnect": "chat"]
    var large = WebSocketSettings(name: "large")
    large.routes = ["$connect": "auth", "$default": "chat", "$disconnect": "chat", "join": "auth"]
    large.key = "$request.body.to.room"
    large.timeout = .seconds(29)
    large.idle = .seconds(60)
    large.lifetime = .seconds(3_600)
    large.messageBytesMax = 1 << 20
    large.frameBytesMax = 64 << 10
    large.connectionsMax = 5
    large.errors = .aws
    large.allowOrigins = ["http://localhost:5173"]
    #expect(reading.configuration.webSockets == [small, large])
  }

  @Test(arguments: [
    ("a: {function: chatt}", #"function: there is no function "chatt"; did you mean chat?"#),
    ("a: {routes: {$default: nobody}}", #"$default: there is no function "nobody"; the file has chat, auth."#),
    ("a: {}", #"The WebSocket "a" has no function; write function: NAME"#),
    ("a: {routes: {$conect: chat}}", #""$conect" is not a key of a route; did you mean $connect?"#),
    ("a: {routes: {$other: chat}}", #""$other" is not a key of a route; write $connect, $default"#),
    ("a: {function: chat, key: a..b}", "key must be the name of a member"),
    ("a: {function: chat, idle: 100ms}", "idle must be from 1s to 1d, but is 100ms."),
    ("a: {function: chat, lifetime: 8d}", "lifetime must be from 1s to 7d, but is 8d."),
    ("a: {function: chat, messageSize: 2MB}", #"messageSize must be from 1KB to 1MB, such as 128KB, but is "2MB"."#),
    ("a: {function: chat, frameSize: 999999999KB}", "frameSize must be from 1KB to 1MB"),
    ("a: {function: chat, frameSize: 128}", "frameSize must be from 1KB to 1MB"),
    ("a: {function: chat, connections: 0}", "connections must be a whole number from 1 to 100000"),
    ("a: {function: chat, errors: none}", #"errors must be kelvin or aws, but is "none"."#),
    ("a: {function: chat, allowOrigins: [a]}", #""a" is not a valid item of allowOrigins"#),
    ("a: {function: chat, timeout: 1000s}", "timeout must be from 100ms to 900s"),
    ("a: {function: chat, route: {}}", "did you mean routes?"),
    ("\"a/b\": {function: chat}", "is not a valid name for a WebSocket"),
  ])
  func `is told with what to write if it is wrong`(_ text: String, _ sentence: String) {
    let problems = reading("websockets: {\(text)}").problems
    #expect(problems.count == 1 && problems.first?.message.contains(sentence) == true, "\(problems)")
  }
}
