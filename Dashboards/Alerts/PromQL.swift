import Lifecycle

/// Parts of queries that rules share.
///
/// Series of functions may have the label `version`. What is counted is added up over versions, so that an alert speaks of a
/// function; the labels of targets (`job`, `instance` and others) stay.
enum PromQL {
  private static let units: [(name: String, nanoseconds: Int64)] = [
    ("d", 86_400_000_000_000), ("h", 3_600_000_000_000), ("m", 60_000_000_000), ("s", 1_000_000_000),
    ("ms", 1_000_000),
  ]

  /// A length of time as Prometheus reads it, in the largest unit that leaves no remainder; what is left under a millisecond is
  /// cut off.
  static func duration(_ length: Nanoseconds) -> String {
    let unit = units.first { length.count != 0 && length.count % $0.nanoseconds == 0 }
    guard let unit else { return length.count == 0 ? "0s" : "\(length.count / 1_000_000)ms" }
    return "\(length.count / unit.nanoseconds)\(unit.name)"
  }

  /// A length of time as a number of seconds, exact to the microsecond.
  static func seconds(_ length: Nanoseconds) -> String { Share(millionths: length.count / 1_000).decimal }

  /// What a counter rose by, over all versions of a function and all values of `labels`.
  ///
  /// `increase` alone would miss what happened before the first scrape of a function, because it takes the first value of a
  /// series for granted. Of a function that Kelvin has first seen within the range, the counter itself is the rise; a target
  /// that is new to Prometheus, or a Prometheus that starts again, makes no function new.
  static func increase(_ counter: String, _ range: Nanoseconds, over labels: String...) -> String {
    let text = duration(range)
    let own = ownLabels[counter].map { " ignoring (\($0))" } ?? ""
    // In one line, so that it stands well in any place of a query.
    let isNew = "time() - last_over_time(\(firstSeen)[\(text)]) < \(seconds(range))"
    return "sum without (\((["version"] + labels).joined(separator: ", "))) "
      + "(last_over_time(\(counter)[\(text)]) and\(own) \(isNew) or increase(\(counter)[\(text)]))"
  }

  private static let firstSeen = "lambda_function_first_seen_timestamp_seconds"

  /// The label that a counter of functions has beside those of the function, if it has one.
  private static let ownLabels = [
    "lambda_invocations_total": "trigger", "lambda_throttles_total": "reason", "lambda_timeouts_total": "source",
    "lambda_initializations_total": "initialization_type", "lambda_instance_stops_total": "reason",
  ]

  /// Whether a counter of Kelvin's own rose by more than `limit`, in one of its series.
  ///
  /// - Parameter label: The label that the counter has beside those of its target, if it has one.
  ///
  /// Such counters begin with the process, so in a process that is younger than the range they are the rise themselves.
  static func rose(
    _ counter: String, _ range: Nanoseconds, by limit: Int64, label: String? = nil
  ) -> String {
    let text = duration(range)
    let own = label.map { " ignoring (\($0))" } ?? ""
    return """
        increase(\(counter)[\(text)]) > \(limit)
      or
          last_over_time(\(counter)[\(text)]) > \(limit)
        and\(own)
          time() - last_over_time(process_start_time_seconds[\(text)]) < \(seconds(range))
      """
  }

  /// The largest value of a gauge, so that one failed scrape does not reset an alert.
  static func max(_ gauge: String, _ range: Nanoseconds) -> String { "max_over_time(\(gauge)[\(duration(range))])" }

  /// The newest value of a gauge, for limits: they hold although a scrape failed, and a raised one counts at once.
  static func last(_ gauge: String, _ range: Nanoseconds) -> String { "last_over_time(\(gauge)[\(duration(range))])" }

  /// A quantile of a histogram over all versions of a function: classic, or native where Prometheus keeps it so.
  static func quantile(_ quantile: String, _ histogram: String, _ range: Nanoseconds) -> String {
    let parts = ["_bucket", ""].map { suffix in
      "  histogram_quantile(\(quantile), sum without (version) (rate(\(histogram)\(suffix)[\(duration(range))])))\n"
    }
    return "(\n" + parts.joined(separator: "or\n") + ")"
  }
}
