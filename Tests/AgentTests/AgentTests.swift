import BlockingHTTP
import HTTPServer
import Catalogue
import EventPipeline
import Foundation
import Documents
import Lifecycle
import NIOHTTP1
import TestSupport
import Testing
import WindowStore
import Windows

@testable import Agent

@Suite struct `Agent tests` {
  private let fixture = AgentFixture()
  private let orders = Story()

  @Test func `a caller finds its own invocation`() async throws {
    try await fixture.withAgent { agent, client in
      for number in 1...20 {
        agent.send(orders.finished(UInt64(number), from: ten, cold: number == 1))
        let windows = try client.windows("function=orders&range=1m").windows
        #expect(windows.map(\.invocations) == [UInt64(number)])
      }
    }
  }

  @Test func `windows show what happened`() async throws {
    try await fixture.withAgent { agent, client in
      agent.send(
        orders.started(1, at: ten), orders.started(2, at: ten + .seconds(1)),
        orders.finished(1, from: ten, seconds: 2, cold: true),
        orders.finished(2, from: ten + .seconds(1), seconds: 3, outcome: .error), orders.throttled(at: ten),
        orders.throttled(at: ten + .seconds(61)))
      fixture.clock.advance(62)
      let document = try client.windows("function=orders&range=10m&resolution=1m")
      #expect(document.windows.map(\.start) == [ten + .seconds(60), ten])
      #expect(document.windows.map(\.closed) == [false, true])
      #expect(document.windows.map(\.throttles) == [1, 1])
      let first = try #require(document.windows.last)
      #expect(first.function == "orders")
      #expect(first.invocations == 2)
      #expect(first.errors == 1)
      #expect(first.coldStarts == 1)
      #expect(first.concurrencyMax == 2)
      #expect(first.concurrencyNanoseconds == 5_000_000_000)
    }
  }

  @Test func `the account adds functions up but not their peaks`() async throws {
    var mail = Story()
    mail.function = FunctionID("mail")
    try await fixture.withAgent { agent, client in
      agent.send(
        orders.finished(1, from: ten, seconds: 1), mail.finished(2, from: ten + .seconds(2), seconds: 1),
        mail.finished(3, from: ten + .seconds(2), seconds: 1))
      let windows = try client.windows("range=1m").windows
      #expect(windows.count == 1)
      #expect(windows.first?.function == nil)
      #expect(windows.first?.invocations == 3)
      #expect(windows.first?.concurrencyMax == 2)
    }
  }

  @Test func `totals, windows and peaks go on after a restart`() async throws {
    try await fixture.withAgent { agent, _ in
      agent.send(
        orders.finished(1, from: ten, seconds: 5), orders.finished(2, from: ten + .seconds(1), seconds: 5),
        orders.finished(3, from: ten + .seconds(2), seconds: 5), orders.started(4, at: ten + .seconds(9)))
      fixture.clock.advance(10)
    }
    fixture.clock.advance(10)
    try await fixture.withAgent { agent, client in
      agent.send(
        orders.finished(5, from: ten + .seconds(21), seconds: 5), orders.finished(6, from: ten + .seconds(22)))
      fixture.clock.advance(10)
      for query in ["function=orders&range=1m", "range=1m"] {
        let windows = try client.windows(query).windows
        #expect(windows.map(\.invocations) == [5])
        #expect(windows.map(\.concurrencyMax) == [3])
        // 15 s, 1 s of the one that ended with its process at the last checkpoint, 6 s.
        #expect(windows.map(\.concurrencyNanoseconds) == [22_000_000_000])
      }
      let status = try StatusDocument(json: client.get("/api/v1/status").body)
      #expect(status.functions.map(\.totals.invocations) == [5])
      #expect(status.functions.map(\.concurrentExecutions) == [0])
    }
  }

  @Test func `windows count once on their way from memory to the store`() async throws {
    try await fixture.withAgent { agent, client in
      for minute in 0..<40 {
        let start = ten + .seconds(Int64(minute) * 60)
        agent.send(orders.finished(UInt64(minute), from: start, seconds: 90))
        for resolution in ["1m", "5m", "1h"] {
          for function in ["function=orders&", ""] {
            let windows = try client.windows("\(function)range=2h&resolution=\(resolution)").windows
            #expect(windows.reduce(0) { $0 + $1.invocations } == UInt64(minute + 1))
          }
        }
        await agent.tick()
        fixture.clock.advance(60)
      }
      // The last one ends after the clock stood at its start for a minute.
      fixture.clock.advance(30)
      let hour = try client.windows("function=orders&range=1h&resolution=1h").windows
      #expect(hour.map(\.invocations) == [40])
      #expect(hour.map(\.concurrencyMax) == [2])
      #expect(hour.map(\.concurrencyNanoseconds) == [40 * 90_000_000_000])
    }
  }

  @Test func `reads go on while checkpoints fail and nothing is lost after`() async throws {
    try await fixture.withAgent { agent, client in
      agent.send(orders.finished(1, from: ten))
      await agent.tick()
      let store = try #require(fixture.store)
      store.fail(with: StoreError(.full, "no space is left"))
      for minute in 1...30 {
        agent.send(orders.finished(UInt64(minute) + 1, from: ten + .seconds(Int64(minute) * 60)))
        fixture.clock.advance(60)
        await agent.tick()
        let windows = try client.windows("function=orders&range=1h&resolution=1m").windows
        #expect(windows.reduce(0) { $0 + $1.invocations } == UInt64(minute + 1))
      }
      let failing = try StatusDocument(json: client.get("/api/v1/status").body)
      #expect(failing.store?.state == "failing")
      #expect(failing.store?.problem == "no space is left")
      #expect(failing.store?.sizeBytes ?? 0 > 0)
      #expect(agent.saving.checkpoints.failed > 10)
      store.fail(with: nil)
      fixture.clock.advance(3)
      await agent.tick()
      let healthy = try StatusDocument(json: client.get("/api/v1/status").body)
      #expect(healthy.store?.state == "ok")
      let windows = try client.windows("function=orders&range=1h&resolution=1h").windows
      #expect(windows.reduce(0) { $0 + $1.invocations } == 31)
    }
    try await fixture.withAgent { _, client in
      let windows = try client.windows("function=orders&range=1h&resolution=1h").windows
      #expect(windows.reduce(0) { $0 + $1.invocations } == 31)
    }
  }

  @Test func `a checkpoint is saved at most two seconds after a change and none without one`() async throws {
    try await fixture.withAgent { agent, _ in
      agent.send(orders.finished(1, from: ten))
      await agent.tick()
      let reader = try WindowReader.open(directory: fixture.directory)
      #expect(try reader.checkpointTime() == ten)
      agent.send(orders.finished(2, from: ten))
      fixture.clock.advance(1)
      await agent.tick()
      #expect(try reader.checkpointTime() == ten)
      fixture.clock.advance(1)
      await agent.tick()
      #expect(try reader.checkpointTime() == ten + .seconds(2))
      fixture.clock.advance(10)
      await agent.tick()
      #expect(try reader.checkpointTime() == ten + .seconds(2))
      agent.send(orders.started(3, at: fixture.clock.now))
      await agent.tick()
      fixture.clock.advance(5)
      await agent.tick()
      #expect(try reader.checkpointTime() == ten + .seconds(17), "what is in progress changes totals by itself")
    }
  }

  @Test func `the store is read without an agent`() async throws {
    try await fixture.withAgent { agent, _ in agent.send(orders.finished(1, from: ten)) }
    let document = try StoredWindows.read(
      directory: fixture.directory, parameters: [("function", "orders"), ("range", "1h")], now: fixture.clock.now)
    #expect(document.windows.map(\.invocations) == [1])
    for parameters in [[("function", "none")], [("range", "x")]] {
      #expect(throws: AgentError.self) {
        _ = try StoredWindows.read(
          directory: fixture.directory, parameters: parameters.map { ($0.0, $0.1) }, now: fixture.clock.now)
      }
    }
  }

  @Test func `a full inbox drops and counts`() async throws {
    var configuration = fixture.configuration
    configuration.inboxLimit = 3
    try await fixture.withAgent(configuration) { agent, client in
      for number in 1...5 { agent.send(orders.finished(UInt64(number), from: ten)) }
      #expect(agent.pipeline.queued.dropped == 2)
      let first = try client.windows("function=orders&range=1m").windows
      #expect(first.map(\.invocations) == [3])
      agent.send(orders.finished(9, from: ten))
      let second = try client.windows("function=orders&range=1m").windows
      #expect(second.map(\.invocations) == [4])
    }
  }
}

@Suite struct `Agent surface tests` {
  private let fixture = AgentFixture()
  private let orders = Story()

  @Test func `each path answers GET and HEAD`() async throws {
    try await fixture.withAgent { agent, client in
      agent.send(orders.finished(1, from: ten))
      // The body of the live stream does not end.
      let live = try client.send("HEAD", "/api/v1/live")
      #expect(live.status == 200 && live.headers["Content-Type"] == "text/event-stream")
      let read = AgentRoutes.table.routes.filter { $0.methods.contains(.GET) }
      for route in read.map(\.path) where route != "/api/v1/live" {
        let reply = try client.get(route)
        #expect(reply.status == 200, "\(route)")
        #expect(!reply.body.isEmpty)
        let head = try client.send("HEAD", route)
        #expect(head.status == 200)
        #expect(head.body.isEmpty)
        let length = head.headers["Content-Length"].flatMap { Int($0) } ?? 0
        // What is shown of the process, and of checkpoints, may have changed between the two.
        let isSteady = route != "/metrics" && route != "/api/v1/status"
        #expect(isSteady ? length == reply.body.count : length > 0)
        #expect(head.headers["Content-Type"] == reply.headers["Content-Type"])
      }
    }
  }

  @Test func `other paths and methods are refused`() async throws {
    try await fixture.withAgent { _, client in
      for path in ["/metric", "/api/v1/windows/", "//", "/-/nothing"] {
        let reply = try client.get(path)
        #expect(reply.status == 404)
      }
      for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        let reply = try client.send(method, "/api/v1/status")
        #expect(reply.status == 405)
        #expect(reply.headers["Allow"] == "GET, HEAD")
      }
    }
  }

  @Test(arguments: ["range=x", "rnage=1h", "resolution=90s", "from=%zz", "range=14d&resolution=1m", "function="])
  func `a bad parameter is named`(_ query: String) async throws {
    try await fixture.withAgent { _, client in
      let reply = try client.get("/api/v1/windows?" + query)
      #expect(reply.status == 400)
      let error = try ErrorDocument(json: reply.body)
      #expect(error.code == "invalid-parameter")
      #expect(!error.message.isEmpty)
    }
  }

  @Test func `an unknown function is not found`() async throws {
    try await fixture.withAgent { agent, client in
      agent.send(orders.finished(1, from: ten))
      #expect(try client.get("/api/v1/windows?function=orders").status == 200)
      #expect(try client.get("/api/v1/windows?function=orders:7").status == 404)
      let reply = try client.get("/api/v1/windows?function=order")
      #expect(reply.status == 404)
      #expect(try ErrorDocument(json: reply.body).code == "unknown-function")
    }
  }

  @Test func `a store that cannot be read is told and leaves the rest alone`() async throws {
    try await fixture.withAgent { agent, client in
      agent.send(orders.finished(1, from: ten))
      fixture.store?.failReads(with: StoreError(.failed, "the disk is gone"))
      let reply = try client.get("/api/v1/windows")
      #expect(reply.status == 503)
      #expect(try ErrorDocument(json: reply.body) == ErrorDocument(code: "unavailable", message: "the disk is gone"))
      #expect(try client.get("/metrics").status == 200)
      #expect(try client.get("/api/v1/status").status == 200)
      fixture.store?.failReads(with: nil)
      #expect(try client.get("/api/v1/windows").status == 200)
    }
  }

  @Test func `a large document is compressed where that is taken`() async throws {
    try await fixture.withAgent { agent, client in
      for minute in 0..<5 { agent.send(orders.finished(UInt64(minute), from: ten + .seconds(Int64(minute) * 60))) }
      fixture.clock.advance(300)
      let plain = try client.get("/api/v1/windows?range=10m&resolution=1m")
      let packed = try client.send(
        "GET", "/api/v1/windows?range=10m&resolution=1m", headers: ["Accept-Encoding": "gzip"])
      #expect(plain.headers["Content-Encoding"] == nil)
      #expect(packed.headers["Content-Encoding"] == "gzip")
      #expect(packed.headers["Vary"] == "Accept-Encoding")
      #expect(packed.body.prefix(2) == [0x1F, 0x8B])
      #expect(packed.body.count < plain.body.count / 2)
      #expect(try gunzip(packed.body) == plain.body)
    }
  }

  @Test func `metrics show what happened`() async throws {
    try await fixture.withAgent { agent, client in
      agent.send(
        orders.finished(1, from: ten, seconds: 2, cold: true), orders.finished(2, from: ten, outcome: .error),
        orders.throttled(at: ten))
      let before = try client.get("/metrics")
      #expect(before.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8")
      #expect(before.headers["Vary"] == "Accept, Accept-Encoding")
      expect(before.text, "lambda_invocations_total{function=\"orders\",trigger=\"http\"}", 2)
      expect(before.text, "lambda_errors_total{function=\"orders\"}", 1)
      expect(before.text, "lambda_cold_starts_total{function=\"orders\"}", 1)
      expect(
        before.text,
        "lambda_throttles_total{function=\"orders\",reason=\"ReservedFunctionConcurrentInvocationLimitExceeded\"}", 1)
      expect(before.text, "lambda_concurrent_executions_max{function=\"orders\"}", 0)
      fixture.clock.advance(61)
      let after = try client.get("/metrics")
      expect(after.text, "lambda_concurrent_executions_max{function=\"orders\"}", 2)
      expect(after.text, "lambda_concurrency_seconds_total{function=\"orders\"}", 3)
      #expect(after.text.contains("kelvin_build_info{"))
      #expect(after.text.contains("\nprocess_resident_memory_bytes "))
    }
  }

  @Test func `metrics go on after a restart`() async throws {
    try await fixture.withAgent { agent, _ in agent.send(orders.finished(1, from: ten)) }
    try await fixture.withAgent { agent, client in
      let first = try client.get("/metrics")
      expect(first.text, "lambda_invocations_total{function=\"orders\",trigger=\"http\"}", 1)
      agent.send(orders.finished(2, from: ten))
      let second = try client.get("/metrics")
      expect(second.text, "lambda_invocations_total{function=\"orders\",trigger=\"http\"}", 2)
    }
  }

  @Test func `metrics are compressed where that is taken`() async throws {
    try await fixture.withAgent { agent, client in
      // Enough of them that the page comes in several pieces.
      for number in 0..<100 {
        var story = orders
        story.function = FunctionID("f\(number)")
        agent.send(story.finished(UInt64(number), from: ten))
      }
      let plain = try client.get("/metrics")
      let packed = try client.send("GET", "/metrics", headers: ["Accept-Encoding": "gzip"])
      #expect(packed.headers["Content-Encoding"] == "gzip")
      #expect(packed.headers["Vary"] == "Accept, Accept-Encoding")
      #expect(plain.body.count > 300_000)
      #expect(packed.body.count < plain.body.count / 8)
      let text = String(decoding: try gunzip(packed.body), as: UTF8.self)
      #expect(lambdaLines(text) == lambdaLines(plain.text))
      let refused = try client.send("GET", "/metrics", headers: ["Accept-Encoding": "gzip;q=0"])
      #expect(refused.headers["Content-Encoding"] == nil)
    }
  }

  /// Lines about functions: those about the process differ from scrape to scrape.
  private func lambdaLines(_ text: String) -> [Substring] {
    text.split(separator: "\n").filter { $0.hasPrefix("lambda_") }
  }

  private func expect(_ text: String, _ series: String, _ value: Int, _ location: SourceLocation = #_sourceLocation) {
    let line = text.split(separator: "\n").first { $0.hasPrefix(series + " ") }
    #expect(line.map(String.init) == "\(series) \(value)", sourceLocation: location)
  }

  @Test func `it is ready once it is restored`() async throws {
    let agent = fixture.makeAgent()
    #expect(!agent.isReady)
    try await agent.start()
    let client = Client(port: agent.port ?? 0)
    #expect(try client.get("/-/ready").status == 200)
    await agent.stop()
    #expect(!agent.isReady)
  }

  @Test func `beside a host it is ready once that listens, and can be read before`() async throws {
    var configuration = fixture.configuration
    configuration.waitsForHost = true
    let agent = fixture.makeAgent(configuration)
    try await agent.start()
    let client = Client(port: agent.port ?? 0)
    #expect(try client.get("/-/ready").status == 503)
    #expect(try client.get("/metrics").status == 200)
    agent.host.describe(listen: "127.0.0.1:27316", functions: 1)
    #expect(try client.get("/-/ready").status == 200)
    await agent.stop()
  }

  @Test func `run ends with a last checkpoint`() async throws {
    let agent = fixture.makeAgent()
    let running = Task { try await agent.run() }
    let deadline = ContinuousClock.now + .seconds(60)
    while !agent.isReady && ContinuousClock.now < deadline { try await Task.sleep(for: .milliseconds(1)) }
    agent.send(orders.finished(1, from: ten))
    running.cancel()
    // Cancelling is how the group of services ends it; it reports nothing by it.
    _ = await running.result
    try await fixture.withAgent { _, client in
      let windows = try client.windows("function=orders&range=1m").windows
      #expect(windows.map(\.invocations) == [1])
    }
  }

  @Test(arguments: ["0.0.0.0", "::", "192.168.1.4", "example.com", "127.0.0.256", "127.1"])
  func `an address that others reach is refused`(_ host: String) async throws {
    var configuration = fixture.configuration
    configuration.host = host
    let error = await startError(fixture.makeAgent(configuration))
    #expect(error?.code == .configuration)
    #expect(error?.message.contains(host) == true)
    #expect(!FileManager.default.fileExists(atPath: fixture.directory))
  }

  @Test func `a port in use is a sentence and takes nothing`() async throws {
    try await fixture.withAgent { agent, _ in
      let other = AgentFixture()
      var configuration = other.configuration
      configuration.port = agent.port ?? 0
      let error = await startError(other.makeAgent(configuration))
      #expect(error?.code == .listen)
      #expect(error?.message.contains("\(configuration.port)") == true)
      #expect(!FileManager.default.fileExists(atPath: other.directory))
    }
  }

  @Test func `a data directory in use is a sentence and the port is free again`() async throws {
    try await fixture.withAgent { _, _ in
      let second = fixture.makeAgent()
      let error = await startError(second)
      #expect(error?.code == .store)
      #expect(error?.message.contains("in use by another Kelvin") == true)
      #expect(second.port == nil)
    }
  }

  private func startError(_ agent: Agent) async -> AgentError? {
    do {
      try await agent.start()
      await agent.stop()
      return nil
    } catch {
      return error
    }
  }

  /// Through the program, so that another implementation than ours says that the bytes are right.
}

@Suite struct `Process reader tests` {
  private func read(_ stat: String) -> ProcessStatistics? {
    ProcessReader.statistics(
      stat: stat, ticksPerSecond: 100, pageBytes: 4_096, boot: Timestamp(seconds: 1_000), openFiles: 7,
      openFilesLimit: 9)
  }

  @Test func `a program's name may hold anything`() {
    let fields = "S 1 2 3 4 5 6 7 8 9 10 150 50 0 0 20 0 3 0 1000 4096000 25 18446744073709551615"
    let statistics = read("12 (a) b (c) \(fields)\n")
    #expect(statistics?.cpu == .seconds(2))
    #expect(statistics?.started == Timestamp(seconds: 1_010))
    #expect(statistics?.virtualBytes == 4_096_000)
    #expect(statistics?.residentBytes == 102_400)
    #expect(statistics?.threads == 3)
  }

  @Test(arguments: ["", "12 (a", "12 (a) S 1 2 3", "12 (a) " + Array(repeating: "x", count: 40).joined(separator: " ")])
  func `anything else is no statistics`(_ stat: String) { #expect(read(stat) == nil) }

  @Test func `this process has some`() throws {
    let statistics = try #require(ProcessReader.current())
    #expect(statistics.residentBytes > 1 << 20)
    #expect(statistics.openFiles > 2)
    #expect(statistics.threads > 0)
    #expect(statistics.started > Timestamp(seconds: 1_600_000_000))
    #expect(statistics.cpu >= .zero)
  }
}
