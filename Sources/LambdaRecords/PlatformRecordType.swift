/// The types of the platform's records, under the names that they bear on the wire.
package enum PlatformRecordType: String, CaseIterable, Sendable {
  case initStart = "platform.initStart"
  case initRuntimeDone = "platform.initRuntimeDone"
  case initReport = "platform.initReport"
  case restoreStart = "platform.restoreStart"
  case restoreRuntimeDone = "platform.restoreRuntimeDone"
  case restoreReport = "platform.restoreReport"
  case start = "platform.start"
  case runtimeDone = "platform.runtimeDone"
  case report = "platform.report"
  case extensionState = "platform.extension"
  case telemetrySubscription = "platform.telemetrySubscription"
  case logsDropped = "platform.logsDropped"
  /// Only of the Logs API.
  case end = "platform.end"
  /// Only of the Logs API; its record is a text.
  case fault = "platform.fault"
  /// Only of the Logs API, in the place of ``telemetrySubscription``.
  case logsSubscription = "platform.logsSubscription"
}

extension PlatformEvent.Kind {
  /// The type of its record.
  package func recordType(isLogs: Bool) -> PlatformRecordType {
    switch self {
    case .initStart: .initStart
    case .initRuntimeDone: .initRuntimeDone
    case .initReport: .initReport
    case .restoreStart: .restoreStart
    case .restoreRuntimeDone: .restoreRuntimeDone
    case .restoreReport: .restoreReport
    case .start: .start
    case .runtimeDone: .runtimeDone
    case .end: .end
    case .report: .report
    case .fault: .fault
    case .extensionState: .extensionState
    case .subscription: isLogs ? .logsSubscription : .telemetrySubscription
    case .logsDropped: .logsDropped
    }
  }
}

/// The API through which a record goes, and the members that it has, by the version of its schema.
package enum TelemetrySchema: String, CaseIterable, Sendable {
  /// The first schema of the Telemetry API.
  case telemetry20220701 = "2022-07-01"
  /// With error types, the status of an initialization's report, restores, and objects as lines.
  case telemetry20221213 = "2022-12-13"
  /// With managed instances.
  case telemetry20250129 = "2025-01-29"
  /// The first schema of the Logs API.
  case logs20200815 = "2020-08-15"
  /// With `platform.runtimeDone`.
  case logs20210318 = "2021-03-18"

  /// What a log in the JSON format has.
  package static let logged = TelemetrySchema.telemetry20250129

  /// Whether it is one of the Logs API.
  package var isLogs: Bool { self == .logs20200815 || self == .logs20210318 }
  /// Whether it has what came with 2022-12-13.
  package var isDetailed: Bool { self == .telemetry20221213 || self == .telemetry20250129 }
}

/// The types of records that a subscriber may ask for, under the names that requests and records have.
package enum TelemetryType: String, CaseIterable, Sendable {
  /// What the platform does.
  case platform
  /// Lines of the function.
  case function
  /// Lines of extensions.
  case `extension`
}
