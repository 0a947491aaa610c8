import Lifecycle
import Testing

@testable import Windows

/// To whom an event is counted, and what is not counted at all.
@Suite struct `Attribution tests` {
  static let now = Timestamp(seconds: 1_790_000_000)
  private let teller = Teller()

  @Test func `an instance lives and stops with the function that it was started for`() {
    let mine = Teller(function: FunctionID("mine"))
    let other = Teller(function: FunctionID("mine", version: "live"))
    let events = [
      mine.instanceStarted(Self.now - .seconds(20)), other.finished(1, Self.now - .seconds(10), .seconds(1)),
      other.instanceStopped(Self.now - .seconds(2)),
    ]
    for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2], [1, 2, 0], [0, 2, 1], [2, 0, 1]] {
      var aggregator = Aggregator(AggregatorConfiguration(window: .seconds(3_600)))
      for index in order { #expect(aggregator.apply(events[index], now: Self.now) == nil) }
      var peaks: [Scope: Int64] = [:]
      for window in aggregator.windows(from: Timestamp(seconds: 0), to: Self.now + .days(1), now: Self.now) {
        peaks[window.scope] = window.rollup.peaks.instances
      }
      #expect(
        peaks == [.account: 1, .function(mine.function): 1, .function(other.function): 0], "in the order \(order)")
      let later = aggregator.snapshot(now: Self.now + .days(1))
      #expect(later.functions.allSatisfy { $0.instances.total == 0 && $0.lastClosed == Peaks() })
    }
  }

  struct Misfit: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var event: LifecycleEvent
  }

  static let misfits: [Misfit] = {
    let teller = Teller()
    let accountLimits = LifecycleEvent.Kind.accountLimitsChanged(AccountLimitsChanged(time: now, concurrency: 5))
    let warmedUp = LifecycleEvent.Kind.warmedUp(WarmedUp(time: now, duration: .zero, succeeded: true))
    var misfits = [
      Misfit(
        testDescription: "account limits of a function",
        event: LifecycleEvent(.function(teller.function), accountLimits)),
      Misfit(
        testDescription: "account limits of an instance",
        event: LifecycleEvent(.instance(teller.instance, of: teller.function), accountLimits)),
      Misfit(testDescription: "warm-up of a function", event: LifecycleEvent(.function(teller.function), warmedUp)),
      Misfit(testDescription: "warm-up of the account", event: LifecycleEvent(.account, warmedUp)),
      Misfit(
        testDescription: "throttle of the account", event: LifecycleEvent(.account, teller.throttled(now).kind)),
    ]
    for event in [
      teller.instanceStarted(now), teller.instanceReady(now), teller.instanceStopped(now),
      teller.overlapStarted(1, now), teller.overlapEnded(1, now),
    ] {
      misfits.append(
        Misfit(
          testDescription: "\(event.kind)".prefix(16) + " of a function",
          event: LifecycleEvent(.function(teller.function), event.kind)))
    }
    return misfits
  }()

  @Test(arguments: misfits)
  func `an event whose subject does not fit is rejected and leaves nothing behind`(_ given: Misfit) {
    var aggregator = Aggregator(AggregatorConfiguration())
    #expect(aggregator.apply(given.event, now: Self.now) == .subject)
    #expect(aggregator.statistics.eventsRejected[.subject] == 1)
    #expect(aggregator.statistics.eventsReceived == 1)
    #expect(aggregator.statistics.functions == 0)
    #expect(aggregator.checkpoint(now: Self.now).functions.isEmpty)
  }

  struct Instant: Sendable {
    var offset: Nanoseconds
    var rejection: Rejection?
  }

  @Test(arguments: [
    Instant(offset: .zero), Instant(offset: .seconds(300)),
    Instant(offset: .seconds(300) + Nanoseconds(1), rejection: .future),
    Instant(offset: Nanoseconds(.max), rejection: .future),
    Instant(offset: Nanoseconds(-1_790_000_000_000_000_000)),
    Instant(offset: Nanoseconds(-1_790_000_000_000_000_001), rejection: .beforeEpoch),
    Instant(offset: Nanoseconds(.min), rejection: .beforeEpoch),
  ])
  func `an event is taken from 1970 to a little ahead of the clock`(_ given: Instant) {
    for event in [
      teller.throttled(Self.now + given.offset), teller.instanceStarted(Self.now + given.offset),
      teller.started(1, Self.now + given.offset), teller.limits(Self.now + given.offset, reserved: 1),
      teller.overlapEnded(1, Self.now + given.offset),
    ] {
      var aggregator = Aggregator(AggregatorConfiguration())
      #expect(aggregator.apply(event, now: Self.now) == given.rejection, "\(event.kind)")
      #expect(aggregator.snapshot(now: Self.now).functions.count == (given.rejection == nil ? 1 : 0))
      for rejection in Rejection.allCases {
        #expect(aggregator.statistics.eventsRejected[rejection] == (rejection == given.rejection ? 1 : 0))
      }
    }
  }

  @Test func `an end too far ahead is rejected though its start is not`() {
    var aggregator = Aggregator(AggregatorConfiguration())
    #expect(aggregator.apply(teller.finished(1, Self.now, .seconds(301)), now: Self.now) == .future)
    #expect(aggregator.apply(teller.finished(1, Self.now, Nanoseconds(.max)), now: Self.now) == .future)
    #expect(aggregator.apply(teller.finished(1, Self.now, .seconds(300)), now: Self.now) == nil)
    #expect(aggregator.statistics.eventsDuplicate == 0)
  }

  @Test func `repeating what has an identity changes nothing`() {
    let events = [
      teller.instanceStarted(Self.now), teller.started(1, Self.now), teller.overlapStarted(2, Self.now),
      teller.finished(1, Self.now, .seconds(1)), teller.overlapEnded(2, Self.now + .seconds(1)),
      teller.instanceStopped(Self.now + .seconds(2)),
    ]
    var once = Aggregator(AggregatorConfiguration())
    var twice = once
    for event in events {
      once.apply(event, now: Self.now)
      twice.apply(event, now: Self.now)
      twice.apply(event, now: Self.now)
    }
    for event in events { twice.apply(event, now: Self.now) }
    let later = Self.now + Nanoseconds.seconds(5)
    #expect(once.snapshot(now: later).functions[0].totals == twice.snapshot(now: later).functions[0].totals)
    let all = Timestamp(nanoseconds: 0)..<Timestamp(nanoseconds: .max)
    #expect(
      once.windows(from: all.lowerBound, to: all.upperBound, now: later)
        == twice.windows(from: all.lowerBound, to: all.upperBound, now: later))
    #expect(twice.statistics.eventsDuplicate == UInt64(2 * events.count))
    #expect(once.statistics.eventsDuplicate == 0)
  }

  @Test func `functions beyond the limit are counted together, and known ones on their own`() {
    var aggregator = Aggregator(AggregatorConfiguration(functionsLimit: 2))
    for round in 0..<2 {
      for index in 0..<6 {
        let own = Teller(
          function: FunctionID("f\(index)"), instance: InstanceID(Identifier128(high: 1, low: UInt64(index))))
        let start = Self.now + Nanoseconds.seconds(Int64(round))
        aggregator.apply(own.instanceStarted(start), now: Self.now)
        aggregator.apply(own.finished(UInt64(index + 100 * round), start, .milliseconds(1)), now: Self.now)
      }
    }
    let functions = aggregator.snapshot(now: Self.now).functions
    #expect(functions.map(\.function.name) == ["_other", "f0", "f1"])
    #expect(functions.map(\.totals.invocations.total) == [8, 2, 2])
    #expect(functions.map(\.instances.total) == [4, 1, 1])
    #expect(aggregator.statistics.functionsLimit == 2)
  }

  // MARK: Account and provisioned concurrency

  private func rollup(_ events: [LifecycleEvent], _ scope: Scope) -> Rollup? {
    let hour = Timestamp(seconds: Self.now.nanoseconds / 3_600_000_000_000 * 3_600)
    var aggregator = Aggregator(AggregatorConfiguration(window: .seconds(3_600)))
    for event in events { #expect(aggregator.apply(event, now: hour + .seconds(3_500)) == nil) }
    return aggregator.windows(from: hour, to: hour + .seconds(1), now: hour + .seconds(3_500))
      .first { $0.scope == scope }?.rollup
  }

  private func at(_ seconds: Int64) -> Timestamp {
    Timestamp(seconds: Self.now.nanoseconds / 3_600_000_000_000 * 3_600 + seconds)
  }

  @Test func `the account's peaks are not the sum of the functions'`() {
    let one = Teller(function: FunctionID("one"))
    let two = Teller(function: FunctionID("two"), instance: InstanceID(Identifier128(high: 9, low: 9)))
    let events = [
      one.finished(1, at(0), .seconds(10)), one.finished(2, at(5), .seconds(5)), two.finished(3, at(10), .seconds(10)),
      two.finished(4, at(19), .seconds(1)), two.finished(5, at(19), .seconds(1), pool: .reserved),
    ]
    #expect(rollup(events, .function(one.function))?.peaks.concurrency == 2)
    #expect(rollup(events, .function(two.function))?.peaks.concurrency == 3)
    #expect(rollup(events, .account)?.peaks.concurrency == 3)
    #expect(rollup(events, .account)?.peaks.unreservedConcurrency == 2)
    #expect(rollup(events, .account)?.concurrencyNanoseconds == 27_000_000_000)
    #expect(rollup(events, .account)?.tally == Tally())
  }

  struct UtilizationCase: Sendable, CustomTestStringConvertible {
    var testDescription: String
    /// Seconds and the allocation from there on.
    var allocations: [(Int64, Int64)]
    /// From and to, in seconds.
    var executions: [(Int64, Int64)]
    var utilization: Double
  }

  @Test(arguments: [
    UtilizationCase(testDescription: "none allocated", allocations: [], executions: [(0, 5)], utilization: 0),
    UtilizationCase(
      testDescription: "allocated long before", allocations: [(-90, 4)], executions: [(0, 5), (4, 6)],
      utilization: 0.5),
    UtilizationCase(
      testDescription: "a pool that shrinks under load", allocations: [(-90, 4), (10, 1)],
      executions: [(0, 11), (4, 12)], utilization: 2),
    UtilizationCase(
      testDescription: "ends as the pool shrinks", allocations: [(-90, 4), (10, 1)], executions: [(0, 10), (4, 10)],
      utilization: 0.5),
    UtilizationCase(
      testDescription: "starts as the pool grows", allocations: [(-90, 1), (10, 4)], executions: [(10, 11), (10, 12)],
      utilization: 0.5),
    UtilizationCase(
      testDescription: "told out of order", allocations: [(20, 2), (-90, 8), (10, 4)],
      executions: [(12, 15), (13, 22)],
      utilization: 0.5),
    UtilizationCase(
      testDescription: "a pool that is taken away", allocations: [(-90, 2), (10, 0)], executions: [(0, 20)],
      utilization: 0.5),
  ])
  func `provisioned utilization follows allocation within the window`(_ given: UtilizationCase) {
    var events = given.allocations.map { teller.limits(at($0.0), allocated: $0.1) }
    for (number, span) in given.executions.enumerated() {
      events.append(
        teller.finished(UInt64(number + 1), at(span.0), .seconds(span.1 - span.0), pool: .provisioned))
    }
    for order in [events, events.reversed()] {
      #expect(rollup(order, .function(teller.function))?.peaks.provisionedUtilization == given.utilization)
    }
  }

  @Test func `claimed concurrency is what is set aside and what is used beside it`() {
    let two = Teller(function: FunctionID("two"))
    let three = Teller(function: FunctionID("three"))
    let events = [
      teller.limits(at(-90), reserved: 10, allocated: 4), two.limits(at(20), allocated: 5),
      two.limits(at(40), reserved: 0), three.finished(1, at(10), .seconds(12)), three.finished(2, at(30), .seconds(20)),
      three.finished(3, at(41), .seconds(2)), three.finished(4, at(41), .seconds(2)),
      three.finished(5, at(20), .seconds(2), pool: .provisioned),
    ]
    // 10 and 5 set aside with one beside them; 10 and 3 after the second 40.
    #expect(rollup(events, .account)?.peaks.claimedConcurrency == 16)
    #expect(rollup(events.reversed(), .account)?.peaks.claimedConcurrency == 16)
    #expect(rollup(events, .function(teller.function)) == nil)
  }
}
