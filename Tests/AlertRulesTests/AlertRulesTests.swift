import AlertRules
import Foundation
import Lifecycle
import Testing

private let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent()

private func text(_ path: String) throws -> String {
  try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
}

/// Two functions with connections, for rules that only then are there.
private let connections = [
  AlertRules.DatabaseConnections(function: "orders", perInstance: 2),
  AlertRules.DatabaseConnections(function: "mails", perInstance: 1),
]

private func thresholds(_ change: (inout AlertThresholds) -> Void) -> AlertThresholds {
  var thresholds = AlertThresholds()
  change(&thresholds)
  return thresholds
}

@Suite struct `The file of rules` {
  @Test func `is the one in the repository, with defaults`() throws {
    #expect(try text("Dashboards/Alerts/kelvin.rules.yaml") == AlertRules().yaml)
  }

  @Test func `has what its unit tests have, with databases`() throws {
    let limit = thresholds { $0.databaseConnectionsLimit = 100 }
    #expect(
      try text("Dashboards/Alerts/tests/databases/kelvin.rules.yaml")
        == AlertRules(limit, databaseConnections: connections).yaml)
  }

  @Test func `has each alert once, and each recorded series`() {
    let file = AlertRules().file
    let identities = file.alerts.map { [$0.name] + $0.labels.map(\.value) }
    #expect(Set(identities).count == identities.count)
    #expect(Set(file.groups.map(\.name)).count == file.groups.count)
    let recorded = file.groups.flatMap(\.rules).compactMap { rule -> String? in
      guard case .recording(let recording) = rule else { return nil }
      return recording.name
    }
    #expect(Set(recorded).count == recorded.count)
    #expect(recorded.count == 14)
    #expect(recorded.allSatisfy { $0.split(separator: ":").count == 3 })
  }

  @Test func `says of each alert what it means and what to do`() throws {
    for alert in AlertRules(databaseConnections: connections).file.alerts {
      #expect(alert.name.hasPrefix("Lambda") || alert.name.hasPrefix("Kelvin"))
      #expect(alert.summary.hasSuffix(".") && !alert.summary.contains("{{"), "\(alert.name)")
      #expect(alert.description.hasSuffix("."), "\(alert.name)")
      let page = try text("docs/runbooks/\(alert.runbook.rawValue).md")
      #expect(page.contains("\n## \(alert.name)\n"), "\(alert.runbook.rawValue).md has no heading \(alert.name)")
    }
  }

  @Test func `has no runbook without an alert`() throws {
    let names = Set(
      AlertRules(thresholds { $0.databaseConnectionsLimit = 1 }, databaseConnections: connections).file.alerts.map(
        \.name))
    for page in Runbook.allCases {
      let headings = try text("docs/runbooks/\(page.rawValue).md").split(separator: "\n").filter { $0.hasPrefix("## ") }
      #expect(!headings.isEmpty)
      #expect(headings.allSatisfy { names.contains(String($0.dropFirst(3))) }, "\(page.rawValue).md")
    }
    let folder = root.appendingPathComponent("docs/runbooks").path
    let files = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0 != "README.md" }
    #expect(Set(files) == Set(Runbook.allCases.map { "\($0.rawValue).md" }))
  }
}

@Suite struct `A threshold` {
  @Test(arguments: AlertKey.all.map(\.name))
  func `changes the rules`(_ name: String) throws {
    let key = try #require(AlertKey.all.first { $0.name == name })
    var changed = thresholds { $0.databaseConnectionsLimit = 100 }
    let before = AlertRules(changed, databaseConnections: connections).yaml
    switch key.kind {
    case .duration(let path, _): changed[keyPath: path] = .seconds(77)
    case .count(let path, _): changed[keyPath: path] = 77
    case .optionalCount(let path, _): changed[keyPath: path] = 77
    case .share(let path, _): changed[keyPath: path] = Share(millionths: 771_234)
    case .jobName(let path): changed[keyPath: path] = "seventy-seven"
    case .address(let path): changed[keyPath: path] = "https://seventy-seven.example"
    }
    let after = AlertRules(changed, databaseConnections: connections).yaml
    #expect(after != before)
    #expect(after.contains("77") || after.contains("seventy-seven") || after.contains("0.228766"))
  }

  @Test func `has a default within its bounds, and a name of its own`() {
    let defaults = AlertThresholds()
    for key in AlertKey.all {
      switch key.kind {
      case .duration(let path, let range): #expect(range.contains(defaults[keyPath: path]))
      case .count(let path, let range): #expect(range.contains(defaults[keyPath: path]))
      case .optionalCount(let path, _): #expect(defaults[keyPath: path] == nil)
      case .share(let path, let range): #expect(range.contains(defaults[keyPath: path]))
      case .jobName(let path): #expect(AlertKey.isJobName(defaults[keyPath: path]))
      case .address(let path): #expect(AlertKey.isAddress(defaults[keyPath: path]))
      }
    }
    #expect(Set(AlertKey.all.map(\.name)).count == AlertKey.all.count)
    #expect(AlertKey.all.count == Mirror(reflecting: defaults).children.count)
  }

  @Test func `is in the guide`() throws {
    #expect(try text("docs/guides/alerting.md").contains("\n" + AlertKey.table))
  }

  @Test func `names the series that are recorded over the range`() {
    let rules = AlertRules(thresholds { $0.range = .seconds(15) }, databaseConnections: connections)
    #expect(rules.yaml.contains("record: function:lambda_database_connections:max15s\n"))
    #expect(rules.yaml.contains("increase(lambda_throttles_total[15s])"))
    #expect(rules.yaml.contains("time() - last_over_time(lambda_function_first_seen_timestamp_seconds[15s]) < 15 or"))
  }
}

@Suite struct `Database connections` {
  @Test func `are one term for each number of them`() {
    let many = connections + [AlertRules.DatabaseConnections(function: "a-b_c", perInstance: 2)]
    let yaml = AlertRules(databaseConnections: many).yaml
    #expect(yaml.contains(#"lambda_instances_max{function=~"a-b_c|orders"}[5m])) * 2"#))
    #expect(yaml.contains(#"lambda_instances_max{function=~"mails"}[5m])) * 1"#))
  }

  @Test func `are no rule where none are opened, and no alert without a limit`() {
    let none = [AlertRules.DatabaseConnections(function: "orders", perInstance: 0)]
    #expect(AlertRules(databaseConnections: none).yaml == AlertRules().yaml)
    #expect(!AlertRules(databaseConnections: connections).yaml.contains("LambdaDatabaseConnectionsNearLimit"))
  }
}

@Suite struct `A share` {
  @Test(arguments: [
    ("0.9", 900_000, "0.9", "90%"), ("90%", 900_000, "0.9", "90%"), ("1", 1_000_000, "1", "100%"),
    ("0", 0, "0", "0%"), ("99.95%", 999_500, "0.9995", "99.95%"), ("0.000001", 1, "0.000001", "0.0001%"),
    ("100%", 1_000_000, "1", "100%"), ("007.5%", 75_000, "0.075", "7.5%"),
  ])
  func `is read, and written as it was meant`(
    _ text: String, _ millionths: Int64, _ decimal: String, _ percentage: String
  ) {
    let share = Share(text)
    #expect(share?.millionths == millionths)
    #expect(share?.decimal == decimal)
    #expect(share?.percentage == percentage)
  }

  @Test(arguments: [
    "", "%", "-1", "+1", "1.1", "101%", "0.0000001", "0.00001%", ".5", "5.", "0.5.5", "1e-1", "0,5", "½", "5 %",
    "1000%",
    "٥",
  ])
  func `is nothing else`(_ text: String) { #expect(Share(text) == nil) }
}

@Suite struct `A name or an address for rules` {
  @Test(arguments: [
    ("kelvin", true), ("a/b:c-d_e.f9", true), ("", false), ("a b", false), ("a\"b", false), ("{{ x }}", false),
    ("ä", false), (String(repeating: "a", count: 100), true), (String(repeating: "a", count: 101), false),
  ])
  func `is a job`(_ text: String, _ isGood: Bool) { #expect(AlertKey.isJobName(text) == isGood) }

  @Test(arguments: [
    ("https://a.example/b/", true), ("http://a", true), ("https://", false), ("ftp://a", false), ("a.example", false),
    ("https://a/{{ .x }}", false), ("https://a/\"", false), ("https://a/\n", false), ("https://a/b c", false),
    ("https://a/" + String(repeating: "b", count: 490), true),
    ("https://a/" + String(repeating: "b", count: 491), false),
  ])
  func `is an address`(_ text: String, _ isGood: Bool) { #expect(AlertKey.isAddress(text) == isGood) }

  @Test func `gets one slash before a page`() {
    for base in ["https://a.example/r", "https://a.example/r/"] {
      let yaml = AlertRules(thresholds { $0.runbooks = base }).yaml
      #expect(yaml.contains(#"runbook_url: "https://a.example/r/throttling.md#lambdathrottled""#))
    }
  }
}
