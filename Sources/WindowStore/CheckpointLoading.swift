internal import Foundation
internal import GRDB
internal import Lifecycle
internal import Windows

/// Reads what an aggregator needs to continue after a restart.
struct CheckpointLoading {
  private(set) var damagedRows = 0
  private var functions: [Int64: FunctionID] = [:]
  private var sources: [Int64: EventSourceID] = [:]

  init() {}

  mutating func run(_ database: Database, window: Nanoseconds) throws -> Checkpoint? {
    guard let time = try Schema.read(.checkpointTime, from: database) else { return nil }
    var checkpoint = Checkpoint(time: Timestamp(nanoseconds: time))
    functions = try FunctionNumbers.all(in: database)
    checkpoint.functions = try totals(database)
    checkpoint.eventSources = try eventSources(database)
    checkpoint.windows = try openWindows(database, window: window)
    checkpoint.timelines = try timelines(database)
    checkpoint.live = try live(database)
    checkpoint.told = try told(database)
    checkpoint.journal = JournalPosition(UInt64(clamping: try Schema.read(.journalPosition, from: database) ?? 0))
    checkpoint.entries = JournalPosition(UInt64(clamping: try Schema.read(.entriesPosition, from: database) ?? 0))
    checkpoint.statistics = try Schema.statistics(in: database)
    damagedRows += checkpoint.removeContradictions(AggregatorConfiguration(window: window))
    return checkpoint
  }

  private mutating func totals(_ database: Database) throws -> [FunctionCheckpoint] {
    let rows = try Row.fetchCursor(database, sql: "SELECT function, data FROM totals ORDER BY function")
    var totals: [FunctionCheckpoint] = []
    while let row = try rows.next() {
      guard let function = row.integer(0).flatMap({ functions[$0] }) else {
        damagedRows += 1
        continue
      }
      if let total = decode({ () throws(StoreError) in try FunctionCodec.decode(row.bytes(1), function: function) }) {
        totals.append(total)
      }
    }
    return totals
  }

  private mutating func eventSources(_ database: Database) throws -> [EventSourceCheckpoint] {
    sources = try EventSourceNumbers.all(in: database)
    guard !sources.isEmpty else { return [] }
    let rows = try Row.fetchCursor(database, sql: "SELECT id, data FROM event_sources ORDER BY id")
    var found: [EventSourceCheckpoint] = []
    while let row = try rows.next() {
      guard let source = row.integer(0).flatMap({ sources[-$0] }) else {
        damagedRows += 1
        continue
      }
      if let total = decode({ () throws(StoreError) in try EventSourceCodec.decode(row.bytes(1), source: source) }) {
        found.append(total)
      }
    }
    return found
  }

  private mutating func openWindows(_ database: Database, window: Nanoseconds) throws -> [WindowCheckpoint] {
    let rows = try Row.fetchCursor(
      database, sql: "SELECT start, scope, data FROM rollups WHERE length = ? AND final = 0 ORDER BY start, scope",
      arguments: [window.count])
    var windows: [WindowCheckpoint] = []
    while let row = try rows.next() {
      guard let start = row.integer(0), let scope = FunctionNumbers.scope(row.integer(1), among: functions, sources)
      else {
        damagedRows += 1
        continue
      }
      guard let rollup = decode({ () throws(StoreError) in try RollupCodec.decode(row.bytes(2)) }) else { continue }
      windows.append(
        WindowCheckpoint(scope: scope, start: Timestamp(nanoseconds: start), rollup: rollup, isFinal: false))
    }
    return windows
  }

  private mutating func timelines(_ database: Database) throws -> [TimelineCheckpoint] {
    let rows = try Row.fetchCursor(
      database, sql: "SELECT start, function, kind, data FROM timelines ORDER BY start, function, kind")
    var timelines: [TimelineCheckpoint] = []
    while let row = try rows.next() {
      guard let start = row.integer(0), let function = row.integer(1).flatMap({ functions[$0] }),
        let kind = row.integer(2).flatMap(UInt8.init(exactly:)).flatMap(TimelineKind.init(rawValue:))
      else {
        damagedRows += 1
        continue
      }
      guard let edges = decode({ () throws(StoreError) in try EdgesCodec.decode(row.bytes(3)) }) else { continue }
      timelines.append(
        TimelineCheckpoint(function: function, kind: kind, start: Timestamp(nanoseconds: start), edges: edges))
    }
    return timelines
  }

  private mutating func live(_ database: Database) throws -> LiveState {
    guard let row = try Row.fetchOne(database, sql: "SELECT data FROM live") else { return LiveState() }
    return decode { () throws(StoreError) in try LiveStateCodec.decode(row.bytes(0)) } ?? LiveState()
  }

  private mutating func told(_ database: Database) throws -> [ToldLife] {
    // A store that only older versions wrote has none.
    guard try database.tableExists("told") else { return [] }
    let rows = try Row.fetchCursor(database, sql: "SELECT data FROM told ORDER BY id")
    var told: [ToldLife] = []
    while let row = try rows.next() {
      if let some = decode({ () throws(StoreError) in try ToldCodec.decode(row.bytes(0)) }) { told += some }
    }
    return told
  }

  private mutating func decode<Value>(_ read: () throws(StoreError) -> Value) -> Value? {
    do {
      return try read()
    } catch {
      damagedRows += 1
      return nil
    }
  }
}

extension Row {
  /// The bytes of a blob; none where there is another type of value.
  func bytes(_ index: Int) -> [UInt8] { Data.fromDatabaseValue(self[index]).map(Array.init) ?? [] }

  /// An integer; `nil` where there is another type of value, which GRDB's own subscript would trap on.
  func integer(_ index: Int) -> Int64? { Int64.fromDatabaseValue(self[index]) }

  /// A text; `nil` where there is another type of value.
  func text(_ index: Int) -> String? { String.fromDatabaseValue(self[index]) }
}

/// Event sources are stored once, and elsewhere by number: the negative of their id.
enum EventSourceNumbers {
  static func all(in database: Database) throws -> [Int64: EventSourceID] {
    // A store that only older versions wrote, and that is open for reading, has no such table.
    guard try database.tableExists("event_sources") else { return [:] }
    let rows = try Row.fetchCursor(database, sql: "SELECT id, kind, name FROM event_sources")
    var sources: [Int64: EventSourceID] = [:]
    while let row = try rows.next() {
      guard let id = row.integer(0), let name = row.text(2),
        let trigger = row.integer(1).flatMap(UInt8.init(exactly:)).flatMap(Trigger.init(rawValue:))
      else { continue }
      sources[-id] = EventSourceID(trigger, name)
    }
    return sources
  }

  static func find(_ source: EventSourceID, in database: Database) throws -> Int64? {
    guard try database.tableExists("event_sources") else { return nil }
    return try Int64.fetchOne(
      database, sql: "SELECT -id FROM event_sources WHERE kind = ? AND name = ?",
      arguments: [Int64(source.trigger.rawValue), source.name])
  }
}

/// Functions are stored once, and elsewhere by number.
enum FunctionNumbers {
  static func all(in database: Database) throws -> [Int64: FunctionID] {
    let rows = try Row.fetchCursor(database, sql: "SELECT id, name, version FROM functions")
    var functions: [Int64: FunctionID] = [:]
    while let row = try rows.next() {
      guard let number = row.integer(0), let name = row.text(1), let version = row.text(2) else { continue }
      functions[number] = FunctionID(name, version: version)
    }
    return functions
  }

  /// What a stored number is about; `nil` if there is no such function.
  static func scope(
    _ number: Int64?, among functions: [Int64: FunctionID], _ sources: [Int64: EventSourceID] = [:]
  ) -> Scope? {
    guard let number else { return nil }
    if number < Schema.account { return sources[number].map(Scope.source) }
    return number == Schema.account ? .account : functions[number].map(Scope.function)
  }

  static func find(_ function: FunctionID, in database: Database) throws -> Int64? {
    try Int64.fetchOne(
      database, sql: "SELECT id FROM functions WHERE name = ? AND version = ?",
      arguments: [function.name, function.version])
  }
}
