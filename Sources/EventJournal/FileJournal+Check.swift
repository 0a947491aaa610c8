internal import Glibc
package import WindowStore

/// What a look through a journal found.
package struct JournalFindings: Sendable {
  /// A place in a file that cannot be read.
  package struct Damage: Sendable, Hashable {
    /// The name of the file, in the folder of the journal.
    package var file: String
    /// Where in the file it begins, in bytes.
    package var offset: Int
    /// How many records, as far as that can be told.
    package var records: UInt64
  }

  /// Whether there is a journal at all.
  package var exists = false
  /// Batches that no checkpoint contains.
  package var batches = 0
  /// Entries of the agent's process that no checkpoint contains.
  package var entries = 0
  /// What cannot be read.
  package var damages: [Damage] = []
  /// Files that are not of this store, by name.
  package var foreign: [String] = []

  /// Whether all of it can be read.
  package var isWhole: Bool { damages.isEmpty && foreign.isEmpty }
}

extension FileJournal {
  /// Looks through the journal of a data directory, also beside an agent that writes it. Changes nothing.
  ///
  /// - Parameter store: What was found in the store beside it.
  /// - Throws: ``StoreError`` with ``StoreError/Code/newer`` if a newer Kelvin wrote it, or if it cannot be read.
  package static func check(directory: String, _ store: StoreFindings) throws(StoreError) -> JournalFindings {
    let folder = directory + "/" + folderName
    var findings = JournalFindings()
    let names = try FoundSegment.names(in: folder)
    findings.exists = names.contains("..")
    if names.contains(SourceTable.fileName), let bytes = try present(folder + "/" + SourceTable.fileName) {
      switch SourceTable.read(bytes, identity: store.identity ?? 0) {
      case .table: break
      case .version(let version): throw JournalErrors.newer(folder + "/" + SourceTable.fileName, version)
      case .damaged: findings.damages.append(.init(file: SourceTable.fileName, offset: 0, records: 1))
      }
    }
    for (name, contained) in [(batchesName, store.journal.batches), (entriesName, store.journal.entries)] {
      var last: UInt64 = 0
      for (_, path) in try FoundSegment.paths(folder: folder, name: name) {
        let count = try check(path, contained, store.identity, after: &last, &findings)
        if name == batchesName { findings.batches += count } else { findings.entries += count }
      }
    }
    return findings
  }

  private static func check(
    _ path: String, _ contained: UInt64, _ identity: UInt64?, after last: inout UInt64,
    _ findings: inout JournalFindings
  ) throws(StoreError) -> Int {
    let file = String(path.split(separator: "/").last ?? "")
    let previous = last
    var lasting: Set<JournalFindings.Damage>?
    var count = 0
    // A file that is written meanwhile is not read at one instant: only what is damaged each time is damaged.
    for _ in 0..<3 {
      guard let bytes = try present(path) else { return 0 }
      switch SegmentHeader.read(bytes) {
      case .unused: return 0
      case .version(let version): throw JournalErrors.newer(path, version)
      case .damaged:
        findings.damages.append(.init(file: file, offset: 0, records: 1))
        return 0
      case .header(let header) where header.identity != identity:
        findings.foreign.append(file)
        return 0
      case .header(let header):
        var scan = SegmentScan(bytes, header, after: previous)
        count = 0
        while let record = scan.next() {
          last = record.position
          if record.position > contained { count += 1 }
        }
        let found = Set(scan.damages.map { JournalFindings.Damage(file: file, offset: $0.offset, records: $0.records) })
        lasting = lasting?.intersection(found) ?? found
        if found.isEmpty { return count }
      }
    }
    findings.damages += (lasting ?? []).sorted { $0.offset < $1.offset }
    return count
  }

  /// A file's content; `nil` if a checkpoint has made it superfluous meanwhile.
  private static func present(_ path: String) throws(StoreError) -> [UInt8]? {
    do {
      return try FoundSegment.read(path)
    } catch  where unsafe access(path, F_OK) != 0 {
      return nil
    }
  }
}
