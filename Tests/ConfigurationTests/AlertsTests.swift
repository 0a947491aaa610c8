import Text
import AlertRules
import Configuration
import Lifecycle
import Testing

@Suite struct `Alerts in a configuration` {
  /// A value for each key that is not its default, and how it looks where it goes.
  private static let values: [String: String] = [
    "range": "15s", "for": "0s", "minimumInvocations": "7", "job": "backend/kelvin",
    "runbooks": "https://wiki.example/k",
    "errorObjective": "99.5%", "databaseConnectionsLimit": "200",
  ]

  private static func value(_ key: AlertKey) -> String {
    if let value = values[key.name] { return value }
    return switch key.kind {
    case .duration: "77s"
    case .share: "0.123456"
    default: "77"
    }
  }

  @Test func `are read, every key of them`() {
    let lines = AlertKey.all.map { "  \($0.name): \(Self.value($0))\n" }.joined()
    let reading = reading("functions: {f: {command: [a], databaseConnections: 3}}\nalerts:\n" + lines)
    #expect(reading.problems == [])
    #expect(reading.warnings == [])
    let alerts = reading.configuration.alerts
    let defaults = AlertThresholds()
    for key in AlertKey.all {
      switch key.kind {
      case .duration(let path, _):
        #expect(DurationText.text(alerts[keyPath: path]) == (key.name == "for" ? "0s" : Self.value(key)))
        #expect(alerts[keyPath: path] != defaults[keyPath: path])
      case .count(let path, _): #expect("\(alerts[keyPath: path])" == Self.value(key))
      case .optionalCount(let path, _): #expect(alerts[keyPath: path] == 200)
      case .share(let path, _): #expect(alerts[keyPath: path] == Share(Self.value(key)))
      case .jobName(let path), .address(let path): #expect(alerts[keyPath: path] == Self.value(key))
      }
    }
  }

  @Test(arguments: ["", "alerts:\n", "alerts: {}\n"])
  func `have defaults`(_ text: String) {
    let reading = reading(text)
    #expect(reading.problems == [])
    #expect(reading.configuration.alerts == AlertThresholds())
  }

  @Test(arguments: [
    (
      "coldStartShare: 5",
      "1:10: coldStartShare must be a share from 0.0001% to 100%, such as 90% or 0.9, but is \"5\"."
    ),
    ("coldStartShare: 0", "1:10: coldStartShare must be a share"),
    ("errorObjective: 100%", "1:10: errorObjective must be a share from 50% to 99.9999%"),
    ("coldStartShare: [1]", "1:10: coldStartShare must be one value"),
    ("range: 2h", "1:10: range must be from 4s to 1h, but is 2h."), ("range: 5", "1:10: range: \"5\" has no unit"),
    ("throttles: -1", "1:10: throttles must be a whole number from 0 to 1000000000"),
    ("databaseConnectionsLimit: 0", "1:10: databaseConnectionsLimit must be a whole number from 1 to"),
    ("job: a b", "1:10: job must be 1 to 100 letters, digits and _ . : / -, but is \"a b\"."),
    ("runbooks: here", "1:10: runbooks must be an address that begins with https:// or http://"),
    ("jobName: a", "1:10: \"jobName\" is not a key of alerts; did you mean job?"),
    ("cold_start_share: 1", "1:10: \"cold_start_share\" is not a key of alerts; did you mean coldStartShare?"),
    ("colour: red", "1:10: \"colour\" is not a key of alerts; its keys are range, for,"),
  ])
  func `that are wrong are problems with their place`(_ entry: String, _ expected: String) {
    let problems = reading("alerts: {\(entry)}\n").problems.map(\.description)
    #expect(problems.count == 1)
    let place =
      expected.hasPrefix("1:10: \"")
      ? expected : "1:\(12 + entry.prefix { $0 != ":" }.utf8.count)" + expected.dropFirst(4)
    #expect(problems.first?.hasPrefix(place) == true, "\(problems)")
  }

  @Test func `say if a limit of connections compares nothing`() {
    let reading = reading("functions: {f: {command: [a]}}\nalerts: {databaseConnectionsLimit: 9}\n")
    #expect(reading.problems == [])
    #expect(
      reading.warnings.map(\.description)
        == ["2:10: databaseConnectionsLimit has no effect: no function has databaseConnections."])
  }
}
