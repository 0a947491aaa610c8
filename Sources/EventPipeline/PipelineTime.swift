package import Lifecycle

/// The clock of a pipeline, which is given to it: it has none of its own.
package struct PipelineTime: Sendable {
  /// The process's clock; called from any thread.
  package var now: @Sendable () -> Timestamp
  /// Returns after so long, or when the task is cancelled. Steps of the system's clock make it neither longer nor shorter.
  package var pause: @Sendable (Nanoseconds) async -> Void

  /// Makes a time of the process's clock and of a way to wait that does not depend on it.
  package init(now: @escaping @Sendable () -> Timestamp, pause: @escaping @Sendable (Nanoseconds) async -> Void) {
    self.now = now
    self.pause = pause
  }
}
