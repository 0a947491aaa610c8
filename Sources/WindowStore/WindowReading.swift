internal import Foundation
internal import GRDB
internal import Lifecycle
internal import Windows

/// Reads the windows of one selection, inside a transaction of its caller's.
struct WindowReading {
  /// Up to so many functions a span is read whole and the rows of other functions passed over; beyond, each window is
  /// looked up.
  private static let scannedFunctionsLimit = 64

  private let selection: WindowSelection
  private let window: Nanoseconds
  private let grid: WindowGrid
  private(set) var found = FinalWindows()
  private(set) var damagedRows = 0
  /// The number of the scope whose rows are read; `nil` for the account with its functions, and for a function that is not stored.
  private var function: Int64?
  /// The functions whose rows are read.
  private var functions: [Int64: FunctionID] = [:]
  private var sources: [Int64: EventSourceID] = [:]

  init(selection: WindowSelection, window: Nanoseconds) {
    self.selection = selection
    self.window = window
    grid = WindowGrid(length: selection.resolution)
  }

  mutating func prepare(_ database: Database) throws {
    switch selection.scope {
    case .account where !selection.includesTallies:
      function = Schema.account
    case .account:
      functions = try FunctionNumbers.all(in: database)
    case .function(let id):
      function = try FunctionNumbers.find(id, in: database)
      if let function { functions = [function: id] }
    case .source(let id):
      function = try EventSourceNumbers.find(id, in: database)
      if let function { sources = [function: id] }
    }
  }

  mutating func readFinal(_ database: Database) throws {
    guard isAccount || function != nil else { return }
    if let function, try function < 0 || hasManyFunctions(database) {
      try lookUp(function, in: database)
    } else {
      try scan(length: selection.tier, final: 1, in: database)
    }
  }

  /// Adds the windows of the first tier that are not final.
  mutating func readOpen(_ database: Database) throws {
    guard isAccount || function != nil else { return }
    try scan(length: window, final: 0, in: database)
  }

  /// Adds what was imported.
  ///
  /// - Parameter since: From the span of imports on that contains it, windows of the first tier are read one by one, as more may be known
  ///   of them in memory; `nil` for none.
  mutating func readImported(_ database: Database, since: Timestamp?) throws {
    // A store that only older versions wrote, and that is open for reading, has no such table.
    guard isAccount || function != nil, try database.tableExists("import_windows") else { return }
    let spans = WindowGrid(length: ImportSpan.length(window: window))
    let recent = since.map { min(selection.to, max(selection.from, spans.start(spans.index(of: $0)))) } ?? selection.to
    try readImported(database, selection.tier, selection.from, recent) { reading, scope, start, rollup in
      let folded = reading.grid.start(reading.grid.index(of: start))
      var part = rollup
      if reading.isAccount && scope != .account { part = Rollup(tally: rollup.tally) }
      reading.found.imported[folded, default: Rollup()].merge(part)
    }
    try readImported(database, window, recent, selection.to) { reading, scope, start, rollup in
      reading.found.importedRecently[WindowKey(scope: scope, start: start)] = rollup
    }
  }

  private mutating func readImported(
    _ database: Database, _ length: Nanoseconds, _ from: Timestamp, _ to: Timestamp,
    _ take: (inout WindowReading, Scope, Timestamp, Rollup) -> Void
  ) throws {
    guard from < to else { return }
    var sql = "SELECT start, scope, data FROM import_windows WHERE length = ? AND start >= ? AND start < ?"
    var arguments: StatementArguments = [length.count, from.nanoseconds, to.nanoseconds]
    if let function {
      sql += " AND scope = ?"
      arguments += [function]
    }
    let rows = try Row.fetchCursor(database, sql: sql, arguments: arguments)
    while let row = try rows.next() {
      guard let start = row.integer(0), let scope = FunctionNumbers.scope(row.integer(1), among: functions) else {
        continue
      }
      do {
        take(&self, scope, Timestamp(nanoseconds: start), try RollupCodec.decode(row.bytes(2)))
      } catch {
        damagedRows += 1
      }
    }
  }

  mutating func readKeys(_ database: Database, since: Timestamp) throws {
    guard isAccount || function != nil else { return }
    var sql = "SELECT start, scope FROM rollups WHERE length = ? AND start >= ? AND start < ? AND final = 1"
    var arguments: StatementArguments = [
      window.count, max(since, selection.from).nanoseconds, selection.to.nanoseconds,
    ]
    if let function {
      sql += " AND scope = ?"
      arguments += [function]
    }
    let rows = try Row.fetchCursor(database, sql: sql, arguments: arguments)
    while let row = try rows.next() {
      guard let start = row.integer(0), let scope = FunctionNumbers.scope(row.integer(1), among: functions, sources)
      else {
        continue
      }
      found.keys.insert(WindowKey(scope: scope, start: Timestamp(nanoseconds: start)))
    }
  }

  private func hasManyFunctions(_ database: Database) throws -> Bool {
    try Int.fetchOne(
      database, sql: "SELECT 1 FROM functions LIMIT 1 OFFSET ?", arguments: [Self.scannedFunctionsLimit]) != nil
  }

  private var isAccount: Bool { selection.scope == .account }

  private mutating func scan(length: Nanoseconds, final: Int, in database: Database) throws {
    var sql = "SELECT start, scope, data FROM rollups WHERE length = ? AND start >= ? AND start < ? AND final = ?"
    var arguments: StatementArguments = [
      length.count, selection.from.nanoseconds, selection.to.nanoseconds, final,
    ]
    if let function {
      sql += " AND scope = ?"
      arguments += [function]
    } else {
      sql += " AND scope >= 0"
    }
    let rows = try Row.fetchCursor(database, sql: sql, arguments: arguments)
    while let row = try rows.next() {
      guard let start = row.integer(0), let scope = row.integer(1) else { continue }
      take(row.bytes(2), start: start, scope: scope)
    }
  }

  private mutating func lookUp(_ function: Int64, in database: Database) throws {
    let statement = try database.cachedStatement(
      sql: "SELECT data FROM rollups WHERE length = ? AND start = ? AND scope = ? AND final = 1")
    let tier = WindowGrid(length: selection.tier)
    var index = tier.index(of: selection.from)
    if tier.start(index) < selection.from { index += 1 }
    while tier.start(index) < selection.to {
      let start = tier.start(index).nanoseconds
      if let row = try Row.fetchOne(statement, arguments: [selection.tier.count, start, function]) {
        take(row.bytes(0), start: start, scope: function)
      }
      index += 1
    }
  }

  private mutating func take(_ bytes: [UInt8], start: Int64, scope: Int64) {
    do {
      let rollup = try RollupCodec.decode(bytes)
      let folded = grid.start(grid.index(of: Timestamp(nanoseconds: start)))
      // Event sources are no part of the account.
      if isAccount && scope < Schema.account { return }
      if isAccount && scope != Schema.account {
        found.rollups[folded, default: Rollup()].tally.merge(rollup.tally)
      } else {
        found.rollups[folded, default: Rollup()].merge(rollup)
      }
    } catch {
      damagedRows += 1
    }
  }
}
