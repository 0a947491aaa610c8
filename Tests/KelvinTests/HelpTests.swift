import ArgumentParser
import Foundation
import Testing

@testable import kelvin

/// All commands that do something, with the words that call them.
private func commands(
  _ type: any ParsableCommand.Type = Kelvin.self, path: [String] = ["kelvin"]
) -> [(path: String, type: any ParsableCommand.Type)] {
  let below = type.configuration.subcommands
  guard below.isEmpty else { return below.flatMap { commands($0, path: path + [$0._commandName]) } }
  return [(path.joined(separator: " "), type)]
}

@Suite struct `The help` {
  @Test func `has a line about each command, and an example of it`() {
    #expect(commands().count >= 10)
    for (path, type) in commands() + [("kelvin metrics", Metrics.self)] {
      let abstract = type.configuration.abstract
      #expect(!abstract.isEmpty && !abstract.contains("\n") && abstract.count <= 100, "\(path): \(abstract)")
      #expect(abstract.hasSuffix("."), "\(path): \(abstract)")
      let parts = type.configuration.discussion.components(separatedBy: "Examples:\n")
      #expect(parts.count == 2 && parts[1].contains("  \(path)"), "\(path) has no example of itself")
    }
  }

  @Test func `has examples that can be parsed`() throws {
    for (path, type) in commands() {
      let lines = type.configuration.discussion.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
      for line in lines where line.hasPrefix(path) {
        // A pipe begins another program's words; quotes here hold no others.
        let words = line.components(separatedBy: " | ")[0].replacingOccurrences(of: "{\"id\": 1}", with: "{}")
          .replacingOccurrences(of: "'", with: "").split(separator: " ").dropFirst().map(String.init)
        #expect(throws: Never.self, "\(line)") { try Kelvin.parseAsRoot(words) }
      }
    }
  }

  @Test func `breaks no line inside a paragraph, because the terminal's width does`() {
    for (path, type) in commands() + [("kelvin", Kelvin.self), ("kelvin metrics", Metrics.self)] {
      let lines = type.configuration.discussion.components(separatedBy: "\n")
      let isProse = { (line: String) in !line.isEmpty && !line.hasPrefix(" ") && line != "Examples:" }
      for (line, next) in zip(lines, lines.dropFirst()) {
        #expect(!isProse(line) || !isProse(next), "\(path): \(line)")
      }
    }
    // And so it is wrapped once: no line is much shorter than its neighbours' width allows.
    let help = Provisioned.helpMessage(columns: 200)
    #expect(
      help.contains(
        "With a number the command waits until all instances are ready, and shows the progress on standard error."))
  }

  @Test func `names the commands that docs/commands.md has in its table`() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let page = try String(contentsOf: root.appendingPathComponent("docs/commands.md"), encoding: .utf8)
    let rows = page.split(separator: "\n").filter { $0.hasPrefix("| `kelvin ") }
    let paths = commands().map(\.path)
    for path in paths {
      let count = rows.count { $0.hasPrefix("| `\(path)`") || $0.hasPrefix("| `\(path) ") }
      #expect(count == 1, "docs/commands.md has \(count) rows of \(path)")
    }
    #expect(rows.count == paths.count, "docs/commands.md has a row of a command that is not there")
  }
}

@Suite struct `Completed names of functions` {
  @Test func `are words of a shell and nothing else`() {
    #expect(
      FunctionCompletion.usable(["orders", "a b", "$(reboot)", "`x`", "orders", "a;b", "", "x\ny", "re-ports_2", "é"])
        == ["orders", "re-ports_2"])
    #expect(FunctionCompletion.usable((0..<5_000).map { "f\($0)" }).count == 1_000)
  }

  @Test func `are those of the agent that the line names, and none without one`() async throws {
    let agent = try await FakeServer([
      "/api/v1/status": .init(
        body: """
          {"version":"1","started":"2026-11-23T10:00:00Z","time":"2026-11-23T10:00:01Z","uptimeSeconds":1,
           "agent":{"listen":"127.0.0.1:1","windowSeconds":60,"functionsLimit":10},
           "account":{"concurrentExecutions":0,"concurrencyLimit":null},"functions":[]}
          """)
    ])
    #expect(FunctionCompletion.names(for: ["kelvin", "top", "--agent", agent.url, "--function"]).isEmpty)
    #expect(agent.asked.map(\.target) == ["/api/v1/status"])
    #expect(FunctionCompletion.names(for: ["kelvin", "top", "--agent=\(agent.url)"]).isEmpty)
    #expect(agent.asked.count == 2)
    #expect(FunctionCompletion.names(for: ["kelvin", "--agent", "127.0.0.1:1"]).isEmpty)
    #expect(FunctionCompletion.names(for: ["kelvin", "--agent", "nonsense::"]).isEmpty)
    await agent.close()
  }
}
