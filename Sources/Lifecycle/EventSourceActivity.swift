/// What brings events to functions beside direct calls: a queue, a schedule, a WebSocket, by its trigger and its name.
public struct EventSourceID: Hashable, Comparable, Sendable {
  /// What kind of source it is.
  public var trigger: Trigger
  /// Its name in the configuration or in the API that made it, such as `mail.fifo`; at most ``FunctionID/nameBytesLimit`` bytes.
  public var name: String

  /// Makes an identity; nothing is checked here.
  public init(_ trigger: Trigger, _ name: String) {
    self.trigger = trigger
    self.name = name
  }

  /// Orders by trigger and then by name.
  public static func < (left: EventSourceID, right: EventSourceID) -> Bool {
    left.trigger == right.trigger ? left.name < right.name : left.trigger.rawValue < right.trigger.rawValue
  }
}

/// Something happened at an event source: all that changed with it, at one instant.
public struct EventSourceActivity: Hashable, Sendable {
  /// The most changes that one event may have.
  public static let changesLimit = 256

  /// When it happened.
  public var time: Timestamp
  /// What changed, at most ``changesLimit``; each counter, level and duration any number of times, in this order.
  public var changes: [EventSourceChange]

  /// Makes the event of what changed at `time`.
  public init(time: Timestamp, _ changes: [EventSourceChange]) {
    self.time = time
    self.changes = changes
  }
}

/// One thing that changed at an event source.
public enum EventSourceChange: Hashable, Sendable {
  /// So many more happened; at least 0. A window has the sum.
  case counted(EventSourceCounter, Int64)
  /// So many there are from now on; at least 0. A window has the maximum of what held at any instant of it, what it began with included.
  case level(EventSourceLevel, Int64)
  /// The oldest thing that waits has waited since then; `nil`: nothing waits. A window has the greatest age at any instant of it.
  case oldest(Timestamp?)
  /// One thing took so long; at least 0. A window has count, sum, maximum and distribution.
  case measured(EventSourceDuration, Nanoseconds)
  /// The source was taken out: from now on nothing waits and nothing is in progress, until it tells something again.
  case gone
}

/// What is counted at event sources. Not every source counts everything.
public enum EventSourceCounter: UInt8, Word {
  /// Messages that a queue took; a schedule's times that came; messages that came over sockets.
  case received
  /// Messages that a queue had within five minutes and answered with the first one's id.
  case deduplicated
  /// Messages, runs or jobs that were handed to a function, each attempt.
  case delivered
  /// Those that it was done with: deleted, run, answered.
  case processed
  /// Attempts that failed with an error of the function, timeouts not included.
  case failed
  /// Attempts that timed out.
  case timedOut
  /// Attempts that were refused for lack of concurrency.
  case throttled
  /// Deliveries after the first.
  case retried
  /// Messages that were moved to a dead-letter queue, or events to a destination for failures.
  case deadLettered
  /// Messages that were dropped because of their age, or where nothing takes dead letters.
  case dropped
  /// Runs of a schedule that were left out because the last one still ran.
  case skipped
  /// Runs of a schedule that came late because no host ran at their time.
  case missed
  /// Connections that were accepted.
  case connected
  /// Connections that were refused.
  case refused
  /// Connections that ended.
  case disconnected
  /// Messages sent to clients.
  case sent

  /// Kelvin's own words.
  public var name: String {
    switch self {
    case .received: "received"
    case .deduplicated: "deduplicated"
    case .delivered: "delivered"
    case .processed: "processed"
    case .failed: "failed"
    case .timedOut: "timed-out"
    case .throttled: "throttled"
    case .retried: "retried"
    case .deadLettered: "dead-lettered"
    case .dropped: "dropped"
    case .skipped: "skipped"
    case .missed: "missed"
    case .connected: "connected"
    case .refused: "refused"
    case .disconnected: "disconnected"
    case .sent: "sent"
    }
  }
}

/// What there is so and so much of at an event source at one instant.
public enum EventSourceLevel: UInt8, Word {
  /// Messages that could be delivered now (AWS: visible), or those of a queue of events.
  case waiting
  /// Messages that wait for a time (AWS: delayed).
  case delayed
  /// Messages that a function or a consumer has (AWS: not visible); runs in progress; messages of sockets in progress.
  case inFlight
  /// Groups of a FIFO queue of which a message is in flight.
  case groupsInFlight
  /// Open connections.
  case connections

  /// Kelvin's own words.
  public var name: String {
    switch self {
    case .waiting: "waiting"
    case .delayed: "delayed"
    case .inFlight: "in-flight"
    case .groupsInFlight: "groups-in-flight"
    case .connections: "connections"
    }
  }
}

/// What is measured at an event source.
public enum EventSourceDuration: UInt8, Word {
  /// From when a message could first be delivered until it was, or from a schedule's time until its run was handed over (lateness).
  case waiting
  /// From a delivery until its end, as the source saw it.
  case processing
  /// From the opening of a connection until its end.
  case connection

  /// Kelvin's own words.
  public var name: String {
    switch self {
    case .waiting: "waiting"
    case .processing: "processing"
    case .connection: "connection"
    }
  }
}
