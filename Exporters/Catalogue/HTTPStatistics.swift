/// What the servers of one listener did, since the process started.
public struct HTTPStatistics: Sendable, Equatable {
  /// How often requests for a route were answered with a class of status.
  public struct Requests: Sendable, Equatable {
    /// The route's name; `other` for requests without a route.
    public var route: String
    /// The class: `2xx` and the like.
    public var statusClass: String
    /// How often.
    public var count: UInt64

    /// Answers of one kind.
    public init(route: String, statusClass: String, count: UInt64) {
      self.route = route
      self.statusClass = statusClass
      self.count = count
    }
  }

  /// How often something was refused for one reason.
  public struct Refusals: Sendable, Equatable {
    /// The reason's name.
    public var reason: String
    /// How often.
    public var count: UInt64

    /// Refusals of one kind.
    public init(reason: String, count: UInt64) {
      self.reason = reason
      self.count = count
    }
  }

  /// `agent`, `host`, or `instance` for the APIs of all instances.
  public var listener: String
  /// Connections that are open now.
  public var connections: Int64 = 0
  /// Answers that came when nobody waited for them any more.
  public var droppedAnswers: UInt64 = 0
  /// Each reason that there is, also those that never came up.
  public var refused: [Refusals] = []
  /// Those that came up at least once.
  public var requests: [Requests] = []

  /// A listener that did nothing yet.
  public init(listener: String) { self.listener = listener }
}

/// What the function host of the process dropped, since it started.
public struct HostStatistics: Sendable, Equatable {
  /// Lines that programs printed faster than the host reads.
  public var unreadLogLines: UInt64 = 0
  /// Lines that the host could not write into a log: the disk was too slow, or refused them.
  public var unwrittenLogLines: UInt64 = 0
  /// Attempts to deliver telemetry to an extension that the extension did not acknowledge.
  public var failedTelemetryDeliveries: UInt64 = 0
  /// Records of telemetry that did not reach an extension that subscribed to them.
  public var droppedTelemetryRecords: UInt64 = 0
  /// Asynchronous events that found the queue full.
  public var asynchronousEventsRefused: UInt64 = 0
  /// Asynchronous events that failed as often as they may be repeated.
  public var asynchronousEventsFailed: UInt64 = 0
  /// Asynchronous events that were too old to be repeated.
  public var asynchronousEventsExpired: UInt64 = 0

  /// Nothing dropped.
  public init() {}
}
