import Lifecycle
import TestSupport
import Testing
import Windows

/// The aggregator against a model that knows none of its tricks.
@Suite struct `Aggregator property tests` {
  static let origin = Timestamp(seconds: 1_790_000_010)
  static let span = Nanoseconds.seconds(240)
  /// After the story, before any of it is final; the last windows are open.
  static let now = origin + Nanoseconds.seconds(250)
  static let window = Nanoseconds.seconds(60)
  static let seeds = Array(UInt64(1)...60)

  private func aggregate(_ events: [LifecycleEvent]) -> Aggregator {
    var aggregator = Aggregator(AggregatorConfiguration(window: Self.window))
    for event in events { #expect(aggregator.apply(event, now: Self.now) == nil) }
    return aggregator
  }

  private func story(_ seed: UInt64) -> [LifecycleEvent] {
    RandomStory.events(seed: seed, from: Self.origin, lasting: Self.span, invocations: 40)
  }

  private func windows(_ aggregator: inout Aggregator) -> [WindowRollup] {
    aggregator.windows(from: Timestamp(nanoseconds: 0), to: Timestamp(nanoseconds: .max), now: Self.now)
      .sorted { ($0.start, $0.scope) < ($1.start, $1.scope) }
  }

  @Test(arguments: seeds)
  func `every window of every scope is what the model says`(seed: UInt64) {
    let events = story(seed)
    var aggregator = aggregate(events)
    let model = BruteForceModel(events, window: Self.window)
    var computed: [Key: Rollup] = [:]
    for window in windows(&aggregator) { computed[Key(window)] = window.rollup }
    let grid = WindowGrid(length: Self.window)
    let scopes = [.account] + (0..<3).map { Scope.function(FunctionID("function-\($0)")) }
    for index in (grid.index(of: Self.origin) - 2)...(grid.index(of: Self.now) + 4) {
      for scope in scopes {
        let expected = model.rollup(of: scope, window: index, now: Self.now)
        // Windows that have not begun are not shown, whatever lasts into them.
        guard grid.start(index) <= Self.now else { continue }
        let found = computed[Key(scope: scope, start: grid.start(index))] ?? Rollup()
        #expect(found.tally == expected.tally, "\(scope), window \(index)")
        #expect(found.peaks == expected.peaks, "\(scope), window \(index)")
        #expect(found.concurrencyNanoseconds == expected.concurrencyNanoseconds, "\(scope), window \(index)")
      }
    }
  }

  /// Says in which windows two answers differ, and in what.
  private func expectSame(_ left: [WindowRollup], _ right: [WindowRollup], _ place: SourceLocation = #_sourceLocation) {
    var others: [Key: Rollup] = [:]
    for window in right { others[Key(window)] = window.rollup }
    for window in left {
      let other = others.removeValue(forKey: Key(window)) ?? Rollup()
      #expect(window.rollup.tally == other.tally, "\(window.scope) \(window.start)", sourceLocation: place)
      #expect(window.rollup.peaks == other.peaks, "\(window.scope) \(window.start)", sourceLocation: place)
      #expect(
        window.rollup.concurrencyNanoseconds == other.concurrencyNanoseconds, "\(window.scope) \(window.start)",
        sourceLocation: place)
    }
    #expect(others.isEmpty, sourceLocation: place)
  }

  private struct Key: Hashable {
    var scope: Scope
    var start: Timestamp

    init(scope: Scope, start: Timestamp) {
      self.scope = scope
      self.start = start
    }

    init(_ window: WindowRollup) { self.init(scope: window.scope, start: window.start) }
  }

  @Test(arguments: seeds)
  func `totals are the sum of all counts`(seed: UInt64) {
    let events = story(seed)
    var aggregator = aggregate(events)
    let model = BruteForceModel(events, window: Self.window)
    for function in aggregator.snapshot(now: Self.now).functions {
      #expect(function.totals == model.tally(of: function.function) { _ in true })
    }
  }

  @Test(arguments: seeds)
  func `what all functions do now is the sum of what each does, at any time and after a restart`(seed: UInt64) {
    var random = SplitMix(seed: seed &* 104_729)
    let events = story(seed).shuffled(using: &random)
    for count in stride(from: 0, through: events.count, by: max(1, events.count / 7)) {
      var aggregator = aggregate(Array(events.prefix(count)))
      var restored = Aggregator(aggregator.configuration, restoring: aggregator.checkpoint(now: Self.now))
      for activity in [aggregator.activity(), restored.activity()] {
        let functions = aggregator.snapshot(now: Self.now).functions
        #expect(activity.functions == functions.count)
        #expect(activity.concurrentExecutions == functions.reduce(0) { $0 + $1.concurrentExecutions })
        for state in InstanceState.allCases {
          #expect(activity.instances[state] == functions.reduce(0) { $0 + $1.instances[state] })
        }
      }
      expectSame(aggregator.snapshot(now: Self.now), restored.snapshot(now: Self.now))
    }
  }

  @Test(arguments: seeds)
  func `any permutation gives the same windows and snapshot`(seed: UInt64) {
    // Repeated ends and contradicting starts are told apart by which came first, so they are left out here.
    let events = withoutContradictions(story(seed))
    var random = SplitMix(seed: seed &* 7919)
    var inOrder = aggregate(events)
    var shuffled = aggregate(events.shuffled(using: &random))
    expectSame(windows(&inOrder), windows(&shuffled))
    expectSame(inOrder.snapshot(now: Self.now), shuffled.snapshot(now: Self.now))
    #expect(
      inOrder.snapshot(now: Self.now).functions.map(\.exemplars)
        == shuffled.snapshot(now: Self.now).functions.map(\.exemplars))
    #expect(inOrder.instances(now: Self.now) == shuffled.instances(now: Self.now))
  }

  private func withoutContradictions(_ events: [LifecycleEvent]) -> [LifecycleEvent] {
    var pools: [RequestID: ConcurrencyPool] = [:]
    return events.filter { event in
      switch event.kind {
      case .invocationStarted(let started): pools[started.request] = started.pool
      case .invocationHandedOver(let handedOver): pools[handedOver.request] = handedOver.pool
      case .invocationFinished(let finished): return pools[finished.request].map { $0 == finished.pool } ?? true
      default: break
      }
      return true
    }
  }

  private func expectSame(_ left: Snapshot, _ right: Snapshot) {
    #expect(left.functions.map(\.function) == right.functions.map(\.function))
    for (one, other) in zip(left.functions, right.functions) {
      #expect(one.totals == other.totals)
      #expect(one.concurrencyNanoseconds == other.concurrencyNanoseconds)
      #expect(one.concurrentExecutions == other.concurrentExecutions)
      #expect(one.instances == other.instances)
      #expect(one.overlappingExecutions == other.overlappingExecutions)
      #expect(one.lastClosed == other.lastClosed)
    }
    #expect(left.account.lastClosed == right.account.lastClosed)
  }

  @Test(arguments: seeds)
  func `splitting a stream by function and merging gives the functions' windows`(seed: UInt64) {
    let events = story(seed)
    var whole = aggregate(events)
    var parts: [WindowRollup] = []
    for index in 0..<3 {
      let own = events.filter { event in
        switch event.subject {
        case .account, .source: false
        case .function(let function), .instance(_, let function): function.name == "function-\(index)"
        }
      }
      var part = aggregate(own)
      parts += windows(&part).filter { $0.scope != .account }
    }
    let ofFunctions = windows(&whole).filter { $0.scope != .account }
    expectSame(ofFunctions, parts)
  }

  @Test(arguments: seeds)
  func `an aggregator restored at any point goes on as if it had never stopped`(seed: UInt64) {
    let events = withoutForgotten(story(seed))
    var random = SplitMix(seed: seed)
    let cut = Int.random(in: 0...events.count, using: &random)
    var uninterrupted = aggregate(Array(events[..<cut]))
    var first = uninterrupted
    // A reading fixes what a counter has shown.
    _ = uninterrupted.snapshot(now: Self.now)
    let checkpoint = first.checkpoint(now: Self.now)
    var restored = Aggregator(AggregatorConfiguration(window: Self.window), restoring: checkpoint)
    for event in events[cut...] {
      uninterrupted.apply(event, now: Self.now)
      restored.apply(event, now: Self.now)
    }
    expectSame(windows(&uninterrupted), windows(&restored))
    expectSame(uninterrupted.snapshot(now: Self.now), restored.snapshot(now: Self.now))
  }

  /// Without what a checkpoint does not keep: requests that had finished.
  private func withoutForgotten(_ events: [LifecycleEvent]) -> [LifecycleEvent] {
    var seen: Set<RequestID> = []
    return events.filter { event in
      switch event.kind {
      case .invocationFinished(let finished): seen.insert(finished.request).inserted
      default: true
      }
    }
  }

  @Test(arguments: seeds)
  func `checkpoints add up to the last value of every window`(seed: UInt64) {
    let events = story(seed)
    var aggregator = Aggregator(AggregatorConfiguration(window: Self.window))
    var stored: [Key: Rollup] = [:]
    var random = SplitMix(seed: seed)
    for event in events {
      aggregator.apply(event, now: Self.now)
      guard Int.random(in: 0..<10, using: &random) == 0 else { continue }
      for window in aggregator.checkpoint(now: Self.now).windows {
        stored[Key(scope: window.scope, start: window.start)] = window.rollup
      }
    }
    for window in aggregator.checkpoint(now: Self.now).windows {
      stored[Key(scope: window.scope, start: window.start)] = window.rollup
    }
    var expected: [Key: Rollup] = [:]
    for window in windows(&aggregator) { expected[Key(window)] = window.rollup }
    // An empty window deletes what was stored.
    #expect(stored.filter { !$0.value.isEmpty } == expected)
  }

  @Test(arguments: seeds)
  func `folding windows into coarser ones in any grouping gives the same`(seed: UInt64) {
    var aggregator = aggregate(story(seed))
    let fine = windows(&aggregator)
    var random = SplitMix(seed: seed)
    let direct = Resolution.fold(fine, into: .seconds(240), closedBefore: Self.now)
    let twice = Resolution.fold(
      Resolution.fold(fine.shuffled(using: &random), into: .seconds(120), closedBefore: Self.now), into: .seconds(240),
      closedBefore: Self.now)
    #expect(direct == twice)
  }
}
