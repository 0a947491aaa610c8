import EventPipeline
import Foundation
import Lifecycle
import Logging
import Synchronization
import TestSupport
import Testing
import WindowStore
import Windows

@testable import EventJournal

/// A journal whose files a disk, or somebody, has changed.
@Suite struct `A damaged journal` {
  private let folder = JournalFolder()

  private func fill(_ count: Int) throws -> [LifecycleEvent] {
    let events = (0..<UInt64(count)).map { Story().finished($0, from: ten) }
    let journal = try folder.open()
    for event in events { journal.record(event) }
    return events
  }

  private func replayed(_ journal: FileJournal) throws -> [LifecycleEvent] {
    var events: [LifecycleEvent] = []
    try journal.replayEntries(after: .start) { entry, _ in
      if case .event(let event) = entry { events.append(event) }
    }
    return events
  }

  @Test func `passes over the records that a changed bit lies in, says where, and counts them`() throws {
    let events = try fill(5)
    let path = try folder.onlyFile("entries")
    let bytes = try folder.bytes(of: path)
    let recordBytes = RecordHeader.bytes(
      ofPayload: Int(bytes[SegmentHeader.bytes + 4]) | Int(bytes[SegmentHeader.bytes + 5]) << 8)
    for bit in [0, 7, 8 * 4, 8 * 8, 8 * 16, 8 * 40, 8 * 90] {
      // In the second record.
      let offset = SegmentHeader.bytes + recordBytes + bit / 8
      try folder.change(path, at: offset) { $0 ^ UInt8(1 << (bit % 8)) }
      let journal = try folder.open()
      #expect(try replayed(journal) == [events[0], events[2], events[3], events[4]], "bit \(bit)")
      #expect(journal.statistics.damaged == 1)
      #expect(folder.lines.contains { $0.contains("entries-") && $0.contains("\(SegmentHeader.bytes + recordBytes)") })
      try folder.change(path, at: offset) { $0 ^ UInt8(1 << (bit % 8)) }
      try folder.keepOnly(path)
    }
    let journal = try folder.open()
    #expect(try replayed(journal) == events)
    #expect(journal.statistics.damaged == 0)
  }

  @Test func `ends where a process was killed while it wrote`() throws {
    let events = try fill(3)
    let path = try folder.onlyFile("entries")
    // The payload of a fourth record is there, and its first word is not.
    let end = try folder.end(of: path)
    for offset in (end + 8)..<(end + 60) { try folder.change(path, at: offset) { _ in 0xAB } }
    let journal = try folder.open()
    #expect(try replayed(journal) == events)
    #expect(journal.statistics.damaged == 0)
  }

  @Test func `finds what lies behind pages that a loss of power left empty`() throws {
    let events = try fill(200)
    let path = try folder.onlyFile("entries")
    for offset in 4_096..<8_192 { try folder.change(path, at: offset) { _ in 0 } }
    let journal = try folder.open()
    let found = try replayed(journal)
    #expect(found.count < 200 && found.count > 100 && found.last == events.last)
    #expect(journal.statistics.damaged == UInt64(200 - found.count))
  }

  @Test(arguments: [0, 63, 64, 100, 5_000])
  func `is read as far as a file goes that was cut`(_ size: Int) throws {
    let events = try fill(200)
    let path = try folder.onlyFile("entries")
    try folder.cut(path, to: size)
    let journal = try folder.open()
    let found = try replayed(journal)
    #expect(found == Array(events.prefix(found.count)))
    #expect((found.count > 10) == (size == 5_000))
    journal.record(events[199])
    #expect(try replayed(journal) == found + [events[199]])
  }

  @Test func `sets files aside that are not its own, and refuses those of a newer version`() throws {
    _ = try fill(3)
    let path = try folder.onlyFile("entries")
    #expect(try replayed(try folder.open(identity: 8)) == [])
    #expect(try folder.names().contains { $0.hasSuffix(".aside") })
    try folder.removeAll()
    _ = try fill(3)
    try folder.change(path, at: 8) { _ in 2 }
    let error = #expect(throws: StoreError.self) { try folder.open() }
    #expect(error?.code == .newer)
    #expect(error?.message.contains("newer Kelvin (format 2, this one reads up to 1)") == true)
  }

  @Test func `tells duplicates from the segments alone when its list of sources is damaged`() throws {
    let journal = try folder.open()
    let source = SourceID(Identifier128(high: 5, low: 1))
    let batches = (1...3 as ClosedRange<UInt64>).map {
      EventBatch(source: source, sequence: $0, events: [Story().finished($0, from: ten)])
    }
    _ = try journal.append(batches)
    try SourceTable().write(in: folder.journal, identity: 7)
    try folder.change(folder.journal + "/sources", at: 20) { $0 ^ 1 }
    let next = try folder.open()
    #expect(next.statistics.damaged == 1)
    #expect(try next.append(batches) == [.duplicate, .duplicate, .duplicate])
  }

  @Test func `costs neither the process nor what follows when its file is cut while it is written`() throws {
    let journal = try folder.open()
    let events = (0..<UInt64(400)).map { Story().finished($0, from: ten) }
    for event in events.prefix(100) { journal.record(event) }
    for name in try folder.names() { try folder.cut(folder.journal + "/" + name, to: 4_096) }
    for event in events.dropFirst(100).prefix(200) { journal.record(event) }
    #expect(throws: StoreError.self) { try journal.synchronize() }
    try journal.maintain()
    for event in events.suffix(100) { journal.record(event) }
    #expect(try replayed(try folder.open()).suffix(100) == events.suffix(100))
  }

  @Test func `goes on in new files when its own are removed`() throws {
    let events = try fill(2)
    let journal = try folder.open()
    journal.record(events[0])
    try folder.removeAll()
    try journal.maintain()
    journal.record(events[1])
    #expect(try replayed(try folder.open()) == [events[1]])
    _ = try journal.append([EventBatch(source: SourceID(.zero), sequence: 1, events: events)])
    try folder.removeAll()
    try journal.maintain()
    #expect(try journal.append([EventBatch(source: SourceID(.zero), sequence: 2, events: events)]).count == 1)
  }
}

@Suite struct `The list of sources` {
  private func source(_ number: UInt64) -> SourceID { SourceID(Identifier128(high: 1, low: number)) }

  @Test func `comes back from its file, but for that of another store`() {
    var table = SourceTable()
    for number in 1...100 as ClosedRange<UInt64> { table.kept(source(number), number * 3, at: number) }
    guard case .table(let same) = SourceTable.read(table.bytes(identity: 5), identity: 5) else {
      Issue.record("it is not read")
      return
    }
    #expect(same.count == 100 && same.position == 100)
    #expect((1...100 as ClosedRange<UInt64>).allSatisfy { same.sequence(of: source($0)) == $0 * 3 })
    guard case .table(let other) = SourceTable.read(table.bytes(identity: 5), identity: 6) else {
      Issue.record("it is not read")
      return
    }
    #expect(other.count == 0)
  }

  @Test func `is bounded, and forgets those first that were silent for longest`() {
    var table = SourceTable(limit: 100)
    for number in 1...100 as ClosedRange<UInt64> { table.kept(source(number), 1, at: number) }
    table.kept(source(1), 2, at: 101)
    for number in 101...200 as ClosedRange<UInt64> {
      table.kept(source(number), 1, at: number + 1)
      #expect(table.count <= 100)
    }
    #expect(table.sequence(of: source(2)) == 0)
    #expect(table.sequence(of: source(200)) == 1)
  }

  @Test func `is refused, and never misread, when a bit of it changes`() {
    var table = SourceTable()
    table.kept(source(1), 1, at: 1)
    let bytes = table.bytes(identity: 5)
    for position in bytes.indices where !(8..<12).contains(position) {
      var changed = bytes
      changed[position] ^= 1
      guard case .damaged = SourceTable.read(changed, identity: 5) else {
        Issue.record("byte \(position) is taken")
        continue
      }
    }
  }
}

/// A data directory, and what is logged about it.
private final class JournalFolder: Sendable {
  let directory = NSTemporaryDirectory() + "kelvin-damage-" + UUID().uuidString
  var journal: String { directory + "/" + FileJournal.folderName }
  private let log = LogLines()

  init() { unsafe mkdir(directory, 0o700) }

  // What is left over is in the system's directory for temporary files: no reason to fail a test.
  deinit { try? FileManager.default.removeItem(atPath: directory) }

  var lines: [String] { log.lines }

  func open(identity: UInt64 = 7) throws -> FileJournal {
    try FileJournal.open(
      directory: directory, identity: identity, elapsed: { .zero }, logger: Logger(label: "test") { [log] _ in log })
  }

  func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: journal).sorted() }

  /// The first file of a log.
  func onlyFile(_ name: String) throws -> String {
    journal + "/" + (try #require(try names().first { $0.hasPrefix(name) && $0.hasSuffix(".log") }))
  }

  func keepOnly(_ path: String) throws {
    for name in try names() where journal + "/" + name != path {
      try FileManager.default.removeItem(atPath: journal + "/" + name)
    }
  }

  func removeAll() throws { try keepOnly("") }
  func bytes(of path: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: path))) }

  /// Where the next record would begin.
  func end(of path: String) throws -> Int {
    let bytes = try bytes(of: path)
    guard case .header(let header) = SegmentHeader.read(bytes) else { return 0 }
    var scan = SegmentScan(bytes, header)
    var end = SegmentHeader.bytes
    while let record = scan.next() {
      end = record.payload.lowerBound - RecordHeader.bytes + RecordHeader.bytes(ofPayload: record.payload.count)
    }
    return end
  }

  func change(_ path: String, at offset: Int, _ body: (UInt8) -> UInt8) throws {
    let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
    defer { try? file.close() }
    try file.seek(toOffset: UInt64(offset))
    let byte = try #require(try file.read(upToCount: 1)?.first)
    try file.seek(toOffset: UInt64(offset))
    try file.write(contentsOf: Data([body(byte)]))
  }

  func cut(_ path: String, to size: Int) throws {
    let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
    try file.truncate(atOffset: UInt64(size))
    try file.close()
  }
}

/// Keeps what is logged.
private final class LogLines: LogHandler, Sendable {
  private let kept = Mutex<[String]>([])
  var lines: [String] { kept.withLock { $0 } }
  var metadata: Logger.Metadata {
    get { [:] }
    set {}
  }
  var logLevel: Logger.Level {
    get { .trace }
    set {}
  }
  subscript(metadataKey _: String) -> Logger.MetadataValue? {
    get { nil }
    set {}
  }
  func log(event: LogEvent) { kept.withLock { $0.append("\(event.message) \(event.metadata ?? [:])") } }
}
