package import HTTPServer

/// What a host counts beside its events: what its listeners did, and what it dropped. May be used from any thread.
final class HostCounters: Sendable {
  /// What is dropped because of a limit or a failure.
  enum Drop: Int, CaseIterable, Sendable {
    /// A line that a program printed faster than the host reads.
    case unreadLine
    /// A line that could not be written into a log.
    case unwrittenLine
    /// An attempt to deliver telemetry that was not acknowledged.
    case telemetryDelivery
    /// A record of telemetry that did not reach a subscriber.
    case telemetryRecord
    /// An asynchronous event that found the queue full.
    case refusedEvent
    /// An asynchronous event whose repetitions are used up.
    case failedEvent
    /// An asynchronous event that was too old to be repeated.
    case expiredEvent
  }

  /// The listener for callers.
  let front = ListenerStatistics("host", FrontRoutes.shared)
  /// The listeners of all instances.
  let instances = ListenerStatistics("instance", InstanceRoutes.table)
  private let drops = CounterArray(count: Drop.allCases.count)

  /// Counts what was dropped.
  func count(_ drop: Drop, _ amount: Int = 1) {
    if amount > 0 { drops.add(amount, at: drop.rawValue) }
  }

  /// The counts so far.
  var counts: HostCounts {
    let dropped = { [drops] (drop: Drop) in UInt64(drops[drop.rawValue]) }
    return HostCounts(
      listeners: [front.counts, instances.counts], unreadLogLines: dropped(.unreadLine),
      unwrittenLogLines: dropped(.unwrittenLine), failedTelemetryDeliveries: dropped(.telemetryDelivery),
      droppedTelemetryRecords: dropped(.telemetryRecord), asynchronousEventsRefused: dropped(.refusedEvent),
      asynchronousEventsFailed: dropped(.failedEvent), asynchronousEventsExpired: dropped(.expiredEvent))
  }
}

/// What a host did and dropped since it was started; each only grows, but for open connections.
package struct HostCounts: Sendable, Equatable {
  /// The listener for callers, and those of all instances together.
  package var listeners: [ListenerCounts]
  /// Lines that programs printed faster than the host reads.
  package var unreadLogLines: UInt64
  /// Lines that could not be written into a log: the disk was too slow, or refused them.
  package var unwrittenLogLines: UInt64
  /// Attempts to deliver telemetry that were not acknowledged.
  package var failedTelemetryDeliveries: UInt64
  /// Records of telemetry that did not reach an extension that subscribed to them.
  package var droppedTelemetryRecords: UInt64
  /// Asynchronous events that found the queue full.
  package var asynchronousEventsRefused: UInt64
  /// Asynchronous events whose repetitions are used up.
  package var asynchronousEventsFailed: UInt64
  /// Asynchronous events that were too old to be repeated.
  package var asynchronousEventsExpired: UInt64
}
