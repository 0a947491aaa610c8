import Lifecycle

/// What callers have configured of a version. What is `nil` is decided by kelvin.yaml, then the function's code, then the
/// default.
struct VersionSettings: Hashable, Sendable {
  var memoryBytes: Int64?
  var timeout: Nanoseconds?
  var temporaryStorageBytes: Int64?
  /// All variables of the function: it replaces those of kelvin.yaml.
  var environment: [String: String]?
  var description: String?

  /// These, with what `change` names in place of what was there.
  func merging(_ change: VersionSettings) -> VersionSettings {
    VersionSettings(
      memoryBytes: change.memoryBytes ?? memoryBytes, timeout: change.timeout ?? timeout,
      temporaryStorageBytes: change.temporaryStorageBytes ?? temporaryStorageBytes,
      environment: change.environment ?? environment, description: change.description ?? description)
  }
}
