import Lifecycle
import Testing

@testable import Windows

/// What arrives from outside may be wrong, but it neither ends the process nor takes memory without bound.
@Suite struct `Hostile input tests` {
  static let now = Timestamp(seconds: 1_790_000_000)

  static let extremes: [Int64] = [
    1, 1 << 43, (1 << 44) - 1, 1 << 44, (1 << 44) + 1, 1 << 62, .max - 1, .max, 33_000_000_000_000_000,
    33_554_432_000_000_000, 33_554_432_000_000_001, 30_000_000_000_000_000,
  ]

  @Test(arguments: [Measure.duration, .bytes], extremes)
  func `values at the end of the layout are read in every way`(_ measure: Measure, _ value: Int64) {
    // Few values are kept as a list, more as counts.
    for repetitions in [1, 31, 32, 33, 100] {
      var distribution = Distribution(measure)
      for _ in 0..<repetitions { distribution.record(value) }
      var merged = Distribution(measure)
      merged.record(1)
      merged.merge(distribution)
      for read in [distribution, merged] {
        var native: UInt64 = 0
        read.forEachNativeBucket { _, count in native += count }
        #expect(native == read.count)
        #expect(read.storedCells.reduce(0) { $0 + $1.count } == read.count)
        for share in [0.0, 0.5, 0.99, 1] {
          let quantile = read.quantile(share) ?? -1
          #expect(quantile >= read.shown(read.minimum) && quantile <= read.shown(read.maximum))
        }
        #expect(read.quantile(1) == read.shown(value))
      }
    }
  }

  private func limits(
    _ seconds: Int64, reserved: Int64?, allocated: Int64? = nil
  ) -> LifecycleEvent.Kind {
    .limitsChanged(
      FunctionLimitsChanged(
        time: Timestamp(seconds: seconds), reserved: reserved,
        provisioned: allocated.map { ProvisionedConcurrency(requested: $0, allocated: $0, available: $0) },
        memoryLimitBytes: .max, timeout: Nanoseconds(.max), temporaryStorageLimitBytes: .max))
  }

  @Test(arguments: [Int64.min, -1, 0, Int64.max])
  func `limits of any size do not trap, and no limit is below zero`(_ value: Int64) {
    var aggregator = Aggregator(AggregatorConfiguration())
    let seconds = Self.now.nanoseconds / 1_000_000_000
    for name in ["a", "b", "c"] {
      let subject = LifecycleEvent.Subject.function(FunctionID(name))
      aggregator.apply(LifecycleEvent(subject, limits(seconds, reserved: value)), now: Self.now)
      aggregator.apply(LifecycleEvent(subject, limits(seconds + 1, reserved: 3)), now: Self.now)
      aggregator.apply(LifecycleEvent(subject, limits(seconds - 1, reserved: nil, allocated: value)), now: Self.now)
    }
    for window in aggregator.windows(from: Timestamp(seconds: 0), to: Self.now + .seconds(60), now: Self.now) {
      #expect(window.rollup.peaks.claimedConcurrency >= 0)
    }
    #expect(aggregator.snapshot(now: Self.now).account.lastClosed.claimedConcurrency >= 0)
  }

  struct RoundingCase: Sendable {
    var length: Int64
    var window: Int64
    var expected: Int64
  }

  @Test(arguments: [
    RoundingCase(length: 60, window: 60, expected: 60), RoundingCase(length: 61, window: 60, expected: 120),
    RoundingCase(length: 60, window: 7, expected: 63), RoundingCase(length: 1, window: 3_600, expected: 3_600),
    RoundingCase(length: 0, window: 60, expected: 60), RoundingCase(length: -5, window: 60, expected: 60),
    RoundingCase(length: .min, window: 60, expected: 60),
    RoundingCase(length: .max, window: 1, expected: .max),
    RoundingCase(length: .max, window: 60, expected: .max / 60 * 60),
    RoundingCase(length: .max - 3, window: 2, expected: .max - 3),
  ])
  func `a length is rounded up to windows, or down where nothing longer can be told`(_ given: RoundingCase) {
    #expect(
      Resolution.rounded(Nanoseconds(given.length), to: Nanoseconds(given.window)) == Nanoseconds(given.expected))
  }

  @Test func `versions of the function for the rest are bounded as well`() {
    var aggregator = Aggregator(AggregatorConfiguration(functionsLimit: 2))
    for version in 0..<50 {
      let function = FunctionID(AggregatorConfiguration.otherFunctionName, version: "\(version)")
      let throttled = Throttled(time: Self.now, reason: .callerRateLimit, trigger: .http)
      aggregator.apply(LifecycleEvent(.function(function), .throttled(throttled)), now: Self.now)
    }
    let functions = aggregator.snapshot(now: Self.now).functions
    #expect(functions.count <= 3)
    #expect(functions.reduce(0) { $0 + $1.totals.throttles.total } == 50)
  }

  @Test(arguments: [
    FunctionID(""), FunctionID(String(repeating: "n", count: 141)), FunctionID(String(repeating: "ü", count: 71)),
    FunctionID("f", version: String(repeating: "v", count: 141)),
  ])
  func `names without length or of too much are rejected`(_ function: FunctionID) {
    var aggregator = Aggregator(AggregatorConfiguration())
    let throttled = LifecycleEvent.Kind.throttled(
      Throttled(time: Self.now, reason: .callerRateLimit, trigger: .http))
    #expect(aggregator.apply(LifecycleEvent(.function(function), throttled), now: Self.now) == .functionName)
    #expect(aggregator.snapshot(now: Self.now).functions.isEmpty)
    #expect(aggregator.statistics.eventsRejected[.functionName] == 1)
    let longest = FunctionID(String(repeating: "ü", count: 70))
    #expect(aggregator.apply(LifecycleEvent(.function(longest), throttled), now: Self.now) == nil)
  }

  @Test func `the nil identifier and its neighbour are two`() {
    var aggregator = Aggregator(AggregatorConfiguration())
    let instance = LifecycleEvent.Subject.instance(InstanceID(.zero), of: FunctionID("f"))
    aggregator.apply(
      LifecycleEvent(
        instance,
        .instanceStarted(InstanceStarted(time: Self.now, initializationType: .onDemand, memoryLimitBytes: 1))),
      now: Self.now)
    for low in 0...1 as ClosedRange<UInt64> {
      let started = InvocationStarted(
        request: RequestID(Identifier128(high: 0, low: low)), time: Self.now, trigger: .http, pool: .unreserved)
      aggregator.apply(LifecycleEvent(instance, .invocationStarted(started)), now: Self.now)
    }
    #expect(aggregator.snapshot(now: Self.now).functions[0].concurrentExecutions == 2)
    #expect(aggregator.instances(now: Self.now).map(\.instance) == [InstanceID(.zero)])
    // Both are given up in the end, and their instance with them is idle no longer but alive.
    let later = Self.now + .seconds(3_600)
    let snapshot = aggregator.snapshot(now: later)
    #expect(snapshot.functions[0].concurrentExecutions == 0)
    #expect(snapshot.functions[0].instances[.busy] == 0)
    #expect(snapshot.statistics.executionsLost == 2)
  }
}
