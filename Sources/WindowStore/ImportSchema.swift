internal import GRDB
internal import Lifecycle
internal import Windows

/// The tables of imports, as docs/formats/store.md describes them. A store that an older Kelvin made gets them when it is opened.
enum ImportSchema {
  static let additions = [
    // Lines of which no stream is known belong to one stream for each function, its owner.
    """
    CREATE TABLE IF NOT EXISTS import_streams (
      id INTEGER PRIMARY KEY, name TEXT NOT NULL, owner TEXT NOT NULL, function TEXT NOT NULL, first INTEGER NOT NULL,
      last INTEGER NOT NULL, UNIQUE (name, owner)) STRICT
    """,
    // Those that go on in a span, and those that are too old, are found by it.
    "CREATE INDEX IF NOT EXISTS import_streams_last ON import_streams (last, first)",
    // A fact is its own key: that makes an import the union of sets.
    """
    CREATE TABLE IF NOT EXISTS import_facts (
      time INTEGER NOT NULL, stream INTEGER NOT NULL, data BLOB NOT NULL, instance INTEGER NOT NULL,
      PRIMARY KEY (time, stream, data)) WITHOUT ROWID, STRICT
    """,
    "CREATE INDEX IF NOT EXISTS import_facts_instances ON import_facts (stream, time) WHERE instance = 1",
    """
    CREATE TABLE IF NOT EXISTS import_windows (
      length INTEGER NOT NULL, start INTEGER NOT NULL, scope INTEGER NOT NULL, data BLOB NOT NULL,
      PRIMARY KEY (length, start, scope)) WITHOUT ROWID, STRICT
    """,
    "CREATE INDEX IF NOT EXISTS import_windows_scopes ON import_windows (scope)",
    """
    CREATE TABLE IF NOT EXISTS import_held (
      start INTEGER NOT NULL, scope INTEGER NOT NULL, PRIMARY KEY (start, scope)) WITHOUT ROWID, STRICT
    """,
    "CREATE TABLE IF NOT EXISTS import_spans (start INTEGER PRIMARY KEY, generation INTEGER NOT NULL) STRICT",
  ]

  /// Has the windows of the span computed again that contains an instant.
  static func markSpan(containing time: Timestamp, window: Nanoseconds, in database: Database) throws {
    let grid = WindowGrid(length: ImportSpan.length(window: window))
    try markSpan(grid.start(grid.index(of: time)).nanoseconds, in: database)
  }

  /// Has the windows of a span computed again.
  static func markSpan(_ start: Int64, in database: Database) throws {
    try database.cachedStatement(
      sql: """
        INSERT INTO import_spans (start, generation) VALUES (?, 1)
        ON CONFLICT (start) DO UPDATE SET generation = generation + 1
        """
    ).execute(arguments: [start])
  }
}
