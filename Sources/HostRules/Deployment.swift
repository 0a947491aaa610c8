package import Lifecycle

/// The versions and aliases of a function, and their configuration.
///
/// The host runs one code per function, so a version is a snapshot of settings: `$LATEST` can be changed, a published one
/// never. An alias is a name for a version that can be pointed at another. A host starts with `$LATEST`, the version 1,
/// which is the same, and the alias `current` of it.
package struct Deployment: Sendable {
  /// The alias that every function has; its function URL belongs to it.
  package static let currentAlias = "current"
  /// The most published versions, and the most aliases, that are kept of one function.
  package static let countLimit = 1000

  /// One version: what is configured of it, and since when.
  package struct Version: Hashable, Sendable {
    /// What callers have configured.
    package var settings = VersionSettings()
    /// Changes with every change; what a caller names to not overwrite somebody else's.
    package var revision: Identifier128
    /// When it was changed or published last.
    package var modifiedAt: Timestamp
  }

  /// A name for a version.
  package struct Alias: Hashable, Sendable {
    /// Unique within the function, and not the text of a version.
    package var name: String
    /// The version that it stands for.
    package var version: FunctionVersion
    /// The text that a caller described it with.
    package var description: String
    /// Changes with every change.
    package var revision: Identifier128
  }

  /// Why a change is not made.
  package enum Refusal: Error, Equatable {
    /// The caller's revision is not the one that there is.
    case revisionDiffers
    /// Another change of `$LATEST` has not taken effect yet.
    case updateInProgress
    /// The function has an alias of that name already.
    case aliasExists
    /// The function has no alias of that name.
    case noSuchAlias
    /// The function has no such version.
    case noSuchVersion(FunctionVersion)
    /// ``Deployment/countLimit`` is reached.
    case tooMany
  }

  /// `$LATEST`.
  package private(set) var latest: Version
  /// Whether a change of `$LATEST` has not taken effect yet.
  package private(set) var isUpdating = false
  /// The versions 1, 2, and so on.
  package private(set) var published: [Version]
  private var aliasesByName: [String: Alias]
  /// What `$LATEST` was when it was published last: publishing the same again makes no new version.
  private var settingsPublished = VersionSettings()

  /// `$LATEST`, the version 1 and the alias `current` of it; with random revisions.
  package init(at now: Timestamp, using generator: inout some RandomNumberGenerator) {
    latest = Version(revision: .random(using: &generator), modifiedAt: now)
    published = [Version(revision: .random(using: &generator), modifiedAt: now)]
    let name = Deployment.currentAlias
    aliasesByName = [
      name: Alias(name: name, version: .published(1), description: "", revision: .random(using: &generator))
    ]
  }

  /// The version that a qualifier stands for in a function that nobody has changed yet.
  package static func initialVersion(of qualifier: String) -> FunctionVersion? {
    switch qualifier {
    case currentAlias, "1": .published(1)
    case FunctionID.latest: .latest
    default: nil
    }
  }

  // MARK: Reading

  /// All versions, `$LATEST` first.
  package var versions: [FunctionVersion] { [.latest] + published.indices.map { .published($0 + 1) } }

  /// All aliases, by name.
  package var aliases: [Alias] { aliasesByName.values.sorted { $0.name < $1.name } }

  /// The alias of that name, if there is one.
  package func alias(_ name: String) -> Alias? { aliasesByName[name] }

  /// The version of that name, if there is one.
  package subscript(version: FunctionVersion) -> Version? {
    switch version {
    case .latest: latest
    case .published(let number): published.indices.contains(number - 1) ? published[number - 1] : nil
    }
  }

  /// The version that a qualifier stands for; no qualifier stands for `$LATEST`.
  package func resolve(qualifier: String?) -> FunctionVersion? {
    guard let qualifier else { return .latest }
    guard let version = FunctionVersion(text: qualifier) else { return aliasesByName[qualifier]?.version }
    return self[version] == nil ? nil : version
  }

  /// What is configured of a version; nothing of one that there is not.
  package func settings(of version: FunctionVersion) -> VersionSettings { self[version]?.settings ?? VersionSettings() }

  // MARK: Changing

  /// Changes `$LATEST`. It is updating from then on, until ``finishUpdate(using:)``.
  package mutating func update(
    _ change: VersionSettings, ifRevision revision: String?, at now: Timestamp,
    using generator: inout some RandomNumberGenerator
  ) throws(Refusal) {
    try check(revision, latest.revision)
    guard !isUpdating else { throw .updateInProgress }
    latest = Version(
      settings: latest.settings.merging(change), revision: .random(using: &generator), modifiedAt: now)
    isUpdating = true
  }

  /// Forgets what callers have configured of `$LATEST` by these keys. Published versions stay as they are.
  package mutating func forget(
    _ keys: VersionSettings.Keys, at now: Timestamp, using generator: inout some RandomNumberGenerator
  ) {
    let settings = latest.settings.forgetting(keys)
    guard settings != latest.settings else { return }
    latest = Version(settings: settings, revision: .random(using: &generator), modifiedAt: now)
  }

  /// Notes that the change of `$LATEST` has taken effect: that makes a revision of its own, as on AWS.
  package mutating func finishUpdate(using generator: inout some RandomNumberGenerator) {
    guard isUpdating else { return }
    isUpdating = false
    latest.revision = .random(using: &generator)
  }

  /// Makes a version of `$LATEST` as it is now, unless that is what was published last.
  ///
  /// - Returns: The version, new or last.
  package mutating func publish(
    description: String?, ifRevision revision: String?, at now: Timestamp,
    using generator: inout some RandomNumberGenerator
  ) throws(Refusal) -> FunctionVersion {
    try check(revision, latest.revision)
    guard !isUpdating else { throw .updateInProgress }
    guard latest.settings != settingsPublished else { return .published(published.count) }
    guard published.count < Deployment.countLimit else { throw .tooMany }
    var settings = latest.settings
    settings.description = description ?? settings.description
    published.append(Version(settings: settings, revision: .random(using: &generator), modifiedAt: now))
    settingsPublished = latest.settings
    return .published(published.count)
  }

  /// Makes an alias of a version.
  package mutating func createAlias(
    _ name: String, of version: FunctionVersion, description: String,
    using generator: inout some RandomNumberGenerator
  ) throws(Refusal) -> Alias {
    guard self[version] != nil else { throw .noSuchVersion(version) }
    guard aliasesByName[name] == nil else { throw .aliasExists }
    guard aliasesByName.count < Deployment.countLimit else { throw .tooMany }
    let alias = Alias(name: name, version: version, description: description, revision: .random(using: &generator))
    aliasesByName[name] = alias
    return alias
  }

  /// Changes what is not `nil` of an alias.
  package mutating func updateAlias(
    _ name: String, to version: FunctionVersion?, description: String?, ifRevision revision: String?,
    using generator: inout some RandomNumberGenerator
  ) throws(Refusal) -> Alias {
    guard var alias = aliasesByName[name] else { throw .noSuchAlias }
    try check(revision, alias.revision)
    if let version {
      guard self[version] != nil else { throw .noSuchVersion(version) }
      alias.version = version
    }
    alias.description = description ?? alias.description
    alias.revision = .random(using: &generator)
    aliasesByName[name] = alias
    return alias
  }

  /// Forgets an alias; says whether there was one.
  @discardableResult
  package mutating func deleteAlias(_ name: String) -> Bool { aliasesByName.removeValue(forKey: name) != nil }

  private func check(_ given: String?, _ revision: Identifier128) throws(Refusal) {
    if let given, given != revision.uuidText { throw .revisionDiffers }
  }
}
