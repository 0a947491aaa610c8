internal import Foundation
internal import GRDB
public import Lifecycle
internal import Synchronization
public import Windows

/// What an aggregator keeps on disk: totals, windows in every tier, and what it needs to be continued.
///
/// Every call blocks for as long as the disk takes: call it from a thread that may wait. Calls may come from several
/// threads at once; those that write follow each other, those that read see the last finished checkpoint.
public final class WindowStore: Sendable {
  /// Reads windows while this store writes.
  public let reader: WindowReader
  private let pool: DatabasePool
  /// `nil` once the store is closed.
  private let lock: Mutex<DirectoryLock?>
  private let retention: Retention
  private let numbers = Mutex<[FunctionID: Int64]>([:])
  private let damage: Mutex<Int>

  /// Opens the store in a directory, which is made if it is not there, and takes the directory for this process.
  ///
  /// - Parameters:
  ///   - directory: The path of the data directory.
  ///   - window: The length of the aggregator's windows: that of the first tier.
  ///   - retention: The tiers to keep.
  /// - Throws: ``StoreError`` with ``StoreError/Code/inaccessible`` if the directory cannot be made or written,
  ///   `busy` if another process has it, `newer` and `otherWindow` if the store in it does not fit, `corrupt` if the
  ///   file there is no store.
  public static func open(
    directory: String, window: Nanoseconds, retention: Retention
  ) throws(StoreError) -> WindowStore {
    precondition(retention.tiers[0].length == window, "BUG: the first tier does not keep the windows themselves")
    try DataDirectory.create(directory)
    let lock = try DirectoryLock(directory: directory)
    let path = directory + "/" + Schema.fileName
    do {
      let pool = try DatabasePool(path: path, configuration: Self.configuration())
      try pool.write { database in
        if try Schema.isEmpty(database, path: path) {
          try Schema.create(database, window: window)
        } else {
          try Schema.expectWindow(window, in: database, path: path)
        }
      }
      try Self.makeDurable(pool)
      return WindowStore(pool: pool, lock: lock, retention: retention, window: window, path: path)
    } catch {
      throw StoreError(error, path: path)
    }
  }

  private init(
    pool: DatabasePool, lock: consuming DirectoryLock, retention: Retention, window: Nanoseconds, path: String
  ) {
    self.pool = pool
    self.lock = Mutex(lock)
    self.retention = retention
    damage = Mutex(0)
    reader = WindowReader(database: pool, window: window, path: path)
  }

  private static func configuration() -> Configuration {
    var configuration = Configuration()
    configuration.label = "kelvin"
    configuration.busyMode = .timeout(5)
    configuration.maximumReaderCount = 2
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

  /// Rows that were passed over because they could not be read, since the store was opened.
  public var damagedRows: Int { damage.withLock { $0 } + reader.damagedRows }

  /// What the database takes on disk, with what it has not merged yet.
  public var sizeBytes: Int64 {
    ["", "-wal"].reduce(0) { $0 + DataDirectory.sizeBytes(ofFile: reader.path + $1) }
  }

  /// What was kept when the last checkpoint was saved.
  ///
  /// Rows that cannot be read are left out and counted in ``damagedRows``.
  ///
  /// - Returns: `nil` before the first checkpoint.
  /// - Throws: ``StoreError`` if the database cannot be read.
  public func load() throws(StoreError) -> Checkpoint? {
    do {
      var loading = CheckpointLoading()
      let checkpoint = try pool.read { try loading.run($0, window: retention.tiers[0].length) }
      damage.withLock { $0 += loading.damagedRows }
      return checkpoint
    } catch {
      throw StoreError(error, path: reader.path)
    }
  }

  /// Keeps what changed, in one transaction: all of it is on disk when this returns, and none if it throws.
  ///
  /// A window that is final is merged into the coarser tiers, once, and its timelines are deleted. Windows past their
  /// tier's retention are deleted, some thousands at most each time.
  ///
  /// - Throws: ``StoreError`` with ``StoreError/Code/full`` if the disk is full, `inaccessible`, `busy`, `corrupt` or
  ///   `failed`.
  public func save(_ checkpoint: Checkpoint) throws(StoreError) {
    do {
      var saving = CheckpointSaving(retention: retention, numbers: numbers.withLock { $0 })
      try pool.write { try saving.run(checkpoint, in: $0) }
      numbers.withLock { $0 = saving.numbers }
      damage.withLock { $0 += saving.damagedRows }
    } catch {
      throw StoreError(error, path: reader.path)
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

  /// Ends all access and gives the directory back; later calls throw.
  public func close() throws(StoreError) {
    do {
      // All of it into the database itself, so that the file can be copied alone. If a reader of another process is in the
      // way, it stays in the log beside it, where it is as safe.
      _ = try? pool.writeWithoutTransaction { try $0.checkpoint(.truncate) }
      try pool.close()
    } catch {
      throw StoreError(error, path: reader.path)
    }
    lock.withLock { $0 = nil }
  }
}
