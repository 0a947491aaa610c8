import EventPipeline
import Foundation
import Logging
import Lifecycle
import Synchronization
import TestSupport
import Testing
import WindowStore
import Windows

@testable import EventJournal

/// Where a journal is kept, whatever becomes of the process that writes it.
protocol JournalPlace: Sendable {
  /// Opens the journal; after the first time, as a process does that follows one which was killed.
  func open() throws -> any Journal
  /// Lets the journal grow by so many batches of one event at most, or lifts that.
  func leaveRoom(for batches: Int?) throws
}

/// Each kind of journal, and a new place for it.
enum JournalKind: CaseIterable {
  case memory
  case file

  func makePlace() -> any JournalPlace {
    switch self {
    case .memory: MemoryPlace()
    case .file: FilePlace()
    }
  }

  private struct MemoryPlace: JournalPlace {
    private let journal = MemoryJournal()
    func open() -> any Journal { journal }
    func leaveRoom(for batches: Int?) { journal.leaveRoom(for: batches.map { journal.count + $0 } ?? .max) }
  }
}

/// A folder, whose journals are never closed, as after a kill.
final class FilePlace: JournalPlace {
  let directory: String
  private let journals = Mutex<[FileJournal]>([])

  init() {
    directory = NSTemporaryDirectory() + "kelvin-journal-" + UUID().uuidString
    unsafe mkdir(directory, 0o700)
  }

  // What is left over is in the system's directory for temporary files: no reason to fail a test.
  deinit { try? FileManager.default.removeItem(atPath: directory) }

  func open() throws -> any Journal {
    let journal = try FileJournal.open(
      directory: directory, identity: 7, elapsed: { Nanoseconds.zero },
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    journals.withLock { $0.append(journal) }
    return journal
  }

  func leaveRoom(for batches: Int?) {
    // A batch of one event takes less than 256 bytes and more than 128.
    journals.withLock { $0.last }?.batches.limit(furtherBytes: batches.map { Int64($0) * 256 } ?? 1 << 20)
  }
}

/// What every journal has to do.
@Suite struct `A journal` {
  private let orders = Story()

  private func batch(_ source: UInt64, _ sequence: UInt64) -> EventBatch {
    EventBatch(
      source: SourceID(Identifier128(high: 5, low: source)), sequence: sequence,
      events: [orders.finished(source << 32 | sequence, from: ten)])
  }

  private func replayed(_ journal: any Journal, after position: JournalPosition = .start) throws -> [EventBatch] {
    var batches: [EventBatch] = []
    var last = position
    try journal.replay(after: position) { batch, position in
      #expect(position > last, "replay is in the order of appending")
      last = position
      batches.append(batch)
    }
    return batches
  }

  private func position(_ outcome: JournalOutcome?) throws -> JournalPosition {
    guard case .kept(let position) = outcome else {
      Issue.record("\(String(describing: outcome)) is not kept")
      return .start
    }
    return position
  }

  @Test(arguments: JournalKind.allCases)
  func `keeps batches in their order, each behind the one before`(_ kind: JournalKind) throws {
    let place = kind.makePlace()
    defer { withExtendedLifetime(place) {} }
    let journal = try place.open()
    #expect(try replayed(journal) == [])
    let first = try journal.append([batch(1, 1), batch(2, 1)])
    let second = try journal.append([batch(1, 2)])
    let positions = try (first + second).map(position)
    #expect(positions == positions.sorted() && Set(positions).count == 3 && positions[0] > .start)
    #expect(try replayed(journal) == [batch(1, 1), batch(2, 1), batch(1, 2)])
    #expect(try replayed(journal, after: positions[0]) == [batch(2, 1), batch(1, 2)])
    #expect(try replayed(journal, after: positions[2]) == [])
    #expect(try journal.append([]) == [])
  }

  @Test(arguments: JournalKind.allCases)
  func `keeps a batch with everything in it, also without events`(_ kind: JournalKind) throws {
    let place = kind.makePlace()
    let source = SourceID(Identifier128(high: .max, low: .max))
    let story = RandomStory.events(seed: 7, from: ten, lasting: .seconds(300), invocations: 200)
    let batches = [
      EventBatch(source: source, sequence: 1, events: []), EventBatch(source: source, sequence: 1 << 40, events: story),
    ]
    #expect(try place.open().append(batches).count == 2)
    #expect(try replayed(try place.open()) == batches)
  }

  @Test(arguments: JournalKind.allCases)
  func `tells duplicates by source and sequence, also within one commit`(_ kind: JournalKind) throws {
    let place = kind.makePlace()
    defer { withExtendedLifetime(place) {} }
    let journal = try place.open()
    let outcomes = try journal.append([batch(1, 1), batch(1, 1), batch(2, 1), batch(1, 3), batch(1, 2)])
    #expect(outcomes.map { $0 == .duplicate } == [false, true, false, false, true])
    #expect(try journal.append([batch(1, 3), batch(2, 1), batch(3, 0)]) == [.duplicate, .duplicate, .duplicate])
    #expect(try replayed(journal) == [batch(1, 1), batch(2, 1), batch(1, 3)])
  }

  @Test(arguments: JournalKind.allCases)
  func `forgets what is truncated, but not that it was kept`(_ kind: JournalKind) throws {
    let place = kind.makePlace()
    var journal = try place.open()
    let positions = try journal.append([batch(1, 1), batch(2, 1), batch(1, 2)]).map(position)
    try journal.truncate(through: positions[1])
    #expect(try replayed(journal) == [batch(1, 2)])
    try journal.truncate(through: positions[1])
    try journal.truncate(through: .start)
    #expect(try replayed(journal) == [batch(1, 2)])
    try journal.truncate(through: positions[2])
    #expect(try replayed(journal) == [])
    journal = try place.open()
    #expect(try journal.append([batch(1, 1), batch(2, 1), batch(1, 2)]) == [.duplicate, .duplicate, .duplicate])
    let next = try position(journal.append([batch(1, 3)]).first)
    #expect(next > positions[2], "a position is never used twice")
    #expect(try replayed(journal, after: positions[2]) == [batch(1, 3)])
  }

  @Test(arguments: JournalKind.allCases)
  func `has after a kill whatever append returned for`(_ kind: JournalKind) throws {
    let place = kind.makePlace()
    for sequence in 1...5 as ClosedRange<UInt64> {
      let journal = try place.open()
      #expect(try replayed(journal) == (1..<sequence).map { batch(1, $0) })
      _ = try position(journal.append([batch(1, sequence)]).first)
    }
    #expect(try place.open().append([batch(1, 5)]) == [.duplicate])
  }

  @Test(arguments: JournalKind.allCases)
  func `keeps none of a commit that finds no room, and all of it when it comes again`(_ kind: JournalKind) throws {
    let place = kind.makePlace()
    let journal = try place.open()
    let kept = try position(journal.append([batch(1, 1)]).first)
    try place.leaveRoom(for: 1)
    let error = #expect(throws: StoreError.self) { try journal.append([batch(1, 2), batch(2, 1), batch(1, 3)]) }
    #expect(error?.code == .full)
    #expect(try replayed(journal) == [batch(1, 1)])
    try journal.truncate(through: kept)
    try place.leaveRoom(for: nil)
    let outcomes = try journal.append([batch(1, 2), batch(2, 1), batch(1, 3)])
    #expect(!outcomes.contains(.duplicate))
    #expect(try replayed(journal) == [batch(1, 2), batch(2, 1), batch(1, 3)])
  }

  // MARK: Entries of this process

  private func entries(_ journal: any Journal, after position: JournalPosition = .start) throws -> [JournalEntry] {
    var entries: [JournalEntry] = []
    var last = position
    try journal.replayEntries(after: position) { entry, position in
      #expect(position > last, "replay is in the order of recording")
      last = position
      entries.append(entry)
    }
    return entries
  }

  @Test(arguments: JournalKind.allCases)
  func `has after a kill whatever was recorded, in its order`(_ kind: JournalKind) throws {
    let place = kind.makePlace()
    let story = RandomStory.events(seed: 3, from: ten, lasting: .seconds(300), invocations: 100)
    var expected: [JournalEntry] = []
    for part in 0..<3 {
      let journal = try place.open()
      #expect(try entries(journal) == expected)
      for (number, event) in story.enumerated() where number % 3 == part {
        journal.record(event)
        expected.append(.event(event))
      }
      let mark = JournalMark(time: ten, isRead: part == 1, batches: JournalPosition(UInt64(part)))
      _ = journal.record(mark)
      expected.append(.mark(mark))
      #expect(try entries(journal) == expected)
    }
    #expect(try entries(try place.open()) == expected)
  }

  @Test(arguments: JournalKind.allCases)
  func `forgets entries that are truncated, and goes on above them`(_ kind: JournalKind) throws {
    let place = kind.makePlace()
    let journal = try place.open()
    let marks = (0..<4).map { JournalMark(time: ten + .seconds($0), isRead: false, batches: .start) }
    let positions = marks.prefix(3).map { journal.record($0) }
    #expect(positions == positions.sorted() && Set(positions).count == 3)
    try journal.truncateEntries(through: positions[1])
    #expect(try entries(journal) == [.mark(marks[2])])
    #expect(try entries(journal, after: positions[2]) == [])
    try journal.truncateEntries(through: positions[2])
    #expect(try entries(journal) == [])
    #expect(journal.statistics.entries == 0)
    let next = try place.open()
    #expect(try entries(next, after: positions[2]) == [])
    #expect(next.record(marks[3]) > positions[2], "a position is never used twice")
    #expect(try entries(next, after: positions[2]) == [.mark(marks[3])])
  }
}
