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
    let before = (http: invocations[.http], all: invocations.total)
    var (responses, gatewayTimeouts) = (WordCounts<ResponseClass>(), UInt64(0))
    count(sample.finished, &responses, &gatewayTimeouts)
    let isHTTP = invocations[.http] != before.http
    if isHTTP { addHTTP(responses, gatewayTimeouts: gatewayTimeouts) }
    if keepsHTTPDurations(before: before), isHTTP { http.duration.record(sample.duration) }
    duration.record(sample.duration)
    if sample.finished.memoryUsedBytes > 0 { memoryUsed.record(sample.memory) }
  }

  /// Adds what several finished invocations say.
  mutating func add(_ invocations: FinishedColumns, _ rows: Range<Int>) {
    let before = (http: self.invocations[.http], all: self.invocations.total)
    var (responses, gatewayTimeouts) = (WordCounts<ResponseClass>(), UInt64(0))
    for row in rows { count(invocations.finished[row], &responses, &gatewayTimeouts) }
    if self.invocations[.http] != before.http { addHTTP(responses, gatewayTimeouts: gatewayTimeouts) }
    if keepsHTTPDurations(before: before) { addHTTPDurations(invocations, rows) }
    let zeros = duration.record(rows, cells: invocations.durationCells.span) {
      invocations.finished[$0].duration.count
    }
    duration.recordZeros(zeros)
    memoryUsed.record(rows, cells: invocations.memoryCells.span) { invocations.finished[$0].memoryUsedBytes }
  }

  private mutating func addHTTPDurations(_ invocations: FinishedColumns, _ rows: Range<Int>) {
    for row in rows where invocations.finished[row].trigger == .http {
      let value = invocations.finished[row].duration.count
      http.duration.record(Distribution.Sample(.duration, value, cell: Int(invocations.durationCells[row])))
    }
  }

  @inline(__always) private mutating func count(
    _ finished: InvocationFinished, _ responses: inout WordCounts<ResponseClass>, _ gatewayTimeouts: inout UInt64
  ) {
    invocations[finished.trigger] &+= 1
    if finished.trigger == .http {
      responses[ResponseClass(status: finished.responseStatus)] &+= 1
      if finished.responseStatus == 504 { gatewayTimeouts &+= 1 }
    }
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
