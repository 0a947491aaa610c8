public import Lifecycle

extension Aggregator {
  /// What changed since the last checkpoint.
  ///
  /// - Complexity: O(functions + what changed).
  public mutating func checkpoint(now: Timestamp) -> Checkpoint {
    advance(to: now)
    scopes.countFinished()
    var checkpoint = scopes.checkpoint(now: now)
    checkpoint.live = live.state(scopes)
    return checkpoint
  }

  /// Makes the contents of a checkpoint that could not be stored due again with the next one.
  public mutating func checkpointFailed(_ checkpoint: Checkpoint) { scopes.checkpointFailed(checkpoint) }

  /// Continues from what a store kept.
  ///
  /// Of the requests that had finished, those in `Checkpoint.told` are remembered; all others were told by senders that number what they
  /// send, and never count twice.
  public init(_ configuration: AggregatorConfiguration, restoring checkpoint: Checkpoint) {
    self.init(configuration)
    advance(to: checkpoint.time)
    scopes.restore(checkpoint)
    live.restore(checkpoint.live, &scopes)
    for life in checkpoint.told where life.kind == .invocation { _ = live.recent.insert(RequestID(life.identity)) }
    scopes.restoreTimelines(checkpoint, executions: live.levels(functions: scopes.functions.count))
    scopes.restoreConcurrency(checkpoint.functions, running: live.startsOfRunning())
  }
}
