internal import Foundation
internal import GRDB
package import Lifecycle
internal import Synchronization
package import Windows

/// Which windows to read.
package struct WindowSelection: Sendable, Hashable {
  /// One function, or the account: then tallies are those of all functions merged, peaks the account's own.
  package var scope: Scope
  /// Of the account: whether tallies are read, which costs the windows of all functions; else there are only its peaks.
  package var includesTallies = true
  /// Windows that start at or after it.
  package var from: Timestamp
  /// Windows that start before it.
  package var to: Timestamp
  /// The length of the stored windows to read; that of a tier.
  package var tier: Nanoseconds
  /// The length of the windows to fold them into; a multiple of the tier's.
  package var resolution: Nanoseconds

  /// Makes a selection that includes tallies.
  ///
  /// - Precondition: `tier` is above zero, and `resolution` is a multiple of it.
  package init(scope: Scope, from: Timestamp, to: Timestamp, tier: Nanoseconds, resolution: Nanoseconds) {
    precondition(
      tier.count > 0 && resolution.count > 0 && resolution.count % tier.count == 0,
      "BUG: windows of \(tier.count) ns do not fold into \(resolution.count) ns")
    self.scope = scope
    self.from = from
    self.to = to
    self.tier = tier
    self.resolution = resolution
  }
}

/// A stored window of the first tier.
package struct WindowKey: Hashable, Sendable {
  /// The function, or the account.
  package var scope: Scope
  /// The start of the window.
  package var start: Timestamp

  /// Makes a key; `start` is a multiple of the window's length.
  package init(scope: Scope, start: Timestamp) {
    self.scope = scope
    self.start = start
  }
}

/// What `WindowReader.finalWindows(_:since:)` found, all of it of one instant.
package struct FinalWindows: Sendable {
  /// By the start of the folded window.
  package var rollups: [Timestamp: Rollup] = [:]
  /// The windows of the first tier, from the instant that was asked for on, that are in `rollups`.
  package var keys: Set<WindowKey> = []
  /// What logs tell that were imported, by the start of the folded window.
  package var imported: [Timestamp: Rollup] = [:]
  /// The same of windows of the first tier that live events may have reached which are in memory only; those count then.
  package var importedRecently: [WindowKey: Rollup] = [:]

  /// None.
  package init() {}
}

/// Reads windows out of a store; another process may write it meanwhile.
///
/// May be used from several threads at once; every call blocks for as long as the disk takes, and sees one finished checkpoint.
/// Every call throws a ``StoreError`` if the database cannot be read.
package final class WindowReader: Sendable {
  /// The length of the first tier's windows.
  package let window: Nanoseconds
  let path: String
  private let database: any DatabaseReader
  private let damage = Mutex(0)

  init(database: any DatabaseReader, window: Nanoseconds, path: String) {
    self.database = database
    self.window = window
    self.path = path
  }

  /// Opens the store of a directory for reading only, whether or not an agent has it.
  ///
  /// - Throws: ``StoreError`` with ``StoreError/Code/absent`` if there is none, `newer` or `corrupt` if it cannot be
  ///   understood, `inaccessible` if it cannot be read.
  package static func open(directory: String) throws(StoreError) -> WindowReader {
    let path = directory + "/" + Schema.fileName
    guard FileManager.default.fileExists(atPath: path) else {
      throw StoreError(.absent, "there is no store in \(directory)")
    }
    do {
      var configuration = Configuration()
      configuration.readonly = true
      configuration.busyMode = .timeout(5)
      let queue = try DatabaseQueue(path: path, configuration: configuration)
      let window = try queue.read { database in
        guard try !Schema.isEmpty(database, path: path) else {
          throw StoreError(.absent, "the store in \(directory) is empty")
        }
        return try Schema.storedWindow(database, path: path)
      }
      return WindowReader(database: queue, window: window, path: path)
    } catch {
      throw StoreError(error, path: path)
    }
  }

  /// Rows that were skipped because they could not be read.
  package var damagedRows: Int { damage.withLock { $0 } }

  /// The functions that have ever been seen, in ascending order.
  package func functions() throws(StoreError) -> [FunctionID] {
    try read { try FunctionNumbers.all(in: $0).values.sorted() }
  }

  /// The event sources that have ever been seen, in ascending order.
  package func eventSources() throws(StoreError) -> [EventSourceID] {
    try read { try EventSourceNumbers.all(in: $0).values.sorted() }
  }

  /// The windows that are final, folded.
  ///
  /// - Parameter since: From where on to say which windows of the first tier are final; `nil` for none.
  /// - Complexity: O(windows of the tier in the span) for a function, times the number of functions for the account.
  package func finalWindows(_ selection: WindowSelection, since: Timestamp?) throws(StoreError) -> FinalWindows {
    var reading = WindowReading(selection: selection, window: window)
    return try run(&reading) { reading, database in
      try reading.readFinal(database)
      try reading.readImported(database, since: since)
      if let since { try reading.readKeys(database, since: since) }
      return reading.found
    }
  }

  /// All windows, those that are not final too, as they were at the last checkpoint, folded; in ascending order.
  ///
  /// - Parameter closed: Windows that end at or before it are closed.
  package func windows(_ selection: WindowSelection, closedBefore closed: Timestamp) throws(StoreError)
    -> [WindowRollup]
  {
    var reading = WindowReading(selection: selection, window: window)
    let found = try run(&reading) { reading, database in
      try reading.readFinal(database)
      try reading.readOpen(database)
      try reading.readImported(database, since: nil)
      return reading.found
    }
    return WindowReader.windows(found.rollups, found.imported, selection, closedBefore: closed)
  }

  /// Windows of what live events and what imported logs tell.
  ///
  /// - Parameter closed: Windows that end at or before it are closed.
  /// - Returns: Those in which something happened, in ascending order.
  package static func windows(
    _ live: [Timestamp: Rollup], _ imported: [Timestamp: Rollup], _ selection: WindowSelection,
    closedBefore closed: Timestamp
  ) -> [WindowRollup] {
    let both = live.merging(imported) { one, two in
      var merged = one
      merged.merge(two)
      return merged
    }
    return both.filter { !$0.value.isEmpty }.sorted { $0.key < $1.key }.map { start, rollup in
      var window = WindowRollup(
        scope: selection.scope, start: start, length: selection.resolution,
        isClosed: start + selection.resolution <= closed, rollup: rollup)
      window.isFromLogs = imported[start] != nil && live[start]?.isEmpty ?? true
      return window
    }
  }

  /// All that was kept so that an aggregator can be continued; `nil` before the first checkpoint.
  package func checkpoint() throws(StoreError) -> Checkpoint? {
    var loading = CheckpointLoading()
    let checkpoint = try read { try loading.run($0, window: window) }
    if loading.damagedRows > 0 { damage.withLock { [damaged = loading.damagedRows] in $0 += damaged } }
    return checkpoint
  }

  /// The clock at the last checkpoint; `nil` before the first.
  package func checkpointTime() throws(StoreError) -> Timestamp? {
    try read { try Schema.read(.checkpointTime, from: $0).map(Timestamp.init(nanoseconds:)) }
  }

  private func run<Value>(
    _ reading: inout WindowReading, _ body: (inout WindowReading, Database) throws -> Value
  ) throws(StoreError) -> Value {
    let value = try read { database in
      try reading.prepare(database)
      return try body(&reading, database)
    }
    let damaged = reading.damagedRows
    if damaged > 0 { damage.withLock { $0 += damaged } }
    return value
  }

  func read<Value>(_ body: (Database) throws -> Value) throws(StoreError) -> Value {
    do { return try database.read(body) } catch { throw StoreError(error, path: path) }
  }
}
