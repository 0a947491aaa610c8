import Lifecycle

/// How a process ended and what it used.
package struct ProcessExit: Equatable, Sendable {
  /// How the process ended.
  package enum Status: Equatable, Sendable {
    /// By itself, with this status (0 to 255).
    case exited(Int32)
    /// By this signal.
    case signaled(Int32)
    /// Killed, because its sandbox broke its memory limit.
    case outOfMemory
  }

  /// How it ended.
  var status: Status
  /// Processor time, user and system, of the process and the children it waited for.
  var processorTime: Nanoseconds

  /// An end.
  init(status: Status, processorTime: Nanoseconds) {
    self.status = status
    self.processorTime = processorTime
  }
}
