import BlockingHTTP
import Foundation
import Testing

@testable import kelvin

/// A host of one function that nobody calls, and an agent, both on free ports.
private func configuration(agentPort: String = "0", hostPort: String = "0") -> String {
  """
  agent: {listen: "127.0.0.1:\(agentPort)"}
  host: {listen: "127.0.0.1:\(hostPort)"}
  functions: {f: {command: ["true"], reserved: 3}}

  """
}

@Suite(.serialized) struct `A server` {
  @Test(arguments: ["host", "agent"], [SIGTERM, SIGINT])
  func `says where it answers, answers there, and stops at a signal with 0`(_ command: String, signal: Int32)
    async throws
  {
    let folder = try TemporaryFolder()
    try folder.write(configuration(), to: "kelvin.yaml")
    let server = try KelvinBinary.start([command], folder: folder)
    try #require(try await server.says("Stop with Ctrl-C."))
    let agent = try #require(try server.address(after: "metrics"))
    let ready = try HTTPConnection(HTTPEndpoint(agent)).send("GET", "/-/ready")
    #expect(ready.status == 200)
    let status = try KelvinBinary.run(["status", "--agent", agent], folder: folder)
    #expect(status.exitCode == 0)
    #expect(status.output.contains("agent at \(agent)"))
    #expect(try server.address(after: "invoke") != nil || command == "agent")
    kill(server.process.processIdentifier, signal)
    let outcome = try server.outcome()
    #expect(outcome.exitCode == 0)
    #expect(outcome.output == "")
    #expect(
      outcome.messages.hasSuffix("kelvin: stopping; press Ctrl-C again to end at once.\n"))
  }

  @Test func `ends with 1 and one sentence if the port of its agent is taken`() async throws {
    let other = try await FakeServer([:])
    let port = try #require(other.url.split(separator: ":").last)
    let folder = try TemporaryFolder()
    try folder.write(configuration(agentPort: String(port)), to: "kelvin.yaml")
    try refuses(["host"], folder: folder, sentence: "127.0.0.1:\(port)")
    await other.close()
  }

  @Test func `ends with 1 and one sentence if the port of its host is taken, and gives the store back`() async throws {
    let other = try await FakeServer([:])
    let port = try #require(other.url.split(separator: ":").last)
    let folder = try TemporaryFolder()
    try folder.write(configuration(hostPort: String(port)), to: "kelvin.yaml")
    try refuses(["host"], folder: folder, sentence: "127.0.0.1:\(port)")
    await other.close()
    let agent = try KelvinBinary.start(["agent"], folder: folder)
    #expect(try await agent.says("Stop with Ctrl-C."))
    agent.process.terminate()
    #expect(try agent.outcome().exitCode == 0)
  }

  @Test func `ends with 1 and one sentence if another has its data directory`() async throws {
    let folder = try TemporaryFolder()
    try folder.write(configuration(), to: "kelvin.yaml")
    let first = try KelvinBinary.start(["agent"], folder: folder)
    try #require(try await first.says("Stop with Ctrl-C."))
    try refuses(["agent"], folder: folder, sentence: "\(folder.path)/.kelvin")
    first.process.terminate()
    #expect(try first.outcome().exitCode == 0)
  }

  @Test func `ends with 1 and one sentence if its data directory cannot be one`() throws {
    let folder = try TemporaryFolder()
    try folder.write(configuration(), to: "kelvin.yaml")
    try folder.write("not a folder", to: ".kelvin")
    try refuses(["host"], folder: folder, sentence: "\(folder.path)/.kelvin")
  }

  @Test func `ends with 64 without a configuration, without functions, and with a wrong file`() throws {
    let folder = try TemporaryFolder()
    let none = try KelvinBinary.run(["host"], folder: folder)
    #expect(none.exitCode == 64)
    #expect(none.messages.hasPrefix("kelvin: There is no kelvin.yaml in this folder."))
    try folder.write("agent: {}\n", to: "kelvin.yaml")
    let empty = try KelvinBinary.run(["host"], folder: folder)
    #expect(empty.exitCode == 64)
    #expect(empty.messages.hasPrefix("kelvin: kelvin.yaml has no functions."))
    try folder.write("agnt: {}\n", to: "kelvin.yaml")
    let wrong = try KelvinBinary.run(["host"], folder: folder)
    #expect(wrong.exitCode == 64)
    #expect(wrong.messages.hasPrefix("kelvin.yaml:1:1: "))
  }

  /// It ends with 1 and a single line that contains `sentence`.
  private func refuses(_ arguments: [String], folder: TemporaryFolder, sentence: String) throws {
    let outcome = try KelvinBinary.run(arguments, folder: folder)
    #expect(outcome.exitCode == 1)
    #expect(outcome.output == "")
    #expect(outcome.messages.contains(sentence), "\(outcome.messages)")
    #expect(outcome.messages.hasPrefix("kelvin: "), "\(outcome.messages)")
    #expect(outcome.messages.split(separator: "\n").count == 1, "\(outcome.messages)")
  }
}
