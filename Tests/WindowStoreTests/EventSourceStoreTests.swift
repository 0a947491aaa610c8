import Foundation
import GRDB
import Lifecycle
import Testing
import Windows

@testable import WindowStore

private let minute = Nanoseconds.seconds(60)
/// 2026-11-23T10:00:00Z, the start of a window in every tier.
private let ten = Timestamp(seconds: 1_795_428_000)
private let mail = EventSourceID(.queue, "mail.fifo")
private let nightly = EventSourceID(.schedule, "mail.fifo")

/// What the store keeps of queues, schedules and the like.
@Suite struct `Event source store tests` {
  private let directory = TemporaryDirectory()

  private func open() throws(StoreError) -> WindowStore {
    try WindowStore.open(directory: directory.path, window: minute, retention: Retention(window: minute))
  }

  private func change(_ sql: String) throws {
    let queue = try DatabaseQueue(path: directory.database)
    try queue.write { try $0.execute(sql: sql) }
    try queue.close()
  }

  private func selection(_ source: EventSourceID, tier: Nanoseconds = minute) -> WindowSelection {
    WindowSelection(scope: .source(source), from: ten, to: ten + .seconds(3_600), tier: tier, resolution: tier)
  }

  @Test(arguments: 1...40 as ClosedRange<UInt64>)
  func `blobs give back what was written`(seed: UInt64) throws {
    var generator = SeededGenerator(seed)
    let rollup = Rollup(EventSourceRollup.random(&generator))
    #expect(try RollupCodec.decode(RollupCodec.encode(rollup)) == rollup)
    let source = EventSourceCheckpoint.random(mail, &generator)
    let bytes = EventSourceCodec.encode(source)
    #expect(try EventSourceCodec.decode(bytes, source: mail) == source)
    // Whatever a disk makes of them, they are read or refused.
    for _ in 0..<50 {
      var damaged = bytes
      damaged[Int.random(in: damaged.indices, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
      _ = try? EventSourceCodec.decode(damaged, source: mail)
      var cut = RollupCodec.encode(rollup)
      cut.removeLast(Int.random(in: 1...cut.count, using: &generator))
      _ = try? RollupCodec.decode(cut)
    }
  }

  @Test func `sources and windows are there again, and final ones in every tier`() throws {
    var generator = SeededGenerator(3)
    let sources = [EventSourceCheckpoint.random(mail, &generator), .random(nightly, &generator)]
    let rollups = (0..<4).map { _ in EventSourceRollup.random(&generator) }
    var store = try open()
    var checkpoint = Checkpoint(time: ten + .seconds(240))
    checkpoint.eventSources = sources
    checkpoint.windows = [
      WindowCheckpoint(scope: .source(mail), start: ten, rollup: Rollup(rollups[0]), isFinal: true),
      WindowCheckpoint(scope: .source(mail), start: ten + minute, rollup: Rollup(rollups[1]), isFinal: true),
      WindowCheckpoint(scope: .source(mail), start: ten + .seconds(180), rollup: Rollup(rollups[2]), isFinal: false),
      WindowCheckpoint(scope: .source(nightly), start: ten, rollup: Rollup(rollups[3]), isFinal: true),
    ]
    try store.save(checkpoint)
    var late = Checkpoint(time: ten + .seconds(250))
    late.lateSourceTallies = [LateSourceTally(source: mail, start: ten, tally: rollups[3].tally)]
    try store.save(late)
    try store.close()
    store = try open()
    let loaded = try #require(try store.load())
    #expect(loaded.eventSources == sources)
    #expect(loaded.windows.map(\.scope) == [.source(mail)] && loaded.windows.map(\.rollup.eventSource) == [rollups[2]])
    #expect(store.damagedRows == 0)
    #expect(try store.reader.eventSources() == [mail, nightly])
    var first = rollups[0]
    first.tally.merge(rollups[3].tally)
    let found = try store.reader.finalWindows(selection(mail), since: ten)
    #expect(found.rollups[ten]?.eventSource == first && found.rollups[ten + minute]?.eventSource == rollups[1])
    #expect(
      found.keys == [WindowKey(scope: .source(mail), start: ten), WindowKey(scope: .source(mail), start: ten + minute)])
    var both = first
    both.merge(rollups[1])
    let coarse = try store.reader.finalWindows(selection(mail, tier: .seconds(300)), since: nil)
    #expect(coarse.rollups == [ten: Rollup(both)])
    #expect(try store.reader.finalWindows(selection(nightly), since: nil).rollups == [ten: Rollup(rollups[3])])
    // They are no part of the account, and the functions are none of them.
    let account = WindowSelection(
      scope: .account, from: ten, to: ten + .seconds(3_600), tier: minute, resolution: minute)
    #expect(try store.reader.finalWindows(account, since: ten).rollups.isEmpty)
    #expect(try store.reader.functions().isEmpty)
    #expect(try store.reader.check(directory: directory.path).isWhole)
    try store.close()
  }

  @Test func `a store of format 1 gets what it lacks, and an older Kelvin refuses it from then on`() throws {
    try (try open()).close()
    try change("DROP TABLE event_sources; UPDATE meta SET value = 1 WHERE key = 'format version'")
    let reader = try WindowReader.open(directory: directory.path)
    #expect(try reader.eventSources().isEmpty)
    #expect(try reader.windows(selection(mail), closedBefore: ten).isEmpty)
    let store = try open()
    #expect(try store.load() == nil)
    try store.close()
    let queue = try DatabaseQueue(path: directory.database)
    let version = try queue.read { try Int64.fetchOne($0, sql: "SELECT value FROM meta WHERE key = 'format version'") }
    #expect(version == 2)
  }

  @Test func `damaged rows are passed over and counted`() throws {
    var generator = SeededGenerator(5)
    let store = try open()
    var checkpoint = Checkpoint(time: ten)
    checkpoint.eventSources = [.random(mail, &generator), .random(nightly, &generator)]
    checkpoint.windows = [
      WindowCheckpoint(scope: .source(nightly), start: ten, rollup: Rollup(.random(&generator)), isFinal: false)
    ]
    try store.save(checkpoint)
    try store.close()
    try change(
      "UPDATE event_sources SET data = x'01FF' WHERE kind = 2; UPDATE rollups SET data = x'02' WHERE scope < 0")
    let again = try open()
    let loaded = try #require(try again.load())
    #expect(loaded.eventSources.map(\.source) == [nightly] && loaded.windows.isEmpty)
    #expect(again.damagedRows == 2)
    try again.close()
  }
}
