import EventPipeline
import Lifecycle
import TestSupport
import Testing
import WindowStore
import Windows

/// When a pipeline wakes, by a time that passes only when it is told to.
@Suite struct `A running pipeline` {
  private let fixture = PipelineFixture()
  private let orders = Story()
  private var time: FakeTime { fixture.time }

  @Test func `wakes once in four seconds while nothing arrives`() async throws {
    try await fixture.whileRunning(fixture.makePipeline()) {
      var pauses = 0
      while time.now < ten + .seconds(120) {
        let due = try await time.pause(after: pauses)
        pauses = time.pauses
        time.advance(to: due)
      }
      #expect(pauses <= 40)
      #expect(pauses >= 30, "it looks after its store every 4 s")
    }
  }

  @Test func `wakes with the first event, lets others gather, and saves them`() async throws {
    let pipeline = fixture.makePipeline()
    try await fixture.whileRunning(pipeline) {
      #expect(try await time.pause(after: 0) == ten + .seconds(4))
      pipeline.offer(orders.finished(1, from: ten))
      let gathered = try await time.pause(after: 1)
      #expect(gathered == ten + .milliseconds(20))
      for request in 2...1_000 { pipeline.offer(orders.finished(UInt64(request), from: ten)) }
      #expect(time.pauses == 2, "those that follow wake nobody")
      #expect(pipeline.queued.waiting == 1_000)
      time.advance(to: gathered)
      try await eventually { pipeline.queued.waiting == 0 }
      _ = try await time.pause(after: 2)
      #expect(pipeline.saving.checkpoints.succeeded == 1)
      #expect(pipeline.invocations(at: time.now) == 1_000)
    }
  }

  @Test func `saves what an event changed when the interval is over, though nothing follows`() async throws {
    let pipeline = fixture.makePipeline()
    try await fixture.whileRunning(pipeline) {
      for request in 1...3 {
        pipeline.offer(orders.finished(UInt64(request), from: ten))
        try await time.pass { pipeline.saving.checkpoints.succeeded == UInt64(request) }
      }
    }
    let reader = try WindowReader.open(directory: fixture.directory)
    #expect(try reader.checkpoint()?.functions.map(\.totals.invocations.total) == [3])
  }

  @Test func `makes windows final on time, though nobody reads`() async throws {
    var configuration = fixture.configuration
    configuration.aggregator.finality = .seconds(20)
    // Looked after seldom, so that it is finality that wakes it.
    (configuration.checkpointInterval, configuration.lookInterval) = (.seconds(50), .seconds(50))
    let pipeline = fixture.makePipeline(configuration)
    try await fixture.whileRunning(pipeline) {
      pipeline.offer(orders.finished(1, from: ten))
      // The next window is the last closed one, which is not final, until it has been closed.
      let final = ten + .seconds(121)
      try await time.pass { time.now >= final }
      #expect(time.now == final)
      let reader = try WindowReader.open(directory: fixture.directory)
      let minute = WindowSelection(
        scope: .function(orders.function), from: ten, to: ten + .seconds(60), tier: .seconds(60),
        resolution: .seconds(60))
      try await eventually { try reader.finalWindows(minute, since: nil).rollups.keys.contains(ten) }
    }
  }

  @Test func `goes on when the clock is set back`() async throws {
    let pipeline = fixture.makePipeline()
    try await fixture.whileRunning(pipeline) {
      pipeline.offer(orders.finished(1, from: ten))
      try await time.pass { pipeline.saving.checkpoints.succeeded == 1 }
      time.step(.seconds(-3_600))
      pipeline.offer(orders.finished(2, from: ten - .seconds(3_600)))
      try await time.pass { pipeline.saving.checkpoints.succeeded == 2 }
      #expect(time.now < ten)
    }
  }
}
