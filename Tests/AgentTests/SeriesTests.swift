import Text
import BlockingHTTP
import Foundation
import Documents
import Lifecycle
import TestSupport
import Testing
import Windows

@testable import Agent

/// `/api/v1/series` against `/api/v1/windows`: however few points are asked for, no maximum and no count is lost.
@Suite struct `Series tests` {
  private static let counts: [(String, @Sendable (WindowDocument) -> UInt64)] = [
    ("invocations", { $0.invocations }), ("errors", { $0.errors }), ("throttles", { $0.throttles }),
    ("coldStarts", { $0.coldStarts }),
  ]
  private let fixture = AgentFixture()

  /// A story over three hours, most of it final and stored by its end.
  private func tell(_ agent: Agent, functions: Int, _ generator: inout SplitMix) async {
    var number: UInt64 = 0
    for _ in 0..<36 {
      for _ in 0..<Int.random(in: 0...9, using: &generator) {
        number += 1
        var story = Story()
        let function = Int.random(in: 0..<functions, using: &generator)
        story.function = FunctionID("f\(function)")
        story.instance = InstanceID(Identifier128(high: 1, low: number % 7 * 1_000 + UInt64(function) + 1))
        let start = fixture.clock.now - .seconds(Int64.random(in: 100...250, using: &generator))
        agent.send(
          story.finished(
            number, from: start, seconds: Int64.random(in: 1...90, using: &generator),
            outcome: number % 5 == 0 ? .error : .success, cold: number % 3 == 0))
        if number % 4 == 0 { agent.send(story.throttled(at: start)) }
      }
      await agent.tick()
      fixture.clock.advance(300)
    }
    await agent.tick()
  }

  private func columns(_ reply: HTTPReply) throws -> [[String: Any]] {
    let document = try JSONSerialization.jsonObject(with: Data(reply.body)) as? [String: Any] ?? [:]
    return (document["series"] as? [[String: Any]] ?? []).compactMap { $0["columns"] as? [String: Any] }
  }

  private func numbers(_ column: Any?) -> [Double] {
    (column as? [Any] ?? []).map { ($0 as? NSNumber)?.doubleValue ?? 0 }
  }

  @Test(arguments: 0..<4)
  func `folds maxima by maximum and counts by sum, whatever the points`(_ seed: UInt64) async throws {
    var generator = SplitMix(seed: seed)
    try await fixture.withAgent { agent, client in
      await tell(agent, functions: 3, &generator)
      for function in ["", "function=f0&", "function=f2&"] {
        for points in [1, 2, 3, 7, 40, 180, 2_000] {
          let reply = try client.get("/api/v1/series?\(function)range=3h&points=\(points)")
          let series = try #require(try columns(reply).first)
          // The range is widened to whole windows: the same is asked for in fine ones.
          let coarse = try client.windows("\(function)range=3h&points=\(points)")
          let span = "from=\(RFC3339.text(coarse.from))&to=\(RFC3339.text(coarse.to))"
          let fine = try client.windows("\(function)\(span)&resolution=1m").windows
          try #require(!fine.filter { $0.concurrencyMax > 0 }.isEmpty)
          let context = "\(function)points=\(points), seed \(seed)"
          #expect(numbers(series["concurrencyMax"]).count <= points + 1, "\(context)")
          let (peak, longest) = (fine.map(\.concurrencyMax).max() ?? 0, fine.map(\.duration.maximum).max() ?? 0)
          #expect(numbers(series["concurrencyMax"]).max() == Double(peak), "\(context)")
          #expect(numbers(series["durationMax"]).max() == Double(longest) / 1e9, "\(context)")
          for (name, count) in Self.counts {
            let total = fine.reduce(0) { $0 + count($1) }
            #expect(numbers(series[name]).reduce(0, +) == Double(total), "\(name) \(context)")
          }
          let parts = (series["throttlesByReason"] as? [String: Any] ?? [:]).values
          let refused = fine.reduce(0) { $0 + $1.throttles }
          #expect(parts.flatMap(numbers).reduce(0, +) == Double(refused), "\(context)")
        }
      }
    }
  }

  @Test func `each value is that of its window`() async throws {
    var generator = SplitMix(seed: 99)
    try await fixture.withAgent { agent, client in
      await tell(agent, functions: 2, &generator)
      let coarse = try client.windows("function=f1&range=3h&points=20")
      let series = try #require(try columns(client.get("/api/v1/series?function=f1&range=3h&points=20")).first)
      var expected: [Timestamp: WindowDocument] = [:]
      for window in coarse.windows { expected[window.start] = window }
      let maxima = numbers(series["concurrencyMax"])
      let quantiles = series["durationP95"] as? [Any] ?? []
      #expect(Int64(maxima.count) == (coarse.to - coarse.from).count / coarse.resolution.count)
      for (index, value) in maxima.enumerated() {
        let window = expected[coarse.from + Nanoseconds(Int64(index) * coarse.resolution.count)]
        #expect(value == Double(window?.concurrencyMax ?? 0))
        if let duration = window?.duration, duration.count > 0 {
          #expect((quantiles[index] as? NSNumber)?.doubleValue == Double(duration.p95) / 1e9)
        } else {
          #expect(quantiles[index] is NSNull)
        }
      }
    }
  }

  @Test func `several functions come in one answer, in their order`() async throws {
    var generator = SplitMix(seed: 3)
    try await fixture.withAgent { agent, client in
      await tell(agent, functions: 3, &generator)
      let query = "function=f2&function=f0&range=3h&points=9&columns=throttles,concurrencyMax"
      let reply = try client.get("/api/v1/series?" + query)
      let both = try columns(reply)
      #expect(both.count == 2)
      for (series, function) in zip(both, ["f2", "f0"]) {
        #expect(Set(series.keys) == ["throttles", "concurrencyMax"])
        let alone = try client.windows("function=\(function)&range=3h&points=9").windows
        #expect(numbers(series["throttles"]).reduce(0, +) == Double(alone.map(\.throttles).reduce(0, +)))
      }
    }
  }

  @Test func `with many functions the account keeps its maxima and leaves sums out`() async throws {
    var generator = SplitMix(seed: 5)
    try await fixture.withAgent { agent, client in
      await tell(agent, functions: 2, &generator)
      for number in 0..<Agent.summedFunctionsLimit {
        var story = Story()
        story.function = FunctionID("g\(number)")
        agent.send(story.throttled(at: fixture.clock.now))
      }
      let series = try #require(try columns(client.get("/api/v1/series?range=3h&points=30")).first)
      #expect(series["throttles"] == nil && series["throttlesByReason"] == nil)
      let fine = try client.windows("range=3h&resolution=1m").windows
      #expect(numbers(series["concurrencyMax"]).max() == Double(fine.map(\.concurrencyMax).max() ?? 0))
      #expect(numbers(series["claimedConcurrencyMax"]).count == numbers(series["concurrencyMax"]).count)
    }
  }

  @Test(arguments: [
    ("function=nobody", 404), ("columns=colour", 400), ("columns=", 400), ("points=0", 400), ("points=2001", 400),
    ("points=5&resolution=1m", 400), ("range=x", 400), ("function=", 400), ("shape=round", 400),
    ((0...50).map { "function=f\($0)" }.joined(separator: "&"), 400),
  ])
  func `what cannot be is refused`(_ query: String, _ status: Int) async throws {
    try await fixture.withAgent { _, client in
      let reply = try client.get("/api/v1/series?" + query)
      #expect(reply.status == status)
    }
  }

  @Test(arguments: [Int64(1), 7, 60, 90, 3_600])
  func `the length for some points is a multiple of the window and not too short`(_ window: Int64) {
    let window = Nanoseconds.seconds(window)
    let ranges: [Int64] = [1, 59, 3_600, 43_200, 86_400 * 3, 86_400 * 455]
    let counts: [Int64] = [1, 10, 72, 300, 2_000]
    for range in ranges {
      for points in counts {
        let length = Resolution.fitting(.seconds(range), points: points, window: window)
        #expect(length.count % window.count == 0)
        #expect(length.count * points >= Nanoseconds.seconds(range).count)
      }
    }
  }
}
