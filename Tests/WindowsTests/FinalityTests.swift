import Lifecycle
import TestSupport
import Testing

@testable import Windows

/// When windows close and become final, and what comes after that.
@Suite struct `Finality tests` {
  static let window: Int64 = 60
  static let start = Timestamp(seconds: 1_790_000_040 / 60 * 60)
  let function = FunctionID("f")

  private func instant(_ seconds: Int64) -> Timestamp { Self.start + Nanoseconds.seconds(seconds) }

  private func finished(_ number: UInt64, at seconds: Int64, lasting: Int64 = 1) -> LifecycleEvent {
    LifecycleEvent(
      .function(function),
      .invocationFinished(
        InvocationFinished(
          request: RequestID(Identifier128(high: 9, low: number)), start: instant(seconds), duration: .seconds(lasting),
          trigger: .http, pool: .unreserved, outcome: .success)))
  }

  private func started(_ number: UInt64, at seconds: Int64) -> LifecycleEvent {
    LifecycleEvent(
      .function(function),
      .invocationStarted(
        InvocationStarted(
          request: RequestID(Identifier128(high: 9, low: number)), time: instant(seconds), trigger: .http,
          pool: .unreserved)))
  }

  private func alive(_ number: UInt64, at seconds: Int64, of function: FunctionID) -> LifecycleEvent {
    LifecycleEvent(
      .instance(InstanceID(Identifier128(high: 8, low: number)), of: function),
      .instanceStarted(
        InstanceStarted(time: instant(seconds), initializationType: .onDemand, memoryLimitBytes: 1)))
  }

  @Test func `a window becomes final once, in order, sixteen minutes after its end`() {
    var aggregator = Aggregator(AggregatorConfiguration())
    for minute in 0..<5 as Range<Int64> {
      aggregator.apply(finished(UInt64(minute), at: minute * 60), now: instant(minute * 60 + 1))
    }
    var finals: [Timestamp] = []
    for second in stride(from: 300 as Int64, to: 2_000, by: 7) {
      for window in aggregator.checkpoint(now: instant(second)).windows
      where window.isFinal && window.scope == .function(function) {
        #expect(window.start + .seconds(60 + 960) <= instant(second))
        #expect(window.rollup.tally.invocations.total == 1)
        finals.append(window.start)
      }
      // A clock that goes back changes nothing.
      #expect(aggregator.checkpoint(now: instant(second - 500)).windows.allSatisfy { !$0.isFinal })
    }
    #expect(finals == (0..<5).map { instant($0 * 60) })
  }

  @Test func `what is later than final is in totals and tallies to be added, but in no window`() {
    var aggregator = Aggregator(AggregatorConfiguration())
    aggregator.apply(finished(1, at: 0), now: instant(1))
    _ = aggregator.checkpoint(now: instant(3_000))
    for _ in 0..<2 { aggregator.apply(finished(2, at: 10), now: instant(3_000)) }
    aggregator.apply(finished(3, at: 20), now: instant(3_000))
    #expect(aggregator.statistics.eventsLate == 2)
    #expect(aggregator.statistics.eventsDuplicate == 1)
    let snapshot = aggregator.snapshot(now: instant(3_000))
    #expect(snapshot.functions[0].totals.invocations.total == 3)
    #expect(snapshot.functions[0].concurrentExecutions == 0)
    #expect(aggregator.windows(from: instant(-100), to: instant(4_000), now: instant(3_000)).isEmpty)
    let failed = aggregator.checkpoint(now: instant(3_001))
    #expect(failed.lateTallies.map(\.start) == [instant(0)])
    #expect(failed.lateTallies.map(\.tally.invocations.total) == [2])
    // What could not be stored comes again, once, with what came since.
    aggregator.apply(finished(4, at: 30), now: instant(3_002))
    aggregator.checkpointFailed(failed)
    let again = aggregator.checkpoint(now: instant(3_003))
    #expect(again.lateTallies.map(\.tally.invocations.total) == [3])
    #expect(again.functions.map(\.totals.invocations.total) == [4])
    #expect(aggregator.checkpoint(now: instant(3_004)).lateTallies.isEmpty)
  }

  @Test func `finals of a checkpoint that failed come again, before newer ones`() {
    var aggregator = Aggregator(AggregatorConfiguration())
    aggregator.apply(finished(1, at: 0), now: instant(1))
    aggregator.apply(finished(2, at: 60), now: instant(61))
    let failed = aggregator.checkpoint(now: instant(1_020))
    #expect(failed.windows.filter { $0.isFinal && $0.scope != .account }.map(\.start) == [instant(0)])
    aggregator.checkpointFailed(failed)
    let again = aggregator.checkpoint(now: instant(1_080))
    #expect(again.windows.filter { $0.isFinal && $0.scope != .account }.map(\.start) == [instant(0), instant(60)])
  }

  @Test func `restoring after a long sleep finalizes what was open`() {
    var aggregator = Aggregator(AggregatorConfiguration())
    aggregator.apply(finished(1, at: 0, lasting: 130), now: instant(140))
    let stored = aggregator.checkpoint(now: instant(140))
    var restored = Aggregator(AggregatorConfiguration(), restoring: stored)
    let windows = restored.checkpoint(now: instant(864_000)).windows
    let finals = windows.filter { $0.isFinal && $0.scope == .function(function) }
    #expect(finals.map(\.start) == [instant(0), instant(60), instant(120)])
    #expect(finals.map(\.rollup.peaks.concurrency) == [1, 1, 1])
    #expect(finals.reduce(0) { $0 + $1.rollup.concurrencyNanoseconds } == 130_000_000_000)
    #expect(windows.filter { $0.isFinal && $0.scope == .account }.map(\.start) == finals.map(\.start))
  }

  @Test func `an execution whose end is never told is given up and counted`() {
    var aggregator = Aggregator(AggregatorConfiguration())
    aggregator.apply(started(1, at: 0), now: instant(1))
    #expect(aggregator.snapshot(now: instant(900)).functions[0].concurrentExecutions == 1)
    let snapshot = aggregator.snapshot(now: instant(1_100))
    #expect(snapshot.functions[0].concurrentExecutions == 0)
    #expect(snapshot.statistics.executionsLost == 1)
    #expect(snapshot.functions[0].concurrencyNanoseconds >= 960_000_000_000)
    #expect(snapshot.functions[0].totals.invocations.total == 0)
  }

  @Test func `a clock that jumps ahead yields a bounded number of windows`() {
    var aggregator = Aggregator(AggregatorConfiguration(unsavedWindowsLimit: 4_000))
    for number in 0..<50 as Range<UInt64> {
      aggregator.apply(alive(number, at: 0, of: FunctionID("f\(number)")), now: instant(1))
    }
    let checkpoint = aggregator.checkpoint(now: instant(315_360_000))
    #expect(checkpoint.windows.count <= 4_000)
    // The functions are still alive in each of the last final windows.
    let last = checkpoint.windows.filter(\.isFinal).map(\.start).max() ?? instant(0)
    let inLast = checkpoint.windows.filter { $0.isFinal && $0.start == last && $0.scope != .account }
    #expect(inLast.count == 50)
    #expect(inLast.allSatisfy { $0.rollup.peaks.instances == 1 })
    #expect(
      aggregator.windows(from: instant(-1_000), to: Timestamp(nanoseconds: .max), now: instant(315_360_000)).count
        < 2_000)
  }

  @Test func `what is told at once about days apart yields windows only where something was`() {
    var aggregator = Aggregator(AggregatorConfiguration(window: .seconds(1)))
    aggregator.advance(to: instant(0))
    aggregator.apply(finished(1, at: 0), now: instant(864_000))
    aggregator.apply(finished(2, at: 800_000), now: instant(864_000))
    let finals = aggregator.checkpoint(now: instant(864_000)).windows.filter(\.isFinal)
    #expect(Set(finals.map(\.start)) == [instant(0), instant(800_000)])
    #expect(finals.count == 4)
  }

  @Test func `reading after days of sleep walks over no window of them`() {
    var aggregator = Aggregator(AggregatorConfiguration(window: .seconds(1)))
    for number in 0..<100 as Range<UInt64> {
      let throttled = Throttled(time: instant(0), reason: .callerRateLimit, trigger: .http)
      aggregator.apply(LifecycleEvent(.function(FunctionID("f\(number)")), .throttled(throttled)), now: instant(0))
    }
    let late = instant(30 * 86_400)
    #expect(aggregator.windows(from: instant(0), to: Timestamp(nanoseconds: .max), now: late).isEmpty)
    // The tallies that became final wait for the next checkpoint.
    #expect(aggregator.checkpoint(now: late).windows.filter(\.isFinal).count == 100)
    #expect(aggregator.checkpoint(now: late + .seconds(86_400)).windows.isEmpty)
  }

  @Test func `counters never go down, whatever comes late`() {
    for seed in 1...20 as ClosedRange<UInt64> {
      var random = SplitMix(seed: seed)
      let events = RandomStory.events(
        seed: seed, from: instant(0), lasting: .seconds(240), invocations: 60
      ).shuffled(using: &random)
      var aggregator = Aggregator(AggregatorConfiguration())
      var shown: [FunctionID: FunctionSnapshot] = [:]
      var clock: Int64 = 240
      for event in events {
        aggregator.apply(event, now: instant(max(clock, 300)))
        clock += Int64.random(in: -20...60, using: &random)
        if Int.random(in: 0..<9, using: &random) == 0 {
          let checkpoint = aggregator.checkpoint(now: instant(clock))
          if Bool.random(using: &random) { aggregator.checkpointFailed(checkpoint) }
        }
        for function in aggregator.snapshot(now: instant(clock)).functions {
          if let before = shown[function.function] {
            #expect(function.concurrencyNanoseconds >= before.concurrencyNanoseconds)
            #expect(function.totals.invocations.total >= before.totals.invocations.total)
            #expect(function.totals.duration.sum >= before.totals.duration.sum)
            #expect(function.totals.billedNanoseconds >= before.totals.billedNanoseconds)
            #expect(function.totals.instanceStops.total >= before.totals.instanceStops.total)
          }
          #expect(function.concurrentExecutions >= 0 && function.overlappingExecutions >= 0)
          shown[function.function] = function
        }
      }
    }
  }

  struct TimeCase: Sendable {
    var seconds: Int64
    var rejection: Rejection?
  }

  @Test(arguments: [
    TimeCase(seconds: 0), TimeCase(seconds: 300), TimeCase(seconds: 301, rejection: .future),
    TimeCase(seconds: -1_800_000_000, rejection: .beforeEpoch),
  ])
  func `an event is taken from 1970 until five minutes ahead`(_ given: TimeCase) {
    var aggregator = Aggregator(AggregatorConfiguration())
    #expect(aggregator.apply(started(1, at: given.seconds), now: instant(0)) == given.rejection)
    #expect(aggregator.apply(finished(2, at: given.seconds, lasting: 0), now: instant(0)) == given.rejection)
    #expect(
      aggregator.apply(finished(3, at: 0, lasting: given.seconds), now: instant(0))
        == (given.rejection == .future ? .future : nil))
    #expect(aggregator.statistics.eventsReceived == 3)
  }
}
