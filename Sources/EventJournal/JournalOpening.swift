internal import EventPipeline
internal import Glibc
internal import Lifecycle
internal import Logging
internal import WindowStore

/// Looks through what earlier processes left of a journal.
struct JournalOpening {
  let folder: String
  let identity: UInt64
  let logger: Logger
  private(set) var batches: [FoundSegment] = []
  private(set) var entries: [FoundSegment] = []
  private(set) var sources = SourceTable()
  /// Records that could not be read.
  private(set) var damaged: UInt64 = 0

  init(folder: String, identity: UInt64, logger: Logger) {
    self.folder = folder
    self.identity = identity
    self.logger = logger
  }

  mutating func run() throws(StoreError) {
    try readSources()
    entries = try segments(FileJournal.entriesName) { _, _ in }
    var sources = sources
    batches = try segments(FileJournal.batchesName) { bytes, record in
      var reader = RecordReader(bytes, record.payload)
      guard record.kind == .batch, let head = BatchCodec.head(&reader) else { return }
      sources.kept(head.source, head.sequence, at: record.position)
    }
    self.sources = sources
  }

  private mutating func readSources() throws(StoreError) {
    let path = folder + "/" + SourceTable.fileName
    guard try FoundSegment.names(in: folder).contains(SourceTable.fileName) else { return }
    switch SourceTable.read(try FoundSegment.read(path), identity: identity) {
    case .table(let table): sources = table
    case .version(let version): throw JournalErrors.newer(path, version)
    case .damaged:
      damaged += 1
      logger.error(
        "the list of sources of the journal is damaged: a batch that an earlier process acknowledged may count twice if it is sent again",
        metadata: ["file": "\(path)"])
    }
  }

  private mutating func segments(
    _ name: String, _ body: ([UInt8], SegmentScan.Record) -> Void
  ) throws(StoreError) -> [FoundSegment] {
    var found: [FoundSegment] = []
    for (number, path) in try FoundSegment.paths(folder: folder, name: name) {
      let bytes = try FoundSegment.read(path)
      switch SegmentHeader.read(bytes) {
      case .unused:
        unsafe unlink(path)
      case .version(let version):
        throw JournalErrors.newer(path, version)
      case .header(let header) where header.identity != identity || header.number != number:
        try setAside(path)
      case .damaged:
        damaged += 1
        logger.error(
          "a file of the journal has no header that can be read, and is set aside", metadata: ["file": "\(path)"])
        try setAside(path)
      case .header(let header):
        var scan = SegmentScan(bytes, header, after: found.last?.last ?? 0)
        var last = header.base
        while let record = scan.next() {
          last = record.position
          body(bytes, record)
        }
        report(scan.damages, path)
        if last == header.base, scan.damages.isEmpty {
          unsafe unlink(path)
        } else {
          found.append(FoundSegment(path: path, number: number, last: last, bytes: bytes.count))
        }
      }
    }
    return found
  }

  private mutating func report(_ damages: [SegmentScan.Damage], _ path: String) {
    for damage in damages {
      damaged += damage.records
      logger.error(
        "\(damage.records) record\(damage.records == 1 ? "" : "s") of the journal could not be read and are passed over",
        metadata: ["file": "\(path)", "offset": "\(damage.offset)"])
    }
  }

  /// Keeps a file that is not of this journal under another name.
  private func setAside(_ path: String) throws(StoreError) {
    guard unsafe rename(path, path + ".aside") == 0 else {
      throw JournalErrors.system(errno, "\(path) cannot be set aside")
    }
  }
}
