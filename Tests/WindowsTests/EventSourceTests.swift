import Lifecycle
import TestSupport
import Testing

@testable import Windows

/// A queue, a schedule or a WebSocket in windows of a minute.
@Suite struct `Event source tests` {
  private static let begin = Timestamp(seconds: 1_700_000_040)
  private let configuration = AggregatorConfiguration()
  private let queue = EventSourceID(.queue, "mail.fifo")

  private func event(_ seconds: Int64, _ changes: EventSourceChange..., of source: EventSourceID? = nil)
    -> LifecycleEvent
  {
    let activity = EventSourceActivity(time: Self.begin + .seconds(seconds), changes)
    return LifecycleEvent(.source(source ?? queue), .sourceChanged(activity))
  }

  private func rollup(_ aggregator: inout Aggregator, _ minute: Int64, now seconds: Int64) -> EventSourceRollup {
    let from = Self.begin + .seconds(minute * 60)
    return aggregator.windows(
      of: .source(queue), from: from, to: from + .seconds(60), now: Self.begin + .seconds(seconds)
    ).first?.rollup.eventSource ?? EventSourceRollup()
  }

  // MARK: Against the model

  /// Events at random instants of half an hour, some of them where windows meet.
  private func story(_ random: inout SplitMix) -> [EventSourceActivity] {
    var time: Int64 = 0
    return (0..<Int.random(in: 1...120, using: &random)).map { _ in
      time += Bool.random(using: &random) ? .random(in: 1...40_000_000_000, using: &random) : 1
      if Int.random(in: 0..<5, using: &random) == 0 { time = (time / 60_000_000_000 + 1) * 60_000_000_000 }
      let at = Self.begin + Nanoseconds(time)
      return EventSourceActivity(
        time: at, (0..<Int.random(in: 1...4, using: &random)).map { _ in change(at, &random) })
    }
  }

  private func change(_ time: Timestamp, _ random: inout SplitMix) -> EventSourceChange {
    switch Int.random(in: 0..<12, using: &random) {
    case 0...2: .counted(EventSourceCounter.allCases.randomElement(using: &random)!, .random(in: 0...9, using: &random))
    case 3...6: .level(EventSourceLevel.allCases.randomElement(using: &random)!, .random(in: 0...4, using: &random))
    case 7, 8: .oldest(time - Nanoseconds(.random(in: -5...400_000_000_000, using: &random)))
    case 9: .oldest(nil)
    case 10:
      .measured(EventSourceDuration.allCases.randomElement(using: &random)!, .random(in: 0...5_000_000_000, &random))
    default: Int.random(in: 0..<4, using: &random) == 0 ? .gone : .oldest(nil)
    }
  }

  /// What a store has of the windows of the queue.
  private struct Kept {
    var sources: [EventSourceID: EventSourceCheckpoint] = [:]
    var open: [Timestamp: Rollup] = [:]
    var final: [Timestamp: Rollup] = [:]

    mutating func take(_ checkpoint: Checkpoint) {
      for source in checkpoint.eventSources { sources[source.source] = source }
      // A checkpoint that failed has those of the account written again, too.
      for window in checkpoint.windows where window.scope != .account {
        open[window.start] = window.isFinal ? nil : window.rollup
        if window.isFinal {
          #expect(final[window.start] == nil, "a window became final twice")
          final[window.start] = window.rollup
        }
      }
      #expect(checkpoint.lateSourceTallies.isEmpty)
    }

    func checkpoint(_ source: EventSourceID, at now: Timestamp) -> Checkpoint {
      var checkpoint = Checkpoint(time: now)
      checkpoint.eventSources = Array(sources.values)
      checkpoint.windows = open.map { WindowCheckpoint(scope: .source(source), start: $0, rollup: $1, isFinal: false) }
      return checkpoint
    }
  }

  @Test(arguments: 1...60 as ClosedRange<UInt64>)
  func `windows are those of a plain search, in any order within batches, with checkpoints and restarts`(seed: UInt64) {
    var random = SplitMix(seed: seed)
    let story = story(&random)
    var aggregator = Aggregator(configuration)
    var kept = Kept()
    var next = 0
    var now = Self.begin
    while next < story.count {
      let end = min(story.count, next + .random(in: 1...20, using: &random))
      // Of one instant the order says which holds, so only a batch of different instants is shuffled.
      var batch = story[next..<end].map { LifecycleEvent(.source(queue), .sourceChanged($0)) }
      if Set(story[next..<end].map(\.time)).count == batch.count { batch.shuffle(using: &random) }
      now = max(now, story[end - 1].time)
      #expect(aggregator.apply(batch, now: now, isRemote: true).isEmpty)
      next = end
      switch Int.random(in: 0..<4, using: &random) {
      case 0: kept.take(aggregator.checkpoint(now: now))
      case 1:
        kept.take(aggregator.checkpoint(now: now))
        aggregator = Aggregator(configuration, restoring: kept.checkpoint(queue, at: now))
      case 2: aggregator.checkpointFailed(aggregator.checkpoint(now: now))
      default: aggregator.advance(to: now)
      }
    }
    now = now + .seconds(.random(in: 0...2_000, using: &random))
    let model = EventSourceModel(story)
    let snapshot = aggregator.snapshot(now: now)
    #expect(snapshot.eventSources.map(\.source) == [queue])
    kept.take(aggregator.checkpoint(now: now))
    var totals = EventSourceRollup()
    var windows = kept.final
    windows.merge(
      aggregator.windows(of: .source(queue), from: Self.begin, to: now + .seconds(600), now: now).map {
        ($0.start, $0.rollup)
      }, uniquingKeysWith: { _, _ in preconditionFailure("a window is both open and final") })
    for minute in 0..<((now - Self.begin).count / 60_000_000_000 + 1) {
      let from = Self.begin + .seconds(minute * 60)
      let expected = model.rollup(from: from, to: from + .seconds(60), now: now)
      #expect(windows[from]?.eventSource ?? EventSourceRollup() == expected, "minute \(minute)")
      totals.merge(expected)
    }
    #expect(snapshot.eventSources.first?.totals == totals.tally)
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func `rollups are a commutative monoid`(seed: UInt64) {
    var random = SplitMix(seed: seed)
    let model = EventSourceModel(story(&random))
    let parts = (0..<Int64(30)).map { minute in
      let from = Self.begin + .seconds(minute * 60)
      return model.rollup(from: from, to: from + .seconds(60), now: from + .seconds(3_600))
    }
    var (forwards, shuffled, pairs) = (EventSourceRollup(), EventSourceRollup(), EventSourceRollup())
    for part in parts { forwards.merge(part) }
    for part in parts.shuffled(using: &random) { shuffled.merge(part) }
    for position in stride(from: 0, to: parts.count, by: 2) {
      var pair = parts[position]
      pair.merge(parts[position + 1])
      pairs.merge(pair)
    }
    #expect(forwards == shuffled && forwards == pairs)
    let whole = model.rollup(from: Self.begin, to: Self.begin + .seconds(1_800), now: Self.begin + .seconds(9_000))
    #expect(forwards == whole)
  }

  // MARK: What is late, bad or too much

  @Test func `what comes after its window was final is in the totals, and goes to the store`() {
    var aggregator = Aggregator(configuration)
    aggregator.advance(to: Self.begin + .seconds(3_600))
    aggregator.apply(event(0, .counted(.received, 2), .level(.waiting, 7)), now: Self.begin + .seconds(3_600))
    let checkpoint = aggregator.checkpoint(now: Self.begin + .seconds(3_600))
    var expected = EventSourceTally()
    expected[.received] = 2
    #expect(
      checkpoint.lateSourceTallies == [LateSourceTally(source: queue, start: Self.begin, tally: expected)])
    let snapshot = aggregator.snapshot(now: Self.begin + .seconds(3_600))
    #expect(snapshot.eventSources.first?.totals == expected)
    #expect(snapshot.statistics.eventsLate == 1)
    // Nothing later was told, so that is what waits.
    #expect(snapshot.eventSources.first?.present[.waiting] == 7)
    #expect(rollup(&aggregator, 59, now: 3_600).peaks[.waiting] == 7)
  }

  @Test(
    arguments: [
      (EventSourceChange.counted(.received, -1), Rejection.malformed), (.level(.waiting, -1), .malformed),
      (.counted(.received, 1 << 53 + 1), .malformed), (.measured(.waiting, Nanoseconds(-1)), .malformed),
      (.oldest(Timestamp(nanoseconds: -1)), .malformed), (.counted(.received, 1 << 53), nil), (.oldest(nil), nil),
      (.oldest(Timestamp(seconds: 9_000_000_000)), nil), (.gone, nil),
    ] as [(EventSourceChange, Rejection?)])
  func `amounts that cannot be are rejected`(_ change: EventSourceChange, _ rejection: Rejection?) {
    var aggregator = Aggregator(configuration)
    #expect(aggregator.apply(event(0, change), now: Self.begin) == rejection)
    #expect(aggregator.apply([event(0, change)], now: Self.begin).map(\.reason) == [rejection].compactMap { $0 })
    #expect(aggregator.snapshot(now: Self.begin).eventSources.isEmpty == (rejection != nil))
  }

  @Test func `subjects and names that cannot be are rejected`() {
    var aggregator = Aggregator(configuration)
    func rejection(_ subject: LifecycleEvent.Subject, _ kind: LifecycleEvent.Kind) -> Rejection? {
      aggregator.apply(LifecycleEvent(subject, kind), now: Self.begin)
    }
    let changed = LifecycleEvent.Kind.sourceChanged(EventSourceActivity(time: Self.begin, []))
    let limits = LifecycleEvent.Kind.accountLimitsChanged(AccountLimitsChanged(time: Self.begin, concurrency: 1))
    #expect(rejection(.source(EventSourceID(.queue, "")), changed) == .functionName)
    #expect(rejection(.source(EventSourceID(.queue, String(repeating: "q", count: 141))), changed) == .functionName)
    #expect(rejection(.source(EventSourceID(.http, "q")), changed) == .subject)
    #expect(rejection(.source(queue), limits) == .subject)
    #expect(rejection(.account, changed) == .subject)
    #expect(rejection(.function(FunctionID("f")), changed) == .subject)
    #expect(rejection(.instance(InstanceID(.zero), of: FunctionID("f")), changed) == .subject)
    let many = EventSourceActivity(time: Self.begin, Array(repeating: .gone, count: 257))
    #expect(rejection(.source(queue), .sourceChanged(many)) == .malformed)
    #expect(rejection(.source(queue), changed) == nil)
    #expect(aggregator.snapshot(now: Self.begin).functions.isEmpty)
  }

  @Test func `sources beyond the limit are counted together, by kind`() {
    var aggregator = Aggregator(AggregatorConfiguration(eventSourcesLimit: 2))
    for name in ["a", "b", "c", "d"] {
      aggregator.apply(
        event(0, .counted(.received, 1), .level(.waiting, 5), of: EventSourceID(.queue, name)), now: Self.begin)
    }
    aggregator.apply(event(0, .counted(.received, 1), of: EventSourceID(.schedule, "s")), now: Self.begin)
    let snapshot = aggregator.snapshot(now: Self.begin)
    #expect(snapshot.eventSources.map(\.source.name) == ["_other", "a", "b", "_other"])
    #expect(snapshot.eventSources.map { $0.totals[.received] } == [2, 1, 1, 1])
    #expect(snapshot.eventSources.map { $0.present[.waiting] } == [nil, 5, 5, nil])
    #expect(snapshot.statistics.eventSources == 4 && snapshot.statistics.eventSourcesLimit == 2)
  }

  // MARK: Processes

  @Test func `when a process ends, what waits at its sources is not known, and at those of others goes on`() {
    var aggregator = Aggregator(configuration)
    let other = EventSourceID(.queue, "other")
    aggregator.apply(event(0, .level(.waiting, 3), .oldest(Self.begin)), now: Self.begin)
    aggregator.apply(event(0, .level(.waiting, 4), of: other), now: Self.begin, isRemote: true)
    aggregator.abandonLive(at: Self.begin + .seconds(90))
    let snapshot = aggregator.snapshot(now: Self.begin + .seconds(200))
    #expect(snapshot.eventSources.map(\.present.isGone) == [true, false])
    #expect(snapshot.eventSources.map { $0.present[.waiting] } == [0, 4])
    #expect(rollup(&aggregator, 1, now: 200).peaks[.waiting] == 3)
    #expect(rollup(&aggregator, 1, now: 200).peaks.oldestAge == .seconds(90))
    #expect(rollup(&aggregator, 2, now: 200).isEmpty)
    // An event without changes says that the source is there.
    aggregator.apply(event(210), now: Self.begin + .seconds(210))
    #expect(aggregator.snapshot(now: Self.begin + .seconds(210)).eventSources.first?.present.isGone == false)
  }

  @Test func `a clock that jumps by a year takes no more memory than a day`() {
    var aggregator = Aggregator(AggregatorConfiguration(window: .seconds(1)))
    aggregator.apply(event(0, .level(.waiting, 3), .oldest(Self.begin)), now: Self.begin)
    let later: Int64 = 366 * 86_400
    aggregator.apply(event(later, .level(.waiting, 1)), now: Self.begin + .seconds(later))
    let checkpoint = aggregator.checkpoint(now: Self.begin + .seconds(later))
    #expect(checkpoint.windows.count < 100_000)
  }

  @Test func `an event takes no more room than before there were sources`() {
    #expect(MemoryLayout<LifecycleEvent>.size == 137)
  }
}

extension Nanoseconds {
  fileprivate static func random(in range: ClosedRange<Int64>, _ generator: inout SplitMix) -> Nanoseconds {
    Nanoseconds(Int64.random(in: range, using: &generator))
  }
}
