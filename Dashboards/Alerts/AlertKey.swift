package import Lifecycle

/// One key of the section `alerts` of a configuration: its name, its valid values, and the threshold that it sets.
package struct AlertKey: Sendable {
  /// What a value may be; bounds are included.
  package enum Kind: Sendable {
    /// A length of time, written as `5m`.
    case duration(any WritableKeyPath<AlertThresholds, Nanoseconds> & Sendable, ClosedRange<Nanoseconds>)
    /// A whole number.
    case count(any WritableKeyPath<AlertThresholds, Int64> & Sendable, ClosedRange<Int64>)
    /// A count that there need not be.
    case optionalCount(any WritableKeyPath<AlertThresholds, Int64?> & Sendable, ClosedRange<Int64>)
    /// A part of a whole, written as `90%` or `0.9`.
    case share(any WritableKeyPath<AlertThresholds, Share> & Sendable, ClosedRange<Share>)
    /// The name of a job: 1 to 100 letters, digits and `_ . : / -`, so that it needs no escape in a query or template.
    case jobName(any WritableKeyPath<AlertThresholds, String> & Sendable)
    /// An address that begins with `https://` or `http://`, of at most 500 characters that are allowed in one, which leaves out
    /// the braces of templates.
    case address(any WritableKeyPath<AlertThresholds, String> & Sendable)
  }

  /// The key as it is written in a configuration; unique.
  package let name: String
  /// What its value may be, and which threshold it sets.
  package let kind: Kind
  /// One line for people, as a part of a sentence.
  package let meaning: String

  /// The default as it would be written in a configuration.
  package var defaultText: String {
    let thresholds = AlertThresholds()
    switch kind {
    case .duration(let path, _): return PromQL.duration(thresholds[keyPath: path])
    case .count(let path, _): return "\(thresholds[keyPath: path])"
    case .optionalCount(let path, _): return thresholds[keyPath: path].map { "\($0)" } ?? "none"
    case .share(let path, _): return thresholds[keyPath: path].percentage
    case .jobName(let path), .address(let path): return thresholds[keyPath: path]
    }
  }

  /// The table of all keys for people, in Markdown. docs/guides/alerting.md has it.
  package static var table: String {
    let rows = all.map { "| `\($0.name)` | \($0.meaning) | `\($0.defaultText)` |\n" }
    return "| key | meaning | default |\n|---|---|---|\n" + rows.joined()
  }

  /// Whether a text can be the name of a job.
  package static func isJobName(_ text: String) -> Bool {
    (1...100).contains(text.utf8.count) && text.utf8.allSatisfy { isLetterOrDigit($0) || "_.:/-".utf8.contains($0) }
  }

  /// Whether a text can be the address that runbooks are under.
  package static func isAddress(_ text: String) -> Bool {
    guard text.utf8.count <= 500, text.hasPrefix("https://") || text.hasPrefix("http://") else { return false }
    guard text.split(separator: "/").count >= 2 else { return false }
    return text.utf8.allSatisfy { isLetterOrDigit($0) || "-._~:/?[]@!$&'()*+,;=%".utf8.contains($0) }
  }

  private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
    (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
  }
}

extension AlertKey {
  private static let counts: ClosedRange<Int64> = 0...1_000_000_000
  private static let shares = Share(millionths: 1)...Share(percent: 100)

  private static func duration(
    _ name: String, _ path: any WritableKeyPath<AlertThresholds, Nanoseconds> & Sendable, from first: Nanoseconds,
    to last: Nanoseconds, _ meaning: String
  ) -> AlertKey {
    AlertKey(name: name, kind: .duration(path, first...last), meaning: meaning)
  }

  private static func count(
    _ name: String, _ path: any WritableKeyPath<AlertThresholds, Int64> & Sendable, _ meaning: String
  ) -> AlertKey { AlertKey(name: name, kind: .count(path, counts), meaning: meaning) }

  private static func share(
    _ name: String, _ path: any WritableKeyPath<AlertThresholds, Share> & Sendable, _ meaning: String
  ) -> AlertKey { AlertKey(name: name, kind: .share(path, shares), meaning: meaning) }

  /// In the order in which documentation and messages list them.
  package static let all: [AlertKey] = general + concurrency + initializations + failures + databases + sources + agent

  private static let general: [AlertKey] = [
    duration(
      "range", \.range, from: .seconds(4), to: .seconds(3_600),
      "the time over which events are counted and maxima are taken, `4s` to `1h`; at least four scrape intervals and one window"
    ),
    duration(
      "for", \.pending, from: .zero, to: .seconds(86_400),
      "how long a value must be near its limit before an alert fires, `0s` to `1d`"),
    count(
      "minimumInvocations", \.minimumInvocations,
      "alerts about shares of invocations need at least this many in `range`"),
    AlertKey(name: "job", kind: .jobName(\.job), meaning: "`job_name` of the scrape configuration"),
    AlertKey(name: "runbooks", kind: .address(\.runbooks), meaning: "the address of the pages of docs/runbooks"),
  ]

  private static let concurrency: [AlertKey] = [
    count("throttles", \.throttles, "an alert fires above this number of throttles in `range`"),
    share("throttledShare", \.throttledShare, "a critical alert fires above this share of throttled calls"),
    share(
      "concurrencyShare", \.concurrencyShare, "above this share, reserved or account concurrency is near its limit"),
    share("provisionedShare", \.provisionedShare, "an alert fires above this share of provisioned concurrency in use"),
    share(
      "provisionedIdleShare", \.provisionedIdleShare,
      "provisioned concurrency is too large if its use stays below this share for `provisionedIdleAfter`"),
    duration(
      "provisionedIdleAfter", \.provisionedIdleAfter, from: .seconds(60), to: .seconds(604_800),
      "how long its use must stay below that share, `1m` to `7d`"),
    share(
      "spilloverShare", \.spilloverShare,
      "an alert fires above this share of invocations that found all provisioned instances busy"),
  ]

  private static let initializations: [AlertKey] = [
    share("coldStartShare", \.coldStartShare, "an alert fires above this share of invocations that are cold starts"),
    duration(
      "initializationDuration", \.initializationDuration, from: .milliseconds(1), to: .seconds(900),
      "initializations are slow if more than a tenth of them take longer, `1ms` to `15m`"),
    duration(
      "warmUpDuration", \.warmUpDuration, from: .milliseconds(1), to: .seconds(900), "the same for warm-up hooks"),
    duration(
      "initializationRange", \.initializationRange, from: .seconds(4), to: .seconds(86_400),
      "the time over which these two are measured, `4s` to `1d`"),
    count(
      "minimumInitializations", \.minimumInitializations,
      "these two need at least this many initializations in that time"),
    count(
      "initializationFailures", \.initializationFailures,
      "an alert fires above this number of failed initializations in `range`"),
    count("warmUpFailures", \.warmUpFailures, "an alert fires above this number of failed warm-up hooks in `range`"),
  ]

  private static let failures: [AlertKey] = [
    AlertKey(
      name: "errorObjective",
      kind: .share(\.errorObjective, Share(percent: 50)...Share(millionths: 999_999)),
      meaning: "the share of invocations that should succeed in 30 days, `50%` to `99.9999%`"),
    count(
      "errorMinimumInvocations", \.errorMinimumInvocations,
      "the error budget needs at least this many invocations in the longer of its two times"),
    count("timeouts", \.timeouts, "an alert fires above this number of 504s in `range`"),
    count("crashes", \.crashes, "an alert fires above this number of crashes in `range`"),
    count("outOfMemory", \.outOfMemory, "an alert fires above this number of ends at the memory limit in `range`"),
    count(
      "overlappingExecutions", \.overlappingExecutions,
      "an alert fires above this number of timed-out handlers that still run"),
    share("memoryShare", \.memoryShare, "above this share, the memory in use is near its limit"),
    share("durationShare", \.durationShare, "above this share of the timeout, the longest invocation is near it"),
    duration(
      "trafficGoneAfter", \.trafficGoneAfter, from: .seconds(10), to: .seconds(86_400),
      "traffic is gone after this long without an invocation, `10s` to `1d`"),
    count(
      "trafficMinimumInvocations", \.trafficMinimumInvocations,
      "traffic can be gone only after at least this many invocations in the hour before"),
  ]

  private static let databases: [AlertKey] = [
    AlertKey(
      name: "databaseConnectionsLimit", kind: .optionalCount(\.databaseConnectionsLimit, 1...10_000_000),
      meaning: "how many connections the database accepts; functions declare theirs with `databaseConnections`"),
    share(
      "databaseConnectionsShare", \.databaseConnectionsShare,
      "above this share, database connections are near that limit"),
  ]

  private static let sources: [AlertKey] = [
    duration(
      "oldestMessage", \.oldestMessage, from: .seconds(1), to: .seconds(1_209_600),
      "an alert fires when the oldest message of a queue has waited for longer, `1s` to `14d`"),
    count(
      "deadLetters", \.deadLetters,
      "an alert fires above this number of messages that went to a dead-letter queue in `range`"),
    count(
      "missedRuns", \.missedRuns,
      "an alert fires above this number of runs of a schedule that were missed or skipped in `range`"),
    duration(
      "lateness", \.lateness, from: .milliseconds(1), to: .seconds(86_400),
      "an alert fires when a run of a schedule came later than that, `1ms` to `1d`; exact at bounds of the histogram"),
  ]

  private static let agent: [AlertKey] = [
    count("rejectedEvents", \.rejectedEvents, "an alert fires above this number of rejected events in `range`"),
    duration(
      "sourceSilentAfter", \.sourceSilentAfter, from: .seconds(10), to: .seconds(43_200),
      "a source of events that was heard within a day is silent after this long, `10s` to `12h`"),
    count("lateEvents", \.lateEvents, "an alert fires above this number of late events in `range`"),
    share("queueShare", \.queueShare, "above this share, the queue of events is near its limit"),
    share(
      "functionsShare", \.functionsShare,
      "above this share, the number of functions is near the most that Kelvin keeps"),
  ]
}
