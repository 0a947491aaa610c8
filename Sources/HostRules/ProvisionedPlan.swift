package import Lifecycle

/// The configured provisioned concurrency of one function, by alias or version.
///
/// Instances belong to versions: those of an alias move with it. Where more than one qualifier stands for a version,
/// because an alias was moved, the version has what they request together.
package struct ProvisionedPlan: Sendable {
  /// What one qualifier requests.
  package struct Entry: Hashable, Sendable {
    /// The alias or version that it is configured on.
    package var qualifier: String
    /// At least 1.
    package var requested: Int
    /// When it was configured.
    package var modifiedAt: Timestamp
  }

  /// In order of qualifier.
  package private(set) var entries: [Entry] = []

  /// An empty plan.
  package init() {}

  /// What a qualifier requests; 0 if nothing is configured on it.
  package func requested(by qualifier: String) -> Int { entries.first { $0.qualifier == qualifier }?.requested ?? 0 }

  /// Instances that are requested of each version.
  package func targets(_ resolve: (String) -> FunctionVersion?) -> [FunctionVersion: Int] {
    entries.reduce(into: [:]) { targets, entry in
      if let version = resolve(entry.qualifier) { targets[version, default: 0] += entry.requested }
    }
  }

  /// Checks that nothing else covers the version that a qualifier stands for: a version is provisioned either by its
  /// number or by one alias.
  ///
  /// - Throws: ``ConcurrencyRefusal`` if something does.
  package func checkCoverage(
    of qualifier: String, _ resolve: (String) -> FunctionVersion?
  ) throws(ConcurrencyRefusal) {
    let version = resolve(qualifier)
    guard entries.contains(where: { $0.qualifier != qualifier && resolve($0.qualifier) == version }) else { return }
    throw FunctionVersion(text: qualifier) == nil ? .aliasOfCoveredVersion : .versionCoveredByAlias
  }

  /// Sets what a qualifier requests; `nil`: nothing.
  package mutating func set(_ qualifier: String, to requested: Int?, at now: Timestamp) {
    entries.removeAll { $0.qualifier == qualifier }
    guard let requested, requested > 0 else { return }
    let position = entries.firstIndex { $0.qualifier > qualifier } ?? entries.count
    entries.insert(Entry(qualifier: qualifier, requested: requested, modifiedAt: now), at: position)
  }

  /// Forgets what was configured on aliases that are gone.
  package mutating func forgetUnresolved(_ resolve: (String) -> FunctionVersion?) {
    entries.removeAll { resolve($0.qualifier) == nil }
  }

  /// What each qualifier has of the pools of its version; the first in order are served first.
  package func configurations(
    _ resolve: (String) -> FunctionVersion?, _ pool: (FunctionVersion) -> ProvisionedPool?
  ) -> [ProvisionedConfiguration] {
    var rest: [FunctionVersion: (allocated: Int, available: Int)] = [:]
    return entries.compactMap { entry in
      guard let version = resolve(entry.qualifier) else { return nil }
      let pool = pool(version) ?? ProvisionedPool()
      var left = rest[version] ?? (pool.allocated, pool.available)
      let allocated = min(entry.requested, left.allocated)
      let available = min(entry.requested, left.available)
      left.allocated -= allocated
      left.available -= available
      rest[version] = left
      return ProvisionedConfiguration(
        qualifier: entry.qualifier, version: version, requested: entry.requested, allocated: allocated,
        available: available, status: available >= entry.requested ? .ready : pool.status,
        lastModified: entry.modifiedAt)
    }
  }
}

/// Provisioned concurrency of an alias or version, as AWS's API shows it.
package struct ProvisionedConfiguration: Hashable, Sendable {
  /// How far its pool is.
  package typealias Status = ProvisionedPool.Status

  /// The alias or version that it is configured on.
  package var qualifier: String
  /// The version that the qualifier stands for.
  package var version: FunctionVersion
  /// What is configured; at least 1.
  package var requested: Int
  /// Started.
  package var allocated: Int
  /// Ready; 0 until the whole request has been allocated.
  package var available: Int
  /// How far it is.
  package var status: Status
  /// When it was configured.
  package var lastModified: Timestamp
}
