package import Lifecycle

/// A number of an event source, with all that is said about it anywhere.
///
/// The rows stand in ``all(of:)``, for each kind of source those that it has. Metrics, documents and tables walk over them.
package struct EventSourceNumber: Sendable {
  /// Where a rollup has it.
  package enum Content: Hashable, Sendable {
    /// A sum.
    case count(EventSourceCounter)
    /// The most that there was at one instant.
    case level(EventSourceLevel)
    /// The greatest age of the oldest thing that waited.
    case oldestAge
    /// A distribution of lengths of time.
    case distribution(EventSourceDuration)
  }

  /// How it is exposed: counts and distributions as totals since Kelvin first saw the source, levels and ages as they are now and, by
  /// another name, as the maximum of the last closed window.
  package struct Metric: Sendable {
    /// The name of the metric family, such as `lambda_queue_messages_received_total`.
    package let name: String
    /// The name of the maximum; `nil` for what adds up.
    package let maximumName: String?
    /// What it means, in one line.
    package let help: String
    /// What the maximum means.
    package let maximumHelp: String
    /// What CloudWatch calls the nearest that it has; `nil` if it has nothing like it.
    package let cloudWatch: String?
    /// The upper bounds of a distribution's classic buckets.
    package let bounds: ClassicBounds?
  }

  /// A column of the table of windows, and of its CSV.
  package typealias Column = TallyNumber.Column

  /// What it is.
  package let content: Content
  /// The member of a window's document.
  package let member: String
  /// The metric of the totals, or of what there is now.
  package let metric: Metric
  /// The columns of the table of windows; empty if it is not shown there.
  package let columns: [Column]

  init(
    _ content: Content, member: String, columns: [Column] = [], metric: String, maximum: String? = nil, help: String,
    maximumHelp: String = "", cloudWatch: String? = nil, bounds: ClassicBounds? = nil
  ) {
    self.content = content
    self.member = member
    self.columns = columns
    self.metric = Metric(
      name: metric, maximumName: maximum, help: help, maximumHelp: maximumHelp, cloudWatch: cloudWatch, bounds: bounds)
  }

  /// Every number of a kind of source, in the order of a window's document: counts, maxima, distributions. None of function URLs, which
  /// are no source.
  package static func all(of trigger: Trigger) -> [EventSourceNumber] {
    switch trigger {
    case .queue: ofQueues
    case .schedule: ofSchedules
    case .websocket: ofWebSockets
    case .direct: ofAsynchronousInvocations
    case .http: []
    }
  }
}

extension Trigger {
  /// The kinds of event sources, in the order in which they are shown.
  package static let eventSources: [Trigger] = [.queue, .schedule, .websocket, .direct]

  /// What names a source of this kind in queries and documents.
  package var sourceMember: String { self == .direct ? "asynchronous" : name }

  /// The label that names a source of this kind in metrics.
  package var sourceLabel: String { self == .direct ? "function" : name }

  /// What people call sources of this kind.
  package var sourceNoun: String {
    switch self {
    case .queue: "queue"
    case .schedule: "schedule"
    case .websocket: "WebSocket"
    case .direct: "function with asynchronous invocations"
    case .http: "function URL"
    }
  }
}
