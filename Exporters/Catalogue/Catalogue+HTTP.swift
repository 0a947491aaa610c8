import Lifecycle
import Windows

extension Catalogue {
  /// What the servers of Kelvin did and refused, and what the function host of the process dropped.
  static let servers: [MetricFamily] = [
    .labelled(
      "kelvin_http_requests_total", .counter,
      help: "Requests by listener, route and class of status. A combination is absent until it comes up.",
      labels: [
        MetricLabel("listener", listeners), MetricLabel("route"),
        MetricLabel("status_class", ["1xx", "2xx", "3xx", "4xx", "5xx"]),
      ]
    ) { _, statistics, samples in
      for listener in statistics.http {
        for requests in listener.requests {
          samples.add(.unsigned(requests.count), listener.listener, requests.route, requests.statusClass)
        }
      }
    },
    .labelled(
      "kelvin_http_refused_total", .counter,
      help: "Connections and requests that a server refused or gave up by itself, by listener and reason.",
      labels: [MetricLabel("listener", listeners), MetricLabel("reason")]
    ) { _, statistics, samples in
      for listener in statistics.http {
        for refused in listener.refused {
          samples.add(.unsigned(refused.count), listener.listener, refused.reason)
        }
      }
    },
    .labelled(
      "kelvin_http_dropped_answers_total", .counter, help: "Answers that came after their connection was closed.",
      labels: [MetricLabel("listener", listeners)]
    ) { _, statistics, samples in
      for listener in statistics.http { samples.add(.unsigned(listener.droppedAnswers), listener.listener) }
    },
    .labelled(
      "kelvin_http_connections", .gauge, help: "Connections that are open now.",
      labels: [MetricLabel("listener", listeners)]
    ) { _, statistics, samples in
      for listener in statistics.http { samples.add(.integer(listener.connections), listener.listener) }
    },
    .labelled(
      "kelvin_host_dropped_log_lines_total", .counter,
      help: "Lines of functions' output that did not get into a log: unread ones, and ones that could not be written. "
        + "Absent without a host.",
      labels: [MetricLabel("reason", ["unread", "unwritten"])]
    ) { _, statistics, samples in
      guard let host = statistics.host else { return }
      samples.add(.unsigned(host.unreadLogLines), "unread")
      samples.add(.unsigned(host.unwrittenLogLines), "unwritten")
    },
    .single(
      "kelvin_host_failed_telemetry_deliveries_total", .counter,
      help: "Attempts to deliver telemetry that an extension did not acknowledge. Absent without a host."
    ) { _, statistics in statistics.host.map { .unsigned($0.failedTelemetryDeliveries) } },
    .single(
      "kelvin_host_dropped_telemetry_records_total", .counter,
      help: "Records of telemetry that did not reach an extension that subscribed to them. Absent without a host."
    ) { _, statistics in statistics.host.map { .unsigned($0.droppedTelemetryRecords) } },
    .labelled(
      "kelvin_host_dropped_asynchronous_events_total", .counter,
      help: "Asynchronous events that were dropped because the queue was full, after their last repetition, or as too "
        + "old. Absent without a host.",
      labels: [MetricLabel("reason", ["queue-full", "retries-exhausted", "age-exceeded"])]
    ) { _, statistics, samples in
      guard let host = statistics.host else { return }
      samples.add(.unsigned(host.asynchronousEventsRefused), "queue-full")
      samples.add(.unsigned(host.asynchronousEventsFailed), "retries-exhausted")
      samples.add(.unsigned(host.asynchronousEventsExpired), "age-exceeded")
    },
  ]

  private static let listeners = ["agent", "host", "instance"]
}
