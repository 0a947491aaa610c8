import Lifecycle

/// An execution that has started and not finished.
struct RunningExecution: Sendable {
  var position: Int
  var instance: InstanceID?
  var start: Timestamp
  var pool: ConcurrencyPool
  var isRemote: Bool
  /// Where its end was put because its instance stopped.
  var presumedEnd: Timestamp?
}

/// A handler that timed out and ran on beside the next invocation, as far as it has been seen.
struct Overlap: Sendable {
  var position: Int
  var instance: InstanceID
  var isRemote: Bool
  var start: Timestamp?
  var end: Timestamp?
  /// Where its end was put because its instance stopped.
  var presumedEnd: Timestamp?
}

/// What is in progress, request by request and instance by instance: what an event means for windows and totals depends on
/// what was reported before.
struct LiveRecords: Sendable {
  var executions = IdentifierMap<RequestID, RunningExecution>()
  var overlaps = IdentifierMap<RequestID, Overlap>()
  var instances = IdentifierMap<InstanceID, InstanceRecord>()
  /// Whether the event that is applied now comes from another process.
  var isRemote = false
  /// The requests that finished last, each of which counts once.
  var recent: RecentRequests

  init(_ configuration: AggregatorConfiguration) {
    recent = RecentRequests(limit: configuration.recentRequestsLimit)
  }

  /// Forgets instances and overlaps of which no more events are due.
  mutating func forgetStopped(before horizon: Timestamp) {
    instances.removeAll { _, record in
      if let stopped = record.stopped { return stopped < horizon }
      return record.started == nil && record.running.isEmpty
    }
    overlaps.removeAll { _, overlap in
      (overlap.end ?? overlap.presumedEnd).map { $0 < horizon } ?? false
    }
  }

  /// Ends everything that is in progress in the process that is gone.
  ///
  /// - Parameter time: The last instant at which it is known to have run. Not counted as invocations: nobody saw how
  ///   they ended.
  mutating func abandon(at time: Timestamp, _ scopes: inout Scopes) {
    for (instance, record) in instances where !record.isRemote && record.started != nil && record.stopped == nil {
      let position = record.position
      updateInstance(instance, position, &scopes) { $0.stopped = max(time, record.started ?? time) }
      scopes.changeTimelines(.instances, of: position) { $0.insertEnd(time, start: record.started ?? time) }
      scopes.touch(position, from: record.started ?? time, to: max(time, record.started ?? time))
    }
    presumeOverlapsEnded(at: time, &scopes) { !$0.isRemote }
    for (request, running) in executions where !running.isRemote { presumeEnd(request, at: time, &scopes) }
  }
}
