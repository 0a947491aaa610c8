import Foundation
import Documents
import Lifecycle
import TestSupport
import Testing

@testable import Agent

/// Windows that are asked for without a span.
@Suite struct `Without a range` {
  private let fixture = AgentFixture()
  private let orders = Story()

  /// The document for `query`, with an invocation that long ago, and one now.
  private func windows(_ query: String, secondsAgo: Int64) async throws -> WindowsDocument {
    var document: WindowsDocument?
    try await fixture.withAgent { agent, client in
      agent.send(orders.finished(1, from: ten, seconds: 1))
      // Folded while it is new.
      _ = try client.windows("range=1m")
      fixture.clock.advance(secondsAgo)
      agent.send(orders.finished(2, from: ten + .seconds(secondsAgo - 1), seconds: 1))
      document = try client.windows(query)
    }
    return try #require(document)
  }

  @Test(
    arguments: [
      (120, 60), (59 * 60, 60), (2 * 3_600, 600), (11 * 3_600, 600), (12 * 3_600, 3_600), (40 * 3_600, 60),
    ] as [(Int64, Int64)], ["", "function=orders"])
  func `the windows begin where data begins, at most 12 h ago, in a length that suits`(
    _ given: (secondsAgo: Int64, length: Int64), query: String
  ) async throws {
    let document = try await windows(query, secondsAgo: given.secondsAgo)
    let isOlder = given.secondsAgo > 12 * 3_600
    #expect(document.resolution == .seconds(given.length))
    #expect(document.from == (isOlder ? ten + .seconds(given.secondsAgo - 60) : ten))
    #expect(document.windows.last?.start == document.from)
    #expect(document.windows.reduce(0) { $0 + $1.invocations } == (isOlder ? 1 : 2))
    #expect(document.to > ten + .seconds(given.secondsAgo - 1))
  }

  @Test func `a resolution is kept`() async throws {
    let document = try await windows("resolution=5m", secondsAgo: 120)
    #expect(document.resolution == .seconds(300))
    #expect(document.from == ten)
  }

  @Test(arguments: ["range=12h", "points=100", "range=3h&function=orders"])
  func `a range is kept as it is given`(_ query: String) async throws {
    let document = try await windows(query, secondsAgo: 120)
    #expect(document.from < ten - .seconds(3_600))
  }

  @Test func `a function that did nothing has one open window`() async throws {
    try await fixture.withAgent { _, client in
      let document = try client.windows("")
      #expect(document.resolution == .seconds(60))
      #expect(document.windows == [])
      #expect(document.to - document.from == .seconds(60))
    }
  }

  @Test func `a store alone says the same`() async throws {
    let live = try await windows("", secondsAgo: 120)
    let stored = try StoredWindows.read(
      directory: fixture.configuration.dataDirectory, parameters: [], now: fixture.clock.now)
    #expect(stored.from == live.from)
    #expect(stored.resolution == live.resolution)
    #expect(
      try StoredWindows.functions(directory: fixture.configuration.dataDirectory) == ["orders"])
  }
}
