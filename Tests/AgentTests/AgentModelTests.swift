import BlockingHTTP
import Documents
import Lifecycle
import TestSupport
import Testing
import WindowStore
import Windows

@testable import Agent

/// The agent against an aggregator that forgets nothing: whatever is in memory, on its way, or in the store, and
/// however often it was restarted or could not save, the answers have to be the same.
@Suite struct `Agent model tests` {
  private let fixture = AgentFixture()

  @Test(arguments: 0..<8)
  func `answers equal those of an aggregator that forgets nothing`(_ seed: Int) async throws {
    var generator = Generator(state: UInt64(seed) &* 7_919 &+ 1)
    var model = Aggregator(AggregatorConfiguration(finality: .seconds(86_400)))
    var number: UInt64 = 0
    for _ in 0..<3 {
      let agent = fixture.makeAgent()
      try await agent.start()
      for _ in 0..<25 {
        for _ in 0..<Int.random(in: 0...6, using: &generator) {
          number += 1
          let event = randomEvent(number, &generator)
          agent.sink(event)
          model.apply(event, now: fixture.clock.now)
        }
        fixture.store?.fail(with: Int.random(in: 0..<4, using: &generator) == 0 ? StoreError(.full, "full") : nil)
        await agent.tick()
        if Int.random(in: 0..<5, using: &generator) == 0 {
          try check(Client(port: agent.port ?? 0), &model, fixture.clock.now)
        }
        fixture.clock.advance(Nanoseconds(Int64.random(in: 1...100_000_000_000, using: &generator)))
      }
      fixture.store?.fail(with: nil)
      try check(Client(port: agent.port ?? 0), &model, fixture.clock.now)
      await agent.stop()
    }
  }

  private func check(_ client: Client, _ model: inout Aggregator, _ now: Timestamp) throws {
    for resolution in [Int64(60), 120, 300, 3_600] {
      for scope in [Scope.account, .function(FunctionID("a")), .function(FunctionID("b"))] {
        var query = "range=3h&resolution=\(resolution)s"
        if case .function(let function) = scope { query += "&function=\(function.name)" }
        let reply = try client.get("/api/v1/windows?" + query)
        guard reply.status != 404 else { continue }
        let found = try WindowsDocument(json: reply.body)
        let expected = expectedWindows(&model, scope, found, now)
        #expect(found.windows == expected.windows, "\(query)")
      }
    }
  }

  private func expectedWindows(
    _ model: inout Aggregator, _ scope: Scope, _ found: WindowsDocument, _ now: Timestamp
  ) -> WindowsDocument {
    let all = model.windows(from: found.from, to: found.to, now: now)
    var windows = all.filter { $0.scope == scope }
    if scope == .account {
      windows += all.filter { $0.scope != .account }.map { window in
        var tallied = window
        tallied.scope = .account
        tallied.rollup = Rollup()
        tallied.rollup.tally = window.rollup.tally
        return tallied
      }
    }
    let folded = Resolution.fold(windows, into: found.resolution, closedBefore: now - .seconds(1))
    let document = WindowsDocument(
      resolution: found.resolution, from: found.from, to: found.to, rollups: folded.filter { !$0.rollup.isEmpty })
    // Through JSON, which rounds what it shows.
    return (try? WindowsDocument(json: document.json())) ?? document
  }

  /// An event that is up to ten minutes late: not so late that its window is final.
  private func randomEvent(_ number: UInt64, _ generator: inout Generator) -> LifecycleEvent {
    var story = Story()
    story.function = FunctionID(Bool.random(using: &generator) ? "a" : "b")
    story.instance = InstanceID(Identifier128(high: 3, low: UInt64.random(in: 0..<4, using: &generator)))
    let start = fixture.clock.now - Nanoseconds(Int64.random(in: 0...600_000_000_000, using: &generator))
    if Int.random(in: 0..<5, using: &generator) == 0 { return story.throttled(at: start) }
    return story.finished(
      number, from: start, seconds: Int64.random(in: 0...200, using: &generator),
      outcome: Bool.random(using: &generator) ? .success : .error, cold: Bool.random(using: &generator))
  }

  @Test func `many senders and readers at once lose nothing`() async throws {
    let agent = fixture.makeAgent()
    let running = Task { try await agent.run() }
    let deadline = ContinuousClock.now + .seconds(60)
    while !agent.isReady && ContinuousClock.now < deadline { try await Task.sleep(for: .milliseconds(1)) }
    let client = Client(port: agent.port ?? 0)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for sender in 0..<4 {
        group.addTask {
          for number in 0..<2_000 { agent.sink(Story().finished(UInt64(sender * 10_000 + number), from: ten)) }
        }
      }
      group.addTask {
        var last: UInt64 = 0
        for _ in 0..<20 {
          let now = try client.windows("range=1m").windows.first?.invocations ?? 0
          #expect(now >= last)
          last = now
        }
      }
      try await group.waitForAll()
    }
    let windows = try client.windows("range=1m").windows
    #expect(windows.map(\.invocations) == [8_000])
    running.cancel()
    // Cancelling is how the group of services ends it; it reports nothing by it.
    _ = await running.result
  }
}

private struct Generator: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
