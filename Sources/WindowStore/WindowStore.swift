internal import Foundation
internal import GRDB
package import Lifecycle
internal import Synchronization
package import Windows

/// What an aggregator keeps on disk: totals, windows in every tier, and what it needs to continue after a restart.
///
/// Every call blocks for as long as the disk takes: call it from a thread that may wait. Calls may come from several
/// threads at once; those that write follow each other, those that read see the last finished checkpoint.
package final class WindowStore: Sendable {
  /// The database as it is open now.
  struct Opened: Sendable {
    var pool: DatabasePool
    var reader: WindowReader
    var files: StoreFiles
    var identity: UInt64
  }

  /// What is known of the database's content, so that a checkpoint need not ask.
  struct Content: Sendable {
    var numbers: [FunctionID: Int64] = [:]
    var sourceNumbers: [EventSourceID: Int64] = [:]
    var invocations: [FunctionID: UInt64] = [:]
    /// Of the last checkpoint.
    var sequence: UInt64 = 0
    /// Whether the last save failed, so that a full disk may have room again.
    var hasFailed = false
  }

  let directory: String
  let path: String
  /// A random number of this store, which its journal carries: that of another store is not taken for its own.
  package let identity: UInt64
  /// The length of the windows of the first tier.
  package let window: Nanoseconds
  let retention: Retention
  let opened: Mutex<Opened>
  /// `nil` once the store is closed.
  let lock: Mutex<DirectoryLock?>
  let content: Mutex<Content>
  /// Called when spans of imports have to be computed again, on the thread that saved.
  let importsChanged = Mutex<(@Sendable () -> Void)?>(nil)
  let past: Mutex<StoreHistory>
  /// A restoration whose last step failed, until it succeeds; the connections are closed then.
  let unfinished = Mutex<UnfinishedRestoration?>(nil)

  /// Opens the store in a directory, which is made if it is not there, and takes the directory for this process.
  ///
  /// - Parameters:
  ///   - directory: The path of the data directory.
  ///   - window: The length of the aggregator's windows: that of the first tier.
  ///   - retention: The tiers to keep.
  /// - Throws: ``StoreError`` with ``StoreError/Code/inaccessible`` if the directory cannot be made or written,
  ///   `busy` if another process has it, `newer` and `otherWindow` if the store in it does not fit, `corrupt` if the
  ///   file there is no store.
  package static func open(
    directory: String, window: Nanoseconds, retention: Retention
  ) throws(StoreError) -> WindowStore {
    precondition(retention.tiers[0].length == window, "BUG: the first tier does not keep the windows themselves")
    try DataDirectory.create(directory)
    let lock = try DirectoryLock(directory: directory)
    let opened = try Opened(directory: directory, window: window)
    let store = WindowStore(opened, lock: lock, retention: retention, directory: directory, window: window)
    try store.lookBack()
    StoreReserve.keep(in: directory)
    return store
  }

  private init(
    _ opened: Opened, lock: consuming DirectoryLock, retention: Retention, directory: String, window: Nanoseconds
  ) {
    self.opened = Mutex(opened)
    self.lock = Mutex(lock)
    self.retention = retention
    self.directory = directory
    self.window = window
    path = directory + "/" + Schema.fileName
    identity = opened.identity
    content = Mutex(Content())
    past = Mutex(StoreHistory())
  }

  /// Compares the database with what was said to be in it, and looks who else may write into the directory.
  private func lookBack() throws(StoreError) {
    let stored: (sequence: Int64?, time: Int64?)
    do {
      stored = try pool.read { database in
        (try Schema.read(.checkpointSequence, from: database), try Schema.read(.checkpointTime, from: database))
      }
    } catch {
      throw StoreError(error, path: path)
    }
    let sequence = UInt64(max(0, stored.sequence ?? 0))
    let written = CheckpointRecord.read(in: directory)
    content.withLock { $0.sequence = max(sequence, written?.sequence ?? 0) }
    let isOpen = try FileFacts.following(directory)?.isOpenToOthers ?? false
    past.withLock { past in
      past.isOpenToOthers = isOpen
      guard let written, written.sequence > sequence else { return }
      past.lost = LostCheckpoints(
        count: written.sequence - sequence, from: stored.time.map(Timestamp.init(nanoseconds:)), to: written.time,
        invocations: written.invocations)
    }
  }

  var pool: DatabasePool { opened.withLock { $0.pool } }

  /// Reads windows while this store writes.
  package var reader: WindowReader { opened.withLock { $0.reader } }

  /// Rows that were skipped because they could not be read or held impossible values, since the store was opened.
  package var damagedRows: Int { past.withLock { $0.damagedRows } + reader.damagedRows }

  /// What happened to the store since it was opened.
  package var history: StoreHistory {
    var history = past.withLock { $0 }
    history.damagedRows += reader.damagedRows
    return history
  }

  /// The invocations of all functions in the last checkpoint that was saved or loaded.
  package var savedInvocations: UInt64 { content.withLock { $0.invocations.values.reduce(0, &+) } }

  /// The size of the database on disk, with what it has not merged yet.
  package var sizeBytes: Int64 {
    ["", "-wal"].reduce(0) { $0 + DataDirectory.sizeBytes(ofFile: path + $1) }
  }

  /// What was kept when the last checkpoint was saved.
  ///
  /// Rows that cannot be read, or hold what cannot be, are left out and counted in ``damagedRows``.
  ///
  /// - Returns: `nil` before the first checkpoint.
  /// - Throws: ``StoreError`` if the database cannot be read.
  package func load() throws(StoreError) -> Checkpoint? {
    do {
      var loading = CheckpointLoading()
      let checkpoint = try pool.read { try loading.run($0, window: window) }
      let invocations = Dictionary(
        (checkpoint?.functions ?? []).map { ($0.function, $0.totals.invocations.total) }, uniquingKeysWith: { $1 })
      content.withLock { $0.invocations = invocations }
      let found = invocations.values.reduce(0, &+)
      past.withLock { past in
        past.damagedRows += loading.damagedRows
        guard let written = past.lost?.invocations else { return }
        past.lost?.invocations = written > found ? written - found : 0
      }
      return checkpoint
    } catch {
      throw StoreError(error, path: path)
    }
  }

  /// Keeps what changed, in one transaction: all of it is on disk when this returns, and none if it throws.
  ///
  /// A window that is final is merged into the coarser tiers, once, and its timelines are deleted. Windows past their
  /// tier's retention are deleted, some thousands at most each time.
  ///
  /// - Throws: ``StoreError`` with ``StoreError/Code/full`` if the disk is full, `gone` if the store was removed
  ///   (``restore(after:)`` writes it again), `inaccessible`, `busy`, `corrupt` or `failed`.
  package func save(_ checkpoint: Checkpoint) throws(StoreError) {
    do {
      try verify()
      let (numbers, sources, last, hasFailed) = content.withLock {
        ($0.numbers, $0.sourceNumbers, $0.sequence, $0.hasFailed)
      }
      var saving = CheckpointSaving(
        retention: retention, sequence: last &+ 1, numbers: numbers, sourceNumbers: sources)
      try pool.write { try saving.run(checkpoint, in: $0) }
      let record = content.withLock { content in
        content.numbers = saving.numbers
        content.sourceNumbers = saving.sourceNumbers
        content.sequence = last &+ 1
        content.hasFailed = false
        for function in checkpoint.functions {
          content.invocations[function.function] = function.totals.invocations.total
        }
        return CheckpointRecord(
          sequence: content.sequence, time: checkpoint.time, invocations: content.invocations.values.reduce(0, &+))
      }
      past.withLock { $0.damagedRows += saving.damagedRows }
      record.write(in: directory)
      if hasFailed { StoreReserve.keep(in: directory) }
      if saving.hasYielded { importsChanged.withLock { $0 }?() }
    } catch {
      content.withLock { $0.hasFailed = true }
      throw StoreError(error, path: path)
    }
  }

  /// What `PRAGMA synchronous` says: 2 while every commit waits for the disk.
  func synchronousLevel() throws -> Int? {
    try pool.writeWithoutTransaction { try Int.fetchOne($0, sql: "PRAGMA synchronous") }
  }

  /// Lets the database grow no further, as if the disk were full.
  func limitPages() throws {
    try pool.writeWithoutTransaction { database in
      let pages = try Int.fetchOne(database, sql: "PRAGMA page_count") ?? 0
      try database.execute(sql: "PRAGMA max_page_count = \(pages)")
    }
  }

  /// Takes note that the journal had so many invocations which the database has not. What ``history`` calls lost is less by
  /// these; if nothing is left of it, nothing was lost.
  package func recovered(invocations: UInt64) {
    past.withLock { past in
      guard let lost = past.lost else { return }
      past.lost?.invocations = lost.invocations > invocations ? lost.invocations - invocations : 0
      if lost.invocations <= invocations, invocations > 0 { past.lost = nil }
    }
  }

  /// Frees the reserved space on the disk for the next write: for the last checkpoint on a full disk.
  ///
  /// - Returns: Whether there was any.
  package func releaseReserve() -> Bool { StoreReserve.release(in: directory) }

  /// Ends all access and gives the directory back; later calls throw.
  package func close() throws(StoreError) {
    guard lock.withLock({ $0 != nil }) else { throw StoreError(.failed, "the store \(path) is closed") }
    // SQLite must not be asked through a connection that a restoration has closed already.
    if unfinished.withLock({ $0 == nil }) {
      do {
        // All of it into the database itself, so that the file can be copied alone. If a reader of another process is in the
        // way, it stays in the log beside it, where it is as safe.
        let pool = pool
        _ = try? pool.writeWithoutTransaction { try $0.checkpoint(.truncate) }
        try pool.close()
      } catch {
        throw StoreError(error, path: path)
      }
    }
    lock.withLock { $0 = nil }
  }
}

extension WindowStore.Opened {
  /// Opens the database of a directory that this process holds, and creates the tables if there are none.
  ///
  /// - Parameter identity: The number of a store that is made; `nil` for a random one.
  init(directory: String, window: Nanoseconds, identity: UInt64? = nil) throws(StoreError) {
    let path = directory + "/" + Schema.fileName
    try DataDirectory.prepareFile(path)
    do {
      let pool = try DatabasePool(path: path, configuration: Self.configuration())
      self.identity = try pool.write { database in
        if try Schema.isEmpty(database, path: path) {
          try Schema.create(database, window: window)
        } else {
          try Schema.expectWindow(window, in: database, path: path)
        }
        try Schema.complete(database)
        return try Schema.identity(in: database, new: identity)
      }
      try Self.makeDurable(pool)
      self.pool = pool
      reader = WindowReader(database: pool, window: window, path: path)
      files = try StoreFiles(path: path)
    } catch {
      throw StoreError(error, path: path)
    }
  }

  private static func configuration() -> Configuration {
    var configuration = Configuration()
    configuration.label = "kelvin"
    configuration.busyMode = .timeout(5)
    // One of them for the windows of imports, which are computed while their facts are read.
    configuration.maximumReaderCount = 3
    configuration.prepareDatabase { try $0.execute(sql: "PRAGMA journal_size_limit = 67108864") }
    return configuration
  }

  /// GRDB sets `synchronous = NORMAL` after a configuration's own statements, so the setting has to follow the opening.
  private static func makeDurable(_ pool: DatabasePool) throws {
    let level = try pool.writeWithoutTransaction { database in
      try database.execute(sql: "PRAGMA synchronous = FULL")
      return try Int.fetchOne(database, sql: "PRAGMA synchronous")
    }
    guard level == 2 else { throw StoreError(.failed, "the database does not let commits wait for the disk") }
  }
}
