public import Lifecycle

/// Where alerts begin, and the few names that rules need from outside. ``AlertKey/all`` describes each.
public struct AlertThresholds: Hashable, Sendable {
  // What all rules share.
  public var range = Nanoseconds.seconds(300)
  public var pending = Nanoseconds.seconds(300)
  public var minimumInvocations: Int64 = 20
  public var job = "kelvin"
  public var runbooks = "https://kelvin.example/runbooks/"

  // Throttles and concurrency.
  public var throttles: Int64 = 0
  public var throttledShare = Share(percent: 10)
  public var concurrencyShare = Share(percent: 90)

  // Provisioned concurrency.
  public var provisionedShare = Share(percent: 90)
  public var provisionedIdleShare = Share(percent: 60)
  public var provisionedIdleAfter = Nanoseconds.seconds(21_600)
  public var spilloverShare = Share(percent: 1)

  // Cold starts.
  public var coldStartShare = Share(percent: 5)
  public var initializationDuration = Nanoseconds.seconds(1)
  public var warmUpDuration = Nanoseconds.seconds(1)
  public var initializationRange = Nanoseconds.seconds(1_800)
  public var minimumInitializations: Int64 = 5
  public var initializationFailures: Int64 = 0
  public var warmUpFailures: Int64 = 0

  // Failures.
  public var errorObjective = Share(millionths: 999_000)
  public var errorMinimumInvocations: Int64 = 100
  public var timeouts: Int64 = 0
  public var crashes: Int64 = 0
  public var outOfMemory: Int64 = 0
  public var overlappingExecutions: Int64 = 0
  public var memoryShare = Share(percent: 90)
  public var durationShare = Share(percent: 90)

  // Traffic.
  public var trafficGoneAfter = Nanoseconds.seconds(900)
  public var trafficMinimumInvocations: Int64 = 100

  // Databases.
  /// `nil`: nothing is compared with a limit.
  public var databaseConnectionsLimit: Int64?
  public var databaseConnectionsShare = Share(percent: 80)

  // Kelvin itself.
  public var rejectedEvents: Int64 = 0
  public var lateEvents: Int64 = 0
  public var queueShare = Share(percent: 50)
  public var functionsShare = Share(percent: 90)

  public init() {}
}
