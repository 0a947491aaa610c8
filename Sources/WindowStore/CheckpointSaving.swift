internal import Foundation
internal import GRDB
internal import Lifecycle
internal import Windows

/// Writes one checkpoint, inside a transaction of its caller's.
struct CheckpointSaving {
  /// The most rows that retention deletes from one tier at a time (and the rest of the last instant).
  private static let deletionsLimit = 5_000

  private let retention: Retention
  private let sequence: UInt64
  private(set) var numbers: [FunctionID: Int64]
  private(set) var sourceNumbers: [EventSourceID: Int64]
  private(set) var damagedRows = 0
  /// Whether live events reached windows that had been imported, or gave some up, so that spans of imports have to be computed again.
  private(set) var hasYielded = false
  /// The start of the latest window that was imported.
  private var latestImported: Timestamp?

  /// - Parameters:
  ///   - sequence: The number of this checkpoint.
  ///   - numbers: Of functions, as far as they are known.
  ///   - sourceNumbers: The same of event sources.
  init(
    retention: Retention, sequence: UInt64, numbers: [FunctionID: Int64], sourceNumbers: [EventSourceID: Int64]
  ) {
    self.retention = retention
    self.sequence = sequence
    self.numbers = numbers
    self.sourceNumbers = sourceNumbers
  }

  private var window: Nanoseconds { retention.tiers[0].length }

  mutating func run(_ checkpoint: Checkpoint, in database: Database) throws {
    latestImported = try Int64.fetchOne(
      try database.cachedStatement(sql: "SELECT max(start) FROM import_windows WHERE length = ?"),
      arguments: [window.count]
    ).map(Timestamp.init(nanoseconds:))
    try saveTotals(checkpoint.functions, in: database)
    try save(checkpoint.eventSources, in: database)
    try saveTimelines(checkpoint.timelines, in: database)
    var additions = Additions()
    for window in checkpoint.windows where try save(window, in: database) && window.isFinal {
      try deleteTimelines(of: window, in: database)
      guard !window.rollup.isEmpty else { continue }
      try add(
        window.rollup, of: window.scope, at: window.start, tiers: retention.tiers.dropFirst(), to: &additions, database)
    }
    for late in checkpoint.lateTallies {
      let scope = Scope.function(late.function)
      try yield(late.start, scope, in: database)
      // Where only coarser windows are kept, nothing says whether what was imported contains it.
      if try ImportSaving.isDecided(
        late.start, try number(of: scope, in: database), retention, now: checkpoint.time, in: database)
      {
        continue
      }
      var rollup = Rollup()
      rollup.tally = late.tally
      try add(rollup, of: scope, at: late.start, tiers: retention.tiers[...], to: &additions, database)
    }
    for late in checkpoint.lateSourceTallies {
      var rollup = EventSourceRollup()
      rollup.tally = late.tally
      try add(
        Rollup(rollup), of: .source(late.source), at: late.start, tiers: retention.tiers[...], to: &additions, database)
    }
    try merge(additions, in: database)
    try save(told: checkpoint.told, in: database)
    try database.execute(
      sql: "INSERT INTO live (id, data) VALUES (0, ?) ON CONFLICT (id) DO UPDATE SET data = excluded.data",
      arguments: [Data(LiveStateCodec.encode(checkpoint.live))])
    try Schema.write(.checkpointTime, checkpoint.time.nanoseconds, to: database)
    try Schema.write(.checkpointSequence, Int64(clamping: sequence), to: database)
    if checkpoint.journal > .start {
      try Schema.write(.journalPosition, Int64(clamping: checkpoint.journal.number), to: database)
    }
    if checkpoint.entries > .start {
      try Schema.write(.entriesPosition, Int64(clamping: checkpoint.entries.number), to: database)
    }
    try Schema.write(checkpoint.statistics, to: database)
    for tier in retention.tiers { try expire(tier, now: checkpoint.time, in: database) }
    try ImportSaving.expire(retention, now: checkpoint.time, limit: Self.deletionsLimit, in: database)
  }

  /// Adds a row, and deletes those that the limit does not need any more. A row has the running number of its last end.
  private func save(told: [ToldLife], in database: Database) throws {
    guard !told.isEmpty else { return }
    let last = try Int64.fetchOne(database, sql: "SELECT max(id) FROM told") ?? 0
    let number = last + Int64(told.count)
    try database.execute(
      sql: "INSERT INTO told (id, data) VALUES (?, ?)", arguments: [number, Data(ToldCodec.encode(told))])
    try database.execute(sql: "DELETE FROM told WHERE id <= ?", arguments: [number - Int64(ToldLife.limit)])
  }

  // MARK: Functions

  private mutating func saveTotals(_ functions: [FunctionCheckpoint], in database: Database) throws {
    let statement = try database.cachedStatement(
      sql: "INSERT INTO totals (function, data) VALUES (?, ?) ON CONFLICT (function) DO UPDATE SET data = excluded.data"
    )
    for function in functions {
      let number = try number(of: function.function, in: database)
      try statement.execute(arguments: [number, Data(FunctionCodec.encode(function))])
    }
  }

  private mutating func number(of function: FunctionID, in database: Database) throws -> Int64 {
    if let number = numbers[function] { return number }
    if let number = try FunctionNumbers.find(function, in: database) {
      numbers[function] = number
      return number
    }
    try database.execute(
      sql: "INSERT INTO functions (name, version) VALUES (?, ?)", arguments: [function.name, function.version])
    numbers[function] = database.lastInsertedRowID
    return database.lastInsertedRowID
  }

  private mutating func number(of scope: Scope, in database: Database) throws -> Int64 {
    switch scope {
    case .account: Schema.account
    case .function(let function): try number(of: function, in: database)
    case .source(let source): try number(of: source, in: database)
    }
  }

  // MARK: Event sources

  private mutating func save(_ sources: [EventSourceCheckpoint], in database: Database) throws {
    let statement = try database.cachedStatement(sql: "UPDATE event_sources SET data = ? WHERE id = ?")
    for source in sources {
      let number = try number(of: source.source, in: database)
      try statement.execute(arguments: [Data(EventSourceCodec.encode(source)), -number])
    }
  }

  /// The number among scopes, which is below 0.
  private mutating func number(of source: EventSourceID, in database: Database) throws -> Int64 {
    if let number = sourceNumbers[source] { return number }
    if let number = try EventSourceNumbers.find(source, in: database) {
      sourceNumbers[source] = number
      return number
    }
    try database.execute(
      sql: "INSERT INTO event_sources (kind, name, data) VALUES (?, ?, ?)",
      arguments: [Int64(source.trigger.rawValue), source.name, Data()])
    sourceNumbers[source] = -database.lastInsertedRowID
    return -database.lastInsertedRowID
  }

  // MARK: Timelines

  private mutating func saveTimelines(_ timelines: [TimelineCheckpoint], in database: Database) throws {
    let insert = try database.cachedStatement(
      sql: """
        INSERT INTO timelines (start, function, kind, data) VALUES (?, ?, ?, ?)
        ON CONFLICT (start, function, kind) DO UPDATE SET data = excluded.data
        """)
    let delete = try database.cachedStatement(
      sql: "DELETE FROM timelines WHERE start = ? AND function = ? AND kind = ?")
    for timeline in timelines {
      let number = try number(of: timeline.function, in: database)
      let start = timeline.start.nanoseconds
      let kind = Int64(timeline.kind.rawValue)
      if timeline.edges.isEmpty {
        try delete.execute(arguments: [start, number, kind])
      } else {
        try insert.execute(arguments: [start, number, kind, Data(EdgesCodec.encode(timeline.edges))])
      }
    }
  }

  private mutating func deleteTimelines(of window: WindowCheckpoint, in database: Database) throws {
    guard case .function(let function) = window.scope else { return }
    try database.cachedStatement(sql: "DELETE FROM timelines WHERE start = ? AND function = ?")
      .execute(arguments: [window.start.nanoseconds, try number(of: function, in: database)])
  }

  // MARK: Windows

  /// - Returns: Whether the window was taken; false if it was final already, so that it is not merged a second time.
  private mutating func save(_ checkpoint: WindowCheckpoint, in database: Database) throws -> Bool {
    if checkpoint.rollup.isEmpty {
      // What was thought to have lasted into it turned out to have ended before.
      let number = try number(of: checkpoint.scope, in: database)
      try database.cachedStatement(
        sql: "DELETE FROM rollups WHERE length = ? AND start = ? AND scope = ? AND final = 0"
      ).execute(arguments: [window.count, checkpoint.start.nanoseconds, number])
      if try ImportSaving.release(checkpoint.start, number, window: window, in: database) { hasYielded = true }
      return true
    }
    try yield(checkpoint.start, checkpoint.scope, in: database)
    try database.cachedStatement(
      sql: """
        INSERT INTO rollups (length, start, scope, final, data) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (length, start, scope) DO UPDATE SET final = excluded.final, data = excluded.data WHERE final = 0
        """
    ).execute(arguments: [
      window.count, checkpoint.start.nanoseconds, try number(of: checkpoint.scope, in: database),
      checkpoint.isFinal ? 1 : 0, Data(RollupCodec.encode(checkpoint.rollup)),
    ])
    return database.changesCount > 0
  }

  /// What was imported for a window does not count where live events reach it.
  private mutating func yield(_ start: Timestamp, _ scope: Scope, in database: Database) throws {
    // Logs tell nothing of event sources.
    if case .source = scope { return }
    guard let latestImported, start <= latestImported else { return }
    let number = try number(of: scope, in: database)
    if try ImportSaving.yield(start, number, retention, in: database) { hasYielded = true }
  }

  private struct RowKey: Hashable {
    var length: Int64
    var start: Int64
    var scope: Int64
  }

  private typealias Additions = [RowKey: Rollup]

  private mutating func add(
    _ rollup: Rollup, of scope: Scope, at start: Timestamp, tiers: ArraySlice<RetentionTier>,
    to additions: inout Additions, _ database: Database
  ) throws {
    let number = try number(of: scope, in: database)
    for tier in tiers {
      let grid = WindowGrid(length: tier.length)
      let key = RowKey(
        length: tier.length.count, start: grid.start(grid.index(of: start)).nanoseconds, scope: number)
      additions[key, default: Rollup()].merge(rollup)
    }
  }

  private mutating func merge(_ additions: Additions, in database: Database) throws {
    let select = try database.cachedStatement(
      sql: "SELECT data FROM rollups WHERE length = ? AND start = ? AND scope = ?")
    let upsert = try database.cachedStatement(
      sql: """
        INSERT INTO rollups (length, start, scope, final, data) VALUES (?, ?, ?, 1, ?)
        ON CONFLICT (length, start, scope) DO UPDATE SET data = excluded.data
        """)
    for (key, addition) in additions {
      var rollup = addition
      if let row = try Row.fetchOne(select, arguments: [key.length, key.start, key.scope]) {
        // A damaged row is replaced: what it held is lost, what comes now need not be.
        do { rollup.merge(try RollupCodec.decode(row.bytes(0))) } catch { damagedRows += 1 }
      }
      try upsert.execute(arguments: [key.length, key.start, key.scope, Data(RollupCodec.encode(rollup))])
    }
  }

  // MARK: Retention

  private func expire(_ tier: RetentionTier, now: Timestamp, in database: Database) throws {
    let last = (retention.horizon(of: tier, now: now) - tier.length).nanoseconds
    let statement = try database.cachedStatement(
      sql: """
        SELECT start FROM rollups WHERE length = ? AND start <= ? AND final = 1 ORDER BY start LIMIT 1 OFFSET ?
        """)
    let middle = try Int64.fetchOne(statement, arguments: [tier.length.count, last, Self.deletionsLimit - 1])
    try database.cachedStatement(sql: "DELETE FROM rollups WHERE length = ? AND start <= ? AND final = 1")
      .execute(arguments: [tier.length.count, middle ?? last])
  }
}
