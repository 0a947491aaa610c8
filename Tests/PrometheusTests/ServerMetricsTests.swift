import Catalogue
import ExporterSupport
import Lifecycle
import Prometheus
import TestSupport
import Testing
import Windows

@Suite struct `The metrics of Kelvin's servers` {
  private static let scrape: (Snapshot, AgentStatistics) = {
    let (snapshot, told) = Samples.scrape([])
    var statistics = told
    var agent = HTTPStatistics(listener: "agent")
    agent.connections = 3
    agent.droppedAnswers = 2
    agent.requests = [
      .init(route: "metrics", statusClass: "2xx", count: 7), .init(route: "a\"b\\c", statusClass: "4xx", count: 1),
    ]
    agent.refused = [.init(reason: "malformed", count: 4), .init(reason: "timeout", count: 0)]
    var host = HTTPStatistics(listener: "host")
    host.requests = [.init(route: "Invoke", statusClass: "2xx", count: 1 << 60)]
    statistics.http = [agent, host]
    var dropped = HostStatistics()
    dropped.unreadLogLines = 5
    dropped.asynchronousEventsExpired = 6
    statistics.host = dropped
    statistics.batches = BatchCounts(accepted: 9, duplicates: 8, refused: 7)
    var source = SourceCounts(name: "a1b2c3d4e5f64718899aabbccddeeff0", lastHeard: Samples.morning)
    source.lag = .milliseconds(1_250)
    source.events = 6
    statistics.sources = [source, SourceCounts(name: SourceCounts.othersName, lastHeard: Samples.morning)]
    return (snapshot, statistics)
  }()

  private static func text(_ format: ExpositionFormat, _ options: ExpositionOptions = []) -> String {
    String(decoding: Samples.bytes(scrape.0, scrape.1, format, options), as: UTF8.self)
  }

  @Test func `have all labels of each sample in text`() {
    let text = Self.text(.text)
    for line in [
      #"kelvin_http_requests_total{listener="agent",route="metrics",status_class="2xx"} 7"#,
      #"kelvin_http_requests_total{listener="agent",route="a\"b\\c",status_class="4xx"} 1"#,
      #"kelvin_http_requests_total{listener="host",route="Invoke",status_class="2xx"} 1152921504606846976"#,
      #"kelvin_http_refused_total{listener="agent",reason="malformed"} 4"#,
      #"kelvin_http_refused_total{listener="agent",reason="timeout"} 0"#,
      #"kelvin_http_dropped_answers_total{listener="agent"} 2"#, #"kelvin_http_connections{listener="host"} 0"#,
      #"kelvin_http_connections{listener="agent"} 3"#, #"kelvin_host_dropped_log_lines_total{reason="unread"} 5"#,
      #"kelvin_host_dropped_log_lines_total{reason="unwritten"} 0"#, "kelvin_host_dropped_telemetry_records_total 0",
      #"kelvin_host_dropped_asynchronous_events_total{reason="age-exceeded"} 6"#, "kelvin_batches_total 9",
      "kelvin_duplicate_batches_total 8", "kelvin_refused_batches_total 7",
      #"kelvin_source_events_total{source="a1b2c3d4e5f64718899aabbccddeeff0"} 6"#,
      #"kelvin_source_events_total{source="_other"} 0"#,
      #"kelvin_source_lag_seconds{source="a1b2c3d4e5f64718899aabbccddeeff0"} 1.25"#,
      #"kelvin_source_last_heard_timestamp_seconds{source="_other"} 1795428000"#,
    ] { #expect(text.contains("\n\(line)\n"), "\(line)") }
  }

  @Test func `have them beside their created times in OpenMetrics`() {
    let text = Self.text(.openMetrics, .created)
    let started = "1795427940"
    for line in [
      #"kelvin_http_requests_total{listener="agent",route="metrics",status_class="2xx"} 7"#,
      #"kelvin_http_requests_created{listener="agent",route="metrics",status_class="2xx"} "# + started,
      #"kelvin_http_refused_created{listener="agent",reason="timeout"} "# + started,
      "kelvin_host_failed_telemetry_deliveries_created " + started,
    ] { #expect(text.contains("\n\(line)\n"), "\(line)") }
  }

  @Test func `have them in protobuf`() throws {
    let families = try ReadFamily.all(Samples.bytes(Self.scrape.0, Self.scrape.1, .protobuf))
    let requests = try #require(families.first { $0.name == "kelvin_http_requests_total" })
    #expect(requests.kind == .counter)
    #expect(
      requests.metrics.map(\.labels) == [
        ["listener": "agent", "route": "metrics", "status_class": "2xx"],
        ["listener": "agent", "route": "a\"b\\c", "status_class": "4xx"],
        ["listener": "host", "route": "Invoke", "status_class": "2xx"],
      ])
    #expect(requests.metrics.map(\.counter) == [7, 1, 1_152_921_504_606_846_976])
    #expect(requests.metrics.allSatisfy { $0.created == 1_795_427_940 })
    let connections = try #require(families.first { $0.name == "kelvin_http_connections" })
    #expect(connections.metrics.map(\.gauge) == [3, 0])
  }

  @Test func `are absent where nobody listens and no host runs`() {
    var statistics = Self.scrape.1
    statistics.http = []
    statistics.host = nil
    let text = String(decoding: Samples.bytes(Self.scrape.0, statistics, .text), as: UTF8.self)
    #expect(!text.contains("kelvin_http_") && !text.contains("kelvin_host_"))
  }
}
