import Lifecycle
import Windows

/// The page docs/metrics.md.
public enum MetricsPage {
  /// The whole page, as Markdown.
  public static func markdown() -> String {
    let parts = [introduction] + sections.map { section($0.title, $0.text, $0.families) } + [buckets]
    return parts.joined(separator: "\n")
  }

  private static let introduction = """
    # Metrics

    <!-- Generated from Exporters/Catalogue. Do not edit: change the table there, run the tests, and copy what they show. -->

    What `GET /metrics` exposes. Metrics of functions have the label `function`, and `version` for a version or alias other than
    `$LATEST`. Counters and histograms count from the first time Kelvin saw the function, and continue after a restart. From
    then on they are exposed at 0 for every value of their label. W is the length of a window, 60 s unless configured.

    The column **CloudWatch** names the closest metric of AWS, **OpenTelemetry** the closest one of its conventions for functions
    as a service; theirs may be split or counted differently. A ● marks a metric that neither has: CloudWatch's metrics of Lambda
    and Lambda Insights, and OpenTelemetry's FaaS conventions. Settings of functions are not marked: AWS's API has them, though
    not as metrics.

    [formats/exposition.md](formats/exposition.md) describes the formats of the answer.

    """

  private static let sections: [(title: String, text: String, families: [MetricFamily])] = [
    ("Counters of functions", "Query them with `rate` or `increase`.", Catalogue.counters),
    ("Histograms of functions", "Query them with `histogram_quantile`.", Catalogue.histograms),
    ("Functions now", "Values at the moment of the scrape; for peaks, use the next section.", Catalogue.gauges),
    (
      "Functions in the last closed window",
      "They keep their value for W, so a scraper that scrapes at least once in W misses no window. "
        + "Query them with `max_over_time`. Maxima do not add up: for all functions together, use the metrics of the account.",
      Catalogue.windowGauges
    ),
    ("Account", "All functions together.", Catalogue.account),
    (
      "Queues",
      "What came to queues, and what became of it. The label `queue` is the queue's name, as in its API; 1,000 event sources have samples "
        + "of their own, and counts of all others are `_other` together. Counts continue after a restart; gauges are absent of a queue that "
        + "is gone, and the metrics with `_max` keep their value for W.", Catalogue.families(of: .queue)
    ),
    ("Schedules", "As of queues; the label `schedule` is the name of the schedule.", Catalogue.families(of: .schedule)),
    (
      "WebSockets", "As of queues; the label `websocket` is the name behind `/ws/`.",
      Catalogue.families(of: .websocket)
    ),
    (
      "Asynchronous invocations", "Events that wait for a function; the label `function` is its name.",
      Catalogue.families(of: .direct)
    ),
    ("Kelvin itself", "Look here when numbers seem wrong.", Catalogue.kelvin + Catalogue.journal + Catalogue.clock),
    (
      "Sources in other processes",
      "What came by [`POST /v1/events`](formats/events.md). The label `source` is that of the batches, in hexadecimal; 1,000 sources have "
        + "samples of their own, and all others are `_other` together. Counts begin with the agent, or with the source's first batch "
        + "after an hour of silence.", Catalogue.sources
    ),
    (
      "Servers",
      "Counts of what Kelvin's servers and its function host refuse or drop, so that nothing goes missing unseen. "
        + "Routes of the listener `host` are AWS's names of operations, and `function-url`.", Catalogue.servers
    ),
    ("Process", "The agent's process, as Prometheus clients name it.", Catalogue.process),
  ]

  private static func section(_ title: String, _ text: String, _ families: [MetricFamily]) -> String {
    let rows = families.map { family in
      let label = family.labels.map { "`\($0.name)`" + values($0) }.joined(separator: "; ")
      let help = replacing(MetricFamily.windowPlaceholder + " s", in: family.help, with: "W")
      let unit = family.unit == .none ? "" : family.unit.rawValue
      let elsewhere = [family.cloudWatch ?? "", family.openTelemetry ?? "", isInNeither(family) ? "●" : ""]
      let cells = ["`\(family.name)`", family.kind.rawValue, unit, label, help] + elsewhere
      return "| " + cells.joined(separator: " | ") + " |\n"
    }
    return """
      ## \(title)

      \(text)

      | name | kind | unit | label | meaning | CloudWatch | OpenTelemetry | in neither |
      |---|---|---|---|---|---|---|---|
      \(rows.joined())
      """
  }

  /// Whether it tells something of functions that the two others have no metric for. What Kelvin tells about itself is no news.
  private static func isInNeither(_ family: MetricFamily) -> Bool {
    let isOfFunctions = family.name.hasPrefix("lambda_") && !settings.contains(family.name)
    return isOfFunctions && family.cloudWatch == nil && family.openTelemetry == nil
  }

  /// Settings of functions, which AWS's API has, and metrics that only say to which window the others belong.
  private static let settings: Set<String> = [
    "lambda_reserved_concurrency", "lambda_timeout_seconds", "lambda_temporary_storage_limit_bytes",
    "lambda_function_info", "lambda_window_end_timestamp_seconds",
  ]

  private static func values(_ label: MetricLabel) -> String {
    label.values.isEmpty ? "" : ": " + label.values.map { "`\($0)`" }.joined(separator: ", ")
  }

  private static var buckets: String {
    let rows = Catalogue.families.compactMap { family -> String? in
      let bounds: ClassicBounds
      switch family.source {
      case .distribution(let found, _), .eventSourceDistribution(_, let found, _): bounds = found
      case .function, .eventSource, .agent: return nil
      }
      return "| `\(family.name)` | \(bounds.values.map(number).joined(separator: ", ")) |\n"
    }
    return """
      ## Buckets

      Upper bounds, inclusive, in addition to `+Inf`. Kelvin counts in finer buckets, whose bounds include all of these, so the counts are exact.

      | histogram | bounds |
      |---|---|
      \(rows.joined())
      """
  }

  private static func number(_ value: Double) -> String {
    Int64(exactly: value).map { String($0) } ?? "\(value)"
  }

  private static func replacing(_ pattern: String, in text: String, with replacement: String) -> String {
    var rest = Substring(text)
    var result = ""
    while let start = rest.indices.first(where: { rest[$0...].hasPrefix(pattern) }) {
      result += rest[..<start] + replacement
      rest = rest[start...].dropFirst(pattern.count)
    }
    return result + rest
  }
}
