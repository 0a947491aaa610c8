import HTTPServer
import HostRules
import LambdaAPI
import Lifecycle
import Logging
import NIOCore
import QueueStore
import WindowStore

/// An asynchronous event that the host has accepted and will hand to its function later.
struct QueuedEvent: Sendable {
  var function: FunctionIndex
  var version: FunctionVersion
  var payload: ByteBuffer
  var clientContext: String?
  var arn: String
  /// What the caller called: a version, an alias, or empty.
  var qualifier: String
  var trace: TraceID
  var settings = EventSettings()
}

/// The source of asynchronous invocations: keeps events that nobody waits for, on the disk, and gives them to their
/// functions, again and again until one of their limits. Used on the host's loop.
final class AsynchronousSource {
  /// The most events that are given to functions before sockets are looked at again.
  private static let batchMax = 64
  /// How long what could not be sent to a destination waits before it is tried again.
  private static let sendingDelay = Nanoseconds.seconds(1)

  private var queue: AsyncQueue<QueuedEvent>
  /// Events on their way to the disk.
  private var arriving = (count: 0, bytes: 0)
  private var timer: (time: Timestamp, task: Scheduled<Void>)?
  private var isStopped = false

  init(_ policy: AsynchronousPolicy) { queue = AsyncQueue(policy) }

  /// Events that are kept, waiting or running.
  var count: Int { queue.count }

  /// Takes over what an earlier start has left.
  func restore(_ records: [EventRecord], in host: isolated HostCore) {
    let now = host.clock.now()
    for record in records {
      guard let index = host.indices[record.function] else {
        // A later start may have the function again; what is too old then is nobody's any more.
        let isTooOld = record.acceptedAt + host.configuration.asynchronous.ageMax < now
        host.logger.error(
          "An asynchronous event \(isTooOld ? "is dropped" : "waits"): its function is not configured any more.",
          metadata: ["function": "\(record.function)", "request": "\(record.request.value.uuidText)"])
        if isTooOld { host.queues.store.note(.eventRemoved(record.request)) }
        continue
      }
      let deployment = host[index].deployment
      // Versions that were published are gone with the earlier start.
      let version =
        deployment.resolve(qualifier: record.version) ?? deployment.resolve(qualifier: record.qualifier) ?? .latest
      let event = QueuedEvent(
        function: index, version: version, payload: ByteBuffer(bytes: record.payload),
        clientContext: record.clientContext, arn: record.arn, qualifier: record.qualifier,
        trace: TraceID(sent: record.trace, of: record.request, at: now),
        settings: EventSettings(stored: record.settings))
      queue.restore(
        record.request, payload: event, bytesCount: record.payload.count, limits: event.settings.limits,
        acceptedAt: record.acceptedAt, due: record.due, errors: record.errors, throttles: record.throttles)
    }
    schedule(at: now, in: host)
  }

  /// Keeps an event, and tries it once it is on the disk.
  ///
  /// - Parameter answer: Told once whether the event is kept; if not, that was said and counted.
  func accept(
    _ event: QueuedEvent, as request: RequestID, at now: Timestamp, in host: isolated HostCore,
    _ answer: @escaping @Sendable (Acceptance) -> Void
  ) {
    let bytes = event.payload.readableBytes
    guard queue[request] == nil, queue.hasRoom(forCount: arriving.count + 1, bytes: arriving.bytes + bytes) else {
      host.statistics.count(.refusedEvent)
      host.logger.warning("The queue of asynchronous events is full.", metadata: ["events": "\(count)"])
      host.emit(
        .function(host[event.function].id),
        .throttled(Throttled(time: now, reason: .callerRateLimit, trigger: .direct)))
      return answer(.full)
    }
    arriving.count += 1
    arriving.bytes += bytes
    host.queues.ask(.keepEvent(event.record(request, host[event.function].id.name, at: now)), in: host) {
      host, result in
      answer(host.asynchronous.arrived(event, as: request, acceptedAt: now, result, in: host))
    }
  }

  private func arrived(
    _ event: QueuedEvent, as request: RequestID, acceptedAt: Timestamp, _ result: Result<QueueAnswer, StoreError>,
    in host: isolated HostCore
  ) -> Acceptance {
    arriving.count -= 1
    arriving.bytes -= event.payload.readableBytes
    switch result {
    case .failure(let error):
      host.statistics.count(.refusedEvent)
      host.logger.error("An asynchronous event could not be kept.", metadata: ["error": "\(error.message)"])
      return .failed(error)
    case .success:
      // There is room: it was kept back while the event was on its way.
      _ = queue.accept(
        request, payload: event, bytesCount: event.payload.readableBytes, limits: event.settings.limits, at: acceptedAt)
      schedule(at: host.clock.now(), in: host)
      return .kept
    }
  }

  /// Gives no event to a function any more. What waits is given after the next start.
  func stop() {
    isStopped = true
    timer?.task.cancel()
  }

  /// An event was refused for lack of concurrency.
  fileprivate func throttled(_ request: RequestID, at now: Timestamp, in host: isolated HostCore) {
    note(queue[request], queue.throttled(request, at: now), nil, in: host)
    schedule(at: now, in: host)
  }

  /// Handles the result of an event that was given to its function.
  fileprivate func finished(
    _ request: RequestID, _ result: InvocationResult, at now: Timestamp, in host: isolated HostCore
  ) {
    // The host ends it, not the function: its next start gives it again, as after a kill.
    if isStopped, case .failure = result { return }
    let event = queue[request]
    switch result {
    case .success:
      queue.succeeded(request)
      if let event { conclude(event, .success, result, in: host) }
    // As AWS does with its own failures: tried again as after a throttle, which does not use up the function's attempts.
    case .failure(let fault) where fault.isHostsOwn: note(event, queue.throttled(request, at: now), result, in: host)
    case .failure: note(event, queue.failed(request, at: now), result, in: host)
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
      if host.dispatcher.reserved(of: queued.function) == 0 {
        // Nobody knows when it is not paused any more.
        queue.drop(event.request)
        drop(event, .zeroReservedConcurrency, nil, in: host)
        continue
      }
      host.submit(
        Submission(
          request: event.request, function: queued.function, version: queued.version, trigger: .direct,
          payload: queued.payload, clientContext: queued.clientContext, arn: queued.arn, trace: queued.trace,
          isRepeated: event.isRepeated, completion: AsynchronousCompletion()))
    }
    schedule(at: now, in: host)
  }

  private func note(
    _ event: AsyncQueue<QueuedEvent>.Event?, _ verdict: AsyncQueue<QueuedEvent>.Verdict, _ result: InvocationResult?,
    in host: isolated HostCore
  ) {
    switch verdict {
    case .retry(let time):
      guard let kept = event.flatMap({ queue[$0.request] }) else { return }
      host.queues.store.note(
        .eventDelayed(kept.request, due: time, errors: kept.errorsCount, throttles: kept.throttlesCount))
    case .drop(let reason): if let event { drop(event, reason, result, in: host) }
    }
  }

  private func drop(
    _ event: AsyncQueue<QueuedEvent>.Event, _ reason: AsyncQueue<QueuedEvent>.DropReason, _ result: InvocationResult?,
    in host: isolated HostCore
  ) {
    host.statistics.count(reason == .ageExceeded ? .expiredEvent : .failedEvent)
    host.logger.error(
      "An asynchronous event was dropped.",
      metadata: [
        "request": "\(event.request.value.uuidText)", "condition": "\(reason.rawValue)",
        "dropped": "\(queue.droppedCount)",
      ])
    conclude(event, EventConclusion.Condition(reason), result, in: host)
  }

  /// Sends what became of an event where it is configured to go, and forgets the event once that is on the disk.
  private func conclude(
    _ event: AsyncQueue<QueuedEvent>.Event, _ condition: EventConclusion.Condition, _ result: InvocationResult?,
    in host: isolated HostCore
  ) {
    let destinations = event.payload.settings.destinations
    guard let arn = condition == .success ? destinations.onSuccess : destinations.onFailure else {
      return host.queues.store.note(.eventRemoved(event.request))
    }
    let attempts = event.errorsCount + (result == nil ? 0 : 1)
    let document = EventConclusion.document(
      request: event.request, arn: event.payload.arn, version: event.payload.version, condition: condition,
      attempts: attempts, payload: event.payload.payload, result: result, at: host.clock.now())
    tell(document, of: event.request, to: arn, in: host)
  }

  /// Sends what became of an event until it is on the disk, or never will be; only then the event is forgotten. What is not sent before the host
  /// ends is given again by its next start.
  private func tell(_ document: String, of request: RequestID, to arn: String, in host: isolated HostCore) {
    send(document, to: arn, in: host) { host, problem in
      switch problem {
      case .passing?:
        _ = host.schedule(after: AsynchronousSource.sendingDelay) { host in
          guard !host.asynchronous.isStopped else { return }
          host.asynchronous.tell(document, of: request, to: arn, in: host)
        }
        return
      case .lasting(let reason)?:
        host.logger.error(
          "What became of an asynchronous event could not be sent to its destination.",
          metadata: ["request": "\(request.value.uuidText)", "destination": "\(arn)", "reason": "\(reason)"])
      case nil: break
      }
      host.queues.store.note(.eventRemoved(request))
    }
  }
}

/// What became of an event that somebody wanted to be kept.
enum Acceptance: Sendable {
  case kept
  /// There are too many.
  case full
  /// The disk did not take it.
  case failed(StoreError)
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

extension QueuedEvent {
  fileprivate func record(_ request: RequestID, _ function: String, at now: Timestamp) -> EventRecord {
    EventRecord(
      request: request, function: function, version: version.text, arn: arn, qualifier: qualifier, trace: trace.text,
      clientContext: clientContext, settings: settings.stored, acceptedAt: now, due: now, errors: 0, throttles: 0,
      payload: [UInt8](payload.readableBytesView))
  }
}
