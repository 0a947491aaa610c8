import Lifecycle

/// An instance, as far as it has been seen.
struct InstanceRecord: Sendable {
  var position: Int
  var isRemote: Bool
  var initializationType = InitializationType.onDemand
  var started: Timestamp?
  var stopped: Timestamp?
  var initialization: Nanoseconds?
  var warmUp: Nanoseconds?
  var isReady = false
  var invocations: UInt64 = 0
  /// Executions in progress in it.
  var running: [RequestID] = []

  /// What it is doing now; `nil` if it is not alive.
  var state: InstanceState? {
    guard started != nil && stopped == nil else { return nil }
    if !running.isEmpty { return .busy }
    return isReady ? .idle : .initializing
  }

  /// Changes the record, and says whose it is and what the instance was doing before and does after.
  mutating func changing(
    _ change: (inout InstanceRecord) -> Void
  ) -> (position: Int, before: InstanceState?, after: InstanceState?) {
    let before = state
    change(&self)
    return (position, before, state)
  }
}
