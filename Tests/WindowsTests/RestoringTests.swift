import Lifecycle
import Testing

@testable import Windows

/// What a restart must not change.
@Suite struct `Restoring tests` {
  static let now = Timestamp(seconds: 1_790_000_000)

  private func throttle(_ name: String, _ aggregator: inout Aggregator, times: Int) {
    let throttled = Throttled(time: Self.now, reason: .callerRateLimit, trigger: .http)
    for _ in 0..<times {
      aggregator.apply(LifecycleEvent(.function(FunctionID(name)), .throttled(throttled)), now: Self.now)
    }
  }

  @Test(arguments: [1, 2, 3, 10])
  func `functions that were known keep their totals under a lower limit and in any order`(limit: Int) {
    var aggregator = Aggregator(AggregatorConfiguration(functionsLimit: 3))
    for (position, name) in ["a", "b", "c", "d", "e"].enumerated() {
      throttle(name, &aggregator, times: 1 << position)
    }
    var checkpoint = aggregator.checkpoint(now: Self.now)
    let expected = ["_other": 24, "a": 1, "b": 2, "c": 4] as [String: UInt64]
    for _ in 0..<2 {
      checkpoint.functions.reverse()
      var restored = Aggregator(AggregatorConfiguration(functionsLimit: limit), restoring: checkpoint)
      let functions = restored.snapshot(now: Self.now).functions
      let totals = functions.map { ($0.function.name, $0.totals.throttles.total) }
      #expect(Dictionary(uniqueKeysWithValues: totals) == expected)
    }
  }

  @Test func `abandoning what lives ends overlaps of instances that were never seen to start`() {
    var aggregator = Aggregator(AggregatorConfiguration())
    let instance = InstanceID(Identifier128(high: 1, low: 2))
    let started = OverlapStarted(request: RequestID(Identifier128(high: 3, low: 4)), time: Self.now)
    aggregator.apply(LifecycleEvent(.instance(instance, of: FunctionID("f")), .overlapStarted(started)), now: Self.now)
    #expect(aggregator.snapshot(now: Self.now).functions[0].overlappingExecutions == 1)
    aggregator.abandonLive(at: Self.now + .seconds(5))
    #expect(aggregator.snapshot(now: Self.now + .seconds(5)).functions[0].overlappingExecutions == 0)
  }

  @Test func `instances that live are what they were, with their warm-ups`() {
    var aggregator = Aggregator(AggregatorConfiguration())
    let teller = Teller()
    let warmedUp = WarmedUp(time: Self.now, duration: .milliseconds(80), succeeded: true)
    let events = [
      teller.instanceStarted(Self.now), teller.instanceReady(Self.now),
      LifecycleEvent(.instance(teller.instance, of: teller.function), .warmedUp(warmedUp)),
      teller.finished(1, Self.now, .milliseconds(5)),
    ]
    for event in events { aggregator.apply(event, now: Self.now) }
    let before = aggregator.instances(now: Self.now)
    #expect(before.map(\.warmUp) == [.milliseconds(80)])
    let restored = Aggregator(AggregatorConfiguration(), restoring: aggregator.checkpoint(now: Self.now))
    #expect(restored.instances(now: Self.now) == before)
  }

  @Test(arguments: [1, 60, 900, 959, 960, 1_800, 3_600] as [Int64], [60, 900, 961, 1_000, 1_500, 3_599] as [Int64])
  func `the last closed window has ended, and shows what happened in it`(window: Int64, elapsed: Int64) {
    let grid = WindowGrid(length: .seconds(window))
    var aggregator = Aggregator(AggregatorConfiguration(window: .seconds(window)))
    let start = grid.start(grid.index(of: Self.now))
    let now = start + Nanoseconds.seconds(elapsed)
    let closed = grid.index(of: now - .seconds(1)) - 1
    // The only execution of the last closed window, reported as it happened.
    let begin = grid.start(closed)
    let finished = InvocationFinished(
      request: RequestID(Identifier128(high: 5, low: 6)), start: begin, duration: Nanoseconds(500), trigger: .http,
      pool: .unreserved, outcome: .success)
    _ = aggregator.snapshot(now: begin)
    aggregator.apply(
      LifecycleEvent(.function(FunctionID("f")), .invocationFinished(finished)), now: begin + .seconds(1))
    let snapshot = aggregator.snapshot(now: now)
    #expect(snapshot.lastClosedWindowEnd == grid.end(closed))
    #expect(snapshot.lastClosedWindowEnd <= now)
    #expect(snapshot.functions[0].lastClosed.concurrency == 1)
    #expect(snapshot.account.lastClosed.concurrency == 1)
  }
}
