package import Lifecycle

/// A file of rules for Prometheus.
package struct RuleFile: Hashable, Sendable {
  /// In the order of the file. Recordings come before the alerts that use them.
  package var groups: [RuleGroup]

  /// All its alerts, in the order of the file.
  package var alerts: [AlertingRule] {
    groups.flatMap(\.rules).compactMap { rule -> AlertingRule? in
      guard case .alerting(let alert) = rule else { return nil }
      return alert
    }
  }
}

/// Rules that are evaluated together, in their order.
package struct RuleGroup: Hashable, Sendable {
  /// Unique in a file.
  package var name: String
  /// How often it is evaluated; `nil`: as Prometheus is configured.
  package var interval: Nanoseconds?
  /// In the order of evaluation.
  package var rules: [Rule]

  init(_ name: String, interval: Nanoseconds? = nil, _ rules: [Rule]) {
    self.name = name
    self.interval = interval
    self.rules = rules
  }

  init(_ name: String, alerts: [AlertingRule]) { self.init(name, alerts.map { .alerting($0) }) }
}

/// A series that Prometheus computes, or an alert.
package enum Rule: Hashable, Sendable {
  /// A series.
  case recording(RecordingRule)
  /// An alert.
  case alerting(AlertingRule)
}

/// A series that Prometheus computes.
package struct RecordingRule: Hashable, Sendable {
  /// `level:metric:operations`.
  package var name: String
  /// A query in PromQL, of one line or several.
  package var expression: String
}

/// How soon somebody has to look.
package enum Severity: String, CaseIterable, Hashable, Sendable {
  /// Now: it pages.
  case critical
  /// In working hours: it is a ticket.
  case warning
  /// When there is time.
  case info
}

/// The pages of docs/runbooks; raw values are their names.
package enum Runbook: String, CaseIterable, Hashable, Sendable {
  case throttling, concurrency, provisioned, initialization, errors, timeouts, memory, traffic, databases, kelvin
  case eventSources = "event-sources"
}

/// An alert.
package struct AlertingRule: Hashable, Sendable {
  /// Not unique: alerts of one name differ in severity or labels.
  package var name: String
  /// The label `severity`.
  package var severity: Severity
  /// The page that says what to do, under the heading ``anchor``.
  package var runbook: Runbook
  /// One sentence that is the same for all who are concerned.
  package var summary: String
  /// A template: who is concerned, and how much.
  package var description: String
  /// How long ``expression`` must hold.
  package var pending: Nanoseconds
  /// A query in PromQL: the alert concerns every series that it gives.
  package var expression: String
  /// Labels beside the severity, in the order of the file.
  package var labels: [Label]

  /// A label with a fixed value.
  package struct Label: Hashable, Sendable {
    /// A label's name, as Prometheus allows it.
    package var name: String
    /// Any text: it is quoted where the file is written.
    package var value: String
  }

  init(
    _ name: String, _ severity: Severity, _ runbook: Runbook, pending: Nanoseconds = .zero, summary: String,
    description: String, labels: [Label] = [], _ expression: String
  ) {
    self.name = name
    self.severity = severity
    self.runbook = runbook
    self.summary = summary
    self.description = description
    self.pending = pending
    self.expression = expression
    self.labels = labels
  }

  /// The heading that a page has for it, as an address ends with it.
  package var anchor: String { name.lowercased() }
}

/// Parts of descriptions.
enum Template {
  static let function = "{{ $labels.function }}"
  /// The function, and its version where there is one.
  static let version = "{{ $labels.function }}{{ with $labels.version }}:{{ . }}{{ end }}"
  static let agent = "{{ $labels.instance }}"
  static let queue = "{{ $labels.queue }}"
  static let schedule = "{{ $labels.schedule }}"
  static let count = "{{ printf \"%.0f\" $value }}"
  static let percentage = "{{ $value | humanizePercentage }}"
  static let duration = "{{ $value | humanizeDuration }}"
}
