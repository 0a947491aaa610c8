internal import GRDB
internal import Glibc
internal import Lifecycle
internal import Synchronization

/// Restores the store if its directory or its files are removed or replaced while it is open.
///
/// SQLite keeps them open, so that all of it can still be read, and written again under the old name.
extension WindowStore {
  /// Looks whether the store still is where it was.
  ///
  /// A `kelvin.lock` that was removed is made again; that counts in `history`.
  ///
  /// - Throws: ``StoreError`` with ``StoreError/Code/gone`` if the directory or a file was removed, replaced or cut,
  ///   `inaccessible` if the directory cannot be written any more, `busy` if another process took it.
  /// - Complexity: Four calls of the system.
  package func verify() throws(StoreError) {
    let held = lock.withLock { $0?.identity }
    guard let held else { throw StoreError(.failed, "the store \(path) is closed") }
    if let unfinished = unfinished.withLock({ $0 }) { throw StoreError(.gone, unfinished.reason) }
    guard let facts = try FileFacts.following(directory) else {
      throw StoreError(.gone, "the data directory \(directory) was removed")
    }
    guard facts.identity == held else {
      throw StoreError(.gone, "the data directory \(directory) was replaced by another")
    }
    try DataDirectory.expectWritable(directory)
    let isRenewed = try lock.withLock { (lock: inout DirectoryLock?) throws(StoreError) in
      try lock?.renewFile() ?? false
    }
    if isRenewed { note("\(directory)/\(DirectoryLock.fileName) was removed", "it was created and locked again") }
    try opened.withLock { (opened: inout Opened) throws(StoreError) in try opened.files.expectUnchanged() }
  }

  /// Makes the directory and the database again after ``verify()`` found them gone.
  ///
  /// Another database that lies there meanwhile is left alone: someone put it there.
  ///
  /// - Parameter reason: What was found, for `history`.
  /// - Throws: ``StoreError`` with ``StoreError/Code/gone`` if another database is in the way, `busy` if another process holds
  ///   the directory, or why it cannot be made.
  package func restore(after reason: String) throws(StoreError) -> Restoration {
    try DataDirectory.create(directory)
    try takeDirectory()
    // If only the last step failed the time before, the rest is done.
    let unfinished: UnfinishedRestoration
    if let begun = self.unfinished.withLock({ $0 }) {
      unfinished = begun
    } else {
      unfinished = try replaceFiles(after: reason)
    }
    let new = try Opened(directory: directory, window: window, identity: identity)
    let old = opened.withLock { opened in
      defer { opened = new }
      return opened
    }
    self.unfinished.withLock { $0 = nil }
    content.withLock { content in
      content.numbers = [:]
      content.sourceNumbers = [:]
      if unfinished.restoration == .empty { content.invocations = [:] }
    }
    past.withLock { $0.damagedRows += old.reader.damagedRows }
    StoreReserve.keep(in: directory)
    note(
      unfinished.reason,
      unfinished.restoration == .whole
        ? "it was created again with everything that had been saved"
        : "its files could not be read any more; totals and the windows in memory were written again, older windows are lost"
    )
    return unfinished.restoration
  }

  /// Puts a copy in the place of the files, or puts them aside if they cannot be read, and closes the connections to them. What fails
  /// before that leaves the connections open: they are all that still holds the content.
  private func replaceFiles(after reason: String) throws(StoreError) -> UnfinishedRestoration {
    let isOwn = try expectNoOtherDatabase()
    let copy = path + ".new"
    let restoration = try copyDatabase(to: copy)
    if isOwn && restoration == .empty { setAside() }
    // Before the copy has the name: it must not be taken for what belongs to it.
    for name in ["-wal", "-shm"] { unsafe unlink(path + name) }
    if restoration == .whole {
      guard unsafe rename(copy, path) == 0 else {
        throw StoreError(.inaccessible, "\(path) cannot be created again: \(SystemError.text(errno))")
      }
      DataDirectory.synchronize(directory)
    }
    let unfinished = UnfinishedRestoration(restoration: restoration, reason: reason)
    self.unfinished.withLock { $0 = unfinished }
    // Before the copy is opened: the end of the last connection deletes what lies beside its name.
    try? pool.close()
    return unfinished
  }

  private func note(_ what: String, _ consequence: String) {
    past.withLock { past in
      past.removals &+= 1
      past.removal = "\(what) while Kelvin ran; \(consequence)"
    }
  }

  /// Holds the directory that the path names now.
  private func takeDirectory() throws(StoreError) {
    let held = lock.withLock { $0?.identity }
    if let held, try FileFacts.following(directory)?.identity == held { return }
    var new: DirectoryLock? = try DirectoryLock(directory: directory)
    lock.withLock { swap(&$0, &new) }
  }

  /// - Returns: Whether the database that was opened is still there.
  private func expectNoOtherDatabase() throws(StoreError) -> Bool {
    guard let facts = try FileFacts.at(path) else { return false }
    if opened.withLock({ $0.files.isDatabase(facts) }) { return true }
    throw StoreError(
      .gone,
      "another file was put at \(path) while Kelvin ran; move that file away, so that Kelvin writes its own again, "
        + "or restart Kelvin to use that file")
  }

  private func copyDatabase(to copy: String) throws(StoreError) -> Restoration {
    unsafe unlink(copy)
    try DataDirectory.prepareFile(copy)
    do {
      try pool.writeWithoutTransaction { database in
        try database.execute(sql: "VACUUM INTO ?", arguments: [copy])
      }
    } catch {
      unsafe unlink(copy)
      let problem = StoreError(error, path: path)
      // If only the copy cannot be written now, the files that are open still hold it all.
      guard problem.code == .corrupt || !isReadable() else { throw problem }
      return .empty
    }
    DataDirectory.synchronize(copy)
    return .whole
  }

  /// Whether everything can be read through the connections that are open.
  private func isReadable() -> Bool {
    // Whatever the error is, it says no.
    (try? pool.writeWithoutTransaction { try String.fetchAll($0, sql: "PRAGMA quick_check(1)") }) == ["ok"]
  }

  /// Keeps what is left of a damaged database under another name, so that somebody can examine it.
  private func setAside() {
    for name in ["", "-wal"] { unsafe rename(path + name, path + ".damaged" + name) }
  }
}

/// What has become of the files of a store whose new ones could not be opened yet.
struct UnfinishedRestoration: Sendable {
  var restoration: Restoration
  /// Why the store is restored.
  var reason: String
}
