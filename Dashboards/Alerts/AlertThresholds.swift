package import Lifecycle

/// The thresholds of the alerts, and the few names that the rules need. ``AlertKey/all`` describes each.
package struct AlertThresholds: Hashable, Sendable {
  // What all rules share.
  /// The time over which events are counted and maxima are taken; at least four scrape intervals and one window.
  package var range = Nanoseconds.seconds(300)
  /// How long a value must be near its limit before an alert fires; zero: at once.
  package var pending = Nanoseconds.seconds(300)
  /// How many invocations in `range` alerts about shares of them need at least.
  package var minimumInvocations: Int64 = 20
  /// The `job_name` that Prometheus scrapes Kelvin under.
  package var job = "kelvin"
  /// The address that the pages of docs/runbooks are under; a slash is added if it does not end with one.
  package var runbooks = "https://kelvin.example/runbooks/"

  // Throttles and concurrency.
  /// Above this number of throttles in `range`, an alert fires.
  package var throttles: Int64 = 0
  /// Above this share of throttled calls, a critical alert fires.
  package var throttledShare = Share(percent: 10)
  /// Above this share, reserved or account concurrency is near its limit.
  package var concurrencyShare = Share(percent: 90)

  // Provisioned concurrency.
  /// Above this share of provisioned concurrency in use, it is near its limit.
  package var provisionedShare = Share(percent: 90)
  /// Below this share of provisioned concurrency in use, for `provisionedIdleAfter`, it is too large.
  package var provisionedIdleShare = Share(percent: 60)
  /// How long the use must stay below ``provisionedIdleShare``.
  package var provisionedIdleAfter = Nanoseconds.seconds(21_600)
  /// Above this share of invocations that found all provisioned instances busy, an alert fires.
  package var spilloverShare = Share(percent: 1)

  // Cold starts.
  /// Above this share of invocations that are cold starts, an alert fires.
  package var coldStartShare = Share(percent: 5)
  /// If more than a tenth of the initializations take longer, they are slow.
  package var initializationDuration = Nanoseconds.seconds(1)
  /// If more than a tenth of the warm-up hooks take longer, they are slow.
  package var warmUpDuration = Nanoseconds.seconds(1)
  /// The time over which initializations and warm-up hooks are measured.
  package var initializationRange = Nanoseconds.seconds(1_800)
  /// How many initializations in `initializationRange` the alerts about slow ones need at least.
  package var minimumInitializations: Int64 = 5
  /// Above this number of failed initializations in `range`, an alert fires.
  package var initializationFailures: Int64 = 0
  /// Above this number of failed warm-up hooks in `range`, an alert fires.
  package var warmUpFailures: Int64 = 0

  // Failures.
  /// The share of invocations that should succeed in 30 days; the rest is the error budget.
  package var errorObjective = Share(millionths: 999_000)
  /// How many invocations the error budget needs at least in the longer of an alert's two times.
  package var errorMinimumInvocations: Int64 = 100
  /// Above this number of 504s in `range`, an alert fires.
  package var timeouts: Int64 = 0
  /// Above this number of crashes in `range`, an alert fires.
  package var crashes: Int64 = 0
  /// Above this number of ends at the memory limit in `range`, an alert fires.
  package var outOfMemory: Int64 = 0
  /// Above this number of timed-out handlers that still run, an alert fires.
  package var overlappingExecutions: Int64 = 0
  /// Above this share of the memory limit, the memory in use is near it.
  package var memoryShare = Share(percent: 90)
  /// Above this share of the timeout, the longest invocation is near it.
  package var durationShare = Share(percent: 90)

  // Traffic.
  /// After this long without an invocation, traffic is gone.
  package var trafficGoneAfter = Nanoseconds.seconds(900)
  /// Traffic can be gone only after at least this many invocations in the hour before.
  package var trafficMinimumInvocations: Int64 = 100

  // Databases.
  /// `nil`: nothing is compared with a limit.
  package var databaseConnectionsLimit: Int64?
  /// Above this share of ``databaseConnectionsLimit``, connections are near it.
  package var databaseConnectionsShare = Share(percent: 80)

  // Queues and schedules.
  /// When the oldest message of a queue, or the oldest asynchronous event, has waited for longer, an alert fires.
  package var oldestMessage = Nanoseconds.seconds(900)
  /// Above this number of messages that were moved to a dead-letter queue in `range`, an alert fires.
  package var deadLetters: Int64 = 0
  /// Above this number of runs of a schedule that were missed or skipped in `range`, an alert fires.
  package var missedRuns: Int64 = 0
  /// When a run of a schedule came later than that, an alert fires.
  package var lateness = Nanoseconds.seconds(60)

  // Kelvin itself.
  /// Above this number of rejected events in `range`, an alert fires.
  package var rejectedEvents: Int64 = 0
  /// A source of events that was heard within a day is silent after this long.
  package var sourceSilentAfter = Nanoseconds.seconds(900)
  /// Above this number of late events in `range`, an alert fires.
  package var lateEvents: Int64 = 0
  /// Above this share of its limit, the queue of events is near it.
  package var queueShare = Share(percent: 50)
  /// Above this share of the functions that Kelvin keeps at most, their number is near it.
  package var functionsShare = Share(percent: 90)

  /// The defaults, which docs/guides/alerting.md lists.
  package init() {}
}
