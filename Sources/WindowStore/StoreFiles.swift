/// The files that an open database is in. SQLite holds them open and does not notice when their names are gone, so what it
/// writes then is lost with the process.
struct StoreFiles: Sendable {
  private let path: String
  private var database: FileFacts.Identity
  /// The largest size that was seen: a database in WAL mode does not shrink.
  private var sizeBytes: Int64
  /// Of the write-ahead log; `nil` before it was first seen.
  private var log: FileFacts.Identity?

  /// - Throws: ``StoreError`` with ``StoreError/Code/gone`` if the database has no name any more.
  init(path: String) throws(StoreError) {
    self.path = path
    guard let facts = try FileFacts.at(path) else { throw StoreError(.gone, "\(path) was removed") }
    database = facts.identity
    sizeBytes = facts.sizeBytes
    log = try FileFacts.at(path + "-wal")?.identity
  }

  /// - Throws: ``StoreError`` with ``StoreError/Code/gone`` if a file was removed, replaced or cut since the last look.
  mutating func expectUnchanged() throws(StoreError) {
    guard let facts = try FileFacts.at(path) else { throw StoreError(.gone, "\(path) was removed") }
    guard facts.identity == database else { throw StoreError(.gone, "\(path) was replaced by another file") }
    guard facts.sizeBytes >= sizeBytes else {
      throw StoreError(.gone, "\(path) was truncated from \(sizeBytes) to \(facts.sizeBytes) bytes")
    }
    sizeBytes = facts.sizeBytes
    let logFacts = try FileFacts.at(path + "-wal")
    if let log {
      guard let logFacts else { throw StoreError(.gone, "\(path)-wal was removed") }
      guard logFacts.identity == log else { throw StoreError(.gone, "\(path)-wal was replaced by another file") }
    } else {
      log = logFacts?.identity
    }
  }

  /// Whether what is at the path now is the database that was opened.
  func isDatabase(_ facts: FileFacts) -> Bool { facts.identity == database }
}
