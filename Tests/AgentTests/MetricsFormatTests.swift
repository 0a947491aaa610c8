import BlockingHTTP
import Catalogue
import HTTPServer
import Lifecycle
import TestSupport
import Testing
import Windows

@testable import Agent

/// The formats of `/metrics`, as scrapers ask for them. What is in them is tested beside what writes them.
@Suite struct `Metrics format tests` {
  private let fixture = AgentFixture()
  private let orders = Story()

  private static let protobuf =
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
  private static let openMetrics =
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    + "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"

  private func get(
    _ client: Client, _ path: String = "/metrics", accept: String, encoding: String = "identity"
  ) throws -> HTTPReply {
    try client.send("GET", path, headers: ["Accept": accept, "Accept-Encoding": encoding])
  }

  @Test func `tell what the servers of the process did and refused`() async throws {
    try await fixture.withAgent { agent, client in
      var listener = ListenerCounts(listener: "host")
      listener.requests = [.init(route: "Invoke", statusClass: 2, count: 5)]
      var dropped = HostStatistics()
      dropped.droppedTelemetryRecords = 9
      agent.host.readCounts { [listener, dropped] in ([listener], dropped) }
      #expect(try client.get("/nothing").status == 404)
      let page = try client.send("GET", "/", headers: ["Origin": "http://attacker.test"])
      #expect(page.status == 403)
      let text = try get(client, accept: "text/plain").text
      for line in [
        #"kelvin_http_requests_total{listener="agent",route="other",status_class="4xx"} 1"#,
        #"kelvin_http_requests_total{listener="agent",route="page",status_class="4xx"} 1"#,
        #"kelvin_http_refused_total{listener="agent",reason="foreign-page"} 1"#,
        #"kelvin_http_requests_total{listener="host",route="Invoke",status_class="2xx"} 5"#,
        #"kelvin_http_refused_total{listener="host",reason="no-room"} 0"#,
        "kelvin_host_dropped_telemetry_records_total 9",
      ] { #expect(text.contains("\n\(line)\n"), "\(line)") }
    }
  }

  @Test func `OpenMetrics has an end and the request id of a cold start`() async throws {
    try await fixture.withAgent { agent, client in
      agent.send(orders.finished(1, from: ten, seconds: 2, cold: true))
      let reply = try get(client, accept: Self.openMetrics)
      #expect(reply.headers["Content-Type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8")
      #expect(reply.headers["Vary"] == "Accept, Accept-Encoding")
      #expect(reply.text.hasSuffix("\n# EOF\n"))
      let id = "00000000-0000-0007-0000-000000000001"
      #expect(
        reply.text.contains(
          "\nlambda_cold_starts_total{function=\"orders\"} 1 # {request_id=\"\(id)\"} 0 1795428002\n"))
      #expect(
        reply.text.contains(
          "\nlambda_invocation_duration_seconds_bucket{function=\"orders\",le=\"2.5\"} 1 # {request_id=\"\(id)\"} 2 1795428002\n"
        ))
      #expect(!reply.text.contains("_created"))
    }
  }

  @Test func `exemplars begin anew after a restart, counts and created times do not`() async throws {
    try await fixture.withAgent { agent, _ in agent.send(orders.finished(1, from: ten, cold: true)) }
    try await fixture.withAgent { _, client in
      let reply = try get(client, "/metrics?created=true", accept: Self.openMetrics)
      #expect(reply.text.contains("\nlambda_cold_starts_total{function=\"orders\"} 1\n"))
      #expect(reply.text.contains("\nlambda_cold_starts_created{function=\"orders\"} 1795428000\n"))
    }
  }

  @Test func `protobuf comes whole, compressed or not`() async throws {
    try await fixture.withAgent { agent, client in
      for number in 0..<300 {
        var story = orders
        story.function = FunctionID("f\(number)")
        agent.send(story.finished(UInt64(number), from: ten))
      }
      let plain = try get(client, accept: Self.protobuf)
      let packed = try get(client, accept: Self.protobuf, encoding: "gzip")
      for reply in [plain, packed] {
        #expect(
          reply.headers["Content-Type"]
            == "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited")
        #expect(reply.headers["Vary"] == "Accept, Accept-Encoding")
      }
      #expect(packed.headers["Content-Encoding"] == "gzip" && plain.headers["Content-Encoding"] == nil)
      let (one, other) = (plain.body, try gunzip(packed.body))
      #expect(one.count > 300_000)
      // The families of functions come first and are the same; those about the process are not.
      #expect(Array(one.prefix(300_000)) == Array(other.prefix(300_000)))
    }
  }

  @Test func `created times come if asked for, and nonsense is refused`() async throws {
    try await fixture.withAgent { agent, client in
      agent.send(orders.finished(1, from: ten))
      for query in ["created=true", "created=1", "a=b&created=true", "created=false&created=true"] {
        #expect(try get(client, "/metrics?" + query, accept: Self.openMetrics).text.contains("_created{"), "\(query)")
      }
      for query in ["", "created=false", "created=0", "target=a&collect[]=b"] {
        let reply = try get(client, "/metrics?" + query, accept: Self.openMetrics)
        #expect(reply.status == 200 && !reply.text.contains("_created"), "\(query)")
      }
      #expect(!(try get(client, "/metrics?created=true", accept: "text/plain").text.contains("_created")))
      for query in ["created", "created=", "created=yes", "created=%zz"] {
        #expect(try get(client, "/metrics?" + query, accept: Self.openMetrics).status == 400, "\(query)")
      }
    }
  }

  @Test func `scrapers in all formats at once see the same`() async throws {
    try await fixture.withAgent { agent, client in
      agent.send(orders.finished(1, from: ten, cold: true), orders.throttled(at: ten))
      let accepts = [Self.openMetrics, Self.protobuf, "text/plain"]
      let bodies = try await withThrowingTaskGroup(of: (String, [UInt8]).self) { group in
        for turn in 0..<24 {
          let accept = accepts[turn % accepts.count]
          group.addTask {
            let reply = try get(client, accept: accept, encoding: turn % 2 == 0 ? "gzip" : "identity")
            return (accept, turn % 2 == 0 ? try gunzip(reply.body) : reply.body)
          }
        }
        return try await group.reduce(into: [(String, [UInt8])]()) { $0.append($1) }
      }
      for accept in accepts {
        let same = bodies.filter { $0.0 == accept }.map { Array($0.1.prefix(5_000)) }
        #expect(same.count == 8 && Set(same).count == 1, "\(accept)")
      }
    }
  }
}
