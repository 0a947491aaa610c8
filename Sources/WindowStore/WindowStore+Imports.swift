internal import GRDB
package import Lifecycle
internal import Synchronization
package import Windows

/// What logs tell that were imported: a set of facts, and the windows that follow from it.
extension WindowStore {
  /// Adds facts to those that are kept; all that are new are on disk when this returns, and none if it throws.
  ///
  /// - Parameters:
  ///   - streams: Those that the facts name by their positions; a stream may be here without a fact.
  ///   - facts: Their streams are positions in `streams`.
  ///   - now: The clock: decides what is too old to be kept.
  /// - Throws: ``StoreError`` as ``save(_:)`` does.
  /// - Complexity: O(facts) and a commit.
  package func add(
    _ streams: [ImportedStream], _ facts: [ImportedFact], now: Timestamp
  ) throws(StoreError) -> ImportedCounts {
    let oldest = retention.horizon(of: retention.tiers[retention.tiers.count - 1], now: now)
    return try writeImports { database in
      var adding = ImportAdding(streams, facts, window: window, oldest: oldest, now: now)
      try adding.run(in: database)
      return adding.counts
    }
  }

  /// Has a closure called whenever live events reach imported windows, so that spans have to be computed again.
  ///
  /// - Parameter change: Called on the thread that saves checkpoints; must not block.
  package func whenImportsChange(_ change: (@Sendable () -> Void)?) { importsChanged.withLock { $0 = change } }

  /// The earliest span whose windows have to be computed; `nil` if there is none.
  ///
  /// - Throws: ``StoreError`` if the database cannot be read.
  package func nextImportSpan() throws(StoreError) -> ImportSpan? {
    try reader.read { database in
      guard
        let row = try Row.fetchOne(database, sql: "SELECT start, generation FROM import_spans ORDER BY start LIMIT 1"),
        let start = row.integer(0), let generation = row.integer(1)
      else { return nil }
      return ImportSpan(
        start: Timestamp(nanoseconds: start), length: ImportSpan.length(window: window), generation: generation)
    }
  }

  /// How many spans have to be computed on which facts of some time bear.
  ///
  /// - Parameter times: Of the facts; `nil` for all spans.
  /// - Throws: ``StoreError`` if the database cannot be read.
  package func importSpansLeft(of times: Range<Timestamp>? = nil) throws(StoreError) -> Int {
    let length = ImportSpan.length(window: window)
    let first = times.map { ($0.lowerBound - ImportSpan.margin - length).nanoseconds } ?? .min
    let last = times.map { ($0.upperBound + ImportSpan.margin).nanoseconds } ?? .max
    return try reader.read { database in
      try Int.fetchOne(
        database, sql: "SELECT count(*) FROM import_spans WHERE start > ? AND start <= ?", arguments: [first, last])
        ?? 0
    }
  }

  /// Reads all facts that bear on the windows of a span, in an order that depends on nothing but the set of facts.
  ///
  /// - Parameter take: Called with a number for the stream, the stream, the time and the bytes of each fact.
  /// - Throws: ``StoreError`` if the database cannot be read.
  package func readFacts(
    of span: ImportSpan, _ take: (Int64, ImportedStream, Timestamp, [UInt8]) -> Void
  ) throws(StoreError) {
    try reader.read { database in
      var reading = FactReading(span)
      try reading.run(database, take)
    }
  }

  /// Keeps the windows of a span in place of those that it had; those that live events reached stay as they are.
  ///
  /// - Parameters:
  ///   - windows: Windows of the first tier that begin in the span, of functions and of the account.
  ///   - live: Windows that live events reached and that may not be in the database yet.
  ///   - now: The clock: decides which tiers still keep windows of that age.
  /// - Throws: ``StoreError`` as ``save(_:)`` does.
  package func save(
    _ windows: [WindowRollup], of span: ImportSpan, live: Set<WindowKey>, now: Timestamp
  ) throws(StoreError) {
    try writeImports { database in
      // What that checkpoint deleted says nothing any more.
      let last = try Schema.read(.checkpointTime, from: database).map(Timestamp.init(nanoseconds:))
      var saving = ImportSaving(span, live: live, retention: retention, now: max(now, last ?? now))
      try saving.run(windows, in: database)
    }
  }

  /// How many windows that begin in `[from, to)` imports left to live events, by function; the account is left out.
  ///
  /// - Throws: ``StoreError`` if the database cannot be read.
  package func heldWindows(from: Timestamp, to: Timestamp) throws(StoreError) -> [HeldWindows] {
    try reader.read { database in
      let functions = try FunctionNumbers.all(in: database)
      let rows = try Row.fetchAll(
        database,
        sql: "SELECT scope, count(*) FROM import_held WHERE start >= ? AND start < ? AND scope <> ? GROUP BY scope",
        arguments: [from.nanoseconds, to.nanoseconds, Schema.account])
      return rows.compactMap { row in
        guard let function = row.integer(0).flatMap({ functions[$0] }), let count = row.integer(1) else { return nil }
        return HeldWindows(function: function, windows: Int(count))
      }.sorted { $0.function < $1.function }
    }
  }

  /// Whether a window of a function was ever imported, and is still kept.
  ///
  /// - Throws: ``StoreError`` if the database cannot be read.
  package func hasImported(_ function: FunctionID) throws(StoreError) -> Bool {
    try reader.read { database in
      guard let number = try FunctionNumbers.find(function, in: database) else { return false }
      return try Int.fetchOne(database, sql: WindowStore.importedQuery, arguments: [number]) != nil
    }
  }

  /// Finds whether there is any imported window of a scope.
  static let importedQuery = "SELECT 1 FROM import_windows WHERE scope = ? LIMIT 1"

  private func writeImports<Value>(_ body: (Database) throws -> Value) throws(StoreError) -> Value {
    do {
      try verify()
      return try pool.write(body)
    } catch {
      throw StoreError(error, path: path)
    }
  }
}
