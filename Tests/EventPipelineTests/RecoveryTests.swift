import EventJournal
import EventPipeline
import Foundation
import Lifecycle
import Logging
import Synchronization
import TestSupport
import Testing
import WindowStore
import Windows

/// A pipeline whose process is killed, and the one that follows it.
@Suite struct `A recovery` {
  private let place = RecoveryPlace()
  private var time: FakeTime { place.time }

  @Test(arguments: 0..<30 as Range<UInt64>)
  func `gives what the process had that was killed, whatever was saved by then`(_ seed: UInt64) async throws {
    var random = SplitMix(seed: seed)
    var local = story(seed, lasting: .seconds(30))[...]
    var remote = story(seed + 1_000, lasting: .seconds(200))[...]
    var sequence: UInt64 = 0
    for _ in 0..<3 {
      let pipeline = place.makePipeline()
      try await pipeline.start()
      for _ in 0..<Int.random(in: 5...30, using: &random) {
        for event in local.prefix(Int.random(in: 0...12, using: &random)) where event.kind.latest <= time.now {
          pipeline.offer(event)
          local = local.dropFirst()
        }
        if Bool.random(using: &random) { _ = pipeline.snapshot(at: time.now) }
        if Bool.random(using: &random) {
          sequence += 1
          let events = remote.prefix(20).filter { $0.kind.latest <= time.now } + [Story().throttled(at: time.now)]
          let batch = EventBatch(
            source: SourceID(Identifier128(high: 5, low: 1)), sequence: sequence, events: events)
          remote = remote.dropFirst(events.count - 1)
          async let completion = pipeline.submit(batch)
          try await eventually { pipeline.queued.waitingInBatches == events.count }
          await pipeline.turn()
          #expect(await completion.isApplied)
        }
        time.advance(to: time.now + .milliseconds(Int64.random(in: 0...900, using: &random)))
        if Int.random(in: 0..<4, using: &random) == 0 { await pipeline.turn() }
      }
      let before = pipeline.snapshot(at: time.now)
      let windows = pipeline.allWindows(at: time.now)
      // The kill: nothing is saved, and nothing is closed but the lock that a killed process gives back.
      try pipeline.store?.close()
      let next = place.makePipeline()
      try await next.start()
      let after = next.snapshot(at: time.now)
      expectContinued(before, after)
      for (before, after) in zip(windows, next.allWindows(at: time.now)) where before != after {
        Issue.record(
          """
          \(after.scope) \(after.start.nanoseconds): \(before.rollup.peaks) and \(before.rollup.concurrencyNanoseconds), then \
          \(after.rollup.peaks) and \(after.rollup.concurrencyNanoseconds)
          """)
      }
      #expect(next.allWindows(at: time.now).count == windows.count)
      try next.store?.close()
    }
  }

  /// In the order in which it is told, and nothing of an invocation behind its end: a checkpoint does not say which invocations
  /// have ended, because what a source repeats is told apart by the numbers of its batches.
  private func story(_ seed: UInt64, lasting length: Nanoseconds) -> [LifecycleEvent] {
    var ended: Set<RequestID> = []
    return RandomStory.events(seed: seed, from: ten, lasting: length, invocations: 300)
      .sorted { $0.kind.latest < $1.kind.latest }
      .filter { event in
        switch event.kind {
        case .invocationStarted(let started): !ended.contains(started.request)
        case .invocationHandedOver(let handedOver): !ended.contains(handedOver.request)
        case .invocationFinished(let finished): ended.insert(finished.request).inserted
        default: true
        }
      }
  }

  private func expectContinued(_ before: Snapshot, _ after: Snapshot) {
    #expect(after.functions.map(\.function) == before.functions.map(\.function))
    for (before, after) in zip(before.functions, after.functions) {
      #expect(after.totals == before.totals)
      #expect(after.concurrencyNanoseconds >= before.concurrencyNanoseconds, "a counter went down")
    }
    #expect(after.statistics == before.statistics)
  }

  @Test func `has no counter go down that somebody read, also if its execution ended before`() async throws {
    let pipeline = place.makePipeline()
    try await pipeline.start()
    let story = Story()
    let started = story.started(1, at: ten)
    let source = SourceID(Identifier128(high: 5, low: 1))
    async let first = pipeline.submit(EventBatch(source: source, sequence: 1, events: [started]))
    try await eventually { pipeline.queued.waitingInBatches == 1 }
    await pipeline.turn()
    #expect(await first == .applied)
    time.advance(to: ten + .seconds(5))
    let seen = pipeline.snapshot(at: time.now).functions[0].concurrencyNanoseconds
    #expect(seen == 5_000_000_000)
    let finished = story.finished(1, from: ten, seconds: 2)
    async let second = pipeline.submit(EventBatch(source: source, sequence: 2, events: [finished]))
    try await eventually { pipeline.queued.waitingInBatches == 1 }
    await pipeline.turn()
    #expect(await second == .applied)
    #expect(pipeline.snapshot(at: time.now).functions[0].concurrencyNanoseconds == seen)
    try pipeline.store?.close()
    let next = place.makePipeline()
    try await next.start()
    #expect(next.snapshot(at: time.now).functions[0].concurrencyNanoseconds == seen)
    _ = await next.finish()
  }

  @Test func `ends what ran in the process that is gone when that was last seen, and lets go on what ran elsewhere`()
    async throws
  {
    let pipeline = place.makePipeline()
    try await pipeline.start()
    var (here, there) = (Story(), Story())
    (here.function, there.function) = (FunctionID("here"), FunctionID("there"))
    there.instance = InstanceID(Identifier128(high: 1, low: 2))
    pipeline.offer(here.started(1, at: ten))
    let batch = EventBatch(
      source: SourceID(Identifier128(high: 5, low: 1)), sequence: 1, events: [there.started(2, at: ten)])
    async let completion = pipeline.submit(batch)
    try await eventually { pipeline.queued.waitingInBatches == 1 }
    await pipeline.turn()
    #expect(await completion.isApplied)
    time.advance(to: ten + .seconds(3))
    _ = pipeline.snapshot(at: time.now)
    try pipeline.store?.close()
    time.advance(to: ten + .seconds(10))
    let next = place.makePipeline()
    try await next.start()
    let functions = next.snapshot(at: time.now).functions
    #expect(functions.map(\.function.name) == ["here", "there"])
    #expect(functions.map(\.concurrentExecutions) == [0, 1])
    #expect(functions.map(\.concurrencyNanoseconds) == [3_000_000_000, 10_000_000_000])
    _ = await next.finish()
  }

  @Test(arguments: [false, true])
  func `knows what was told by nobody who numbers it`(_ isSaved: Bool) async throws {
    let events = (1...3).map { Story().finished(UInt64($0), from: ten - .seconds(Int64($0))) }
    let first = place.makePipeline()
    try await first.start()
    #expect(try await submit(events, to: first) == .applied)
    if isSaved { await first.turn() }
    try first.store?.close()
    let told = Mutex<[ToldLife]>([])
    for round in 0..<2 {
      let next = place.makePipeline()
      try await next.start(knowing: { lives in told.withLock { $0 = lives } })
      #expect(told.withLock { $0 } == events.compactMap(ToldLife.init), "round \(round)")
      guard case .appliedInPart(let exceptions) = try await submit(events, to: next) else {
        Issue.record("they are new")
        return
      }
      #expect(exceptions.duplicates == 3)
      #expect(next.snapshot(at: time.now).functions.map(\.totals.invocations.total) == [3])
      if round == 0 { _ = await next.finish() } else { try next.store?.close() }
      if round == 0 { told.withLock { $0 = [] } }
    }
  }

  private func submit(_ events: [LifecycleEvent], to pipeline: EventPipeline) async throws -> Completion {
    async let completion = pipeline.submit(EventBatch(anonymous: events))
    try await eventually { pipeline.queued.waitingInBatches == events.count }
    await pipeline.turn()
    return await completion
  }

  @Test func `leaves no file of the journal behind when all is saved`() async throws {
    let pipeline = place.makePipeline()
    try await pipeline.start()
    pipeline.offer(Story().started(1, at: ten))
    #expect(pipeline.journal?.entries == 1)
    _ = await pipeline.finish()
    let names = try FileManager.default.contentsOfDirectory(atPath: place.directory + "/journal")
    #expect(names.filter { $0.hasSuffix(".log") } == [])
  }
}

/// A directory and a time, and pipelines with journals on disk, one after the other.
private final class RecoveryPlace: Sendable {
  let directory = NSTemporaryDirectory() + "kelvin-recovery-" + UUID().uuidString
  let time = FakeTime()

  // What is left over is in the system's directory for temporary files: no reason to fail a test.
  deinit { try? FileManager.default.removeItem(atPath: directory) }

  func makePipeline() -> EventPipeline {
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    return EventPipeline(
      PipelineConfiguration(aggregator: AggregatorConfiguration()), time: time.time, logger: logger,
      openStores: { [directory] () throws(StoreError) in
        let store = try PipelineFixture.store(directory)
        let journal = try FileJournal.open(
          directory: directory, identity: store.identity, elapsed: { .zero }, logger: logger)
        return (store, journal)
      })
  }
}

extension EventPipeline {
  fileprivate func snapshot(at now: Timestamp) -> Snapshot { read(at: now) { $0.snapshot(now) } }

  fileprivate func allWindows(at now: Timestamp) -> [WindowRollup] {
    read(at: now) { $0.windows(from: ten - .seconds(3_600), to: now + Nanoseconds(1), now: now) }
      .sorted { ($0.start, $0.scope) < ($1.start, $1.scope) }
  }
}
