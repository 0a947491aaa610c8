internal import GRDB

/// The library that keeps the store.
package enum StoreLibrary {
  /// The version of SQLite that the process has; "unknown" if it does not say.
  package static var version: String {
    // A database in memory, which only the system's memory could refuse.
    let version = try? DatabaseQueue().read { try String.fetchOne($0, sql: "SELECT sqlite_version()") }
    return version ?? "unknown"
  }
}
