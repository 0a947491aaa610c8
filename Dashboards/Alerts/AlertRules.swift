import Lifecycle

/// Every recording and alerting rule for Kelvin's metrics.
package struct AlertRules: Sendable {
  /// Database connections that each instance of a function opens.
  package struct DatabaseConnections: Hashable, Sendable {
    /// Letters, digits, `-` and `_`.
    package var function: String
    /// At least 1; less counts as none.
    package var perInstance: Int64

    /// Makes what a function declares. One that opens none gets no rule.
    package init(function: String, perInstance: Int64) {
      self.function = function
      self.perInstance = perInstance
    }
  }

  let thresholds: AlertThresholds
  let databaseConnections: [DatabaseConnections]

  /// Rules with thresholds filled in.
  ///
  /// - Parameter databaseConnections: For each function that opens some; names are unique.
  package init(_ thresholds: AlertThresholds = AlertThresholds(), databaseConnections: [DatabaseConnections] = []) {
    self.thresholds = thresholds
    self.databaseConnections = databaseConnections
  }

  /// The rules as data.
  package var file: RuleFile {
    RuleFile(
      groups: errorBudgetRecordings + [
        RuleGroup("lambda-throttling", alerts: throttling),
        RuleGroup("lambda-concurrency", alerts: concurrency),
        RuleGroup("lambda-provisioned-concurrency", alerts: provisioned),
        RuleGroup("lambda-initialization", alerts: initialization),
        RuleGroup("lambda-error-budget", alerts: errorBudget),
        RuleGroup("lambda-failures", alerts: failures),
        RuleGroup("lambda-limits", alerts: limits),
        RuleGroup("lambda-traffic", alerts: traffic),
        RuleGroup("lambda-event-sources", alerts: eventSources),
      ] + databases + [RuleGroup("kelvin", alerts: agent)])
  }

  /// The rules as a file for Prometheus.
  package var yaml: String {
    """
    # Rules for Prometheus. Written by: kelvin rules
    # Thresholds are those of the section alerts of kelvin.yaml; change them there and write the file again.

    """ + file.yaml(runbooks: thresholds.runbooks)
  }

  var range: Nanoseconds { thresholds.range }
  var rangeText: String { PromQL.duration(thresholds.range) }
}
