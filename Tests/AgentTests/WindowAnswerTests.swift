import Lifecycle
import TestSupport
import Testing
import WindowStore
import Windows

@testable import Agent

@Suite struct `Window answer tests` {
  private let orders = Scope.function(FunctionID("orders"))

  private func errors(_ count: UInt64, concurrency: Int64 = 0) -> Rollup {
    var rollup = Rollup()
    rollup.tally.errors = count
    rollup.peaks.concurrency = concurrency
    return rollup
  }

  private func memory(_ scope: Scope, _ minute: Int64, _ rollup: Rollup) -> WindowRollup {
    WindowRollup(
      scope: scope, start: ten + .seconds(60 * minute), length: .seconds(60), isClosed: true, rollup: rollup)
  }

  private func merge(
    _ items: [(String, String)], _ memory: [WindowRollup], _ stored: FinalWindows
  ) throws -> [WindowRollup] {
    let query = try WindowQuery(
      items.map { (name: $0.0, value: $0.1) } + [("range", "10m"), ("to", "2026-11-23T10:10:00Z")],
      .init(now: ten + .seconds(600), retention: Retention(window: .seconds(60)), rowsLimit: 100))
    return WindowAnswer.merge(query, memory: memory, stored: stored, closedBefore: ten + .seconds(540))
  }

  @Test func `a window that became final meanwhile counts once`() throws {
    var stored = FinalWindows()
    stored.rollups = [ten: errors(5)]
    stored.keys = [WindowKey(scope: orders, start: ten)]
    let merged = try merge(
      [("function", "orders"), ("resolution", "5m")],
      [memory(orders, 0, errors(4)), memory(orders, 1, errors(2)), memory(orders, 9, errors(1))], stored)
    #expect(merged.map(\.rollup) == [errors(7), errors(1)])
    #expect(merged.map(\.isClosed) == [true, false])
  }

  @Test func `the account takes tallies of functions and peaks of its own`() throws {
    var stored = FinalWindows()
    stored.rollups = [ten: errors(5, concurrency: 2)]
    stored.keys = [WindowKey(scope: .account, start: ten)]
    let merged = try merge(
      [("resolution", "1m")],
      [
        memory(.account, 0, errors(0, concurrency: 9)), memory(orders, 0, errors(1, concurrency: 8)),
        memory(.account, 1, errors(0, concurrency: 3)), memory(orders, 1, errors(2, concurrency: 8)),
      ], stored)
    #expect(merged.map(\.rollup) == [errors(6, concurrency: 2), errors(2, concurrency: 3)])
  }

  @Test func `other functions, other times and idle windows are left out`() throws {
    let merged = try merge(
      [("function", "orders"), ("resolution", "1m")],
      [
        memory(.account, 0, errors(1)), memory(.function(FunctionID("mail")), 0, errors(1)),
        memory(orders, -1, errors(1)), memory(orders, 10, errors(1)), memory(orders, 2, Rollup()),
      ], FinalWindows())
    #expect(merged.isEmpty)
  }
}
