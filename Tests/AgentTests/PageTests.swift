import BlockingHTTP
import Foundation
import Documents
import Lifecycle
import TestSupport
import Testing
import Windows

@testable import Agent

@Suite struct `Page tests` {
  private let fixture = AgentFixture()
  private static let paths = ["/", "/assets/kelvin.js", "/assets/kelvin.css", "/assets/dygraph.min.js"]

  @Test(arguments: paths)
  func `may load only what this agent has`(_ path: String) async throws {
    try await fixture.withAgent { _, client in
      let reply = try client.get(path)
      #expect(reply.status == 200)
      let policy = try #require(reply.headers["Content-Security-Policy"])
      let directives = policy.split(separator: ";").map { $0.trimmingCharacters(in: .whitespaces) }
      #expect(directives.first == "default-src 'none'")
      #expect(directives.contains("script-src 'self'") && directives.contains("style-src 'self'"))
      #expect(directives.contains("frame-ancestors 'none'"))
      #expect(!policy.contains("unsafe") && !policy.contains("*"))
      #expect(reply.headers["X-Content-Type-Options"] == "nosniff")
      #expect(reply.headers["Referrer-Policy"] == "no-referrer")
    }
  }

  @Test(arguments: paths)
  func `is sent once and then only asked after`(_ path: String) async throws {
    try await fixture.withAgent { _, client in
      let plain = try client.get(path)
      let tag = try #require(plain.headers["ETag"])
      let compressed = try client.send("GET", path, headers: ["Accept-Encoding": "gzip"])
      #expect(compressed.headers["Content-Encoding"] == "gzip")
      #expect(compressed.headers["ETag"] == tag)
      #expect(compressed.body.prefix(2) == [0x1f, 0x8b])
      #expect(compressed.body.count < plain.body.count || plain.body.count < 1_000)
      for names in [tag, "\"x\", \(tag)", "*", String(tag.dropFirst(2))] {
        let again = try client.send("GET", path, headers: ["If-None-Match": names])
        #expect(again.status == 304 && again.body.isEmpty, "\(names)")
      }
      #expect(try client.send("GET", path, headers: ["If-None-Match": "\"other\""]).status == 200)
      #expect(try client.send("POST", path).status == 405)
    }
  }

  @Test func `is smaller than 60 KB without the library for charts`() async throws {
    try await fixture.withAgent { _, client in
      let sizes = try Self.paths.dropLast().map { try client.get($0).body.count }
      #expect(sizes.allSatisfy { $0 > 1_000 })
      #expect(sizes.reduce(0, +) < 60_000)
    }
  }

  @Test func `names no other machine and has nothing inline`() async throws {
    try await fixture.withAgent { _, client in
      let page = try client.get("/").text
      #expect(!page.contains("<style") && !page.contains(" style=") && !page.contains(" onclick"))
      #expect(!page.contains("https://"))
      let script = try client.get("/assets/kelvin.js").text
      for sink in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("] {
        #expect(!script.contains(sink), "names of functions must stay text")
      }
    }
  }

  @Test func `has the library for charts where its package puts it, or says that it is not there`() async throws {
    let folder = fixture.directory + "-charts"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }  // A folder for temporary files.
    var configuration = fixture.configuration
    configuration.chartsDirectory = folder
    try await fixture.withAgent(configuration) { _, client in
      let missing = try client.get("/assets/dygraph.min.js")
      #expect(missing.status == 200 && missing.text.hasPrefix("//"))
    }
    let library = String(repeating: "var Dygraph;\n", count: 20_000)
    try library.write(toFile: folder + "/dygraph.min.js", atomically: true, encoding: .utf8)
    try await fixture.withAgent(configuration) { _, client in
      let found = try client.get("/assets/dygraph.min.js").text
      #expect(found == library)
    }
  }
}

@Suite struct `Functions route tests` {
  private let fixture = AgentFixture()

  private func names(_ reply: HTTPReply) throws -> [String] {
    let document = try JSONSerialization.jsonObject(with: Data(reply.body)) as? [String: Any]
    return (document?["functions"] as? [[String: Any]] ?? []).compactMap { $0["function"] as? String }
  }

  @Test func `the list is searched, sorted and paged`() async throws {
    try await fixture.withAgent { agent, client in
      for number in 0..<120 {
        var story = Story()
        story.function = FunctionID(number % 2 == 0 ? "mail-\(number)" : "Orders-\(number)")
        for request in 0...(number % 3) {
          agent.send(story.finished(UInt64(number * 10 + request), from: ten))
        }
      }
      let first = try client.get("/api/v1/functions")
      #expect(try names(first).count == 50)
      let listed = try names(first)
      #expect(listed == listed.sorted())
      #expect(first.text.contains("\"total\":120,\"matching\":120,\"offset\":0"))
      let found = try client.get("/api/v1/functions?search=ORDERS&limit=5&offset=58")
      #expect(found.text.contains("\"total\":120,\"matching\":60,\"offset\":58"))
      #expect(try names(found) == ["Orders-97", "Orders-99"])
      let busiest = try client.get("/api/v1/functions?sort=invocations&limit=40")
      let busy = try names(busiest)
      #expect(busy.allSatisfy { Int($0.split(separator: "-")[1]).map { $0 % 3 == 2 } == true })
      #expect(busy == busy.sorted(), "equal ones are ordered by name")
      let beyond = try client.get("/api/v1/functions?offset=1000")
      #expect(try names(beyond) == [])
    }
  }

  @Test(arguments: ["sort=colour", "limit=0", "limit=501", "limit=x", "offset=-1", "search=a&search=b", "page=2"])
  func `what cannot be is refused`(_ query: String) async throws {
    try await fixture.withAgent { _, client in
      let reply = try client.get("/api/v1/functions?" + query)
      #expect(reply.status == 400)
      #expect(try ErrorDocument(json: reply.body).code == "invalid-parameter")
    }
  }
}
