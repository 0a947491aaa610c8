import Lifecycle
import Testing

@testable import Windows

/// The longest invocation and the most memory of the last closed window, by the ends of invocations.
@Suite struct `Ended peaks tests` {
  /// The start of a window of 60 s.
  static let start = Timestamp(seconds: 1_790_000_040)
  private let teller = Teller()

  private func finished(
    _ number: UInt64, _ start: Timestamp, _ duration: Nanoseconds, memory: Int64
  ) -> LifecycleEvent {
    LifecycleEvent(
      .instance(teller.instance, of: teller.function),
      .invocationFinished(
        InvocationFinished(
          request: Teller.request(number), start: start, duration: duration, trigger: .direct, pool: .unreserved,
          outcome: .success, memoryUsedBytes: memory)))
  }

  private func shown(_ events: [LifecycleEvent], at time: Timestamp) -> EndedPeaks? {
    var aggregator = Aggregator(AggregatorConfiguration(window: .seconds(60)))
    for event in events { #expect(aggregator.apply(event, now: time) == nil) }
    return aggregator.snapshot(now: time).functions.first?.lastClosedEnded
  }

  @Test func `an invocation counts where it ended, however long before it began`() {
    let long = finished(1, Self.start - .seconds(200), .seconds(205), memory: 5 << 20)
    #expect(shown([long], at: Self.start + .seconds(60)) == EndedPeaks(), "the window is open until the grace is over")
    let peaks = shown([long], at: Self.start + .seconds(61))
    #expect(peaks?.duration == .seconds(205))
    #expect(peaks?.memoryUsedBytes == 5 << 20)
    #expect(shown([long], at: Self.start + .seconds(121)) == EndedPeaks(), "the next window has none")
  }

  @Test func `the largest of each is shown, in any order, and an end on the edge belongs to the next window`() {
    let events = [
      finished(1, Self.start + .seconds(1), .seconds(2), memory: 9 << 20),
      finished(2, Self.start + .seconds(2), .seconds(30), memory: 4 << 20),
      finished(3, Self.start + .seconds(10), .seconds(50), memory: 100 << 20),
      finished(4, Self.start + .seconds(61), .seconds(40), memory: 1 << 20),
    ]
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]] {
      let peaks = shown(order.map { events[$0] }, at: Self.start + .seconds(61))
      #expect(peaks?.duration == .seconds(30))
      #expect(peaks?.memoryUsedBytes == 9 << 20)
    }
  }

  @Test func `an invocation whose start was seen counts as well`() {
    let events = [
      teller.started(1, Self.start + .seconds(1)),
      finished(1, Self.start + .seconds(1), .seconds(3), memory: 0),
    ]
    #expect(shown(events, at: Self.start + .seconds(61))?.duration == .seconds(3))
  }

  @Test func `a restart changes nothing`() {
    let configuration = AggregatorConfiguration(window: .seconds(60))
    var aggregator = Aggregator(configuration)
    let stopped = Self.start + .seconds(62)
    for event in [
      finished(1, Self.start + .seconds(1), .seconds(2), memory: 9 << 20),
      finished(2, Self.start + .seconds(58), .seconds(3), memory: 4 << 20),
    ] { #expect(aggregator.apply(event, now: stopped) == nil) }
    var restored = Aggregator(configuration, restoring: aggregator.checkpoint(now: stopped))
    let expected: [(seconds: Int64, peaks: EndedPeaks)] = [
      (62, EndedPeaks(duration: .seconds(2), memoryUsedBytes: 9 << 20)),
      (121, EndedPeaks(duration: .seconds(3), memoryUsedBytes: 4 << 20)),
      (181, EndedPeaks()),
    ]
    for (seconds, peaks) in expected {
      let now = Self.start + .seconds(seconds)
      #expect(aggregator.snapshot(now: now).functions.map(\.lastClosedEnded) == [peaks])
      #expect(restored.snapshot(now: now).functions.map(\.lastClosedEnded) == [peaks])
    }
  }

  @Test func `what comes too late for every reader is let go`() {
    var peaks = RecentEndedPeaks()
    peaks.add(104, EndedPeaks(duration: .seconds(1), memoryUsedBytes: 1))
    peaks.add(100, EndedPeaks(duration: .seconds(9), memoryUsedBytes: 9))
    #expect(peaks[100] == EndedPeaks())
    #expect(peaks[104].duration == .seconds(1))
    #expect(peaks[108] == EndedPeaks())
  }
}
