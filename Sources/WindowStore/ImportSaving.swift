internal import Foundation
internal import GRDB
internal import Lifecycle
internal import Windows

/// Writes the windows of a span, inside a transaction of its caller's: in place of those that were there, and only where there are none
/// of live events.
struct ImportSaving {
  private let span: ImportSpan
  /// Those of which windows of that age are still kept, from the finest on.
  private let tiers: [RetentionTier]
  private let window: Nanoseconds
  private let lengths: [Nanoseconds]
  private let live: Set<WindowKey>
  private var rollups: [Key: Rollup] = [:]

  private struct Key: Hashable {
    var length: Int64
    var start: Int64
    var scope: Int64
  }

  /// - Parameter live: Windows that live events reached and that may not be in the database yet.
  init(_ span: ImportSpan, live: Set<WindowKey>, retention: Retention, now: Timestamp) {
    self.span = span
    self.live = live
    window = retention.tiers[0].length
    lengths = retention.tiers.map(\.length)
    tiers = retention.tiers.filter { span.end > retention.horizon(of: $0, now: now) }
  }

  /// - Parameter windows: Those of the first tier that begin in the span.
  mutating func run(_ windows: [WindowRollup], in database: Database) throws {
    for window in windows where !window.rollup.isEmpty {
      let number: Int64
      switch window.scope {
      case .account: number = Schema.account
      case .function(let function): number = try ImportSaving.number(of: function, in: database)
      }
      let start = window.start.nanoseconds
      let key = WindowKey(scope: window.scope, start: window.start)
      if try live.contains(key) || isHeld(start, number, in: database) {
        try database.cachedStatement(sql: "INSERT OR IGNORE INTO import_held (start, scope) VALUES (?, ?)")
          .execute(arguments: [start, number])
        continue
      }
      for tier in tiers {
        let grid = WindowGrid(length: tier.length)
        let begin = grid.start(grid.index(of: window.start)).nanoseconds
        rollups[Key(length: tier.length.count, start: begin, scope: number), default: Rollup()].merge(window.rollup)
      }
    }
    for length in lengths {
      try database.cachedStatement(sql: "DELETE FROM import_windows WHERE length = ? AND start >= ? AND start < ?")
        .execute(arguments: [length.count, span.start.nanoseconds, span.end.nanoseconds])
    }
    let insert = try database.cachedStatement(
      sql: "INSERT INTO import_windows (length, start, scope, data) VALUES (?, ?, ?, ?)")
    for (key, rollup) in rollups {
      try insert.execute(arguments: [key.length, key.start, key.scope, Data(RollupCodec.encode(rollup))])
    }
    try database.execute(
      sql: "DELETE FROM import_spans WHERE start = ? AND generation = ?",
      arguments: [span.start.nanoseconds, span.generation])
  }

  /// Whether live events reached a window, as far as that is still known: where windows of its length are not kept any more, those of
  /// the finest tier that are decide, unless an import had found otherwise while they were.
  private func isHeld(_ start: Int64, _ scope: Int64, in database: Database) throws -> Bool {
    let held = try database.cachedStatement(sql: "SELECT 1 FROM import_held WHERE start = ? AND scope = ?")
    if try Row.fetchOne(held, arguments: [start, scope]) != nil { return true }
    guard let tier = tiers.first else { return false }
    let grid = WindowGrid(length: tier.length)
    let begin = grid.start(grid.index(of: Timestamp(nanoseconds: start))).nanoseconds
    func exists(_ table: String) throws -> Bool {
      let statement = try database.cachedStatement(
        sql: "SELECT 1 FROM \(table) WHERE length = ? AND start = ? AND scope = ?")
      return try Row.fetchOne(statement, arguments: [tier.length.count, begin, scope]) != nil
    }
    guard try exists("rollups") else { return false }
    return try tier.length == window || !exists("import_windows")
  }

  private static func number(of function: FunctionID, in database: Database) throws -> Int64 {
    if let number = try FunctionNumbers.find(function, in: database) { return number }
    try database.execute(
      sql: "INSERT INTO functions (name, version) VALUES (?, ?)", arguments: [function.name, function.version])
    return database.lastInsertedRowID
  }
}

extension ImportSaving {
  /// Gives up an imported window that live events reach, and has the coarser ones that contain it computed again.
  ///
  /// - Returns: Whether there was one.
  static func yield(_ start: Timestamp, _ scope: Int64, window: Nanoseconds, in database: Database) throws -> Bool {
    try database.cachedStatement(sql: "DELETE FROM import_windows WHERE length = ? AND start = ? AND scope = ?")
      .execute(arguments: [window.count, start.nanoseconds, scope])
    guard database.changesCount > 0 else { return false }
    let grid = WindowGrid(length: ImportSpan.length(window: window))
    let span = grid.start(grid.index(of: start))
    try database.cachedStatement(
      sql: "DELETE FROM import_windows WHERE scope = ? AND start >= ? AND start <= ? AND length > ?"
    ).execute(arguments: [scope, span.nanoseconds, start.nanoseconds, window.count])
    try database.cachedStatement(sql: "INSERT OR IGNORE INTO import_held (start, scope) VALUES (?, ?)")
      .execute(arguments: [start.nanoseconds, scope])
    try ImportSchema.markSpan(span.nanoseconds, in: database)
    return true
  }

  /// Deletes what is older than what is kept, of facts and streams some thousands at most each time.
  static func expire(_ retention: Retention, now: Timestamp, limit: Int, in database: Database) throws {
    for tier in retention.tiers {
      let last = (retention.horizon(of: tier, now: now) - tier.length).nanoseconds
      try database.cachedStatement(sql: "DELETE FROM import_windows WHERE length = ? AND start <= ?")
        .execute(arguments: [tier.length.count, last])
    }
    guard let coarsest = retention.tiers.last else { return }
    let last = (retention.horizon(of: coarsest, now: now) - coarsest.length - ImportSpan.margin).nanoseconds
    let middle = try Int64.fetchOne(
      try database.cachedStatement(
        sql: "SELECT time FROM import_facts WHERE time <= ? ORDER BY time LIMIT 1 OFFSET ?"),
      arguments: [last, limit - 1])
    try database.cachedStatement(sql: "DELETE FROM import_held WHERE start <= ?").execute(arguments: [last])
    try database.cachedStatement(sql: "DELETE FROM import_facts WHERE time <= ?").execute(arguments: [middle ?? last])
    guard database.changesCount > 0, middle == nil else { return }
    try database.cachedStatement(sql: "DELETE FROM import_streams WHERE last <= ?").execute(arguments: [last])
  }
}
