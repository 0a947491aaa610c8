import BlockingHTTP
import Catalogue
import EventPipeline
import Foundation
import Documents
import Lifecycle
import TestSupport
import Testing
import WindowStore

@testable import Agent

/// What an agent says and keeps when its store is taken away, full or damaged.
@Suite struct `An agent whose store is in trouble` {
  private let fixture = AgentFixture()
  private let orders = Story()

  private func store(_ client: Client) throws -> StatusDocument.StoreDocument {
    try #require(StatusDocument(json: client.get("/api/v1/status").body).store)
  }

  private func metric(_ name: String, _ client: Client) throws -> String? {
    let line = try client.get("/metrics").text.split(separator: "\n").first { $0.hasPrefix("\(name) ") }
    return line.map { String($0.dropFirst(name.count + 1)) }
  }

  @Test func `makes a removed directory again while it is idle, with all that it had, and says so`() async throws {
    let agent = fixture.makeAgent()
    try await agent.start()
    let client = Client(port: agent.port ?? 0)
    for request in 1...5 { agent.send(orders.finished(UInt64(request), from: ten)) }
    await agent.tick()
    #expect(try store(client).state == "ok")
    try FileManager.default.removeItem(atPath: fixture.directory)
    fixture.clock.advance(4)
    await agent.tick()
    let restored = try store(client)
    #expect(restored.state == "restored")
    #expect(restored.problem?.contains("was removed while Kelvin ran") == true)
    #expect(try metric("kelvin_store_removals_total", client) == "1")
    let problem = await agent.stop()
    #expect(problem?.message.contains("was removed while Kelvin ran; it was created again") == true)
    try await fixture.withAgent { _, client in
      let windows = try client.windows("function=orders&range=1h&resolution=1h").windows
      #expect(windows.reduce(0) { $0 + $1.invocations } == 5)
      #expect(try store(client).state == "ok")
    }
  }

  @Test func `writes again what is in memory if the files cannot be read any more`() async throws {
    try await fixture.withAgent { agent, client in
      for request in 1...5 { agent.send(orders.finished(UInt64(request), from: ten)) }
      await agent.tick()
    }
    let agent = fixture.makeAgent()
    try await agent.start()
    try FileHandle(forWritingTo: URL(fileURLWithPath: fixture.directory + "/kelvin.db")).truncate(atOffset: 512)
    fixture.clock.advance(2)
    await agent.tick()
    fixture.clock.advance(2)
    await agent.tick()
    let problem = await agent.stop()
    #expect(problem?.message.contains("was truncated") == true)
    try await fixture.withAgent { _, client in
      let windows = try client.windows("function=orders&range=1h&resolution=1h").windows
      #expect(windows.reduce(0) { $0 + $1.invocations } == 5)
    }
  }

  @Test func `tells at its end how many invocations are lost`() async throws {
    let agent = fixture.makeAgent()
    try await agent.start()
    agent.send(orders.finished(1, from: ten))
    await agent.tick()
    try #require(fixture.store).fail(with: StoreError(.full, "no space is left"))
    for request in 2...384 { agent.send(orders.finished(UInt64(request), from: ten)) }
    let problem = try #require(await agent.stop())
    #expect(problem.code == .store)
    #expect(
      problem.message
        == "383 invocations of 1 function since 2026-11-23T10:00:00Z were not saved and are lost: no space is left")
  }

  @Test func `saves the last checkpoint in the room that was kept back`() async throws {
    let agent = fixture.makeAgent()
    try await agent.start()
    let reserve = fixture.directory + "/kelvin.reserve"
    #expect(FileManager.default.fileExists(atPath: reserve))
    let store = try #require(fixture.store)
    store.failWhileThereIs(reserve, with: StoreError(.full, "no space is left"))
    for request in 1...383 { agent.send(orders.finished(UInt64(request), from: ten)) }
    await agent.tick()
    #expect(agent.saving.checkpoints.failed == 1)
    #expect(await agent.stop() == nil)
    try await fixture.withAgent { _, client in
      let windows = try client.windows("function=orders&range=1h&resolution=1h").windows
      #expect(windows.reduce(0) { $0 + $1.invocations } == 383)
    }
  }

  @Test func `tells at its start what a damaged log lost`() async throws {
    try await fixture.withAgent { agent, _ in
      agent.send(orders.finished(1, from: ten))
      await agent.tick()
    }
    let record = "kelvin-checkpoint 57 \((ten + .seconds(600)).nanoseconds) 384"
    try (record + String(repeating: " ", count: 127 - record.count) + "\n")
      .write(toFile: fixture.directory + "/kelvin.last", atomically: false, encoding: .utf8)
    fixture.clock.advance(700)
    try await fixture.withAgent { _, client in
      let incomplete = try store(client)
      #expect(incomplete.state == "incomplete")
      #expect(incomplete.problem?.contains("is lost, with 383 invocations") == true)
      #expect(incomplete.problem?.contains("and 2026-11-23T10:10:00Z is lost") == true)
      let lost = try #require(try metric("kelvin_store_lost_checkpoints_total", client).flatMap(Int.init))
      #expect((50..<57).contains(lost))
    }
  }
}
