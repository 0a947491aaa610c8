import HTTPServer
import HostRules
import LambdaAPI
import Lifecycle
import Logging
import NIOCore

/// An asynchronous event that the host has accepted and will hand to its function later.
struct QueuedEvent: Sendable {
  var function: FunctionIndex
  var version: FunctionVersion
  var payload: ByteBuffer
  var clientContext: String?
  var arn: String
  var trace: TraceID
  var limits = EventLimits()
}

/// The source of asynchronous invocations: keeps events that nobody waits for, and gives them to their functions, again
/// and again until one of their limits. Used on the host's loop.
final class AsynchronousSource {
  /// The most events that are given to functions before sockets are looked at again.
  private static let batchMax = 64

  private var queue: AsyncQueue<QueuedEvent>
  private var timer: (time: Timestamp, task: Scheduled<Void>)?
  private var isStopped = false

  init(_ policy: AsynchronousPolicy) { queue = AsyncQueue(policy) }

  /// Events that are kept, waiting or running.
  var count: Int { queue.count }

  /// Keeps an event, and tries it at once.
  ///
  /// - Returns: Whether there was room for it; if not, that was said and counted.
  func accept(_ event: QueuedEvent, as request: RequestID, at now: Timestamp, in host: isolated HostCore) -> Bool {
    if queue.accept(request, payload: event, bytesCount: event.payload.readableBytes, limits: event.limits, at: now) {
      schedule(at: now, in: host)
      return true
    }
    host.statistics.count(.refusedEvent)
    host.logger.warning("The queue of asynchronous events is full.", metadata: ["events": "\(count)"])
    host.emit(
      .function(host[event.function].id),
      .throttled(Throttled(time: now, reason: .callerRateLimit, trigger: .direct)))
    return false
  }

  /// Gives no event to a function any more. What waits is lost with the host.
  func stop() {
    isStopped = true
    timer?.task.cancel()
  }

  /// An event was refused for lack of concurrency.
  fileprivate func throttled(_ request: RequestID, at now: Timestamp, in host: isolated HostCore) {
    note(queue.throttled(request, at: now), of: request, in: host)
    schedule(at: now, in: host)
  }

  /// Handles the result of an event that was given to its function.
  fileprivate func finished(
    _ request: RequestID, _ result: InvocationResult, at now: Timestamp, in host: isolated HostCore
  ) {
    switch result {
    case .success: queue.succeeded(request)
    // As AWS does with its own failures: tried again as after a throttle, which does not use up the function's attempts.
    case .failure(let fault) where fault.isHostsOwn: note(queue.throttled(request, at: now), of: request, in: host)
    case .failure: note(queue.failed(request, at: now), of: request, in: host)
    }
    schedule(at: now, in: host)
  }

  private func schedule(at now: Timestamp, in host: isolated HostCore) {
    guard !isStopped, let time = queue.nextDue else { return }
    if let timer {
      if timer.time <= time { return }
      timer.task.cancel()
    }
    timer = (time, host.schedule(after: time - now) { $0.asynchronous.giveWhatIsDue(in: $0) })
  }

  private func giveWhatIsDue(in host: isolated HostCore) {
    timer = nil
    guard !isStopped else { return }
    let now = host.clock.now()
    for _ in 0..<AsynchronousSource.batchMax {
      guard let event = queue.takeDue(now) else { break }
      let queued = event.payload
      host.submit(
        Submission(
          request: event.request, function: queued.function, version: queued.version, trigger: .direct,
          payload: queued.payload, clientContext: queued.clientContext, arn: queued.arn, trace: queued.trace,
          isRepeated: event.isRepeated, completion: AsynchronousCompletion()))
    }
    schedule(at: now, in: host)
  }

  private func note(_ verdict: AsyncQueue<QueuedEvent>.Verdict, of request: RequestID, in host: isolated HostCore) {
    guard case .drop(let reason) = verdict else { return }
    host.statistics.count(reason == .retriesExhausted ? .failedEvent : .expiredEvent)
    host.logger.error(
      "An asynchronous event was dropped.",
      metadata: [
        "request": "\(request.value.uuidText)", "condition": "\(reason.rawValue)",
        "dropped": "\(queue.droppedCount)",
      ])
  }
}

/// The queue of asynchronous events decides what comes next.
private struct AsynchronousCompletion: SubmissionCompletion {
  func throttled(_ submission: Submission, _ reason: ThrottleReason, at time: Timestamp, in host: isolated HostCore) {
    host.asynchronous.throttled(submission.request, at: time, in: host)
  }

  func finished(
    _ submission: Submission, _ end: EndedInvocation, in host: isolated HostCore, telling tell: (AnswerReceipt) -> Void
  ) {
    tell(AnswerReceipt(InvokeAnswer.finished(submission, end)))
    host.asynchronous.finished(submission.request, end.result, at: end.times.end, in: host)
  }
}
