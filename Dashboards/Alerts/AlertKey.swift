public import Lifecycle

/// One key of the section `alerts` of a configuration: its name, what it may be, and where it goes.
public struct AlertKey: Sendable {
  /// What a value may be; bounds are included.
  public enum Kind: Sendable {
    case duration(any WritableKeyPath<AlertThresholds, Nanoseconds> & Sendable, ClosedRange<Nanoseconds>)
    case count(any WritableKeyPath<AlertThresholds, Int64> & Sendable, ClosedRange<Int64>)
    /// A count that there need not be.
    case optionalCount(any WritableKeyPath<AlertThresholds, Int64?> & Sendable, ClosedRange<Int64>)
    case share(any WritableKeyPath<AlertThresholds, Share> & Sendable, ClosedRange<Share>)
    /// The name of a job: 1 to 100 letters, digits and `_ . : / -`, so that it needs no escape in a query or template.
    case jobName(any WritableKeyPath<AlertThresholds, String> & Sendable)
    /// An address that begins with `https://` or `http://`, of at most 500 characters that are allowed in one, which leaves out
    /// the braces of templates.
    case address(any WritableKeyPath<AlertThresholds, String> & Sendable)
  }

  public let name: String
  public let kind: Kind
  /// One line for people, as a part of a sentence.
  public let meaning: String

  /// The default as it would be written in a configuration.
  public var defaultText: String {
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
  public static var table: String {
    let rows = all.map { "| `\($0.name)` | \($0.meaning) | `\($0.defaultText)` |\n" }
    return "| key | meaning | default |\n|---|---|---|\n" + rows.joined()
  }

  /// Whether a text can be the name of a job.
  public static func isJobName(_ text: String) -> Bool {
    (1...100).contains(text.utf8.count) && text.utf8.allSatisfy { isLetterOrDigit($0) || "_.:/-".utf8.contains($0) }
  }

  /// Whether a text can be the address that runbooks are under.
  public static func isAddress(_ text: String) -> Bool {
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

  /// In the order in which people are told of them.
  public static let all: [AlertKey] = general + concurrency + initializations + failures + databases + agent

  private static let general: [AlertKey] = [
    duration(
      "range", \.range, from: .seconds(4), to: .seconds(3_600),
      "the time over which events are counted and maxima looked up, `4s` to `1h`; at least four scrape intervals, and a window"
    ),
    duration(
      "for", \.pending, from: .zero, to: .seconds(86_400),
      "how long something must be near a limit before it is an alert, `0s` to `1d`"),
    count(
      "minimumInvocations", \.minimumInvocations,
      "shares of invocations are looked at from this many on in `range`"),
    AlertKey(name: "job", kind: .jobName(\.job), meaning: "`job_name` of the scrape configuration"),
    AlertKey(name: "runbooks", kind: .address(\.runbooks), meaning: "where the pages of docs/runbooks can be read"),
  ]

  private static let concurrency: [AlertKey] = [
    count("throttles", \.throttles, "more throttles in `range` are an alert"),
    share("throttledShare", \.throttledShare, "a larger share of calls that are throttled is critical"),
    share(
      "concurrencyShare", \.concurrencyShare, "a larger share of reserved or account concurrency is near the limit"),
    share("provisionedShare", \.provisionedShare, "a larger share of provisioned concurrency in use is an alert"),
    share(
      "provisionedIdleShare", \.provisionedIdleShare,
      "provisioned concurrency of which never more was used in `provisionedIdleAfter` is too much"),
    duration(
      "provisionedIdleAfter", \.provisionedIdleAfter, from: .seconds(60), to: .seconds(604_800),
      "how long that is looked at, `1m` to `7d`"),
    share(
      "spilloverShare", \.spilloverShare,
      "a larger share of invocations that found provisioned concurrency used up is an alert"),
  ]

  private static let initializations: [AlertKey] = [
    share("coldStartShare", \.coldStartShare, "a larger share of invocations that are cold starts is an alert"),
    duration(
      "initializationDuration", \.initializationDuration, from: .milliseconds(1), to: .seconds(900),
      "if more than a tenth of initializations take longer, they are slow; `1ms` to `15m`"),
    duration(
      "warmUpDuration", \.warmUpDuration, from: .milliseconds(1), to: .seconds(900), "the same for warm-up hooks"),
    duration(
      "initializationRange", \.initializationRange, from: .seconds(4), to: .seconds(86_400),
      "over which time these two are looked at, `4s` to `1d`"),
    count("minimumInitializations", \.minimumInitializations, "they are looked at from this many on in that time"),
    count("initializationFailures", \.initializationFailures, "more failed initializations in `range` are an alert"),
    count("warmUpFailures", \.warmUpFailures, "more failed warm-up hooks in `range` are an alert"),
  ]

  private static let failures: [AlertKey] = [
    AlertKey(
      name: "errorObjective",
      kind: .share(\.errorObjective, Share(percent: 50)...Share(millionths: 999_999)),
      meaning: "the share of invocations that shall succeed in 30 days, `50%` to `99.9999%`"),
    count(
      "errorMinimumInvocations", \.errorMinimumInvocations,
      "the error budget is looked at from this many invocations on in the longer of both times"),
    count("timeouts", \.timeouts, "more 504s in `range` are an alert"),
    count("crashes", \.crashes, "more crashes in `range` are an alert"),
    count("outOfMemory", \.outOfMemory, "more ends at the memory limit in `range` are an alert"),
    count(
      "overlappingExecutions", \.overlappingExecutions,
      "more timed-out handlers that still run are an alert"),
    share("memoryShare", \.memoryShare, "a larger share of the memory limit in use is near it"),
    share("durationShare", \.durationShare, "invocations that take a larger share of the timeout are near it"),
    duration(
      "trafficGoneAfter", \.trafficGoneAfter, from: .seconds(10), to: .seconds(86_400),
      "traffic is gone after this long without an invocation, `10s` to `1d`"),
    count(
      "trafficMinimumInvocations", \.trafficMinimumInvocations,
      "if there were at least this many in the hour before"),
  ]

  private static let databases: [AlertKey] = [
    AlertKey(
      name: "databaseConnectionsLimit", kind: .optionalCount(\.databaseConnectionsLimit, 1...10_000_000),
      meaning: "connections that the database takes; functions say theirs with `databaseConnections`"),
    share("databaseConnectionsShare", \.databaseConnectionsShare, "a larger share of them is near the limit"),
  ]

  private static let agent: [AlertKey] = [
    count("rejectedEvents", \.rejectedEvents, "more rejected events in `range` are an alert"),
    count("lateEvents", \.lateEvents, "more late events in `range` are an alert"),
    share("queueShare", \.queueShare, "a larger share of the queue of events in use is near its limit"),
    share("functionsShare", \.functionsShare, "a larger share of the functions that Kelvin keeps is near the limit"),
  ]
}
