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
    `$LATEST`. Counters and histograms count from the first time Kelvin saw the function, go on after a restart, and are
    there at 0 from the first moment for every value of their label. W is the length of a window, 60 s unless configured.

    **CloudWatch** names the nearest that AWS has, **OpenTelemetry** the nearest of its conventions for functions as a service, where they
    have it; theirs may be cut or counted in another way. A ● marks what is in neither: not in CloudWatch's metrics of Lambda and Lambda
    Insights, nor in OpenTelemetry's FaaS conventions. Settings of functions are not marked: AWS tells them, though not as metrics.

    The [formats](formats/exposition.md) that it is served in.

    """

  private static let sections: [(title: String, text: String, families: [MetricFamily])] = [
    ("Counters of functions", "Look at them with `rate` or `increase`.", Catalogue.counters),
    ("Histograms of functions", "Look at them with `histogram_quantile`.", Catalogue.histograms),
    ("Functions now", "What a scrape happens to see; for peaks, use the next section.", Catalogue.gauges),
    (
      "Functions in the last closed window",
      "They stand still for W, so that no scraper misses a window whose scrapes come at least once in W. "
        + "Look at them with `max_over_time`. Maxima do not add up: for all functions together there are metrics of the account.",
      Catalogue.windowGauges
    ),
    ("Account", "All functions together.", Catalogue.account),
    ("Kelvin itself", "Look at these when numbers seem wrong.", Catalogue.kelvin),
    ("Process", "The agent's process, as Prometheus clients name it.", Catalogue.process),
  ]

  private static func section(_ title: String, _ text: String, _ families: [MetricFamily]) -> String {
    let rows = families.map { family in
      let label = family.label.map { "`\($0)`" + values(family) } ?? ""
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

  /// What a function was given, which AWS tells by its API, and what only says to which window the rest belongs.
  private static let settings: Set<String> = [
    "lambda_reserved_concurrency", "lambda_timeout_seconds", "lambda_temporary_storage_limit_bytes",
    "lambda_function_info", "lambda_window_end_timestamp_seconds",
  ]

  private static func values(_ family: MetricFamily) -> String {
    family.labelValues.isEmpty ? "" : ": " + family.labelValues.map { "`\($0)`" }.joined(separator: ", ")
  }

  private static var buckets: String {
    let rows = Catalogue.histograms.compactMap { family -> String? in
      guard case .distribution(let bounds, _) = family.source else { return nil }
      return "| `\(family.name)` | \(bounds.values.map(number).joined(separator: ", ")) |\n"
    }
    return """
      ## Buckets

      Upper bounds, included, beside `+Inf`. Kelvin counts in finer buckets than these, of which each bound is one, so the counts are exact.

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
