import Lifecycle
import TestSupport
import Testing

@testable import Windows

/// What is presumed of executions whose end does not come, and what comes after all; clocks that jump and go back.
@Suite struct `Lateness tests` {
  /// The first instant of a window of every length that is used here.
  static let origin = Timestamp(seconds: 1_790_000_000 / 3_600 * 3_600)
  private let teller = Teller()

  private func windows(_ aggregator: inout Aggregator, _ now: Timestamp) -> [WindowRollup] {
    aggregator.windows(from: Timestamp(nanoseconds: 0), to: Timestamp(nanoseconds: .max), now: now)
  }

  // MARK: Jumps of the clock

  @Test func `counts from before a sleep are final once, however long the sleep`() {
    var aggregator = Aggregator(AggregatorConfiguration())
    // The instance lives on, so that every window of the sleep has one.
    aggregator.apply(teller.instanceStarted(Self.origin), now: Self.origin)
    aggregator.apply(teller.finished(1, Self.origin, .milliseconds(5)), now: Self.origin)
    _ = aggregator.checkpoint(now: Self.origin)
    let awake = Self.origin + Nanoseconds.days(40)
    let checkpoint = aggregator.checkpoint(now: awake)
    let ofStart = checkpoint.windows.filter { $0.scope == .function(teller.function) && $0.start == Self.origin }
    #expect(ofStart.map(\.isFinal) == [true])
    #expect(ofStart.map(\.rollup.tally.invocations.total) == [1])
    #expect(aggregator.checkpoint(now: awake).windows.allSatisfy { !$0.isFinal })
  }

  @Test func `a long sleep of many functions takes bounded memory and displaces no count`() {
    var aggregator = Aggregator(AggregatorConfiguration(unsavedWindowsLimit: 10_000))
    for index in 0..<200 {
      let own = Teller(
        function: FunctionID("f\(index)"), instance: InstanceID(Identifier128(high: 1, low: UInt64(index))))
      aggregator.apply(own.instanceStarted(Self.origin), now: Self.origin)
      aggregator.apply(own.throttled(Self.origin), now: Self.origin)
    }
    let checkpoint = aggregator.checkpoint(now: Self.origin + .days(60))
    let finals = checkpoint.windows.filter(\.isFinal)
    #expect(finals.count <= 10_000)
    #expect(finals.reduce(0) { $0 + $1.rollup.tally.throttles.total } == 200)
  }

  @Test func `idle stretches between executions have no final windows`() {
    var aggregator = Aggregator(AggregatorConfiguration())
    aggregator.apply(teller.finished(1, Self.origin, .milliseconds(5)), now: Self.origin)
    let later = Self.origin + Nanoseconds.minutes(10)
    aggregator.apply(teller.finished(2, later, .milliseconds(5)), now: later)
    _ = aggregator.checkpoint(now: later)
    let finals = aggregator.checkpoint(now: later + .minutes(60)).windows.filter(\.isFinal)
    #expect(finals.filter { $0.scope == .account }.map(\.start) == [Self.origin, later])
    #expect(finals.filter { $0.scope != .account }.map(\.start) == [Self.origin, later])
  }

  @Test func `a clock that was far ahead for a moment leaves nothing that is walked through`() {
    var aggregator = Aggregator(AggregatorConfiguration(window: .seconds(1)))
    aggregator.apply(teller.instanceStarted(Self.origin), now: Self.origin)
    let ahead = Self.origin + Nanoseconds.days(365 * 100)
    #expect(aggregator.apply(teller.throttled(ahead), now: ahead) == nil)
    #expect(aggregator.apply(teller.finished(1, Self.origin, .days(30_000)), now: ahead) == nil)
    let now = Self.origin + Nanoseconds.seconds(10)
    // Three thousand million windows lie between.
    #expect(windows(&aggregator, now).filter { $0.start > now }.map(\.rollup.tally.throttles.total).max() == 1)
    let checkpoint = aggregator.checkpoint(now: now)
    #expect(checkpoint.windows.count < 100)
    #expect(checkpoint.windows.contains { $0.start == ahead && $0.rollup.tally.throttles.total == 1 })
  }

  @Test(arguments: [Int64(1), 60, 960, 961, 3_600])
  func `the next window is final at the time that is told, and not a nanosecond before`(_ seconds: Int64) {
    var aggregator = Aggregator(AggregatorConfiguration(window: .seconds(seconds)))
    #expect(aggregator.nextFinality == Timestamp(nanoseconds: .max))
    aggregator.advance(to: Self.origin + Nanoseconds(123_456_789))
    for _ in 0..<5 {
      let (boundary, next) = (aggregator.finalBoundary, aggregator.nextFinality)
      aggregator.advance(to: next - Nanoseconds(1))
      #expect(aggregator.finalBoundary == boundary)
      aggregator.advance(to: next)
      #expect(aggregator.finalBoundary == boundary + .seconds(seconds))
    }
  }

  @Test func `a clock that goes back finalizes nothing, loses nothing and takes what is in time`() {
    var aggregator = Aggregator(AggregatorConfiguration())
    aggregator.apply(teller.finished(1, Self.origin, .seconds(1)), now: Self.origin + .seconds(1))
    let boundary = aggregator.finalBoundary
    aggregator.advance(to: Self.origin - .days(1))
    #expect(aggregator.finalBoundary == boundary)
    #expect(aggregator.apply(teller.finished(2, Self.origin, .seconds(1)), now: Self.origin - .seconds(300)) == .future)
    #expect(aggregator.apply(teller.finished(2, Self.origin, .seconds(1)), now: Self.origin - .seconds(299)) == nil)
    #expect(aggregator.snapshot(now: Self.origin - .days(1)).functions[0].totals.invocations.total == 2)
    #expect(aggregator.checkpoint(now: Self.origin - .days(1)).windows.allSatisfy { !$0.isFinal })
    #expect(windows(&aggregator, Self.origin + .seconds(2)).first?.rollup.peaks.concurrency == 2)
  }

  // MARK: Final windows

  @Test(arguments: Array(UInt64(1)...20))
  func `every window is final once, in order, and nothing of it is lost`(seed: UInt64) {
    let span = Nanoseconds.seconds(900)
    let events = RandomStory.events(seed: seed, from: Self.origin, lasting: span, invocations: 60)
    var aggregator = Aggregator(AggregatorConfiguration(functionsLimit: 3))
    for event in events { aggregator.apply(event, now: Self.origin + .minutes(14)) }
    let totals = aggregator.snapshot(now: Self.origin + .minutes(14)).functions
    var random = SplitMix(seed: seed)
    var finals: [Scope: [WindowCheckpoint]] = [:]
    var now = Self.origin + Nanoseconds.minutes(14)
    while now < Self.origin + .minutes(90) {
      now = now + .seconds(Int64.random(in: 1...200, using: &random))
      let checkpoint = aggregator.checkpoint(now: now)
      // Some checkpoints cannot be stored.
      guard Int.random(in: 0..<3, using: &random) > 0 else {
        aggregator.checkpointFailed(checkpoint)
        continue
      }
      for window in checkpoint.windows where window.isFinal { finals[window.scope, default: []].append(window) }
    }
    for window in aggregator.checkpoint(now: now).windows where window.isFinal {
      finals[window.scope, default: []].append(window)
    }
    for (scope, windows) in finals {
      let starts = windows.map(\.start)
      #expect(starts == Set(starts).sorted(), "\(scope)")
    }
    for function in totals {
      var sum = Tally()
      for window in finals[.function(function.function)] ?? [] { sum.merge(window.rollup.tally) }
      #expect(sum == function.totals, "\(function.function)")
    }
  }

  @Test func `a window is closed after the grace, and takes what is late until it is final`() {
    var aggregator = Aggregator(AggregatorConfiguration())
    aggregator.apply(teller.throttled(Self.origin), now: Self.origin)
    for (seconds, isClosed) in [(60, false), (61, true), (1_019, true)] as [(Int64, Bool)] {
      let now = Self.origin + Nanoseconds.seconds(seconds) - Nanoseconds(isClosed ? 0 : 1)
      #expect(windows(&aggregator, now).first { $0.scope != .account }?.isClosed == isClosed, "\(seconds) s")
    }
    aggregator.apply(teller.throttled(Self.origin), now: Self.origin + .seconds(1_019))
    #expect(aggregator.statistics.eventsLate == 0)
    #expect(windows(&aggregator, Self.origin + .seconds(1_020)).isEmpty)
    #expect(aggregator.finalBoundary == Self.origin + .seconds(60))
    let finals = aggregator.checkpoint(now: Self.origin + .seconds(1_020)).windows.filter(\.isFinal)
    #expect(finals.map(\.rollup.tally.throttles.total) == [2])
  }

  // MARK: Executions that are lost

  @Test func `an execution without an end is given up, and its late end takes the place of what was presumed`() {
    var aggregator = Aggregator(AggregatorConfiguration())
    aggregator.apply(teller.instanceStarted(Self.origin), now: Self.origin)
    aggregator.apply(teller.started(1, Self.origin), now: Self.origin)
    let justBefore = Self.origin + Nanoseconds.seconds(959)
    #expect(aggregator.snapshot(now: justBefore).functions[0].concurrentExecutions == 1)
    #expect(aggregator.snapshot(now: justBefore).functions[0].instances[.busy] == 1)
    let givenUp = Self.origin + Nanoseconds.seconds(1_025)
    let snapshot = aggregator.snapshot(now: givenUp)
    #expect(snapshot.functions[0].concurrentExecutions == 0)
    #expect(snapshot.functions[0].instances[.busy] == 0)
    #expect(snapshot.statistics.executionsLost == 1)
    #expect(snapshot.functions[0].totals.invocations.total == 0)
    aggregator.apply(teller.finished(1, Self.origin, .seconds(900)), now: givenUp)
    let shown = windows(&aggregator, givenUp).filter { $0.scope == .account }
    #expect(shown.map(\.rollup.peaks.concurrency).max() == 1)
    #expect(shown.filter { $0.start >= Self.origin + .seconds(900) }.allSatisfy { $0.rollup.peaks.concurrency == 0 })
    #expect(aggregator.snapshot(now: givenUp).functions[0].totals.invocations.total == 1)
    #expect(aggregator.statistics.eventsDuplicate == 0)
  }

  @Test func `what was given up is forgotten in the end`() {
    var aggregator = Aggregator(AggregatorConfiguration())
    for number in 0..<100 as Range<UInt64> {
      aggregator.apply(teller.started(number, Self.origin), now: Self.origin)
      aggregator.apply(teller.overlapStarted(number, Self.origin), now: Self.origin)
    }
    aggregator.advance(to: Self.origin + .minutes(17))
    #expect(aggregator.snapshot(now: Self.origin + .minutes(18)).functions[0].overlappingExecutions == 0)
    aggregator.advance(to: Self.origin + .minutes(40))
    let live = aggregator.checkpoint(now: Self.origin + .minutes(40)).live
    #expect(live.executions.isEmpty)
    #expect(live.overlaps.isEmpty)
    #expect(live.instances.isEmpty)
    #expect(windows(&aggregator, Self.origin + .minutes(40)).isEmpty)
  }

  @Test func `an overlap in an instance that lives is not given up`() {
    var aggregator = Aggregator(AggregatorConfiguration())
    aggregator.apply(teller.instanceStarted(Self.origin), now: Self.origin)
    aggregator.apply(teller.overlapStarted(1, Self.origin), now: Self.origin)
    let now = Self.origin + Nanoseconds.minutes(90)
    #expect(aggregator.snapshot(now: now).functions[0].overlappingExecutions == 1)
    aggregator.apply(teller.instanceStopped(now), now: now)
    #expect(aggregator.snapshot(now: now).functions[0].overlappingExecutions == 0)
  }

  @Test func `a start that comes after finality is no execution in progress`() {
    var aggregator = Aggregator(AggregatorConfiguration())
    let now = Self.origin + Nanoseconds.minutes(300)
    aggregator.apply(teller.instanceStarted(now), now: now)
    aggregator.apply(teller.started(1, Self.origin), now: now)
    let between = aggregator.snapshot(now: now)
    #expect(between.functions[0].concurrentExecutions == 0)
    #expect(between.functions[0].concurrencyNanoseconds == 0)
    #expect(between.functions[0].instances[.busy] == 0)
    #expect(between.statistics.eventsLate == 1)
    for window in windows(&aggregator, now) { #expect(window.rollup.peaks.concurrency == 0) }
    aggregator.apply(teller.finished(1, Self.origin, .seconds(3)), now: now)
    let after = aggregator.snapshot(now: now).functions[0]
    #expect(after.concurrencyNanoseconds == 3_000_000_000)
    #expect(after.totals.invocations.total == 1)
    #expect(after.concurrentExecutions == 0)
    #expect(aggregator.statistics.executionsLost == 0)
    for window in windows(&aggregator, now) { #expect(window.rollup.peaks.concurrency == 0) }
  }
}
