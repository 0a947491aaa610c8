import EventPipeline
import Lifecycle
import TestSupport
import Testing
import Windows

@Suite struct `A source of batches` {
  private let fixture = PipelineFixture()
  private var time: FakeTime { fixture.time }

  @Test func `is told which of its events are not counted, and why`() async throws {
    let pipeline = fixture.makePipeline()
    try await fixture.whileRunning(pipeline) {
      var sender = Sender(1)
      let good = sender.next()
      #expect(await pipeline.submit(good) == .applied)
      let nameless = LifecycleEvent(.function(FunctionID("")), good.events[0].kind)
      let early = Story().finished(90, from: Timestamp(nanoseconds: -1))
      let late = Story().finished(91, from: ten + .seconds(1_000_000))
      let batch = EventBatch(
        source: good.source, sequence: 2,
        events: [nameless, good.events[0], early, Story().finished(92, from: ten), late])
      guard case .appliedInPart(let exceptions) = await pipeline.submit(batch) else {
        Issue.record("the batch has events that do not count")
        return
      }
      #expect(exceptions.duplicates == 1)
      #expect(exceptions.rejected.map(\.index) == [0, 2, 4])
      #expect(exceptions.rejected.map(\.reason) == [.functionName, .beforeEpoch, .future])
      #expect(pipeline.invocations(at: time.now) == 2)
      #expect(pipeline.batches == BatchStatistics(applied: 2))
    }
  }

  @Test func `has what could not be read counted once, if its batch is accepted`() async throws {
    let pipeline = fixture.makePipeline()
    let unreadable = [
      RejectedEvent(index: 0, reason: .malformed), RejectedEvent(index: 2, reason: .unknownWord),
    ]
    var sender = Sender(1)
    let batch = sender.next()
    #expect(await pipeline.submit(batch, rejected: unreadable).isRefused)
    try await fixture.whileRunning(pipeline) {
      for _ in 0..<3 { _ = await pipeline.submit(batch, rejected: unreadable) }
      let statistics = pipeline.read(at: time.now) { $0.snapshot(self.time.now).statistics }
      #expect(statistics.eventsRejected[.malformed] == 1)
      #expect(statistics.eventsRejected[.unknownWord] == 1)
      #expect(statistics.eventsReceived == 3)
      let source = try #require(pipeline.sources.first)
      #expect(source.source == batch.source)
      #expect(source.batches == 1 && source.events == 1 && source.rejected == 2)
      #expect(source.duplicateBatches == 2 && source.refusedBatches == 1 && source.missingBatches == 0)
    }
  }

  @Test func `has its gaps counted, and its lag`() async throws {
    let pipeline = fixture.makePipeline()
    try await fixture.whileRunning(pipeline) {
      let source = SourceID(Identifier128(high: 5, low: 5))
      for sequence in [7, 8, 11, 12, 20] as [UInt64] {
        let events = [
          Story().finished(sequence, from: ten - .seconds(9)),
          Story().finished(100 + sequence, from: ten - .seconds(5)),
        ]
        _ = await pipeline.submit(EventBatch(source: source, sequence: sequence, events: events))
      }
      let row = try #require(pipeline.sources.first)
      #expect(row.missingBatches == 9, "9 and 10, and 13 to 19; what was before 7 is not known")
      #expect(row.lag == .seconds(4))
      #expect(row.lastHeard == ten)
    }
  }

  @Test func `has a row of its own up to the limit`() async throws {
    var configuration = fixture.configuration
    configuration.sourcesLimit = 3
    let pipeline = fixture.makePipeline(configuration)
    try await fixture.whileRunning(pipeline) {
      for number in 1...5 as ClosedRange<UInt64> {
        var sender = Sender(number)
        _ = await pipeline.submit(sender.next(2))
      }
      var anonymous = Sender(9)
      _ = await pipeline.submit(EventBatch(anonymous: anonymous.next().events))
      let names = pipeline.sources.map { row in row.source.map(\.value.low) }
      #expect(names == [1, 2, 3, nil])
      #expect(pipeline.sources.map(\.events) == [2, 2, 2, 5])
      time.step(.seconds(3_601))
      var late = Sender(7)
      _ = await pipeline.submit(late.next())
      let later = pipeline.sources.compactMap { row in row.source.map(\.value.low) }
      #expect(later.contains(7), "one that was silent gives its row away")
      #expect(pipeline.sources.count == 4)
      #expect(pipeline.sources.map(\.events).reduce(0, +) == 12)
    }
  }
}

extension Completion {
  fileprivate var isRefused: Bool { if case .refused = self { true } else { false } }
}
