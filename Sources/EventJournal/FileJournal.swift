internal import Glibc
package import EventPipeline
package import Lifecycle
package import Logging
internal import Synchronization
package import WindowStore
package import Windows

/// The journal on disk: two logs in the folder `journal` of the data directory, and which sequences were kept of which source.
///
/// docs/formats/journal.md describes the files, and decision 21 says why they are what they are.
package final class FileJournal: Journal {
  /// The folder's name in a data directory.
  package static let folderName = "journal"
  static let batchesName = "batches"
  static let entriesName = "entries"

  let folder: String
  private let identity: UInt64
  let batches: SegmentedLog
  let entries: SegmentedLog
  let logger: Logger
  let state: Mutex<State>
  private let elapsed: @Sendable () -> Nanoseconds
  let skipped = Atomic<UInt64>(0)

  struct State {
    var sources: SourceTable
    var statistics = JournalStatistics()
    /// Where the last replay of batches ended, so that the next one need not begin at the first.
    var isOpen = true
  }

  /// Opens the journal of a store, and creates it if there is none.
  ///
  /// - Parameters:
  ///   - directory: The data directory, which the process holds.
  ///   - identity: That of the store in it. The journal of another one is set aside.
  ///   - elapsed: The time since some instant, which never goes back: measures the disk.
  ///   - logger: Told of what could not be read.
  /// - Throws: ``StoreError`` with ``StoreError/Code/newer`` if a newer Kelvin wrote it, `inaccessible`, `full` or `failed`
  ///   if it cannot be created or read.
  package static func open(
    directory: String, identity: UInt64, elapsed: @escaping @Sendable () -> Nanoseconds, logger: Logger
  ) throws(StoreError) -> FileJournal {
    let folder = directory + "/" + folderName
    try createFolder(folder)
    var opening = JournalOpening(folder: folder, identity: identity, logger: logger)
    try opening.run()
    let journal = FileJournal(opening, segmentBytes: segmentBytes(directory), elapsed: elapsed)
    do {
      try journal.entries.makeRoom()
    } catch  where error.code == .full {
      // Without room for it nothing is promised, but everything is counted and answered.
      logger.error("\(error.message)")
    }
    return journal
  }

  private init(_ opening: JournalOpening, segmentBytes: Int, elapsed: @escaping @Sendable () -> Nanoseconds) {
    folder = opening.folder
    identity = opening.identity
    logger = opening.logger
    self.elapsed = elapsed
    batches = SegmentedLog(
      folder: folder, name: Self.batchesName, identity: opening.identity, segmentBytes: segmentBytes,
      bytesLimit: Self.bytesLimit, found: opening.batches)
    entries = SegmentedLog(
      folder: folder, name: Self.entriesName, identity: opening.identity, segmentBytes: segmentBytes,
      bytesLimit: Self.bytesLimit, found: opening.entries)
    batches.skip(to: opening.sources.position)
    state = Mutex(State(sources: opening.sources))
    state.withLock { $0.statistics.damaged = opening.damaged }
  }

  /// How large one of the two logs may become while no checkpoint is saved.
  static let bytesLimit: Int64 = 512 << 20

  /// The size of a segment: 4 MiB, or less where the disk is small.
  private static func segmentBytes(_ directory: String) -> Int {
    var room = statvfs()
    guard unsafe statvfs(directory, &room) == 0 else { return 4 << 20 }
    let share = UInt64(room.f_bavail) / 64 &* UInt64(room.f_frsize)
    return Int(min(4 << 20, max(64 << 10, share / 4_096 * 4_096)))
  }

  private static func createFolder(_ path: String) throws(StoreError) {
    guard unsafe mkdir(path, 0o700) == 0 || errno == EEXIST else {
      throw JournalErrors.system(errno, "\(path) cannot be created")
    }
    var status = stat()
    guard unsafe lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
      throw StoreError(.inaccessible, "\(path) is not a folder; move it away or use another data directory")
    }
  }

  // MARK: Batches

  /// Keeps batches, in one commit.
  package func append(_ batches: [EventBatch]) throws(StoreError) -> [JournalOutcome] {
    let isNew = state.withLock { $0.sources.newOnes(among: batches) }
    let kept = zip(batches, isNew).filter(\.1).map(\.0)
    guard !kept.isEmpty else { return batches.map { _ in .duplicate } }
    var payloads: [[UInt8]] = []
    for batch in kept { payloads.append(try BatchCodec.encode(batch)) }
    let began = elapsed()
    let first = try self.batches.commit(.batch, payloads)
    let took = Nanoseconds(elapsed().count &- began.count)
    state.withLock { state in
      state.statistics.commits &+= 1
      state.statistics.commitTime = state.statistics.commitTime + took
      for (offset, batch) in kept.enumerated() { state.sources.kept(batch, at: first + UInt64(offset)) }
    }
    var next = first
    return isNew.map { isNew in
      guard isNew else { return .duplicate }
      defer { next += 1 }
      return .kept(JournalPosition(next))
    }
  }

  /// Forgets batches up to and including a position.
  package func truncate(through position: JournalPosition) throws(StoreError) {
    if batches.frees(through: position.number) {
      // Before the last record of any source goes.
      let sources = state.withLock { $0.sources }
      try sources.write(in: folder, identity: identity)
    }
    try batches.truncate(through: position.number)
  }

  // MARK: Entries

  /// Records an event of a source in this process.
  package func record(_ event: LifecycleEvent) {
    let position = entries.append(.event, payloadBytesMax: EventCodec.bytesMax(event)) { writer in
      EventCodec.write(event, to: &writer)
    }
    if position == nil { skipped.add(1, ordering: .relaxed) }
  }

  /// Records what was applied and read.
  package func record(_ mark: JournalMark) -> JournalPosition {
    let position = entries.append(.mark, payloadBytesMax: MarkCodec.bytes) { MarkCodec.write(mark, to: &$0) }
    return JournalPosition(position ?? entries.extent.last)
  }

  /// Forgets entries up to and including a position.
  package func truncateEntries(through position: JournalPosition) throws(StoreError) {
    try entries.truncate(through: position.number)
  }

  // MARK: Life

  /// Whether entries are neither on the disk nor in a checkpoint.
  package var isDirty: Bool { entries.extent.isDirty }

  /// Whether no segment is ahead.
  package var needsRoom: Bool { entries.needsRoom }

  /// Has all entries on the disk.
  package func synchronize() throws(StoreError) {
    guard entries.isInPlace else { throw StoreError(.gone, "files of the journal were removed or changed") }
    try entries.synchronize()
  }

  /// Has all entries on the disk, and prepares room.
  package func maintain() throws(StoreError) {
    if !(entries.isInPlace && batches.isInPlace) {
      logger.error(
        "files of the journal were removed or changed while Kelvin ran; it begins anew",
        metadata: ["folder": "\(folder)"])
      try Self.createFolder(folder)
      entries.abandon()
      batches.abandon()
    }
    try entries.synchronize()
    try entries.makeRoom()
  }

  /// Ends all access, and removes what a checkpoint contains.
  package func close() {
    state.withLock { $0.isOpen = false }
    for log in [entries, batches] {
      let extent = log.extent
      guard extent.truncated >= extent.last else { continue }
      if log === batches {
        // Without it, what is in the segments still tells duplicates.
        guard let _ = try? state.withLock({ $0.sources }).write(in: folder, identity: identity) else { continue }
      }
      log.removeAll()
    }
  }

  /// What it holds, and what it did.
  package var statistics: JournalStatistics {
    let (batches, entries) = (batches.extent, entries.extent)
    var statistics = state.withLock { $0.statistics }
    statistics.bytes = batches.bytes + entries.bytes
    statistics.batches = batches.last - batches.truncated
    statistics.entries = entries.last - entries.truncated
    statistics.eventsSkipped = skipped.load(ordering: .relaxed)
    return statistics
  }
}
