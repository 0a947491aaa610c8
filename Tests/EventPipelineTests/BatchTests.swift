import EventPipeline
import Lifecycle
import TestSupport
import Testing
import WindowStore

/// Numbers the batches of a source, and the requests in them.
struct Sender {
  let source: SourceID
  private(set) var sequence: UInt64 = 0

  init(_ number: UInt64) { source = SourceID(Identifier128(high: 5, low: number)) }

  /// The next batch, with so many invocations.
  mutating func next(_ invocations: Int = 1) -> EventBatch {
    sequence += 1
    let first = source.value.low << 32 | sequence << 16
    return EventBatch(
      source: source, sequence: sequence,
      events: (0..<UInt64(invocations)).map { Story().finished(first + $0, from: ten) })
  }
}

@Suite struct `A batch` {
  private let fixture = PipelineFixture()
  private var time: FakeTime { fixture.time }

  @Test func `is acknowledged once it is kept and a reader finds it, without waiting for events to gather`()
    async throws
  {
    let pipeline = fixture.makePipeline()
    try await fixture.whileRunning(pipeline) {
      var sender = Sender(1)
      for count in 1...20 as ClosedRange<UInt64> {
        #expect(await pipeline.submit(sender.next(10)) == .applied)
        #expect(pipeline.invocations(at: time.now) == count * 10)
      }
      pipeline.offer(Story().finished(1, from: ten))
      _ = try await time.pause(after: time.pauses - 1)
      #expect(await pipeline.submit(sender.next()) == .applied)
      #expect(time.now == ten, "no time passed")
      #expect(pipeline.batches.applied == 21)
    }
  }

  @Test func `counts once however often it is sent, also after a restart`() async throws {
    var sender = Sender(1)
    let (first, second) = (sender.next(), sender.next())
    for _ in 0..<2 {
      let pipeline = fixture.makePipeline()
      try await fixture.whileRunning(pipeline) {
        for batch in [first, second, first] { _ = await pipeline.submit(batch) }
        #expect(await pipeline.submit(second) == .duplicate)
        #expect(pipeline.invocations(at: time.now) == 2)
      }
    }
    #expect(fixture.journal.count == 0, "the last checkpoint contains all")
  }

  @Test func `is refused when too many wait, which costs the source in this process no event`() async throws {
    var configuration = fixture.configuration
    configuration.batchEventsLimit = 10
    configuration.eventsLimit = 1
    let pipeline = fixture.makePipeline(configuration)
    try await pipeline.start()
    let batches = [7, 3, 1].enumerated().map { number, invocations in
      var sender = Sender(UInt64(number))
      return sender.next(invocations)
    }
    // Nothing takes batches from the queue yet.
    async let first = pipeline.submit(batches[0])
    async let second = pipeline.submit(batches[1])
    try await eventually { pipeline.queued.waitingInBatches == 10 }
    let late = batches[2]
    #expect(await reason(pipeline.submit(late)) == .queueFull)
    pipeline.offer(Story().finished(1, from: ten))
    #expect(pipeline.queued == QueueStatistics(waiting: 1, dropped: 0, waitingInBatches: 10))
    await pipeline.turn()
    #expect(await first == .applied)
    #expect(await second == .applied)
    #expect(fixture.journal.appends == 1, "what waits at the same time shares a commit")
    #expect(pipeline.batches == BatchStatistics(applied: 2, refused: 1))
    async let third = pipeline.submit(late)
    try await eventually { pipeline.queued.waitingInBatches == 1 }
    await pipeline.turn()
    #expect(await third == .applied)
    _ = await pipeline.finish()
  }

  @Test func `is refused with what the journal says, and taken when that has room again`() async throws {
    let pipeline = fixture.makePipeline()
    try await fixture.whileRunning(pipeline) {
      var sender = Sender(1)
      let batch = sender.next()
      fixture.journal.leaveRoom(for: 0)
      let refused = await pipeline.submit(batch)
      #expect(reason(refused) == .diskFull)
      if case .refused(let refusal) = refused { #expect(refusal.message == "the journal is full") }
      #expect(pipeline.invocations(at: time.now) == 0)
      fixture.journal.leaveRoom(for: 100)
      #expect(await pipeline.submit(batch) == .applied)
      #expect(pipeline.invocations(at: time.now) == 1)
    }
  }

  @Test func `is refused before the start, after the end, and where nothing would keep it`() async throws {
    var sender = Sender(1)
    let pipeline = fixture.makePipeline()
    #expect(await reason(pipeline.submit(sender.next())) == .notRunning)
    try await fixture.whileRunning(pipeline) { #expect(await pipeline.submit(sender.next()) == .applied) }
    #expect(await reason(pipeline.submit(sender.next())) == .notRunning)
    let other = fixture.makePipeline(keepsBatches: false)
    try await fixture.whileRunning(other) {
      #expect(await reason(other.submit(sender.next())) == .noJournal)
      #expect(other.invocations(at: time.now) == 1)
    }
  }

  @Test func `that was submitted is completed, also when the pipeline ends`() async throws {
    let pipeline = fixture.makePipeline()
    try await pipeline.start()
    let running = Task { await pipeline.run() }
    let completions = await withTaskGroup { group in
      for number in 0..<50 as Range<UInt64> {
        group.addTask {
          var sender = Sender(number)
          return await pipeline.submit(sender.next())
        }
      }
      running.cancel()
      return await group.reduce(into: [Completion]()) { $0.append($1) }
    }
    await running.value
    let applied = completions.count { $0 == .applied }
    #expect(completions.allSatisfy { $0 == .applied || reason($0) == .notRunning })
    #expect(pipeline.invocations(at: time.now) == UInt64(applied))
    #expect(await pipeline.finish()?.unsaved == nil)
    let again = fixture.makePipeline()
    try await again.start()
    #expect(again.invocations(at: time.now) == UInt64(applied))
    _ = await again.finish()
  }

  private func reason(_ completion: Completion) -> Refusal.Reason? {
    guard case .refused(let refusal) = completion else { return nil }
    return refusal.reason
  }
}

/// Processes that are killed anywhere between a batch and its checkpoint, one after the other, on one store and one journal.
@Suite struct `Batches over kills` {
  private let fixture = PipelineFixture()
  private var time: FakeTime { fixture.time }

  @Test(arguments: 0..<20 as Range<UInt64>)
  func `count once each, wherever the process ends`(_ seed: UInt64) async throws {
    var random = SplitMix(seed: seed)
    var senders = (0..<3).map { Sender($0) }
    var unacknowledged: [EventBatch] = []
    var sent: UInt64 = 0
    for _ in 0..<6 {
      let pipeline = fixture.makePipeline()
      try await pipeline.start()
      for _ in 0..<Int.random(in: 0...4, using: &random) {
        let index = Int.random(in: 0..<3, using: &random)
        // A source repeats what was not acknowledged before it sends the next one.
        let batch = unacknowledged.first { $0.source == senders[index].source } ?? senders[index].next()
        let isNew = !unacknowledged.contains(batch)
        unacknowledged.removeAll { $0 == batch }
        async let completion = pipeline.submit(batch)
        try await eventually { pipeline.queued.waitingInBatches == 1 }
        await pipeline.turn()
        let answer = await completion
        #expect(isNew ? answer == .applied : answer == .applied || answer == .duplicate)
        if isNew { sent += 1 }
        if Bool.random(using: &random) {
          time.advance(to: time.now + .seconds(Int64.random(in: 0...2, using: &random)))
        }
        fixture.journal.failTruncation(with: Bool.random(using: &random) ? StoreError(.failed, "no") : nil)
      }
      #expect(pipeline.invocations(at: time.now) + UInt64(unkept(unacknowledged)) == sent)
      // The kill: after the commit of a batch and before it is applied, or before the commit.
      if unacknowledged.isEmpty {
        let batch = senders[0].next()
        unacknowledged.append(batch)
        sent += 1
        if Bool.random(using: &random) { _ = try fixture.journal.append([batch]) }
      }
      try pipeline.store?.close()
    }
    let pipeline = fixture.makePipeline()
    try await fixture.whileRunning(pipeline) {
      for batch in unacknowledged {
        guard case .refused(let refusal) = await pipeline.submit(batch) else { continue }
        Issue.record("\(refusal.message)")
      }
      #expect(pipeline.invocations(at: time.now) == sent)
    }
  }

  /// Batches that are neither in the journal nor in a checkpoint.
  private func unkept(_ batches: [EventBatch]) -> Int { batches.count { !fixture.journal.keeps($0) } }
}
