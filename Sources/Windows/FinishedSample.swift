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
    count(sample.finished)
    duration.record(sample.duration)
    if sample.finished.memoryUsedBytes > 0 { memoryUsed.record(sample.memory) }
  }

  /// Adds what several finished invocations say.
  mutating func add(_ invocations: FinishedColumns, _ rows: Range<Int>) {
    for row in rows { count(invocations.finished[row]) }
    let zeros = duration.record(rows, cells: invocations.durationCells.span) {
      invocations.finished[$0].duration.count
    }
    duration.recordZeros(zeros)
    memoryUsed.record(rows, cells: invocations.memoryCells.span) { invocations.finished[$0].memoryUsedBytes }
  }

  @inline(__always) private mutating func count(_ finished: InvocationFinished) {
    invocations[finished.trigger] &+= 1
    if finished.outcome != .success { add(finished.outcome, finished.timeoutSource) }
    if finished.isColdStart { coldStarts &+= 1 }
    if finished.isSpillover { spilloverInvocations &+= 1 }
    if finished.pool == .provisioned { provisionedInvocations &+= 1 }
    billedNanoseconds &+= Int128(max(0, finished.billed.count))
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
