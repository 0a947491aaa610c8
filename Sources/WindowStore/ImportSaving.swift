internal import Foundation
internal import GRDB
internal import Lifecycle
internal import Windows

/// Writes the windows of a span, inside a transaction of its caller's: in place of those that were there, and only where there are none
/// of live events.
struct ImportSaving {
  private let span: ImportSpan
  private let live: Set<WindowKey>
  private let retention: Retention
  private let now: Timestamp
  /// The position of the finest tier that keeps all of the span: its windows say which ones live events reached.
  private let decisive: Int
  private var rollups: [Key: Rollup] = [:]

  private struct Key: Hashable {
    var length: Int64
    var start: Int64
    var scope: Int64
  }

  /// - Parameters:
  ///   - live: Windows that live events reached and that may not be in the database yet.
  ///   - now: The clock, or the time of the last checkpoint if that is later.
  init(_ span: ImportSpan, live: Set<WindowKey>, retention: Retention, now: Timestamp) {
    self.span = span
    self.live = live
    self.retention = retention
    self.now = now
    decisive = retention.finestTier(at: span.start, now: now) ?? retention.tiers.count - 1
  }

  /// - Parameter windows: Those of the first tier that begin in the span.
  mutating func run(_ windows: [WindowRollup], in database: Database) throws {
    try keepDecided(in: database)
    for window in windows where !window.rollup.isEmpty {
      let number: Int64
      switch window.scope {
      case .account: number = Schema.account
      case .function(let function): number = try ImportSaving.number(of: function, in: database)
      // Logs tell nothing of event sources.
      case .source: continue
      }
      let key = WindowKey(scope: window.scope, start: window.start)
      if try live.contains(key) || isHeld(window.start, number, in: database) {
        try database.cachedStatement(sql: "INSERT OR IGNORE INTO import_held (start, scope) VALUES (?, ?)")
          .execute(arguments: [window.start.nanoseconds, number])
      } else {
        add(window.rollup, at: window.start, of: number, to: retention.tiers[...])
      }
    }
    let delete = try database.cachedStatement(
      sql: "DELETE FROM import_windows WHERE length = ? AND start >= ? AND start < ?")
    for tier in retention.tiers {
      try delete.execute(arguments: [tier.length.count, span.start.nanoseconds, span.end.nanoseconds])
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

  /// Adds to the windows of tiers, as far as these still keep windows of that age.
  private mutating func add(
    _ rollup: Rollup, at start: Timestamp, of scope: Int64, to tiers: ArraySlice<RetentionTier>
  ) {
    for tier in tiers where retention.keeps(tier, at: start, now: now) {
      let key = Key(length: tier.length.count, start: tier.begin(of: start).nanoseconds, scope: scope)
      rollups[key, default: Rollup()].merge(rollup)
    }
  }

  /// Keeps what was imported beside live events in windows of which only coarser ones are kept: nothing says any more which parts of
  /// these are whose.
  private mutating func keepDecided(in database: Database) throws {
    guard decisive > 0 else { return }
    let tier = retention.tiers[decisive]
    try read(
      """
      SELECT i.start, i.scope, i.data FROM import_windows i
      CROSS JOIN rollups r ON r.length = i.length AND r.start = i.start AND r.scope = i.scope
      WHERE i.length = ? AND i.start >= ? AND i.start < ?
      """, of: tier, in: database
    ) { saving, start, scope, rollup in
      saving.add(rollup, at: start, of: scope, to: saving.retention.tiers[saving.decisive...])
    }
    guard !rollups.isEmpty else { return }
    for position in 0..<decisive {
      try read(
        "SELECT start, scope, data FROM import_windows WHERE length = ? AND start >= ? AND start < ?",
        of: retention.tiers[position], in: database
      ) { saving, start, scope, rollup in
        let key = Key(length: tier.length.count, start: tier.begin(of: start).nanoseconds, scope: scope)
        guard saving.rollups[key] != nil else { return }
        saving.add(rollup, at: start, of: scope, to: saving.retention.tiers[position...position])
      }
    }
  }

  /// Reads windows of a tier in the span; those that cannot be read are lost.
  private mutating func read(
    _ sql: String, of tier: RetentionTier, in database: Database,
    _ take: (inout ImportSaving, Timestamp, Int64, Rollup) -> Void
  ) throws {
    let rows = try Row.fetchCursor(
      database, sql: sql, arguments: [tier.length.count, span.start.nanoseconds, span.end.nanoseconds])
    while let row = try rows.next() {
      guard let start = row.integer(0), let scope = row.integer(1), let rollup = try? RollupCodec.decode(row.bytes(2))
      else { continue }
      take(&self, Timestamp(nanoseconds: start), scope, rollup)
    }
  }

  /// Whether live events reached a window, as far as that is still known: where windows of its length are not kept any more, they may
  /// have where they reached the one of the decisive tier.
  private func isHeld(_ start: Timestamp, _ scope: Int64, in database: Database) throws -> Bool {
    let held = try database.cachedStatement(sql: "SELECT 1 FROM import_held WHERE start = ? AND scope = ?")
    if try Row.fetchOne(held, arguments: [start.nanoseconds, scope]) != nil { return true }
    let tier = retention.tiers[decisive]
    let live = try database.cachedStatement(
      sql: "SELECT 1 FROM rollups WHERE length = ? AND start = ? AND scope = ?")
    return try Row.fetchOne(live, arguments: [tier.length.count, tier.begin(of: start).nanoseconds, scope]) != nil
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
  static func yield(
    _ start: Timestamp, _ scope: Int64, _ retention: Retention, in database: Database
  ) throws -> Bool {
    let window = retention.tiers[0].length
    let delete = try database.cachedStatement(
      sql: "DELETE FROM import_windows WHERE length = ? AND start = ? AND scope = ?")
    try delete.execute(arguments: [window.count, start.nanoseconds, scope])
    guard database.changesCount > 0 else { return false }
    for tier in retention.tiers.dropFirst() {
      try delete.execute(arguments: [tier.length.count, tier.begin(of: start).nanoseconds, scope])
    }
    try database.cachedStatement(sql: "INSERT OR IGNORE INTO import_held (start, scope) VALUES (?, ?)")
      .execute(arguments: [start.nanoseconds, scope])
    try ImportSchema.markSpan(containing: start, window: window, in: database)
    return true
  }

  /// Has a window be imported that live events turned out not to have reached.
  ///
  /// - Returns: Whether it was left to them.
  static func release(_ start: Timestamp, _ scope: Int64, window: Nanoseconds, in database: Database) throws -> Bool {
    try database.cachedStatement(
      sql: """
        DELETE FROM import_held WHERE start = ?1 AND scope = ?2
        AND NOT EXISTS (SELECT 1 FROM rollups WHERE length = ?3 AND start = ?1 AND scope = ?2)
        """
    ).execute(arguments: [start.nanoseconds, scope, window.count])
    guard database.changesCount > 0 else { return false }
    try ImportSchema.markSpan(containing: start, window: window, in: database)
    return true
  }

  /// Whether a window is not kept any more and one of the finest tier that keeps its time was imported: that may contain it already.
  static func isDecided(
    _ start: Timestamp, _ scope: Int64, _ retention: Retention, now: Timestamp, in database: Database
  ) throws -> Bool {
    guard let finest = retention.finestTier(at: start, now: now), finest > 0 else { return false }
    let tier = retention.tiers[finest]
    let statement = try database.cachedStatement(
      sql: "SELECT 1 FROM import_windows WHERE length = ? AND start = ? AND scope = ?")
    return try Row.fetchOne(
      statement, arguments: [tier.length.count, tier.begin(of: start).nanoseconds, scope]) != nil
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
    guard middle == nil else { return }
    try database.cachedStatement(sql: "DELETE FROM import_streams WHERE last <= ?").execute(arguments: [last])
  }
}

extension RetentionTier {
  /// The start of its window that contains an instant.
  fileprivate func begin(of time: Timestamp) -> Timestamp {
    let grid = WindowGrid(length: length)
    return grid.start(grid.index(of: time))
  }
}

extension Retention {
  /// Whether a tier's window that contains an instant is still kept.
  fileprivate func keeps(_ tier: RetentionTier, at time: Timestamp, now: Timestamp) -> Bool {
    tier.begin(of: time) + tier.length > horizon(of: tier, now: now)
  }

  /// The position of the finest tier whose window that contains an instant is still kept; `nil` if none is.
  fileprivate func finestTier(at time: Timestamp, now: Timestamp) -> Int? {
    tiers.firstIndex { keeps($0, at: time, now: now) }
  }
}
