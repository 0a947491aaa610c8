import Lifecycle
import Testing

@testable import Windows

/// A function that its source has no more.
@Suite struct `Gone function tests` {
  private static let now = Timestamp(seconds: 1_790_000_000)

  private func list(_ names: String..., at time: Timestamp) -> LifecycleEvent {
    LifecycleEvent(.account, .functionsListed(FunctionsListed(time: time, names: names)))
  }

  private func snapshot(_ aggregator: inout Aggregator, _ name: String, at time: Timestamp) throws -> FunctionSnapshot {
    try #require(aggregator.snapshot(now: time).functions.first { $0.function.name == name })
  }

  /// Two functions with limits and a throttle each, of which one is gone 100 s later.
  private func story() -> Aggregator {
    var aggregator = Aggregator(AggregatorConfiguration())
    aggregator.apply(list("a", "b", at: Self.now), now: Self.now)
    for name in ["a", "b"] {
      let teller = Teller(function: FunctionID(name))
      aggregator.apply(teller.limits(Self.now, reserved: 7), now: Self.now)
      aggregator.apply(teller.throttled(Self.now + .seconds(1)), now: Self.now + .seconds(1))
    }
    let later = Self.now + .seconds(100)
    aggregator.apply(list("b", at: later), now: later)
    return aggregator
  }

  @Test func `has no limits and claims nothing, and keeps its counts`() throws {
    var aggregator = story()
    let time = Self.now + .seconds(300)
    let gone = try snapshot(&aggregator, "a", at: time)
    #expect(gone.isGone && gone.limits == nil && gone.totals.throttles.total == 1)
    let other = try snapshot(&aggregator, "b", at: time)
    #expect(!other.isGone && other.limits?.reserved == 7)
    #expect(aggregator.snapshot(now: time).account.lastClosed.claimedConcurrency == 7)
    // Both were there in the window in which both were configured.
    #expect(
      aggregator.windows(of: .account, from: Self.now, to: Self.now + .seconds(1), now: time).first?.rollup.peaks
        .claimedConcurrency == 14)
    #expect(aggregator.knows(FunctionID("a")))
    #expect(
      aggregator.windows(of: .function(FunctionID("a")), from: Self.now, to: time, now: time).first?.rollup.tally
        .throttles.total == 1)
  }

  @Test func `stays gone over a restart, and is told once`() throws {
    var aggregator = story()
    let checkpoint = aggregator.checkpoint(now: Self.now + .seconds(200))
    var restored = Aggregator(AggregatorConfiguration(), restoring: checkpoint)
    let time = Self.now + .seconds(300)
    restored.apply(list("b", at: time), now: time)
    #expect(try snapshot(&restored, "a", at: time).isGone)
    #expect(restored.snapshot(now: time).account.lastClosed.claimedConcurrency == 7)
    let limits = restored.checkpoint(now: time).functions.first { $0.function.name == "a" }?.limits ?? []
    #expect(limits.filter(\.isGone).count <= 1)
  }

  @Test func `comes back with its counts`() throws {
    var aggregator = story()
    let back = Self.now + .seconds(200)
    aggregator.apply(list("a", "b", at: back), now: back)
    aggregator.apply(Teller(function: FunctionID("a")).limits(back, reserved: 3), now: back)
    aggregator.apply(Teller(function: FunctionID("a")).throttled(back), now: back)
    let alive = try snapshot(&aggregator, "a", at: back + .seconds(100))
    #expect(!alive.isGone && alive.limits?.reserved == 3 && alive.totals.throttles.total == 2)
    #expect(alive.firstSeen == Self.now)
    #expect(aggregator.snapshot(now: back + .seconds(100)).account.lastClosed.claimedConcurrency == 10)
  }

  @Test func `is not gone by a list that is older than its limits`() throws {
    var aggregator = story()
    aggregator.apply(list(at: Self.now - .seconds(5)), now: Self.now + .seconds(100))
    #expect(try !snapshot(&aggregator, "b", at: Self.now + .seconds(100)).isGone)
  }

  @Test func `is told of the account alone`() {
    var aggregator = Aggregator(AggregatorConfiguration())
    let listed = LifecycleEvent.Kind.functionsListed(FunctionsListed(time: Self.now, names: []))
    #expect(aggregator.apply(LifecycleEvent(.function(FunctionID("f")), listed), now: Self.now) == .subject)
    let instance = InstanceID(Identifier128(high: 1, low: 1))
    #expect(
      aggregator.apply(LifecycleEvent(.instance(instance, of: FunctionID("f")), listed), now: Self.now) == .subject)
    #expect(!aggregator.knows(FunctionID("f")))
  }
}
