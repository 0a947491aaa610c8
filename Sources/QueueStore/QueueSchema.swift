internal import GRDB
internal import WindowStore

/// The tables of the store.
enum QueueSchema {
  static let fileName = "queues.sqlite"
  /// In the file's header: "KLVQ".
  private static let applicationID: Int64 = 0x4B4C_5651
  static let formatVersion: Int64 = 1

  private static let statements = [
    "CREATE TABLE epoch (number INTEGER NOT NULL)",
    "INSERT INTO epoch (number) VALUES (0)",
    """
    CREATE TABLE queues (
      id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, settings TEXT NOT NULL, tags TEXT NOT NULL,
      function TEXT, created INTEGER NOT NULL, modified INTEGER NOT NULL)
    """,
    """
    CREATE TABLE messages (
      sequence INTEGER PRIMARY KEY, queue INTEGER NOT NULL, id BLOB NOT NULL, message_group TEXT NOT NULL,
      deduplication TEXT NOT NULL, sent INTEGER NOT NULL, available INTEGER NOT NULL, receives INTEGER NOT NULL,
      first_received INTEGER, hidden_until INTEGER, source TEXT NOT NULL, trace TEXT NOT NULL, attributes TEXT NOT NULL,
      body TEXT NOT NULL)
    """,
    """
    CREATE TABLE deduplication (
      queue INTEGER NOT NULL, key BLOB NOT NULL, sequence INTEGER NOT NULL, id BLOB NOT NULL, until INTEGER NOT NULL,
      PRIMARY KEY (queue, key)) WITHOUT ROWID
    """,
    "CREATE INDEX deduplication_until ON deduplication (until)",
    """
    CREATE TABLE events (
      request BLOB PRIMARY KEY, function TEXT NOT NULL, version TEXT NOT NULL, arn TEXT NOT NULL,
      qualifier TEXT NOT NULL, trace TEXT NOT NULL, context TEXT, settings TEXT NOT NULL, accepted INTEGER NOT NULL, due INTEGER NOT NULL,
      errors INTEGER NOT NULL, throttles INTEGER NOT NULL, payload BLOB NOT NULL)
    """,
  ]

  /// Makes the tables in an empty database, or looks whether this Kelvin reads those that are there.
  ///
  /// - Throws: `StoreError` with `corrupt` if the file is another program's, `newer` if a newer Kelvin wrote it.
  static func prepare(_ database: Database, path: String) throws {
    let version = try Int64.fetchOne(database, sql: "PRAGMA user_version") ?? 0
    let application = try Int64.fetchOne(database, sql: "PRAGMA application_id") ?? 0
    let isEmpty = try Int.fetchOne(database, sql: "SELECT count(*) FROM sqlite_master") == 0
    if isEmpty, version == 0 {
      for statement in statements { try database.execute(sql: statement) }
      try database.execute(sql: "PRAGMA application_id = \(applicationID)")
      try database.execute(sql: "PRAGMA user_version = \(formatVersion)")
      return
    }
    guard application == applicationID, version > 0 else {
      throw StoreError(.corrupt, "\(path) is a database that Kelvin did not write; use another data directory")
    }
    guard version <= formatVersion else {
      throw StoreError(
        .newer,
        """
        \(path) was written by a newer Kelvin (format \(version), this one reads up to \(formatVersion)); \
        use that version or another data directory
        """)
    }
  }

  /// The number of this opening, which no other has.
  static func nextEpoch(_ database: Database) throws -> Int64 {
    try database.execute(sql: "UPDATE epoch SET number = number + 1")
    return try Int64.fetchOne(database, sql: "SELECT number FROM epoch") ?? 1
  }
}
