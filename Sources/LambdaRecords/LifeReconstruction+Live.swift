package import Lifecycle

// While functions run: what is complete is wanted at once, and nothing may grow for ever.
extension LifeReconstruction {
  /// Hands on the lives of which a report was read, and all of those that have waited for one for too long.
  ///
  /// - Parameter horizon: Requests whose last line is older wait no longer.
  /// - Complexity: O(requests that wait).
  package mutating func drainComplete(before horizon: Timestamp, _ take: (Life) -> Void) {
    emitReady(take)
    let chosen = requests.waiting.filter { id in
      guard let life = requests.pending[id] else { return false }
      if life.report != nil { return true }
      return (life.reportTime ?? life.endTime ?? life.startTime).map { $0 < horizon } ?? false
    }
    guard !chosen.isEmpty else { return }
    handOn(chosen, take)
    requests.order = requests.waiting.filter { requests.pending[$0] != nil }
    requests.orderHead = 0
    emitReady(take)
  }

  /// The requests that have begun, and of which no line says that they have ended.
  package var running: [(request: RequestID, function: String?, stream: Int, start: Timestamp)] {
    requests.waiting.compactMap { id in
      guard let life = requests.pending[id], life.hasStart, !life.isEnded, let start = life.startTime else {
        return nil
      }
      return (id, life.function ?? function(of: life.stream), life.stream, start)
    }
  }

  /// Notes a life that was handed on before: what is said of it again is known.
  package mutating func know(_ request: RequestID, from start: Timestamp, to end: Timestamp) {
    requests.finished.insert(request, (start, end))
    requests.hasAttempts = true
  }

  /// Notes an initialization that was handed on before.
  ///
  /// - Parameter time: Of the line that told it.
  package mutating func know(initializationOf instance: InstanceID, _ duration: Nanoseconds, at time: Timestamp) {
    knownInitializations[instance, default: []].append((duration, time))
  }

  /// Takes a life back that was handed on and could not be used, so that it can be told again.
  package mutating func forget(_ request: RequestID) { requests.finished.remove(request) }

  /// Continues with what is known of lives that were handed on, and nothing else.
  package mutating func beginAnew() {
    var next = LifeReconstruction()
    for (key, counts) in initializations {
      guard let instance = streams[key.stream].instance, next.knownInitializations.count < LifeReconstruction.keptMax
      else {
        continue
      }
      // One that only an invocation told has no line with a time of its own.
      for time in counts.told.isEmpty ? [nil] : counts.told {
        next.knownInitializations[instance, default: []].append((key.duration, time ?? Timestamp(nanoseconds: 0)))
      }
    }
    next.requests.finished = requests.finished
    next.requests.hasAttempts = requests.hasAttempts
    self = next
  }

  /// The instance whose stream this is, where its name says so.
  package func instance(of stream: Int) -> InstanceID? { streams[stream].instance }
}
