import Foundation
import GRDB
import Lifecycle
import Testing
import Windows

@testable import WindowStore

private let minute = Nanoseconds.seconds(60)
private let orders = FunctionID("orders")
private let mail = FunctionID("mail")
/// 2026-11-23T10:00:00Z, the start of a window in every tier.
private let ten = Timestamp(seconds: 1_795_428_000)

/// Stores whose rows someone edited, or that lost some: nothing that cannot be is shown, and the rest is kept.
@Suite struct `Edited rows tests` {
  private let directory = TemporaryDirectory()

  /// Keeps what an aggregator has after one execution that ended in each function and one that runs in orders.
  private func saved() throws -> Checkpoint {
    var aggregator = Aggregator(AggregatorConfiguration(window: minute))
    for (number, function) in [orders, mail].enumerated() {
      aggregator.apply(
        LifecycleEvent(
          .function(function),
          .invocationFinished(
            InvocationFinished(
              request: RequestID(Identifier128(high: 1, low: UInt64(number))), start: ten, duration: .seconds(1),
              trigger: .http, pool: .unreserved, isColdStart: false, outcome: .success))), now: ten + .seconds(2))
    }
    aggregator.apply(
      LifecycleEvent(
        .function(orders),
        .invocationStarted(
          InvocationStarted(
            request: RequestID(Identifier128(high: 2, low: 0)), time: ten + .seconds(3), trigger: .http,
            pool: .unreserved))), now: ten + .seconds(4))
    let checkpoint = aggregator.checkpoint(now: ten + .seconds(10))
    let store = try open()
    try store.save(checkpoint)
    try store.close()
    return checkpoint
  }

  private func open() throws(StoreError) -> WindowStore {
    try WindowStore.open(directory: directory.path, window: minute, retention: Retention(window: minute))
  }

  private func edit(_ sql: String, _ arguments: StatementArguments = []) throws {
    try DatabaseQueue(path: directory.database).write { try $0.execute(sql: sql, arguments: arguments) }
  }

  /// What an aggregator shows that continues from the store, as an agent does.
  private func continued() throws -> (aggregator: Aggregator, damaged: Int) {
    let store = try open()
    let checkpoint = try #require(try store.load())
    var aggregator = Aggregator(AggregatorConfiguration(window: minute), restoring: checkpoint)
    aggregator.abandonLive(at: checkpoint.time)
    return (aggregator, store.damagedRows)
  }

  private func peaks(_ aggregator: Aggregator, of scope: Scope) -> [Int64] {
    var aggregator = aggregator
    return aggregator.windows(of: scope, from: ten - .seconds(600), to: ten + .seconds(600), now: ten + .seconds(300))
      .map(\.rollup.peaks.concurrency)
  }

  @Test func `an untouched store has nothing to put right`() throws {
    _ = try saved()
    let (aggregator, damaged) = try continued()
    #expect(damaged == 0)
    #expect(peaks(aggregator, of: .function(orders)).max() == 1)
  }

  @Test(arguments: ["DELETE FROM live", "UPDATE live SET data = x'FF'"])
  func `what began and is not in progress any more ends with the checkpoint`(_ sql: String) throws {
    _ = try saved()
    try edit(sql)
    let (aggregator, damaged) = try continued()
    #expect(damaged > 0)
    for scope in [Scope.account, .function(orders), .function(mail)] {
      #expect(peaks(aggregator, of: scope).allSatisfy { $0 >= 0 }, "\(scope)")
    }
    #expect(peaks(aggregator, of: .function(orders)).max() == 1)
    var snapshots = aggregator
    #expect(snapshots.snapshot(now: ten + .seconds(300)).account.concurrentExecutions == 0)
  }

  @Test func `edges that end what never began are left out, of that function alone`() throws {
    _ = try saved()
    // An end at 1 s, then a start at 2 s and its end at 3 s; and before all of them one more end.
    let second: UInt64 = 1_000_000_000
    let tag = UInt64(ConcurrencyPool.unreserved.rawValue & 3)
    let edges = [second << 3 | tag, (2 * second) << 3 | tag, (3 * second) << 3 | 4 | tag, (4 * second) << 3 | 4 | tag]
    try edit(
      "UPDATE timelines SET data = ? WHERE function = (SELECT id FROM functions WHERE name = 'mail') AND kind = 0",
      [Data(EdgesCodec.encode(edges))])
    let (aggregator, damaged) = try continued()
    #expect(damaged > 0)
    for scope in [Scope.account, .function(mail), .function(orders)] {
      #expect(peaks(aggregator, of: scope).allSatisfy { $0 >= 0 }, "\(scope)")
    }
    #expect(peaks(aggregator, of: .function(orders)).max() == 1)
  }

  @Test func `a negative maximum is damage, and the other windows are kept`() throws {
    _ = try saved()
    var rollup = Rollup()
    rollup.peaks.concurrency = -1
    try edit(
      "UPDATE rollups SET data = ? WHERE scope = (SELECT id FROM functions WHERE name = 'mail')",
      [Data(RollupCodec.encode(rollup))])
    let store = try open()
    let loaded = try #require(try store.load())
    #expect(store.damagedRows == 1)
    #expect(loaded.windows.contains { $0.scope == .function(orders) })
    #expect(loaded.functions.count == 2)
  }

  @Test(arguments: [Int64.min, -1, Int64.max])
  func `a time that cannot be does not end the agent, and totals stay`(_ time: Int64) throws {
    _ = try saved()
    try edit("UPDATE meta SET value = ? WHERE key = 'checkpoint time'", [time])
    let (aggregator, damaged) = try continued()
    #expect(damaged > 0)
    var snapshots = aggregator
    let functions = snapshots.snapshot(now: ten + .seconds(300)).functions
    #expect(functions.map(\.totals.invocations.total) == [1, 1])
  }

  @Test func `rows of functions that are not there are told`() throws {
    _ = try saved()
    try edit("DELETE FROM functions WHERE name = 'mail'")
    let store = try open()
    _ = try store.load()
    #expect(store.damagedRows >= 3)
  }
}
