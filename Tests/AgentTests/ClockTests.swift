import BlockingHTTP
import Documents
import Lifecycle
import Logging
import Synchronization
import TestSupport
import Testing
import Windows

@testable import Agent

/// Keeps what is logged.
private final class LogLines: Sendable {
  private let lines = Mutex<[String]>([])
  var all: [String] { lines.withLock { $0 } }

  var logger: Logger { Logger(label: "test") { _ in Handler(lines: self) } }

  private struct Handler: LogHandler {
    let lines: LogLines
    var metadata = Logger.Metadata()
    var logLevel = Logger.Level.info
    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }
    func log(event: LogEvent) { lines.lines.withLock { $0.append("\(event.message)") } }
  }
}

@Suite struct `An agent beside a clock that is set` {
  private let fixture = AgentFixture()
  private let orders = Story()

  @Test(arguments: [Int64(3_600), -3_600, 7, -100_000])
  func `rejects no event of its own host, loses no window, and tells it once`(_ seconds: Int64) async throws {
    let log = LogLines()
    let agent = fixture.makeAgent(logger: log.logger)
    try await agent.start()
    let client = Client(port: agent.port ?? 0)
    agent.send(orders.finished(1, from: ten, seconds: 5))
    await agent.tick()
    fixture.clock.advance(30)
    fixture.clock.setWall(by: .seconds(seconds))
    agent.send(orders.finished(2, from: ten + .seconds(1), seconds: 29))
    for _ in 0..<3 { agent.lookAtClock() }
    await agent.tick()
    fixture.clock.advance(40)
    agent.send(orders.finished(3, from: ten + .seconds(65), seconds: 5))
    await agent.tick()
    let windows = try client.windows("function=orders&range=10m&resolution=1m").windows
    #expect(windows.map(\.start) == [ten + .seconds(60), ten])
    #expect(windows.map(\.invocations) == [1, 2])
    #expect(windows.map(\.concurrencyMax) == [1, 2])
    let metrics = try client.get("/metrics").text.split(separator: "\n")
    #expect(metrics.contains("kelvin_clock_offset_seconds \(seconds)"))
    #expect(metrics.contains("kelvin_clock_steps_total 1"))
    #expect(metrics.contains("kelvin_late_events_total 0"))
    #expect(!metrics.contains { $0.hasPrefix("kelvin_rejected_events_total") && !$0.hasSuffix(" 0") })
    #expect(log.all.count == 1)
    #expect(log.all.first?.contains("was set \(abs(seconds)) s \(seconds > 0 ? "forward" : "back")") == true)
    await agent.stop()
  }

  @Test func `tells nothing of a clock that is only corrected`() async throws {
    let log = LogLines()
    let agent = fixture.makeAgent(logger: log.logger)
    for _ in 0..<9 {
      fixture.clock.setWall(by: .milliseconds(100))
      #expect(agent.lookAtClock().steps == 0)
    }
    #expect(agent.lookAtClock().lead == .milliseconds(900))
    fixture.clock.setWall(by: .milliseconds(100))
    #expect(agent.lookAtClock().steps == 1)
    fixture.clock.setWall(by: .seconds(-1))
    #expect(agent.lookAtClock().steps == 2)
    #expect(log.all.count == 2)
    #expect(log.all.last == "the system's clock was set 1 s back, and shows the same time as Kelvin's own again")
  }

  @Test func `tells at its start that its last checkpoint lies in the future`() async throws {
    try await fixture.withAgent { agent, _ in agent.send(orders.finished(1, from: ten)) }
    fixture.clock.setWall(by: .seconds(-3_600))
    let log = LogLines()
    let agent = fixture.makeAgent(logger: log.logger)
    try await agent.start()
    #expect(log.all.count == 1)
    #expect(log.all.first?.hasPrefix("the last checkpoint is 3600 s ahead of the clock") == true)
    await agent.stop()
  }
}
