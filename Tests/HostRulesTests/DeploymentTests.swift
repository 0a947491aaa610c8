import Lifecycle
import Testing

@testable import HostRules

@Suite struct `Versions and aliases of a function` {
  private var generator = SystemRandomNumberGenerator()
  private let start = Timestamp(seconds: 1000)
  private let later = Timestamp(seconds: 2000)

  private mutating func made() -> Deployment { Deployment(at: start, using: &generator) }

  /// `$LATEST` with another memory, and the change done.
  private mutating func changed(_ deployment: inout Deployment, memoryBytes: Int64) throws {
    try deployment.update(VersionSettings(memoryBytes: memoryBytes), ifRevision: nil, at: later, using: &generator)
    deployment.finishUpdate(using: &generator)
  }

  @Test func `begins with one published version and an alias of it`() {
    var test = self
    let deployment = test.made()
    #expect(deployment.versions == [.latest, .published(1)])
    #expect(deployment.aliases.map(\.name) == ["current"])
    #expect(deployment.alias("current")?.version == .published(1))
    #expect(deployment.settings(of: .latest) == VersionSettings())
    #expect(deployment.settings(of: .published(1)) == VersionSettings())
    #expect(deployment.latest.modifiedAt == start)
    #expect(!deployment.isUpdating)
  }

  @Test(
    arguments: [
      (nil, FunctionVersion.latest), ("$LATEST", .latest), ("1", .published(1)), ("current", .published(1)), ("2", nil),
      ("0", nil), ("01", nil), ("+1", nil), ("-1", nil), ("", nil), ("Current", nil), ("99999999999999999999", nil),
    ] as [(String?, FunctionVersion?)])
  func `finds the version of a qualifier`(_ qualifier: String?, _ version: FunctionVersion?) {
    var test = self
    #expect(test.made().resolve(qualifier: qualifier) == version)
  }

  @Test func `orders the unpublished version before all others`() {
    #expect(FunctionVersion.latest < .published(1))
    #expect(FunctionVersion.published(2) < .published(10))
    #expect(FunctionVersion.published(12).text == "12")
    #expect(FunctionVersion.latest.text == "$LATEST")
  }

  @Test func `changes the unpublished version alone, and only what is named`() throws {
    var test = self
    var deployment = test.made()
    let before = deployment.latest.revision
    try deployment.update(
      VersionSettings(memoryBytes: 256 << 20, timeout: .seconds(3)), ifRevision: before.uuidText, at: later,
      using: &test.generator)
    #expect(deployment.isUpdating)
    #expect(deployment.latest.revision != before)
    #expect(deployment.latest.modifiedAt == later)
    deployment.finishUpdate(using: &test.generator)
    try deployment.update(VersionSettings(description: "d"), ifRevision: nil, at: later, using: &test.generator)
    #expect(
      deployment.settings(of: .latest)
        == VersionSettings(memoryBytes: 256 << 20, timeout: .seconds(3), description: "d"))
    #expect(deployment.settings(of: .published(1)) == VersionSettings())
  }

  @Test func `makes one change after the other`() throws {
    var test = self
    var deployment = test.made()
    try deployment.update(VersionSettings(description: "a"), ifRevision: nil, at: later, using: &test.generator)
    let revision = deployment.latest.revision
    #expect(throws: Deployment.Refusal.updateInProgress) {
      try deployment.update(VersionSettings(description: "b"), ifRevision: nil, at: later, using: &test.generator)
    }
    #expect(throws: Deployment.Refusal.updateInProgress) {
      try deployment.publish(description: nil, ifRevision: nil, at: later, using: &test.generator)
    }
    deployment.finishUpdate(using: &test.generator)
    #expect(deployment.latest.revision != revision)
    let finished = deployment.latest.revision
    deployment.finishUpdate(using: &test.generator)
    #expect(deployment.latest.revision == finished)
    #expect(deployment.settings(of: .latest).description == "a")
  }

  @Test(arguments: ["", "x", "00000000-0000-4000-8000-000000000000"])
  func `refuses every change on top of another revision`(_ revision: String) throws {
    var test = self
    var deployment = test.made()
    let before = deployment.latest
    #expect(throws: Deployment.Refusal.revisionDiffers) {
      try deployment.update(VersionSettings(description: "a"), ifRevision: revision, at: later, using: &test.generator)
    }
    #expect(throws: Deployment.Refusal.revisionDiffers) {
      try deployment.publish(description: nil, ifRevision: revision, at: later, using: &test.generator)
    }
    #expect(throws: Deployment.Refusal.revisionDiffers) {
      try deployment.updateAlias(
        "current", to: .latest, description: nil, ifRevision: revision, using: &test.generator)
    }
    #expect(deployment.latest == before)
    #expect(deployment.alias("current")?.version == .published(1))
  }

  @Test func `publishes what has changed and nothing else`() throws {
    var test = self
    var deployment = test.made()
    let same = try deployment.publish(description: "again", ifRevision: nil, at: later, using: &test.generator)
    #expect(same == .published(1))
    #expect(deployment.settings(of: same).description == nil)
    try test.changed(&deployment, memoryBytes: 1 << 30)
    let version = try deployment.publish(description: "big", ifRevision: nil, at: later, using: &test.generator)
    #expect(version == .published(2))
    #expect(deployment.settings(of: version) == VersionSettings(memoryBytes: 1 << 30, description: "big"))
    #expect(deployment.latest.settings.description == nil)
    #expect(try deployment.publish(description: nil, ifRevision: nil, at: later, using: &test.generator) == version)
    try test.changed(&deployment, memoryBytes: 2 << 30)
    #expect(deployment.settings(of: version).memoryBytes == 1 << 30)
    #expect(deployment.resolve(qualifier: "2") == version)
  }

  @Test func `points aliases at versions that there are`() throws {
    var test = self
    var deployment = test.made()
    let alias = try deployment.createAlias("live", of: .latest, description: "d", using: &test.generator)
    #expect(deployment.alias("live") == alias)
    #expect(deployment.resolve(qualifier: "live") == .latest)
    #expect(throws: Deployment.Refusal.aliasExists) {
      try deployment.createAlias("live", of: .published(1), description: "", using: &test.generator)
    }
    #expect(throws: Deployment.Refusal.noSuchVersion(.published(7))) {
      try deployment.createAlias("other", of: .published(7), description: "", using: &test.generator)
    }
    let moved = try deployment.updateAlias(
      "live", to: .published(1), description: nil, ifRevision: alias.revision.uuidText, using: &test.generator)
    #expect(moved.version == .published(1) && moved.description == "d" && moved.revision != alias.revision)
    #expect(throws: Deployment.Refusal.noSuchVersion(.published(2))) {
      try deployment.updateAlias(
        "live", to: .published(2), description: nil, ifRevision: nil, using: &test.generator)
    }
    #expect(throws: Deployment.Refusal.noSuchAlias) {
      try deployment.updateAlias("other", to: nil, description: "x", ifRevision: nil, using: &test.generator)
    }
    #expect(deployment.aliases.map(\.name) == ["current", "live"])
    let hadOne = deployment.deleteAlias("live")
    let hasNone = deployment.deleteAlias("live")
    #expect(hadOne && !hasNone)
    #expect(deployment.resolve(qualifier: "live") == nil)
  }

  @Test func `keeps no more versions and aliases than its limit`() throws {
    var test = self
    var deployment = test.made()
    for count in 2...Deployment.countLimit {
      try test.changed(&deployment, memoryBytes: Int64(count))
      _ = try deployment.publish(description: nil, ifRevision: nil, at: later, using: &test.generator)
      _ = try deployment.createAlias("a\(count)", of: .latest, description: "", using: &test.generator)
    }
    try test.changed(&deployment, memoryBytes: 1)
    #expect(throws: Deployment.Refusal.tooMany) {
      try deployment.publish(description: nil, ifRevision: nil, at: later, using: &test.generator)
    }
    #expect(throws: Deployment.Refusal.tooMany) {
      try deployment.createAlias("more", of: .latest, description: "", using: &test.generator)
    }
  }
}
