internal import GRDB
internal import Lifecycle
internal import Windows

/// The tables, as docs/formats/store.md describes them.
enum Schema {
  /// Raised by every change that an older Kelvin could not read.
  ///
  /// 2: tallies have numbers of HTTP responses, and there are windows of event sources.
  static let formatVersion: Int64 = 2
  static let fileName = "kelvin.db"
  /// The number of the account among scopes; functions are numbered from 1, event sources from -1 downwards.
  static let account: Int64 = 0

  private static let statements = [
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID, STRICT",
    "CREATE TABLE functions (id INTEGER PRIMARY KEY, name TEXT NOT NULL, version TEXT NOT NULL, UNIQUE (name, version)) STRICT",
    "CREATE TABLE totals (function INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT",
    // By time first, so that the windows which change lie side by side: a checkpoint of ten thousand functions writes a
    // few hundred pages and not ten thousand.
    """
    CREATE TABLE rollups (
      length INTEGER NOT NULL, start INTEGER NOT NULL, scope INTEGER NOT NULL, final INTEGER NOT NULL,
      data BLOB NOT NULL, PRIMARY KEY (length, start, scope)) WITHOUT ROWID, STRICT
    """,
    "CREATE INDEX rollups_open ON rollups (start) WHERE final = 0",
    """
    CREATE TABLE timelines (
      start INTEGER NOT NULL, function INTEGER NOT NULL, kind INTEGER NOT NULL, data BLOB NOT NULL,
      PRIMARY KEY (start, function, kind)) WITHOUT ROWID, STRICT
    """,
    "CREATE TABLE live (id INTEGER PRIMARY KEY CHECK (id = 0), data BLOB NOT NULL) STRICT",
  ]

  /// What stores lack that were made before it was known; older versions pass it over.
  private static let additions = [
    "CREATE TABLE IF NOT EXISTS told (id INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT",
    """
    CREATE TABLE IF NOT EXISTS event_sources (
      id INTEGER PRIMARY KEY CHECK (id > 0), kind INTEGER NOT NULL, name TEXT NOT NULL, data BLOB NOT NULL,
      UNIQUE (kind, name)) STRICT
    """,
  ]

  /// Creates the tables that the store of an older version lacks.
  static func complete(_ database: Database) throws {
    for addition in additions + ImportSchema.additions { try database.execute(sql: addition) }
    // From here on an older version would take what is new for damage.
    if try read(.formatVersion, from: database) != formatVersion {
      try write(.formatVersion, formatVersion, to: database)
    }
  }

  /// Creates the tables in an empty database.
  static func create(_ database: Database, window: Nanoseconds) throws {
    for statement in statements { try database.execute(sql: statement) }
    try write(.formatVersion, formatVersion, to: database)
    try write(.window, window.count, to: database)
  }

  enum Key: String {
    case formatVersion = "format version"
    case window = "window nanoseconds"
    /// The clock at the last checkpoint; absent before the first.
    case checkpointTime = "checkpoint time"
    /// How many checkpoints were saved; absent in a store that no Kelvin since 0.2 has written.
    case checkpointSequence = "checkpoint sequence"
    /// The last batch of the journal that the last checkpoint contains; absent where there never was a journal.
    case journalPosition = "journal position"
    /// The last entry of the process in the journal that the last checkpoint contains; absent as above.
    case entriesPosition = "journal entries position"
    /// A random number that tells this store's journal from another's; absent before a Kelvin with a journal opened the store.
    case identity = "identity"
    case eventsReceived = "events received"
    case eventsDuplicate = "events duplicate"
    case eventsLate = "events late"
    case executionsLost = "executions lost"
    case windowsLost = "windows lost"
  }

  static func write(_ key: Key, _ value: Int64, to database: Database) throws {
    try write(named: key.rawValue, value, to: database)
  }

  static func read(_ key: Key, from database: Database) throws -> Int64? {
    try read(named: key.rawValue, from: database)
  }

  private static func write(named key: String, _ value: Int64, to database: Database) throws {
    try database.execute(
      sql: "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
      arguments: [key, value])
  }

  private static func read(named key: String, from database: Database) throws -> Int64? {
    try Int64.fetchOne(database, sql: "SELECT value FROM meta WHERE key = ?", arguments: [key])
  }

  /// Writes what an aggregator counted about itself; what is 0 has no row.
  static func write(_ statistics: AggregatorStatistics, to database: Database) throws {
    let counts =
      [
        (.eventsReceived, statistics.eventsReceived), (.eventsDuplicate, statistics.eventsDuplicate),
        (.eventsLate, statistics.eventsLate), (.executionsLost, statistics.executionsLost),
        (.windowsLost, statistics.windowsLost),
      ] as [(Key, UInt64)]
    for (key, count) in counts where count > 0 { try write(key, Int64(clamping: count), to: database) }
    for rejection in Rejection.allCases where statistics.eventsRejected[rejection] > 0 {
      try write(
        named: rejectedPrefix + rejection.name, Int64(clamping: statistics.eventsRejected[rejection]), to: database)
    }
  }

  /// What ``write(_:to:)`` wrote; 0 where there is none, or what cannot be.
  static func statistics(in database: Database) throws -> AggregatorStatistics {
    func count(_ key: String) throws -> UInt64 { UInt64(max(0, try read(named: key, from: database) ?? 0)) }
    var statistics = AggregatorStatistics()
    statistics.eventsReceived = try count(Key.eventsReceived.rawValue)
    statistics.eventsDuplicate = try count(Key.eventsDuplicate.rawValue)
    statistics.eventsLate = try count(Key.eventsLate.rawValue)
    statistics.executionsLost = try count(Key.executionsLost.rawValue)
    statistics.windowsLost = try count(Key.windowsLost.rawValue)
    for rejection in Rejection.allCases {
      statistics.eventsRejected[rejection] = try count(rejectedPrefix + rejection.name)
    }
    return statistics
  }

  /// Before the reason, in the keys of events that were not counted.
  private static let rejectedPrefix = "events rejected: "

  /// The store's own number, which it is given if it has none.
  static func identity(in database: Database, new: UInt64?) throws -> UInt64 {
    if let identity = try read(.identity, from: database) { return UInt64(bitPattern: identity) }
    let identity = new ?? UInt64.random(in: 1...UInt64.max)
    try write(.identity, Int64(bitPattern: identity), to: database)
    return identity
  }

  /// Whether there is nothing in the database yet.
  ///
  /// - Throws: ``StoreError`` if what is in it is not a store, or one that this Kelvin does not read.
  static func isEmpty(_ database: Database, path: String) throws -> Bool {
    guard try database.tableExists("meta") else {
      guard try Int.fetchOne(database, sql: "SELECT count(*) FROM sqlite_master") == 0 else {
        throw StoreError(.corrupt, "\(path) is a database that Kelvin did not write; use another data directory")
      }
      return true
    }
    guard let version = try read(.formatVersion, from: database), version > 0 else {
      throw StoreError(.corrupt, "\(path) does not say which version wrote it; move it away or use another directory")
    }
    guard version <= formatVersion else {
      throw StoreError(
        .newer,
        """
        \(path) was written by a newer Kelvin (format \(version), this one reads up to \(formatVersion)); \
        use that version or another data directory
        """)
    }
    return false
  }

  /// - Throws: ``StoreError`` with ``StoreError/Code/otherWindow`` if the store's windows have another length.
  static func expectWindow(_ window: Nanoseconds, in database: Database, path: String) throws {
    let stored = try storedWindow(database, path: path)
    guard stored == window else {
      throw StoreError(
        .otherWindow,
        """
        \(path) holds windows of \(stored.seconds) s, but \(window.seconds) s are configured; \
        configure \(stored.seconds) s or use another data directory
        """)
    }
  }

  static func storedWindow(_ database: Database, path: String) throws -> Nanoseconds {
    guard let window = try read(.window, from: database), window > 0 else {
      throw StoreError(.corrupt, "\(path) does not say how long its windows are; use another data directory")
    }
    return Nanoseconds(window)
  }
}
