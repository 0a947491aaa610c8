import HostRules
import Lifecycle
import NIOHTTP1
import Sandboxes
import Testing

@testable import FunctionHost

@Suite(.serialized, .timeLimit(.minutes(2))) struct `An environment that is reset` {
  private struct Note: Equatable {
    var before: String
    var stream: String
    var count: String
  }

  /// Leaves a text in the temporary files, and tells what was there, whose log stream it is, and how often this process was asked.
  private func note(_ host: HostFixture, _ text: String, _ function: String = "f") async throws -> Note {
    let body = try await host.invoke(function, #"{"do":"note","text":"\#(text)"}"#).body
    return Note(
      before: value("before", in: body) ?? body, stream: value("instance", in: body) ?? "",
      count: value("count", in: body) ?? "")
  }

  @Test(
    arguments: Isolation.Mode.allCases,
    [#"{"do":"loop"}"#, #"{"do":"exit","status":3}"#, #"{"do":"fork-and-exit","file":"FILE"}"#])
  func `keeps its temporary files and its log stream, and no memory`(_ mode: Isolation.Mode, _ event: String)
    async throws
  {
    let folder = try ExtensionFolder([])
    defer { folder.remove() }
    var configuration = HostConfiguration(functions: [python("f", timeout: .seconds(1))])
    configuration.isolation = mode
    let events = try await HostFixture.run(configuration) { host async throws in
      let first = try await note(host, "one")
      #expect(first.before == "" && first.count == "1")
      let event = event.replacing("FILE", with: "\(folder.journal)/children")
      #expect(try await host.invoke("f", event).header("X-Amz-Function-Error") == "Unhandled")
      #expect(try await note(host, "two") == Note(before: "one", stream: first.stream, count: "1"))
      #expect(try await note(host, "three") == Note(before: "two", stream: first.stream, count: "2"))
    }
    #expect(events.started.count == 2 && events.stopped.count == 2)
    #expect(Set(events.instances).count == 2)
    #expect(events.stopped.map(\.reason).last == .shutdown)
  }

  @Test func `with extensions is the next one's when they have ended`() async throws {
    let folder = try ExtensionFolder()
    defer { folder.remove() }
    var function = python(
      "f", environment: ["JOURNAL": folder.journal, "EXTENSION": "shutdown-sleep=0.2"], timeout: .seconds(1))
    function.extensions = folder.directory
    try await HostFixture.run(HostConfiguration(functions: [function])) { host async throws in
      let first = try await note(host, "one")
      _ = try await host.invoke("f", #"{"do":"exit","status":3}"#)
      #expect(try await note(host, "two") == Note(before: "one", stream: first.stream, count: "1"))
    }
    #expect(
      folder.story().filter { $0 == "SHUTDOWN" || $0 == "registered" } == [
        "registered", "SHUTDOWN", "registered", "SHUTDOWN",
      ])
  }

  @Test func `is of one version, and not of one whose settings changed`() async throws {
    try await HostFixture.run(HostConfiguration(functions: [python("f", timeout: .seconds(5))])) { host async throws in
      _ = try await note(host, "latest")
      _ = try await host.invoke("f", #"{"do":"exit","status":3}"#)
      #expect(try await note(host, "one", "f:1").before == "")
      let change = try await TestClient.send(
        .PUT, "/2015-03-31/functions/f/configuration", port: host.port, body: #"{"MemorySize":256}"#)
      #expect(change.status == 200, "\(change.body)")
      #expect(try await note(host, "new").before == "")
    }
  }

  @Test func `ends when it ran out of memory`() async throws {
    try await HostFixture.run(HostConfiguration(functions: [python("f", timeout: .seconds(20))])) { host async throws in
      let first = try await note(host, "one")
      _ = try await host.invoke("f", #"{"do":"eat","bytes":400000000}"#)
      let second = try await note(host, "two")
      #expect(second.before == "" && second.stream != first.stream)
    }
  }

  @Test(arguments: Isolation.Mode.allCases)
  func `counts memory anew`(_ mode: Isolation.Mode) async throws {
    var configuration = HostConfiguration(functions: [python("f", timeout: .seconds(20))])
    configuration.isolation = mode
    let events = try await HostFixture.run(configuration) { host async throws in
      _ = try await note(host, "one")
      _ = try await host.invoke("f", #"{"do":"eat","bytes":80000000,"seconds":0.3}"#)
      _ = try await host.invoke("f", #"{"do":"exit","status":3}"#)
      #expect(try await note(host, "two").before == "one")
      // Where the kernel keeps no peak, memory is looked at ten times a second.
      #expect(try await host.invoke("f", #"{"do":"sleep","seconds":0.3}"#).status == 200)
    }
    let used = events.finished.map(\.memoryUsedBytes)
    #expect(used.count == 5 && used[1] > 80_000_000 && used[4] > 1 << 20 && used[4] < 60_000_000, "\(used)")
  }

  @Test func `ends when it holds too many temporary files, and says so`() async throws {
    var function = python("f", timeout: .seconds(20))
    function.temporaryStorageBytes = 16 << 20
    var configuration = HostConfiguration(functions: [function])
    configuration.isolation = .none
    let log = RecordedLog()
    try await HostFixture.run(configuration, logger: log.logger) { host async throws in
      let first = try await note(host, "one")
      _ = try await host.invoke("f", #"{"do":"note","text":"0123456789abcdef","times":2500000}"#)
      try await host.eventually { !$0.stopped.isEmpty }
      #expect(log.lines.contains { $0.contains("more temporary files than its limit") })
      let second = try await note(host, "two")
      #expect(second.before == "" && second.stream != first.stream)
    }
  }

  @Test func `keeps its files when an initialization failed`() async throws {
    let folder = try ExtensionFolder([])
    defer { folder.remove() }
    let function = python(
      "f", environment: ["INIT": "exit", "INIT_MARKER": "\(folder.journal)/marker", "INIT_NOTE": "before"])
    try await HostFixture.run(HostConfiguration(functions: [function])) { host async throws in
      #expect(try await note(host, "one").before == "before")
    }
  }

  @Test func `is not kept beyond what all functions together may leave`() async throws {
    try await HostFixture.run(HostConfiguration(functions: [python("f"), python("g")])) { host async throws in
      try await #require(host.host.core).limitVacant(to: 1)
      for function in ["f", "g"] {
        _ = try await note(host, "one", function)
        _ = try await host.invoke(function, #"{"do":"exit","status":3}"#)
      }
      #expect(try await note(host, "two", "g").before == "")
      #expect(try await note(host, "two", "f").before == "one")
    }
  }

  @Test func `is given up when nobody wants it for as long as an instance may be idle`() async throws {
    let function = python("f", idleLimit: .milliseconds(300))
    try await HostFixture.run(HostConfiguration(functions: [function])) { host async throws in
      let first = try await note(host, "one")
      _ = try await host.invoke("f", #"{"do":"exit","status":3}"#)
      let core = try #require(host.host.core)
      let end = ContinuousClock.now + .seconds(20)
      while await core.vacantCount > 0, ContinuousClock.now < end { try await Task.sleep(for: .milliseconds(20)) }
      let second = try await note(host, "two")
      #expect(second.before == "" && second.stream != first.stream)
    }
  }
}

extension [LifecycleEvent] {
  fileprivate var instances: [InstanceID] {
    compactMap {
      guard case .instance(let id, _) = $0.subject, case .instanceStarted = $0.kind else { return nil }
      return id
    }
  }
}

extension HostCore {
  fileprivate func limitVacant(to limit: Int) { lodgings.vacantLimit = limit }
  fileprivate var vacantCount: Int { lodgings.vacantCount }
}
