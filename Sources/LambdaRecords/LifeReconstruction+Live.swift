package import Lifecycle

// While functions run: what is complete is wanted at once, and nothing may grow for ever.
extension LifeReconstruction {
  /// Hands on the lives of which a report was read, and all of those that have waited for one for too long.
  ///
  /// - Parameter horizon: Requests whose last line is older wait no longer.
  /// - Complexity: O(requests that wait).
  package mutating func drainComplete(before horizon: Timestamp, _ take: (Life) -> Void) {
    emitReady(take)
    let chosen = order[orderHead...].filter { id in
      guard let life = pending[id] else { return false }
      if life.report != nil { return true }
      return (life.reportTime ?? life.endTime ?? life.startTime).map { $0 < horizon } ?? false
    }
    guard !chosen.isEmpty else { return }
    handOn(chosen, take)
    order = order[orderHead...].filter { pending[$0] != nil }
    orderHead = 0
    emitReady(take)
  }

  /// The requests that have begun, and of which no line says that they have ended.
  package var running: [(request: RequestID, function: String?, stream: Int, start: Timestamp)] {
    order[orderHead...].compactMap { id in
      guard let life = pending[id], life.hasStart, !life.isEnded, let start = life.startTime else { return nil }
      return (id, life.function ?? function(of: life.stream), life.stream, start)
    }
  }

  /// The instance whose stream this is, where its name says so.
  package func instance(of stream: Int) -> InstanceID? { streams[stream].instance }
}
