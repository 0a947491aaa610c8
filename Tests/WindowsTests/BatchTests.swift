import Lifecycle
import TestSupport
import Testing
import Windows

/// Counting many events at once against counting each by itself.
@Suite struct `Events that are counted together` {
  static let origin = Timestamp(seconds: 1_790_000_010)
  static let now = origin + Nanoseconds.seconds(250)

  private func windows(_ aggregator: inout Aggregator) -> [WindowRollup] {
    aggregator.windows(from: Timestamp(nanoseconds: 0), to: Timestamp(nanoseconds: .max), now: Self.now)
      .sorted { ($0.start, $0.scope) < ($1.start, $1.scope) }
  }

  private func expectSame(_ left: inout Aggregator, _ right: inout Aggregator) {
    let (windows, others) = (windows(&left), windows(&right))
    #expect(windows.map(\.scope) == others.map(\.scope))
    #expect(windows.map(\.start) == others.map(\.start))
    for (window, other) in zip(windows, others) {
      #expect(window.rollup == other.rollup, "\(window.scope) \(window.start)")
    }
    let (snapshot, other) = (left.snapshot(now: Self.now), right.snapshot(now: Self.now))
    #expect(snapshot.account.lastClosed == other.account.lastClosed)
    #expect(snapshot.statistics == other.statistics)
    #expect(snapshot.functions.map(\.function) == other.functions.map(\.function))
    for (function, other) in zip(snapshot.functions, other.functions) {
      #expect(function.totals == other.totals)
      #expect(function.concurrencyNanoseconds == other.concurrencyNanoseconds)
      #expect(function.exemplars == other.exemplars)
      #expect(function.lastClosed == other.lastClosed)
      #expect(function.lastClosedEnded == other.lastClosedEnded)
      #expect(function.instances == other.instances)
    }
    #expect(left.instances(now: Self.now) == right.instances(now: Self.now))
  }

  @Test(arguments: Array(UInt64(1)...30))
  func `give what they give one by one, repeated and refused ones too`(seed: UInt64) {
    var random = SplitMix(seed: seed)
    var events = RandomStory.events(seed: seed, from: Self.origin, lasting: .seconds(240), invocations: 200)
    events += events.shuffled(using: &random).prefix(100)
    events.insert(Self.finished(1, of: 0, at: Self.now + .seconds(3_600), lasting: 1), at: events.count / 2)
    events.insert(Self.finished(2, of: 0, at: Timestamp(nanoseconds: -5), lasting: 1), at: events.count / 3)
    var single = Aggregator(AggregatorConfiguration())
    let expected = events.enumerated().compactMap { index, event in
      single.apply(event, now: Self.now).map { RejectedEvent(index: index, reason: $0) }
    }
    var batched = Aggregator(AggregatorConfiguration())
    var rejected: [RejectedEvent] = []
    var begin = 0
    while begin < events.count {
      let end = min(events.count, begin + Int.random(in: 1...150, using: &random))
      rejected += batched.apply(Array(events[begin..<end]), now: Self.now).map { event in
        RejectedEvent(index: begin + event.index, reason: event.reason)
      }
      begin = end
    }
    #expect(rejected == expected)
    #expect(expected.count == 2)
    #expect(batched.eventsDuplicate == single.eventsDuplicate)
    expectSame(&batched, &single)
  }

  @Test(arguments: [true, false])
  func `give the same by the ten thousand, whether or not somebody reads in between`(isShuffled: Bool) {
    var random = SplitMix(seed: 5)
    // Durations of up to two windows, zeros, unknown memory and errors among them.
    let durations: [Int64] = [0, 1_000_000, 70_000_000, 120_000_000_000]
    var events: [LifecycleEvent] = []
    for number in 0..<30_000 {
      events.append(
        Self.finished(
          UInt64(number), of: Int.random(in: 0..<40, using: &random),
          at: Self.origin + Nanoseconds(Int64(number) * 4_000_000),
          lasting: durations[Int.random(in: 0..<4, using: &random)], outcome: number % 7 == 0 ? .error : .success,
          memoryUsedBytes: Int64(number % 3) * 40_000_000))
    }
    if isShuffled { events.shuffle(using: &random) }
    var together = Aggregator(AggregatorConfiguration())
    #expect(together.apply(events, now: Self.now).isEmpty)
    var read = Aggregator(AggregatorConfiguration())
    for begin in stride(from: 0, to: events.count, by: 500) {
      #expect(read.apply(Array(events[begin..<begin + 500]), now: Self.now).isEmpty)
      _ = read.snapshot(now: Self.now)
    }
    expectSame(&together, &read)
    #expect(together.snapshot(now: Self.now).functions.reduce(0) { $0 + $1.totals.invocations.total } == 30_000)
  }

  private static func finished(
    _ number: UInt64, of function: Int, at start: Timestamp, lasting duration: Int64, outcome: Outcome = .success,
    memoryUsedBytes: Int64 = 0
  ) -> LifecycleEvent {
    let instance = InstanceID(Identifier128(high: UInt64(function + 1), low: number % 3))
    let finished = InvocationFinished(
      request: RequestID(Identifier128(high: 99, low: number + 1)), start: start, duration: Nanoseconds(duration),
      trigger: .http, pool: number % 5 == 0 ? .provisioned : .unreserved, isColdStart: number % 11 == 0,
      outcome: outcome, memoryUsedBytes: memoryUsedBytes)
    return LifecycleEvent(.instance(instance, of: FunctionID("function-\(function)")), .invocationFinished(finished))
  }
}
