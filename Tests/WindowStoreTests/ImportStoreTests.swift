import Foundation
import GRDB
import Lifecycle
import Testing
import Windows

@testable import WindowStore

private let minute = Nanoseconds.seconds(60)
private let oneHour = Nanoseconds.seconds(3_600)
private let fiveMinutes = Nanoseconds.seconds(300)
private let orders = FunctionID("orders")
/// 2026-11-23T10:00:00Z, the start of a window in every tier.
private let ten = Timestamp(seconds: 1_795_428_000)

private func days(_ days: Int64) -> Nanoseconds { .seconds(days * 86_400) }

private func errors(_ count: UInt64) -> Rollup {
  var rollup = Rollup()
  rollup.tally.errors = count
  return rollup
}

/// A store with windows of the hour from ten o'clock on, of one function.
private struct Hour {
  let directory = TemporaryDirectory()
  let store: WindowStore

  init() throws {
    store = try WindowStore.open(directory: directory.path, window: minute, retention: Retention(window: minute))
  }

  /// Has live events be counted in minutes of the hour.
  func see(_ minutes: [Int64: UInt64] = [:], at now: Timestamp, isFinal: Bool = true) throws {
    var checkpoint = Checkpoint(time: now)
    checkpoint.windows = minutes.map {
      WindowCheckpoint(
        scope: .function(orders), start: ten + .seconds($0.key * 60), rollup: errors($0.value), isFinal: isFinal)
    }
    try store.save(checkpoint)
  }

  /// Keeps what facts make of the hour.
  func take(_ minutes: [Int64: UInt64], at now: Timestamp) throws {
    let windows = minutes.map {
      WindowRollup(
        scope: .function(orders), start: ten + .seconds($0.key * 60), length: minute, isClosed: true,
        rollup: errors($0.value))
    }
    try store.save(windows, of: ImportSpan(start: ten, length: oneHour, generation: 0), live: [], now: now)
  }

  /// What windows of a tier count, by the minute in which they begin.
  func counts(_ tier: Nanoseconds) throws -> [Int64: UInt64] {
    let selection = WindowSelection(
      scope: .function(orders), from: ten, to: ten + oneHour, tier: tier, resolution: tier)
    let windows = try store.reader.windows(selection, closedBefore: ten)
    return Dictionary(
      uniqueKeysWithValues: windows.map { (($0.start - ten).count / minute.count, $0.rollup.tally.errors) })
  }

  func held() throws -> Int { try store.heldWindows(from: ten, to: ten + oneHour).map(\.windows).reduce(0, +) }
}

/// In no tier, and at no age, does a window count both what live events and what logs tell of it.
@Suite struct `Imports beside live events` {
  @Test func `count once where a span is kept in part only`() throws {
    let hour = try Hour()
    try hour.see([1: 5, 31: 7], at: ten + .seconds(7_200))
    // The minutes up to 10:30 are deleted.
    let now = ten + .seconds(1_800) + days(15)
    try hour.see(at: now)
    try hour.take([1: 5, 2: 1, 10: 2, 31: 7, 45: 3], at: now)
    #expect(try hour.counts(minute) == [31: 7, 45: 3])
    #expect(try hour.counts(fiveMinutes) == [0: 5, 10: 2, 30: 7, 45: 3])
    #expect(try hour.counts(oneHour) == [0: 17])
    #expect(try hour.held() == 3)
  }

  @Test func `count once where five minutes of a span are kept in part only`() throws {
    let hour = try Hour()
    try hour.see([1: 5, 31: 7], at: ten + .seconds(7_200))
    let now = ten + .seconds(1_800) + days(63)
    for _ in 0..<2 { try hour.see(at: now) }
    try hour.take([1: 5, 2: 1, 31: 7, 45: 3], at: now)
    #expect(try hour.counts(fiveMinutes) == [30: 7])
    #expect(try hour.counts(oneHour) == [0: 12])
  }

  @Test func `stay as they are once nothing says which minutes are whose`() throws {
    let hour = try Hour()
    try hour.see([2: 3], at: ten + .seconds(7_200))
    try hour.take([1: 1], at: ten + days(1))
    #expect(try hour.counts(fiveMinutes) == [0: 4])
    try hour.see(at: ten + days(16))
    // Another file has the minute that was seen live, and some of which nothing was known.
    try hour.take([1: 1, 2: 3, 7: 2], at: ten + days(16))
    #expect(try hour.counts(fiveMinutes) == [0: 4, 5: 2])
    #expect(try hour.counts(oneHour) == [0: 6])
    try hour.see(at: ten + days(64))
    try hour.take([1: 1, 2: 3, 7: 2, 50: 9], at: ten + days(64))
    #expect(try hour.counts(oneHour) == [0: 6])
  }

  @Test func `keep finer windows with the coarse one that stays`() throws {
    let hour = try Hour()
    try hour.see([31: 3], at: ten + .seconds(7_200))
    try hour.take([32: 1, 40: 1], at: ten + days(1))
    // The minutes up to 10:20 are deleted, those behind are there.
    let now = ten + .seconds(1_200) + days(15)
    try hour.see(at: now)
    try hour.take([32: 1, 33: 4, 40: 2], at: now)
    #expect(try hour.counts(minute) == [31: 3, 32: 1, 40: 2])
    #expect(try hour.counts(fiveMinutes) == [30: 4, 40: 2])
    #expect(try hour.counts(oneHour) == [0: 6])
  }

  @Test func `give up only what contains the window that live events reach`() throws {
    let hour = try Hour()
    try hour.take([1: 1, 7: 2, 8: 4], at: ten + days(1))
    try hour.see([7: 5], at: ten + days(1))
    // The rest is computed again from facts.
    #expect(try hour.counts(minute) == [1: 1, 7: 5, 8: 4])
    #expect(try hour.counts(fiveMinutes) == [0: 1, 5: 5])
    #expect(try hour.counts(oneHour) == [0: 5])
    #expect(try hour.store.importSpansLeft() == 1)
  }

  @Test func `count again where live events turn out not to have been`() throws {
    let hour = try Hour()
    try hour.see([7: 5], at: ten + .seconds(600), isFinal: false)
    try hour.take([7: 2, 8: 4], at: ten + .seconds(700))
    #expect(try hour.held() == 1)
    try hour.see([7: 0], at: ten + .seconds(800))
    #expect(try hour.held() == 0)
    #expect(try hour.store.importSpansLeft() == 1)
    try hour.take([7: 2, 8: 4], at: ten + .seconds(900))
    #expect(try hour.counts(minute) == [7: 2, 8: 4])
  }

  @Test func `stay held where an empty window comes behind a final one`() throws {
    let hour = try Hour()
    try hour.see([7: 5], at: ten + .seconds(600))
    try hour.take([7: 2], at: ten + .seconds(700))
    try hour.see([7: 0], at: ten + .seconds(800), isFinal: false)
    #expect(try hour.held() == 1)
    #expect(try hour.counts(minute) == [7: 5])
  }

  @Test(arguments: [(14, [0: 9, 5: 4]), (16, [0: 2, 5: 4]), (64, [0: 2])] as [(Int64, [Int64: UInt64])])
  func `are not joined by an event that comes when minutes are not kept any more`(
    _ age: Int64, _ expected: [Int64: UInt64]
  ) throws {
    let hour = try Hour()
    try hour.take([1: 2], at: ten + days(1))
    try hour.see(at: ten + days(age))
    var checkpoint = Checkpoint(time: ten + days(age))
    for minutes in [1, 7] as [Int64] {
      var tally = Tally()
      tally.errors = minutes == 1 ? 9 : 4
      checkpoint.lateTallies.append(LateTally(function: orders, start: ten + .seconds(minutes * 60), tally: tally))
    }
    try hour.store.save(checkpoint)
    // In the hour that is kept, both would be one window.
    #expect(try hour.counts(age == 64 ? oneHour : fiveMinutes) == expected)
  }
}

@Suite struct `Imported facts in a store` {
  private static let now = ten + days(1)

  private func stream(_ name: String, lastSeen: Timestamp) -> ImportedStream {
    ImportedStream(name: name, function: "orders", lastSeen: lastSeen)
  }

  private func fact(_ stream: Int, _ time: Timestamp, isOfInstance: Bool = false) -> ImportedFact {
    ImportedFact(stream: stream, time: time, bytes: [1], isOfInstance: isOfInstance)
  }

  @Test(arguments: [true, false])
  func `have the last line of their stream in whatever order it comes`(_ isForwards: Bool) throws {
    let hour = try Hour()
    // A half that begins an invocation, and one in which only the program writes.
    let half: [(Timestamp, [ImportedFact])] = [(ten, [fact(0, ten)]), (ten + .seconds(300), [])]
    for (seen, facts) in isForwards ? half : half.reversed() {
      _ = try hour.store.add([stream("s", lastSeen: seen)], facts, now: Self.now)
    }
    var found: [Timestamp?] = []
    let span = ImportSpan(start: ten, length: oneHour, generation: 0)
    try hour.store.readFacts(of: span) { _, stream, _, _ in found.append(stream.lastSeen) }
    #expect(found == [ten + .seconds(300)])
  }

  @Test func `leave no stream behind, also one that never had any`() throws {
    let hour = try Hour()
    func streams() throws -> Int? {
      try hour.store.pool.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM import_streams") }
    }
    _ = try hour.store.add([stream("s", lastSeen: ten)], [], now: Self.now)
    _ = try hour.store.add(
      [stream("t", lastSeen: ten - days(500)), stream("u", lastSeen: ten + days(9))], [], now: Self.now)
    #expect(try streams() == 1)
    try hour.store.save(Checkpoint(time: ten + days(456)))
    #expect(try streams() == 0)
  }

  @Test func `are found without reading all that is kept`() throws {
    let hour = try Hour()
    try hour.store.pool.read { database in
      for sql in [FactReading.streamsQuery, FactReading.olderQuery, WindowStore.importedQuery] {
        let arguments = StatementArguments(Array(repeating: 1, count: sql.contains("?2") ? 2 : 1))
        let plan = try Row.fetchAll(database, sql: "EXPLAIN QUERY PLAN " + sql, arguments: arguments)
          .map { $0["detail"] as String }
        #expect(!plan.isEmpty && !plan.contains { $0.hasPrefix("SCAN") }, "\(plan)")
      }
    }
  }

  @Test func `are read while two others read`() throws {
    let hour = try Hour()
    _ = try hour.store.add([stream("s", lastSeen: ten)], [fact(0, ten)], now: Self.now)
    let (begun, end) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
    try hour.store.readFacts(of: ImportSpan(start: ten, length: oneHour, generation: 0)) { _, _, _, _ in
      for _ in 0..<2 {
        Thread.detachNewThread {
          try? hour.store.pool.read { _ in
            begun.signal()
            end.wait()
          }
        }
      }
      for _ in 0..<2 { #expect(begun.wait(timeout: .now() + 20) == .success) }
      for _ in 0..<2 { end.signal() }
    }
  }

  @Test func `of thousands of streams that last as long as facts are kept are added in seconds`() throws {
    let hour = try Hour()
    let began = ContinuousClock.now
    let streams = (0..<20_000).map { stream("\($0)", lastSeen: Self.now) }
    let facts = streams.indices.map { fact($0, Self.now - days(454), isOfInstance: true) }
    #expect(try hour.store.add(streams, facts, now: Self.now).new == 20_000)
    #expect(try hour.store.importSpansLeft() == 454 * 24 + 2)
    #expect(ContinuousClock.now - began < .seconds(25))
  }

  @Test func `have only those spans waited for that they bear on`() throws {
    let hour = try Hour()
    _ = try hour.store.add(
      [stream("s", lastSeen: ten + .seconds(1_800))], [fact(0, ten + .seconds(1_800)), fact(0, ten - days(10))],
      now: Self.now)
    #expect(try hour.store.importSpansLeft() == 5)
    #expect(try hour.store.importSpansLeft(of: ten..<ten + oneHour) == 3)
    #expect(try hour.store.importSpansLeft(of: ten + .seconds(7_200)..<ten + days(1)) == 1)
    #expect(try hour.store.importSpansLeft(of: Timestamp(nanoseconds: .min)..<Timestamp(nanoseconds: .max)) == 5)
  }
}
