internal import Glibc
internal import Lifecycle
internal import WindowStore

/// The highest sequence that was kept of each source, whether or not its batches still are in the journal.
///
/// Bounded: the sources that were silent for longest go first. Senders that do not say who they are have none.
struct SourceTable: Sendable {
  static let fileName = "sources"
  static let sourcesLimit = 100_000
  private static let magic: UInt64 = 0x0A53_4E49_564C_454B
  private static let version: UInt32 = 1
  private static let headBytes = 32
  private static let entryBytes = 32

  private struct Entry {
    var sequence: UInt64
    /// Of the last batch that was kept.
    var position: UInt64
  }

  private var entries: [SourceID: Entry] = [:]
  /// The highest position of any batch that was ever kept.
  private(set) var position: UInt64 = 0
  private let limit: Int

  init(limit: Int = SourceTable.sourcesLimit) { self.limit = limit }

  var count: Int { entries.count }

  /// The highest sequence of a source; 0 if it is not known.
  func sequence(of source: SourceID) -> UInt64 { entries[source]?.sequence ?? 0 }

  /// Which batches have a sequence above all before, of their source.
  func newOnes(among batches: [EventBatch]) -> [Bool] {
    var highest: [SourceID: UInt64] = [:]
    return batches.map { batch in
      if batch.source.isAnonymous { return true }
      guard batch.sequence > highest[batch.source] ?? sequence(of: batch.source) else { return false }
      highest[batch.source] = batch.sequence
      return true
    }
  }

  mutating func kept(_ batch: EventBatch, at position: UInt64) {
    kept(batch.source, batch.sequence, at: position)
  }

  mutating func kept(_ source: SourceID, _ sequence: UInt64, at position: UInt64) {
    self.position = max(self.position, position)
    if source.isAnonymous { return }
    let known = entries[source]
    entries[source] = Entry(
      sequence: max(sequence, known?.sequence ?? 0), position: max(position, known?.position ?? 0))
    if entries.count > limit { forgetSilent() }
  }

  /// Forgets a tenth, so that it is not done for every new source.
  private mutating func forgetSilent() {
    let positions = entries.values.map(\.position).sorted()
    let horizon = positions[min(positions.count - 1, max(1, limit / 10))]
    entries = entries.filter { $0.value.position >= horizon }
  }

  // MARK: The file

  /// What a file holds.
  enum Reading {
    case table(SourceTable)
    case version(UInt32)
    case damaged
  }

  static func read(_ bytes: [UInt8], identity: UInt64) -> Reading {
    var reader = RecordReader(bytes, 0..<bytes.count)
    guard reader.fixed() == magic, let version = reader.word() else { return .damaged }
    guard version <= Self.version else { return .version(version) }
    guard let checksum = reader.word(), let owner = reader.fixed(), let position = reader.fixed(),
      reader.remaining % entryBytes == 0, sum(bytes) == checksum
    else { return .damaged }
    var table = SourceTable()
    // That of another store says nothing about this one.
    guard owner == identity else { return .table(table) }
    while let source = reader.identifier(), let sequence = reader.fixed(), let position = reader.fixed() {
      table.kept(SourceID(source), sequence, at: position)
    }
    table.position = max(table.position, position)
    return .table(table)
  }

  private static func sum(_ bytes: [UInt8]) -> UInt32 {
    var checksum = Checksum(seed: 0)
    checksum.add(bytes, 16..<bytes.count)
    return checksum.value
  }

  func bytes(identity: UInt64) -> [UInt8] {
    var bytes = unsafe [UInt8](unsafeUninitializedCapacity: Self.headBytes + entries.count * Self.entryBytes) {
      buffer, count in
      var writer = unsafe RecordWriter(UnsafeMutableRawBufferPointer(buffer))
      writer.fixed(Self.magic)
      writer.word(Self.version)
      writer.word(0)
      writer.fixed(identity)
      writer.fixed(position)
      for (source, entry) in entries {
        writer.identifier(source.value)
        writer.fixed(entry.sequence)
        writer.fixed(entry.position)
      }
      count = writer.count
    }
    let sum = Self.sum(bytes)
    for index in 0..<4 { bytes[12 + index] = UInt8(truncatingIfNeeded: sum >> UInt32(index * 8)) }
    return bytes
  }

  /// Puts a file with the table in the place of the last one.
  ///
  /// - Throws: ``StoreError`` if it cannot be written; then the last one stays.
  func write(in folder: String, identity: UInt64) throws(StoreError) {
    let path = folder + "/" + Self.fileName
    let new = path + ".new"
    unsafe unlink(new)
    let descriptor = unsafe open(new, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw JournalErrors.system(errno, "\(new) cannot be created") }
    let code = Self.writeAll(bytes(identity: identity), to: descriptor)
    close(descriptor)
    guard code == 0, unsafe rename(new, path) == 0 else {
      let reason = code == 0 ? errno : code
      unsafe unlink(new)
      throw JournalErrors.system(reason, "\(path) cannot be written")
    }
    FoundSegment.synchronizeFolder(folder)
  }

  private static func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Int32 {
    var written = 0
    while written < bytes.count {
      let count = unsafe bytes.withUnsafeBytes { buffer in
        unsafe Glibc.write(descriptor, buffer.baseAddress?.advanced(by: written), bytes.count - written)
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return count < 0 ? errno : EIO }
      written += count
    }
    return fsync(descriptor) == 0 ? 0 : errno
  }
}
