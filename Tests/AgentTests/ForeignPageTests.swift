import BlockingHTTP
import HTTPServer
import Testing

@testable import Agent

@Suite struct `A web page of somebody else` {
  private let fixture = AgentFixture()
  private static let paths = AgentRoutes.table.routes.map(\.path) + ["/nothing"]

  @Test(arguments: paths)
  func `is told nothing by the agent`(_ path: String) async throws {
    try await fixture.withAgent { _, client in
      for (name, value) in [
        ("Origin", "http://attacker.test"), ("Origin", "null"),
        ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Site", "same-site"),
      ] {
        let reply = try client.send("GET", path, headers: [name: value])
        #expect(reply.status == 403, "\(name): \(value)")
        #expect(reply.text.contains(#""code":"forbidden""#) && reply.text.contains(value), "\(reply.text)")
      }
    }
  }

  @Test func `may have a link to the agent's page and to the scrape, and embed neither`() async throws {
    try await fixture.withAgent { _, client in
      let link: BlockingHTTP.HTTPHeaders = [
        "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document",
      ]
      for (path, status) in [("/", 200), ("/metrics", 200), ("/api/v1/status", 403), ("/api/v1/instances", 403)] {
        let reply = try client.send("GET", path, headers: link)
        #expect(reply.status == status, "\(path)")
      }
      let frame: BlockingHTTP.HTTPHeaders = [
        "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe",
      ]
      let embedded = try client.send("GET", "/", headers: frame)
      #expect(embedded.status == 403)
    }
  }

  @Test func `is not the agent's own page`() async throws {
    try await fixture.withAgent { _, client in
      let own = ["Origin": "http://127.0.0.1:\(client.port)", "Sec-Fetch-Site": "same-origin"]
      for (name, value) in own {
        let reply = try client.send("GET", "/api/v1/status", headers: [name: value])
        #expect(reply.status == 200)
      }
    }
  }
}
