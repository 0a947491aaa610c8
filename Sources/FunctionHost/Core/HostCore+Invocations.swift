import HostRules
import LambdaAPI
import LambdaRecords
import Lifecycle
import NIOCore

extension HostCore {
  /// Admits or refuses an event, whose source is told of its end: of a refusal at once, of an admitted one later.
  func submit(_ submission: Submission) {
    let now = clock.now()
    switch dispatcher.admit(submission, at: now, in: self) {
    case .throttled(let reason):
      emit(
        .function(self[submission.function].id),
        .throttled(Throttled(time: now, reason: reason, trigger: submission.trigger)))
      submission.completion.throttled(submission, reason, at: now, in: self)
    case .admitted(let grant):
      let eventID = submission.isRepeated ? newRequestID() : submission.request
      dispatcher.place(
        Invocation(submission, eventID: eventID, grant: grant, admittedAt: now), at: now, in: self)
    }
  }

  /// Gives an instance the event of an invocation.
  func handOver(_ invocation: Invocation, to instance: Instance, at now: Timestamp) {
    instance.invocation = invocation
    if invocation.handedOverAt == nil {
      begin(invocation, in: instance, at: now)
      // On demand, first of its instance, and there before the instance was ready: this one waited for it.
      invocation.isCold =
        invocation.hasWaited && instance.servedCount == 0 && !instance.isProvisioned
        && instance.machine.readyAt.map { $0 >= invocation.admittedAt } ?? false
    }
    thaw(instance)
    for overlapping in instance.machine.handOver(invocation.eventID) {
      emit(instance, .overlapStarted(OverlapStarted(request: overlapping, time: now)))
    }
    // Functions and extensions compare it with the system's clock.
    let deadline = clock.wallTime(of: (invocation.handedOverAt ?? now) + invocation.timeout)
    reporter.handedOver(to: instance, at: now)
    extensions.tellExtensions(of: invocation, in: instance, deadline: deadline, in: self)
    runtimes.give(invocation, deadline: deadline, to: instance)
  }

  /// The instance can take an event.
  func becameAvailable(_ instance: Instance, at now: Timestamp) {
    dispatcher.tell(.available, of: instance, at: now, in: self)
    freezeIfIdle(instance)
  }

  /// The function's time runs from here.
  func begin(_ invocation: Invocation, in instance: Instance, at now: Timestamp) {
    invocation.handedOverAt = now
    let timeout = self[instance.function].timeout(of: instance.version, for: invocation.submission.trigger)
    invocation.timeout = invocation.submission.timeLimit.map { min($0, timeout) } ?? timeout
    instance.invocation = invocation
    instance.noteAttempt(invocation)
    if invocation.hasWaited { emit(instance, .invocationHandedOver(invocation.handedOver(at: now))) }
    if invocation.submission.wantsLog { invocation.tail = LogTail(invocation.request) }
    reporter.tellStart(of: invocation, in: instance, at: now, in: self)
    setDeadline(of: instance, after: invocation.timeout)
  }

  /// Gives an invocation its end: the slot, the event, the answer. A second call does nothing.
  func finish(_ invocation: Invocation, in instance: Instance?, _ result: InvocationResult, at now: Timestamp) {
    guard !invocation.isFinished else { return }
    invocation.isFinished = true
    instance?.invocation = nil
    // One that failed while it initialized inside the invocation has served nothing.
    if let instance, instance.machine.readyAt != nil { instance.servedCount += 1 }
    if let instance, extensions.holdsSlot(invocation, in: instance) {} else { releaseSlot(of: invocation) }
    if let instance, case .failure(let fault) = result, let interruption = fault.interruption {
      reporter.tellReport(
        instance, interruption.status, interruption.errorType, fault: fault.message, at: now, in: self)
    }
    let handover = invocation.handedOverAt ?? now
    let times = InvocationTimes(
      start: invocation.admittedAt, handover: handover, end: now, isCold: invocation.isCold)
    var tail: EventLoopFuture<[UInt8]>?
    if let instance, let wanted = invocation.tail { tail = reporter.tails.text(of: wanted, from: instance, in: self) }
    let end = EndedInvocation(result: result, times: times, tail: tail, streamed: invocation.answer)
    invocation.submission.completion.finished(invocation.submission, end, in: self) { receipt in
      let finished = finishedEvent(invocation, in: instance, end, receipt)
      if let instance {
        emit(instance, .invocationFinished(finished))
      } else {
        emit(.function(self[invocation.submission.function].id), .invocationFinished(finished))
      }
    }
  }

  /// A handler has stopped that ran on after its caller had its answer.
  func overlapEnded(_ attempt: RequestID, in instance: Instance, at now: Timestamp) {
    emit(instance, .overlapEnded(OverlapEnded(request: attempt, time: now)))
    freezeIfIdle(instance)
  }

  /// Gives back what an invocation held of the concurrency.
  func releaseSlot(of invocation: Invocation) {
    dispatcher.release(invocation)
    guard isStopping, dispatcher.isIdle, let whenIdle else { return }
    // Not from inside this call: whoever ends an invocation has not delivered its answer yet.
    loop.execute { whenIdle.succeed() }
  }

  private func finishedEvent(
    _ invocation: Invocation, in instance: Instance?, _ end: EndedInvocation, _ receipt: AnswerReceipt
  ) -> InvocationFinished {
    let times = end.times
    var outcome = Outcome.success
    var source: TimeoutSource?
    if case .failure(let fault) = end.result { (outcome, source) = (fault.outcome, fault.timeoutSource) }
    return InvocationFinished(
      request: invocation.eventID, start: times.start, wait: times.handover - times.start,
      duration: times.end - times.handover, trigger: invocation.submission.trigger, pool: invocation.pool,
      isColdStart: times.isCold, isSpillover: invocation.isSpillover, outcome: outcome, timeoutSource: source,
      responseStatus: receipt.status, billed: billed(invocation, in: instance, times),
      memoryUsedBytes: instance?.memoryUsedBytes(at: times.end) ?? 0, responseBytes: Int64(receipt.bytesCount))
  }

  /// The first invocation of an instance pays for its initialization, unless that ran inside it anyway.
  private func billed(_ invocation: Invocation, in instance: Instance?, _ times: InvocationTimes) -> Nanoseconds {
    var length = times.end - times.handover
    if let instance, instance.servedCount == 1, !instance.isBound {
      length = length + instance.machine.initializationDuration
    }
    return .milliseconds(length.billedMilliseconds)
  }
}
