import HTTPServer
import HostRules
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

extension HostCore {
  /// The most queued events that are given to functions before sockets are looked at again.
  private static let queueBatchMax = 64

  /// Keeps an event for later; it is tried at once.
  ///
  /// - Returns: Whether there was room for it.
  func enqueue(_ event: QueuedEvent, as request: RequestID, at now: Timestamp) -> Bool {
    guard queue.accept(request, payload: event, bytesCount: event.payload.readableBytes, limits: event.limits, at: now)
    else { return false }
    scheduleQueue(at: now)
    return true
  }

  /// Handles the result of a queued event that was given to its function.
  func queuedEventFinished(_ request: RequestID, _ result: InvocationResult, at now: Timestamp) {
    switch result {
    case .success: queue.succeeded(request)
    // As AWS does with its own failures: tried again as after a throttle, which does not use up the function's attempts.
    case .failure(let fault) where fault.isHostsOwn: note(queue.throttled(request, at: now), of: request)
    case .failure: note(queue.failed(request, at: now), of: request)
    }
    scheduleQueue(at: now)
  }

  private func scheduleQueue(at now: Timestamp) {
    guard !isStopping, let time = queue.nextDue else { return }
    if let timer = queueTimer {
      if timer.time <= time { return }
      timer.task.cancel()
    }
    queueTimer = (time, schedule(after: time - now) { $0.giveQueuedEvents() })
  }

  private func giveQueuedEvents() {
    queueTimer = nil
    guard !isStopping else { return }
    let now = clock.now()
    for _ in 0..<HostCore.queueBatchMax {
      guard let event = queue.takeDue(now) else { break }
      let submission = Submission(
        request: event.request, function: event.payload.function, version: event.payload.version, trigger: .direct,
        payload: event.payload.payload, clientContext: event.payload.clientContext, arn: event.payload.arn,
        trace: event.payload.trace,
        isRepeated: event.isRepeated, caller: .queue)
      if submit(submission) == .throttled { note(queue.throttled(event.request, at: now), of: event.request) }
    }
    scheduleQueue(at: now)
  }

  private func note(_ verdict: AsyncQueue<QueuedEvent>.Verdict, of request: RequestID) {
    guard case .drop(let reason) = verdict else { return }
    logger.error(
      "An asynchronous event was dropped.",
      metadata: [
        "request": "\(request.value.uuidText)", "condition": "\(reason.rawValue)",
        "dropped": "\(queue.droppedCount)",
      ])
  }
}
