import Lifecycle

extension AlertRules {
  private var recordedConnections: String { "function:lambda_database_connections:max\(rangeText)" }

  /// How many connections functions can have had at once, and an alert if there is a limit. Empty if no function opens any.
  var databases: [RuleGroup] {
    let opened = Dictionary(grouping: databaseConnections.filter { $0.perInstance > 0 }, by: \.perInstance)
    guard !opened.isEmpty else { return [] }
    // One term for each number of connections, not for each function: queries nest, and files may have thousands of functions.
    let terms = opened.sorted { $0.key < $1.key }.map { perInstance, functions in
      let names = functions.map(\.function).sorted().joined(separator: "|")
      let instances = "lambda_instances_max{function=~\"\(names)\"}"
      return "  sum without (version) (\(PromQL.max(instances, range))) * \(perInstance)"
    }
    let recording = RecordingRule(name: recordedConnections, expression: terms.joined(separator: "\nor\n"))
    return [RuleGroup("lambda-databases", [.recording(recording)] + databaseAlerts.map { .alerting($0) })]
  }

  private var databaseAlerts: [AlertingRule] {
    guard let limit = thresholds.databaseConnectionsLimit else { return [] }
    return [
      AlertingRule(
        "LambdaDatabaseConnectionsNearLimit", .warning, .databases,
        summary: "The instances of all functions open nearly as many connections as the database accepts.",
        description:
          "Functions at \(Template.agent) may have used \(Template.percentage) of the \(limit) connections of their database.",
        """
        sum without (function) (\(recordedConnections)) / \(limit) > \(thresholds.databaseConnectionsShare.decimal)
        """)
    ]
  }
}
