import Lifecycle
import Testing

@testable import Windows

@Suite struct `An invocation that waits for its instance` {
  private static let start = Timestamp(nanoseconds: 1_790_000_040_000_000_000)
  private let teller = Teller()

  private var waiting: LifecycleEvent {
    LifecycleEvent(
      .function(teller.function),
      .invocationStarted(
        InvocationStarted(request: Teller.request(1), time: Self.start, trigger: .direct, pool: .unreserved)))
  }

  private func handedOver(at time: Timestamp) -> LifecycleEvent {
    LifecycleEvent(
      .instance(teller.instance, of: teller.function),
      .invocationHandedOver(
        InvocationHandedOver(
          request: Teller.request(1), time: time, start: Self.start, trigger: .direct, pool: .unreserved)))
  }

  private func aggregate(_ events: [LifecycleEvent]) -> Aggregator {
    var aggregator = Aggregator(AggregatorConfiguration())
    for event in events { aggregator.apply(event, now: Self.start + .seconds(5)) }
    return aggregator
  }

  @Test func `is in progress from its admission, and makes its instance busy from the hand-over`() {
    let now = Self.start + .seconds(5)
    let ready = [waiting, teller.instanceStarted(Self.start), teller.instanceReady(Self.start + .seconds(1))]
    var before = aggregate(ready)
    #expect(before.snapshot(now: now).functions.map(\.concurrentExecutions) == [1])
    #expect(before.instances(now: now).map(\.state) == [.idle])
    var after = aggregate(ready + [handedOver(at: Self.start + .seconds(1))])
    #expect(after.snapshot(now: now).functions.map(\.concurrentExecutions) == [1])
    #expect(after.instances(now: now).map(\.state) == [.busy])
    #expect(after.statistics.eventsDuplicate == 0)
  }

  @Test func `ends with its instance, if it was handed over to one`() {
    let stop = teller.instanceStopped(Self.start + .seconds(2))
    let now = Self.start + .seconds(5)
    var lost = aggregate([waiting, teller.instanceStarted(Self.start), handedOver(at: Self.start), stop])
    #expect(lost.snapshot(now: now).functions.map(\.concurrentExecutions) == [0])
    var other = aggregate([waiting, teller.instanceStarted(Self.start), stop])
    #expect(other.snapshot(now: now).functions.map(\.concurrentExecutions) == [1])
  }

  @Test func `counts once if only the hand-over is told, and not at all if that lies in the future`() {
    let now = Self.start + .seconds(5)
    var alone = aggregate([handedOver(at: Self.start + .seconds(1))])
    #expect(alone.snapshot(now: now).functions.map(\.concurrentExecutions) == [1])
    let future = aggregate([handedOver(at: Self.start + .seconds(7200))])
    #expect(future.statistics.eventsRejected[.future] == 1 && future.statistics.functions == 0)
  }
}
