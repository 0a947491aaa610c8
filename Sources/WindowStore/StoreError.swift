internal import GRDB

/// Why a store could not be opened, read or written.
package struct StoreError: Error, Sendable, CustomStringConvertible {
  /// What kind of failure it is, to branch on.
  package struct Code: Hashable, Sendable {
    private enum Kind { case newer, otherWindow, corrupt, inaccessible, absent, busy, full, gone, failed }
    private let kind: Kind
    private init(_ kind: Kind) { self.kind = kind }

    /// The store was written by a newer Kelvin.
    package static let newer = Code(.newer)
    /// The store holds windows of another length.
    package static let otherWindow = Code(.otherWindow)
    /// The file is no database of Kelvin's, or is damaged.
    package static let corrupt = Code(.corrupt)
    /// The directory or a file in it cannot be created, read or written.
    package static let inaccessible = Code(.inaccessible)
    /// There is no store in the directory. Only when it is opened for reading.
    package static let absent = Code(.absent)
    /// Another process holds the directory.
    package static let busy = Code(.busy)
    /// The disk is full.
    package static let full = Code(.full)
    /// The directory or a file of the store was removed, replaced or cut while it was open.
    package static let gone = Code(.gone)
    /// Anything else that the database reports.
    package static let failed = Code(.failed)
  }

  /// Which kind of problem it is.
  package var code: Code
  /// A sentence that says what is wrong and, where something can be done, what.
  package var message: String
  /// What the database or the system reported; `nil` if the store found the problem itself.
  package var cause: (any Error)?

  /// Makes an error of its parts.
  package init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
    self.code = code
    self.message = message
    self.cause = cause
  }

  /// The sentence, with the cause in brackets.
  package var description: String { cause.map { "\(message) (\($0))" } ?? message }
}

extension StoreError {
  static func corrupt(_ what: String) -> StoreError { StoreError(.corrupt, "stored \(what) is damaged") }

  /// What an error that came out of the database means for the store at `path`.
  package init(_ error: any Error, path: String) {
    if let own = error as? StoreError {
      self = own
      return
    }
    guard let database = error as? DatabaseError else {
      self.init(.failed, "the store \(path) failed", cause: error)
      return
    }
    switch database.resultCode {
    case .SQLITE_FULL:
      self.init(
        .full, "no space is left for the store \(path); free some space, nothing that was stored is lost", cause: error)
    case .SQLITE_NOTADB, .SQLITE_CORRUPT:
      self.init(
        .corrupt, "\(path) is not Kelvin's database or is damaged; move it away or use another data directory",
        cause: error)
    case .SQLITE_BUSY, .SQLITE_LOCKED:
      self.init(.busy, "the store \(path) is locked by another process", cause: error)
    case .SQLITE_CANTOPEN, .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_AUTH:
      self.init(.inaccessible, "the store \(path) cannot be opened or written", cause: error)
    default:
      self.init(.failed, "the store \(path) failed", cause: error)
    }
  }
}
