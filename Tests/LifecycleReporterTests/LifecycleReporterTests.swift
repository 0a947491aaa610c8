import BlockingHTTP
import Foundation
import HTTPServer
import Lifecycle
import LifecycleReporter
import LifecycleWire
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization
import TestSupport
import Testing

/// Takes batches as an agent does, or answers with errors first.
private final class FakeAgent: Sendable {
  private struct State {
    var failures: [HTTPResponseStatus]
    var batches: [DecodedBatch] = []
    var attempts = 0
  }

  private let state: Mutex<State>

  init(failingWith failures: [HTTPResponseStatus] = []) { state = Mutex(State(failures: failures)) }

  /// Every batch that was acknowledged, in order.
  var batches: [DecodedBatch] { state.withLock { $0.batches } }
  var attempts: Int { state.withLock { $0.attempts } }

  func listen(port: Int = 0) async throws -> HTTPServer {
    try await HTTPServer.bind(
      host: "127.0.0.1", port: port, on: MultiThreadedEventLoopGroup.singleton
    ) { [self] request, loop in
      var decoder = EventDecoder()
      let decoded = try? decoder.decode(request.body.readableBytesUInt8Span)
      let status = state.withLock { state -> HTTPResponseStatus in
        state.attempts += 1
        if !state.failures.isEmpty { return state.failures.removeFirst() }
        guard let decoded, request.target == "/v1/events" else { return .badRequest }
        state.batches.append(decoded)
        return .ok
      }
      return loop.makeSucceededFuture(.text(status, "so it is\n"))
    }.get()
  }
}

@Suite struct `A reporter` {
  private static let source = SourceID(Identifier128(high: 1, low: 2))

  private func reporter(
    _ port: Int, batch: Int = 10, log: @escaping @Sendable (String) -> Void = { _ in }
  ) throws -> LifecycleReporter {
    var configuration = ReporterConfiguration(endpoint: try HTTPEndpoint("127.0.0.1:\(port)"))
    configuration.batchEventsMax = batch
    configuration.batchAge = .milliseconds(10)
    configuration.retryPause = .milliseconds(5)
    configuration.retryPauseMax = .milliseconds(20)
    return LifecycleReporter(configuration, source: Self.source, log: log)
  }

  private func events(_ numbers: Range<UInt64>) -> [LifecycleEvent] { numbers.map { Story().finished($0, from: ten) } }

  @Test func `sends every event once and in order, in batches with numbers of their own`() async throws {
    let agent = FakeAgent()
    let server = try await agent.listen()
    let reporter = try reporter(server.port)
    for event in events(0..<95) { reporter.offer(event) }
    let statistics = await reporter.finish(within: .seconds(20))
    #expect(agent.batches.flatMap(\.events) == events(0..<95))
    #expect(agent.batches.map(\.sequence) == (1...UInt64(agent.batches.count)).map { $0 })
    #expect(agent.batches.allSatisfy { $0.source == Self.source && $0.events.count <= 10 })
    #expect(statistics.acknowledged == 95 && statistics.dropped == 0 && statistics.waiting == 0)
    try await server.drain(within: .seconds(1)).get()
  }

  @Test func `sends a batch again after errors, and over a restart of the agent`() async throws {
    let said = Mutex<[String]>([])
    let first = FakeAgent(failingWith: [.serviceUnavailable, .tooManyRequests, .internalServerError])
    let server = try await first.listen()
    let reporter = try reporter(server.port) { line in said.withLock { $0.append(line) } }
    for event in events(0..<5) { reporter.offer(event) }
    try await eventually { reporter.statistics.acknowledged == 5 }
    #expect(first.attempts == 4)
    try await server.drain(within: .seconds(1)).get()

    for event in events(5..<9) { reporter.offer(event) }
    try await eventually { reporter.statistics.failures >= 5 }
    let second = FakeAgent()
    let again = try await second.listen(port: server.port)
    try await eventually { reporter.statistics.acknowledged == 9 }
    #expect(first.batches.first?.sequence == 1)
    #expect(second.batches.flatMap(\.events) == events(5..<9))
    #expect(second.batches.first?.sequence == (first.batches.last?.sequence ?? 0) + 1)
    #expect(await reporter.finish(within: .seconds(5)).problem == nil)
    #expect(said.withLock { $0 }.last?.hasSuffix("takes events again") == true)
    try await again.drain(within: .seconds(1)).get()
  }

  @Test func `gives up a batch that is refused for what it is, and goes on`() async throws {
    let agent = FakeAgent(failingWith: [.badRequest])
    let server = try await agent.listen()
    let reporter = try reporter(server.port, batch: 2)
    for event in events(0..<2) { reporter.offer(event) }
    try await eventually { reporter.statistics.dropped == 2 }
    for event in events(2..<4) { reporter.offer(event) }
    await reporter.finish(within: .seconds(10))
    #expect(agent.batches.flatMap(\.events) == events(2..<4))
    #expect(agent.batches.first?.sequence == 2)
    try await server.drain(within: .seconds(1)).get()
  }

  @Test func `keeps in a file what nobody takes, and the next process sends it`() async throws {
    let path = NSTemporaryDirectory() + "kelvin-reporter-" + UUID().uuidString
    // What is left over is in the system's directory for temporary files.
    defer { try? FileManager.default.removeItem(atPath: path) }
    let agent = FakeAgent()
    let closed = try await agent.listen()
    let port = closed.port
    try await closed.drain(within: .seconds(1)).get()
    func makeReporter(_ source: UInt64) throws -> LifecycleReporter {
      var configuration = ReporterConfiguration(endpoint: try HTTPEndpoint("127.0.0.1:\(port)"))
      configuration.batchEventsMax = 10
      configuration.eventsLimit = 100
      configuration.batchAge = .milliseconds(5)
      configuration.retryPause = .milliseconds(5)
      configuration.retryPauseMax = .milliseconds(20)
      configuration.spillPath = path
      return LifecycleReporter(configuration, source: SourceID(Identifier128(high: 1, low: source)), log: { _ in })
    }
    let first = try makeReporter(1)
    for number in 0..<50 as Range<UInt64> {
      for event in events(number * 10..<number * 10 + 10) { first.offer(event) }
      try await eventually { first.statistics.waiting <= 50 }
    }
    let kept = await first.finish(within: .milliseconds(50))
    #expect(kept.spilled == 500 && kept.dropped == 0 && kept.waiting == 0)

    let server = try await agent.listen(port: port)
    let next = try makeReporter(2)
    for event in events(500..<520) { next.offer(event) }
    let sent = await next.finish(within: .seconds(20))
    #expect(sent.acknowledged == 520 && sent.spilled == 0 && sent.dropped == 0)
    #expect(agent.batches.flatMap(\.events) == events(0..<520))
    #expect(Set(agent.batches.map(\.source)).count == 2)
    try await server.drain(within: .seconds(1)).get()
  }

  @Test func `never waits, and ends in time, where nobody answers`() async throws {
    let server = try await FakeAgent().listen()
    let port = server.port
    try await server.drain(within: .seconds(1)).get()
    let reporter = try reporter(port)
    for event in events(0..<1_000) { reporter.offer(event) }
    let statistics = await reporter.finish(within: .milliseconds(50))
    #expect(statistics.acknowledged == 0 && statistics.dropped == 1_000 && statistics.waiting == 0)
  }
}

private func eventually(_ condition: () -> Bool) async throws {
  let end = ContinuousClock.now + .seconds(20)
  while !condition() {
    try #require(ContinuousClock.now < end, "it never came to that")
    try await Task.sleep(for: .milliseconds(2))
  }
}
