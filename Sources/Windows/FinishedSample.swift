import Lifecycle

/// A finished invocation with what is computed of it once for all that it is added to.
struct FinishedSample {
  let finished: InvocationFinished
  let end: Timestamp
  let duration: Distribution.Sample
  let memory: Distribution.Sample

  init(_ finished: InvocationFinished) {
    self.finished = finished
    end = finished.end
    duration = Distribution.Sample(.duration, finished.duration.count)
    memory = Distribution.Sample(.bytes, finished.memoryUsedBytes)
  }
}

extension Tally {
  /// Adds what a finished invocation says.
  mutating func add(_ sample: FinishedSample) {
    let finished = sample.finished
    invocations[finished.trigger] &+= 1
    if finished.outcome != .success { add(finished.outcome, finished.timeoutSource) }
    if finished.isColdStart { coldStarts &+= 1 }
    if finished.isSpillover { spilloverInvocations &+= 1 }
    if finished.pool == .provisioned { provisionedInvocations &+= 1 }
    billedNanoseconds &+= Int128(max(0, finished.billed.count))
    duration.record(sample.duration)
    if finished.memoryUsedBytes > 0 { memoryUsed.record(sample.memory) }
  }

  private mutating func add(_ outcome: Outcome, _ source: TimeoutSource?) {
    errors &+= 1
    switch outcome {
    case .timeout: timeouts[source ?? .platform] &+= 1
    case .crash: crashes &+= 1
    case .outOfMemory: outOfMemory &+= 1
    case .success, .error: break
    }
  }
}
