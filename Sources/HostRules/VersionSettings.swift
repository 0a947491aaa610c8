package import Lifecycle

/// What callers have configured of a version. For a value that is `nil`, kelvin.yaml decides, then the function's code,
/// then the default.
package struct VersionSettings: Hashable, Sendable {
  /// The memory limit of an instance.
  package var memoryBytes: Int64?
  /// How long an invocation may take.
  package var timeout: Nanoseconds?
  /// What `/tmp` of an instance may hold.
  package var temporaryStorageBytes: Int64?
  /// All variables of the function: it replaces those of kelvin.yaml.
  package var environment: [String: String]?
  /// The text that a caller described it with.
  package var description: String?

  /// Nothing is configured unless said otherwise.
  package init(
    memoryBytes: Int64? = nil, timeout: Nanoseconds? = nil, temporaryStorageBytes: Int64? = nil,
    environment: [String: String]? = nil, description: String? = nil
  ) {
    self.memoryBytes = memoryBytes
    self.timeout = timeout
    self.temporaryStorageBytes = temporaryStorageBytes
    self.environment = environment
    self.description = description
  }

  /// These, with what `change` names in place of what was there.
  package func merging(_ change: VersionSettings) -> VersionSettings {
    VersionSettings(
      memoryBytes: change.memoryBytes ?? memoryBytes, timeout: change.timeout ?? timeout,
      temporaryStorageBytes: change.temporaryStorageBytes ?? temporaryStorageBytes,
      environment: change.environment ?? environment, description: change.description ?? description)
  }

  /// Some of the settings.
  package struct Keys: OptionSet, Sendable {
    /// One bit for each key.
    package let rawValue: Int
    /// Takes any bits; those of no key say nothing.
    package init(rawValue: Int) { self.rawValue = rawValue }
    /// ``VersionSettings/memoryBytes``.
    package static let memory = Keys(rawValue: 1)
    /// The timeout.
    package static let timeout = Keys(rawValue: 2)
    /// ``VersionSettings/temporaryStorageBytes``.
    package static let temporaryStorage = Keys(rawValue: 4)
    /// ``VersionSettings/environment``.
    package static let environment = Keys(rawValue: 8)
  }

  /// These, without what callers have configured of `keys`.
  package func forgetting(_ keys: Keys) -> VersionSettings {
    var rest = self
    if keys.contains(.memory) { rest.memoryBytes = nil }
    if keys.contains(.timeout) { rest.timeout = nil }
    if keys.contains(.temporaryStorage) { rest.temporaryStorageBytes = nil }
    if keys.contains(.environment) { rest.environment = nil }
    return rest
  }
}
