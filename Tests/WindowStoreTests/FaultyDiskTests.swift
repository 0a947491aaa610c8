import Foundation
import GRDB
import Lifecycle
import Testing
import Windows

@testable import WindowStore

private let minute = Nanoseconds.seconds(60)
/// 2026-11-23T10:00:00Z, the start of a window in every tier.
private let ten = Timestamp(seconds: 1_795_428_000)

/// Stores on a disk that fails at one operation, operation by operation until there is none that has not failed: nothing crashes, each
/// failure is said, and what is found afterwards is whole and either what was before or what was to be.
@Suite(.serialized) struct `A store on a faulty disk` {
  /// What is done to a store, step by step.
  enum Story: CaseIterable, Sendable {
    /// A directory without a store gets one, and checkpoints.
    case making
    /// A store that a kill left gets checkpoints, in which windows become final and late counts arrive.
    case saving
    /// A store of an older version, that lacks tables, gets them and a checkpoint.
    case completing
    /// Facts of a log are added, and the windows that follow from them.
    case importing
    case compacting

    fileprivate var steps: [Step] {
      switch self {
      case .making: [.save(0), .save(1), .close]
      case .saving: [.save(2), .save(3), .close]
      case .completing: [.save(2), .close]
      case .importing: [.add, .compute, .close]
      case .compacting: [.compact, .close]
      }
    }

    /// How many checkpoints there are before it.
    fileprivate var saved: Int { self == .making ? 0 : 2 }
  }

  fileprivate enum Step {
    case save(Int)
    case add
    case compute
    case compact
    case close

    /// Whether the rows are others afterwards.
    var changes: Bool {
      switch self {
      case .save, .add, .compute: true
      case .compact, .close: false
      }
    }

    func run(_ store: WindowStore) throws(StoreError) {
      switch self {
      case .save(let number): try store.save(Checkpoint.story[number])
      case .add:
        let facts = (0..<40).map {
          ImportedFact(stream: $0 % 2, time: ten + .seconds(Int64($0)), bytes: [1, UInt8($0)], isOfInstance: false)
        }
        let streams = ["a", "b"].map { ImportedStream(name: $0, function: "imported", lastSeen: ten) }
        _ = try store.add(streams, facts, now: ten + .seconds(3_600))
      case .compute:
        guard let span = try store.nextImportSpan() else { return }
        var rollup = Rollup()
        rollup.tally.errors = 7
        let windows = (0..<5).map { number in
          WindowRollup(
            scope: .function(FunctionID("imported")), start: ten + .seconds(Int64(number) * 60), length: minute,
            isClosed: true,
            rollup: rollup)
        }
        try store.save(windows, of: span, live: [], now: ten + .seconds(3_600))
      case .compact: _ = try store.compact()
      case .close: try store.close()
      }
    }
  }

  /// The long form fails every operation, the short form some of each story.
  private static let isLong = (ProcessInfo.processInfo.environment["KELVIN_FAULTS"].flatMap { Int($0) } ?? 0) > 20

  @Test(arguments: Story.allCases, FaultyDisk.Fault.allCases)
  func `is what it was or what it was to be`(_ story: Story, _ fault: FaultyDisk.Fault) throws {
    let template = try Template(story)
    var number = 1
    var met = 0
    while true {
      let directory = try template.copy()
      defer { try? FileManager.default.removeItem(atPath: directory) }
      let (attempt, operations) = FaultyDisk.during(fault, at: number, in: directory) {
        Attempt(story, in: directory, goesOn: fault.passes)
      }
      try check(attempt, template, fault, at: number, in: directory)
      guard operations >= number else { break }
      met += 1
      number += Self.isLong ? 1 : 1 + number / 2
    }
    #expect(met > 6)
  }

  private func check(
    _ attempt: Attempt, _ template: Template, _ fault: FaultyDisk.Fault, at number: Int, in directory: String
  ) throws {
    let place: Comment = "\(fault) at operation \(number)"
    for error in attempt.errors {
      #expect([.failed, .inaccessible, .busy, .full].contains(error.code), "\(place): \(error)")
      #expect(error.message.contains(directory), "\(place): \(error)")
    }
    if fault.passes { #expect(attempt.isDone, "\(place): \(attempt.errors)") }
    // What is there when a process comes that has another disk.
    let found = try Content(directory)
    let last = min(attempt.saved + (attempt.isDone ? 0 : 1), template.contents.count - 1)
    let allowed = template.contents[attempt.saved...last]
    #expect(
      allowed.contains(found) || attempt.saved == 0 && !found.isStore && template.story == .making,
      "\(place): \(attempt.errors)")
    if found.isStore {
      let findings = try WindowReader.open(directory: directory).check(directory: directory)
      #expect(findings.isWhole, "\(place): \(findings)")
    }
    guard !attempt.isDone else { return }
    // It goes on from there.
    let state = template.contents.firstIndex(of: found) ?? 0
    let rest = Attempt(template.story, in: directory, from: state, goesOn: false)
    #expect(rest.isDone && rest.errors.isEmpty, "\(place): \(rest.errors)")
    #expect(try Content(directory) == template.contents.last, "\(place)")
  }

  @Test(arguments: FaultyDisk.Fault.allCases)
  func `is loaded whole or not at all`(_ fault: FaultyDisk.Fault) throws {
    let template = try Template(.saving)
    let expected = try #require(try template.loaded())
    var number = 1
    while true {
      let directory = try template.copy()
      defer { try? FileManager.default.removeItem(atPath: directory) }
      let (result, operations) = FaultyDisk.during(fault, at: number, in: directory) {
        Result { try Self.load(directory) }
      }
      switch result {
      case .success(let (checkpoint, damagedRows)):
        #expect(damagedRows == 0, "\(fault) at operation \(number)")
        #expect(checkpoint?.functions == expected.functions && checkpoint?.windows == expected.windows)
        #expect(checkpoint?.timelines == expected.timelines && checkpoint?.live == expected.live)
      case .failure(let error):
        #expect(error is StoreError, "\(error)")
      }
      guard operations >= number else { break }
      number += Self.isLong ? 1 : 1 + number / 2
    }
  }

  private static func load(_ directory: String) throws -> (Checkpoint?, Int) {
    let store = try WindowStore.open(directory: directory, window: minute, retention: Retention(window: minute))
    defer { try? store.close() }
    return (try store.load(), store.damagedRows)
  }

  @Test(arguments: [FaultyDisk.Fault.error, .full])
  func `that was removed is written again whole, though the disk fails once`(_ fault: FaultyDisk.Fault) throws {
    let template = try Template(.saving)
    var number = 1
    while true {
      let directory = try template.copy()
      defer { try? FileManager.default.removeItem(atPath: directory) }
      let store = try WindowStore.open(directory: directory, window: minute, retention: Retention(window: minute))
      try FileManager.default.removeItem(atPath: directory)
      let (outcomes, operations) = try FaultyDisk.during(fault, at: number, in: directory) {
        // A second time if the first fails, as the pipeline does.
        var outcomes: [Restoration] = []
        for _ in 0..<3 where outcomes.isEmpty {
          do { outcomes = [try store.restore(after: "removed")] } catch { #expect(error is StoreError) }
        }
        try store.close()
        return outcomes
      }
      #expect(outcomes == [.whole], "\(fault) at operation \(number)")
      #expect(try Content(directory) == template.contents[0], "\(fault) at operation \(number)")
      guard operations >= number else { break }
      number += Self.isLong ? 1 : 1 + number / 2
    }
    #expect(number > 16)
  }
}

/// What became of a story.
private struct Attempt {
  /// How many steps of the story are known to be saved.
  private(set) var saved: Int
  private(set) var errors: [StoreError] = []
  private(set) var isDone = false

  /// - Parameters:
  ///   - saved: How many steps of the story are there already.
  ///   - goesOn: Whether a step that fails is taken again.
  init(_ story: `A store on a faulty disk`.Story, in directory: String, from saved: Int = 0, goesOn: Bool) {
    self.saved = saved
    let attempts = goesOn ? 3 : 1
    guard let store = opened(directory, attempts) else { return }
    var skipped = saved
    for step in story.steps {
      if step.changes, skipped > 0 {
        skipped -= 1
        continue
      }
      guard take(step, store, attempts) else { return }
    }
    isDone = true
  }

  private mutating func opened(_ directory: String, _ attempts: Int) -> WindowStore? {
    for _ in 0..<attempts {
      do throws(StoreError) {
        return try WindowStore.open(directory: directory, window: minute, retention: Retention(window: minute))
      } catch {
        errors.append(error)
      }
    }
    return nil
  }

  private mutating func take(_ step: `A store on a faulty disk`.Step, _ store: WindowStore, _ attempts: Int) -> Bool {
    for _ in 0..<attempts {
      do throws(StoreError) {
        try step.run(store)
        if step.changes { saved += 1 }
        return true
      } catch {
        errors.append(error)
      }
    }
    return false
  }
}

/// The directory that a story begins with, and all that it leads through.
private struct Template {
  let story: `A store on a faulty disk`.Story
  /// Before, after the first step of the story that changes rows, and so on.
  let contents: [Content]
  private let directory: TemporaryDirectory

  init(_ story: `A store on a faulty disk`.Story) throws {
    let directory = TemporaryDirectory()
    if story.saved > 0 {
      let living = TemporaryDirectory()
      let store = try Self.open(living)
      for number in 0..<story.saved { try store.save(Checkpoint.story[number]) }
      // As after a kill: the newest checkpoint is in the log alone.
      try Self.copy(living.path, to: directory.path)
      if story == .completing { try Self.dropAdditions(directory) }
    }
    let trial = TemporaryDirectory()
    try Self.copy(directory.path, to: trial.path)
    try Self.open(trial).close()
    var contents = [try Content(trial.path)]
    for step in story.steps where step.changes {
      let store = try Self.open(trial)
      try step.run(store)
      try store.close()
      contents.append(try Content(trial.path))
    }
    (self.story, self.contents, self.directory) = (story, contents, directory)
  }

  private static func dropAdditions(_ directory: TemporaryDirectory) throws {
    let queue = try DatabaseQueue(path: directory.database)
    try queue.write { database in
      let tables = try String.fetchAll(
        database, sql: "SELECT name FROM sqlite_master WHERE type = 'table' AND (name = 'told' OR name LIKE 'import%')")
      #expect(tables.count > 3)
      for table in tables { try database.execute(sql: "DROP TABLE \(table)") }
    }
    try queue.close()
  }

  func copy() throws -> String {
    let path = NSTemporaryDirectory() + "kelvin-faulty-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    try Self.copy(directory.path, to: path)
    return path
  }

  func loaded() throws -> Checkpoint? {
    let copy = TemporaryDirectory()
    try Self.copy(directory.path, to: copy.path)
    return try Self.open(copy).load()
  }

  private static func open(_ directory: TemporaryDirectory) throws(StoreError) -> WindowStore {
    try WindowStore.open(directory: directory.path, window: minute, retention: Retention(window: minute))
  }

  private static func copy(_ from: String, to: String) throws {
    for name in ["kelvin.db", "kelvin.db-wal", "kelvin.last"]
    where FileManager.default.fileExists(atPath: from + "/" + name) {
      try FileManager.default.copyItem(atPath: from + "/" + name, toPath: to + "/" + name)
    }
  }
}

/// All rows of a store but its random number.
private struct Content: Equatable {
  private var rows: [String: [String]] = [:]

  /// Whether there is a store at all.
  var isStore: Bool { !rows.isEmpty }

  init(_ directory: String) throws {
    guard FileManager.default.fileExists(atPath: directory + "/kelvin.db") else { return }
    let queue = try DatabaseQueue(path: directory + "/kelvin.db")
    defer { try? queue.close() }
    rows = try queue.read { database in
      var rows: [String: [String]] = [:]
      for table in try String.fetchAll(database, sql: "SELECT name FROM sqlite_master WHERE type = 'table'") {
        let values = try database.columns(in: table).map { "quote(\"\($0.name)\")" }.joined(separator: " || ',' || ")
        let condition = table == "meta" ? "WHERE key <> 'identity'" : ""
        let found = try String.fetchAll(database, sql: "SELECT \(values) FROM \(table) \(condition) ORDER BY 1")
        // A store of an older version lacks tables, which is the same as having them empty.
        if !found.isEmpty { rows[table] = found }
      }
      return rows
    }
  }
}

extension Checkpoint {
  /// Checkpoints that follow each other: windows change, become final and are merged into coarser tiers, and late counts are added to those.
  fileprivate static let story: [Checkpoint] = {
    var generator = SeededGenerator(41)
    let functions = (0..<5).map { FunctionID("f\($0)") }
    return (0..<4).map { number in
      let time = ten + .seconds(Int64(number) * 60 + 59)
      var checkpoint = Checkpoint(time: time)
      checkpoint.functions = functions.prefix(2 + number).map {
        FunctionCheckpoint(
          function: $0, firstSeen: ten, totals: .random(&generator), concurrencyNanoseconds: 5,
          endedConcurrencyNanoseconds: 4, limits: [])
      }
      for scope in [Scope.account] + functions.prefix(2 + number).map(Scope.function) {
        for minutes in max(0, Int64(number) - 1)...Int64(number) {
          checkpoint.windows.append(
            WindowCheckpoint(
              scope: scope, start: ten + .seconds(60 * minutes), rollup: .random(&generator),
              isFinal: minutes < Int64(number)))
        }
      }
      checkpoint.timelines = functions.prefix(2).map {
        TimelineCheckpoint(function: $0, kind: .executions, start: ten + .seconds(60 * Int64(number)), edges: [1, 9])
      }
      if number > 1 {
        var tally = Tally()
        tally.errors = 3
        checkpoint.lateTallies = [LateTally(function: functions[0], start: ten, tally: tally)]
      }
      checkpoint.live = .example
      return checkpoint
    }
  }()
}
