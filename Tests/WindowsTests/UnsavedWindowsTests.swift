import Lifecycle
import Testing
import Windows

/// What an aggregator keeps while its store takes nothing.
@Suite struct `Unsaved windows tests` {
  static let origin = Timestamp(seconds: 1_790_000_040)
  static let function = FunctionID("orders")

  private func throttled(_ time: Timestamp) -> LifecycleEvent {
    LifecycleEvent(
      .function(Self.function), .throttled(Throttled(time: time, reason: .concurrentInvocationLimit, trigger: .http)))
  }

  @Test func `final windows beyond the limit are given up oldest first, counted, and stay in totals`() {
    var aggregator = Aggregator(AggregatorConfiguration(finality: .seconds(120), unsavedWindowsLimit: 3))
    for minute in 0..<Int64(10) {
      let now = Self.origin + .seconds(60 * minute)
      aggregator.apply(throttled(now), now: now)
    }
    let end = Self.origin + .seconds(60 * 9 + 600)
    let checkpoint = aggregator.checkpoint(now: end)
    let finals = checkpoint.windows.filter { $0.isFinal && $0.scope == .function(Self.function) }
    #expect(finals.map(\.start) == (7..<10).map { Self.origin + .seconds(60 * $0) })
    let snapshot = aggregator.snapshot(now: end)
    #expect(snapshot.statistics.windowsLost == 7)
    #expect(snapshot.functions[0].totals.throttles.total == 10)
  }

  @Test func `what a failed checkpoint held is due again, up to the limit`() {
    var aggregator = Aggregator(AggregatorConfiguration(finality: .seconds(120), unsavedWindowsLimit: 3))
    aggregator.apply(throttled(Self.origin), now: Self.origin)
    let later = Self.origin + .seconds(600)
    let failed = aggregator.checkpoint(now: later)
    aggregator.checkpointFailed(failed)
    let finals = aggregator.checkpoint(now: later).windows.filter(\.isFinal)
    #expect(finals == failed.windows.filter(\.isFinal))
    #expect(!finals.isEmpty)
  }

  @Test func `late counts beyond the limit are in totals only`() {
    var aggregator = Aggregator(AggregatorConfiguration(finality: .seconds(120), unsavedWindowsLimit: 2))
    let now = Self.origin + .seconds(3_600)
    aggregator.advance(to: now)
    for minute in 0..<Int64(5) { aggregator.apply(throttled(Self.origin + .seconds(60 * minute)), now: now) }
    #expect(aggregator.checkpoint(now: now).lateTallies.count == 2)
    let snapshot = aggregator.snapshot(now: now)
    #expect(snapshot.statistics.windowsLost == 3)
    #expect(snapshot.statistics.eventsLate == 5)
    #expect(snapshot.functions[0].totals.throttles.total == 5)
  }
}
