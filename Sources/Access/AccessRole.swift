/// What somebody may do at a listener.
package enum AccessRole: String, CaseIterable, Hashable, Sendable {
  /// Send events, telemetry and logs.
  case ingest
  /// Read metrics, documents and the page.
  case read
  /// Change what runs.
  case control
}
