internal import Foundation
internal import GRDB
internal import Glibc
package import Lifecycle
internal import Windows

/// What a look through a whole store found.
package struct StoreFindings: Sendable {
  /// Functions that were ever seen.
  package var functions = 0
  /// Windows of all tiers.
  package var windows = 0
  /// Facts of logs that were imported.
  package var importedFacts = 0
  /// Windows of all tiers that follow from them.
  package var importedWindows = 0
  /// Spans of time whose windows of imports are not computed yet: an agent does that when it starts.
  package var importSpansLeft = 0
  /// Rows that cannot be read, or hold what cannot be.
  package var damagedRows = 0
  /// What SQLite's own check found; at most ten sentences.
  package var problems: [String] = []
  /// The clock at the last checkpoint; `nil` before the first.
  package var lastCheckpoint: Timestamp?
  /// Checkpoints that were written and are not there any more.
  package var checkpointsLost: UInt64 = 0
  /// The number that its journal carries; `nil` for a store that no Kelvin with a journal has opened.
  package var identity: UInt64?
  /// What the journal need not have any more, of batches and of entries.
  package var journal: (batches: UInt64, entries: UInt64) = (0, 0)
  /// Space that is kept for the last checkpoint, in bytes; 0 for none.
  package var reserveBytes: Int64 = 0

  /// Whether nothing is missing or damaged.
  package var isWhole: Bool { problems.isEmpty && damagedRows == 0 && checkpointsLost == 0 }
}

extension WindowReader {
  /// Looks through everything in a store, also beside an agent that writes it.
  ///
  /// - Parameter directory: The data directory that the reader was opened with.
  /// - Throws: ``StoreError`` if the database cannot be read at all.
  /// - Complexity: O(size of the store).
  package func check(directory: String) throws(StoreError) -> StoreFindings {
    let record = CheckpointRecord.read(in: directory)
    var findings = try read { database in
      var findings = StoreFindings()
      let answers = try String.fetchAll(database, sql: "PRAGMA integrity_check(10)")
      findings.problems = answers == ["ok"] ? [] : answers
      // What SQLite says is damaged may not be readable; the rest is looked through all the same.
      findings.functions = try FunctionNumbers.all(in: database).count
      findings.lastCheckpoint = try Schema.read(.checkpointTime, from: database).map(Timestamp.init(nanoseconds:))
      findings.identity = try Schema.read(.identity, from: database).map { UInt64(bitPattern: $0) }
      findings.journal = (
        UInt64(clamping: try Schema.read(.journalPosition, from: database) ?? 0),
        UInt64(clamping: try Schema.read(.entriesPosition, from: database) ?? 0)
      )
      let sequence = UInt64(clamping: try Schema.read(.checkpointSequence, from: database) ?? 0)
      if let record, record.sequence > sequence { findings.checkpointsLost = record.sequence - sequence }
      let rows = try Row.fetchCursor(database, sql: "SELECT data FROM rollups")
      while let row = try rows.next() {
        findings.windows += 1
        do { _ = try RollupCodec.decode(row.bytes(0)) } catch { findings.damagedRows += 1 }
      }
      try Self.checkImports(database, &findings)
      var loading = CheckpointLoading()
      _ = try loading.run(database, window: self.window)
      findings.damagedRows += loading.damagedRows
      return findings
    }
    findings.reserveBytes = DataDirectory.sizeBytes(ofFile: directory + "/" + StoreReserve.fileName)
    return findings
  }
}

extension WindowReader {
  private static func checkImports(_ database: Database, _ findings: inout StoreFindings) throws {
    // A store that no Kelvin has opened that keeps imports has no such tables.
    guard try database.tableExists("import_windows") else { return }
    func count(_ sql: String) throws -> Int { try Int.fetchOne(database, sql: sql) ?? 0 }
    findings.importedFacts = try count("SELECT count(*) FROM import_facts")
    findings.importSpansLeft = try count("SELECT count(*) FROM import_spans")
    findings.damagedRows += try count(
      "SELECT count(*) FROM import_facts WHERE stream NOT IN (SELECT id FROM import_streams) OR length(data) = 0")
    let rows = try Row.fetchCursor(database, sql: "SELECT data FROM import_windows")
    while let row = try rows.next() {
      findings.importedWindows += 1
      do { _ = try RollupCodec.decode(row.bytes(0)) } catch { findings.damagedRows += 1 }
    }
  }
}

extension WindowStore {
  /// Makes the database as small as it can be.
  ///
  /// - Returns: The size before and after, in bytes.
  /// - Throws: ``StoreError``, with ``StoreError/Code/full`` if there is no room for the copy that this takes; nothing is lost
  ///   then.
  package func compact() throws(StoreError) -> (before: Int64, after: Int64) {
    let before = sizeBytes
    do {
      try pool.vacuum()
      _ = try pool.writeWithoutTransaction { try $0.checkpoint(.truncate) }
    } catch {
      throw StoreError(error, path: path)
    }
    return (before, sizeBytes)
  }
}
