import HostRules
import LambdaAPI
import Lifecycle
import Logging
import NIOCore
import QueueAPI
import QueueStore
import WindowStore

/// Messages on their way to functions and consumers, and back.
extension Queues {
  /// The first wait after a refusal for lack of concurrency; doubles up to ``throttleDelayMax``.
  private static let throttleDelayMin = Nanoseconds.milliseconds(50)
  private static let throttleDelayMax = Nanoseconds.seconds(5)
  /// How soon a queue is looked at again whose function is paused, or whose store's disk is full.
  private static let pauseDelay = Nanoseconds.seconds(1)
  /// The most bytes of messages that an invocation is given: what an event may be.
  private static let eventBytesMax = PayloadLimits.answerBytesMax

  /// Has a queue looked at once this turn of the loop is over.
  func touch(_ queue: HostedQueue, in host: isolated HostCore) {
    guard !queue.isTouched, !isStopped else { return }
    queue.isTouched = true
    let id = queue.id
    host.loop.execute { [host] in
      host.assumeIsolated { host in
        guard let queue = host.queues.byID[id] else { return }
        queue.isTouched = false
        host.queues.give(queue, in: host)
      }
    }
  }

  /// Looks at every queue of a function again: its limits have changed.
  func limitsChanged(of function: String, in host: isolated HostCore) {
    for queue in byID.values where queue.mapping?.function == function {
      queue.pausedUntil = Timestamp(nanoseconds: 0)
      queue.throttlesInRow = 0
      touch(queue, in: host)
    }
  }

  /// Gives whatever can be given now.
  func give(_ queue: HostedQueue, in host: isolated HostCore) {
    guard !isStopped, !queue.isRemoved else { return }
    let now = host.clock.now()
    settle(queue, queue.rules.advance(to: now), at: now, in: host)
    messages.giveToConsumers(queue, at: now, in: host)
    giveToFunction(queue, at: now, in: host)
    tellLevels(of: queue, at: now, in: host)
    schedule(queue, at: now, in: host)
  }

  /// Takes note of messages that have left because of the time.
  private func settle(
    _ queue: HostedQueue, _ changes: QueueRules.Changes, at now: Timestamp, in host: isolated HostCore
  ) {
    if !changes.expired.isEmpty {
      store.note(.removed(changes.expired.map(\.sequence)))
      host.tell(queue.source, at: now, [.counted(.dropped, Int64(changes.expired.count))])
    }
    bury(changes.deadLetters, of: queue, at: now, in: host)
  }

  /// Moves messages to the dead-letter queue.
  func bury(
    _ messages: [QueueRules.Message], of queue: HostedQueue, at now: Timestamp, in host: isolated HostCore
  ) {
    guard !messages.isEmpty, let name = queue.settings.deadLetters?.queue, let target = byName[name] else { return }
    // SQS: a standard queue's dead letters keep their age, a FIFO queue's begin anew.
    move(messages, from: queue, to: target, source: queue.name, sentAt: queue.isFIFO ? now : nil, in: host)
    host.tell(queue.source, at: now, [.counted(.deadLettered, Int64(messages.count))])
    host.logger.warning(
      "Messages were received too often and are in the dead-letter queue now.",
      metadata: ["queue": "\(queue.name)", "dead letters": "\(target.name)", "messages": "\(messages.count)"])
  }

  /// Moves messages that have left one queue to the end of another.
  func move(
    _ messages: [QueueRules.Message], from queue: HostedQueue, to target: HostedQueue, source: String,
    sentAt: Timestamp?, in host: isolated HostCore
  ) {
    let moved = messages.map { (message: $0, sequence: takeSequence()) }
    let fact = QueueFact.moved(
      moved.map { ($0.message.sequence, $0.sequence) }, queue: target.id, source: source, sentAt: sentAt)
    let id = target.id
    store.note(fact) { [host] in
      host.assumeIsolated { host in
        guard let target = host.queues.byID[id] else { return }
        let now = host.clock.now()
        for (message, sequence) in moved where sequence > target.purgedUpTo {
          target.rules.add(
            sequence, group: message.group, sentAt: sentAt ?? message.sentAt, availableAt: now, at: now)
        }
        host.queues.touch(target, in: host)
      }
    }
  }

  private func schedule(_ queue: HostedQueue, at now: Timestamp, in host: isolated HostCore) {
    var next = queue.rules.nextDue
    if queue.mapping != nil, queue.rules.mayGive, queue.pausedUntil > now {
      next = next.map { min($0, queue.pausedUntil) } ?? queue.pausedUntil
    }
    guard let next else { return }
    if let timer = queue.timer {
      if timer.time <= next, timer.time > now { return }
      timer.task.cancel()
    }
    let id = queue.id
    let task = host.schedule(after: next - now) { host in
      guard let queue = host.queues.byID[id] else { return }
      queue.timer = nil
      host.queues.give(queue, in: host)
    }
    queue.timer = (next, task)
  }

  private func tellLevels(of queue: HostedQueue, at now: Timestamp, in host: isolated HostCore) {
    let levels = ToldLevels(queue.rules)
    guard levels != queue.told else { return }
    host.tell(queue.source, at: now, levels.changes(from: queue.told))
    queue.told = levels
  }
}

// MARK: Functions

extension Queues {
  /// How many invocations there may be at once; 0: the function is paused.
  private func concurrency(of mapping: QueueMapping, _ index: FunctionIndex, in host: isolated HostCore) -> Int {
    let reserved = host.dispatcher.reserved(of: index)
    let limit = mapping.maximumConcurrency ?? reserved ?? QueueMapping.concurrencyDefault
    return min(limit, reserved ?? limit)
  }

  private func giveToFunction(_ queue: HostedQueue, at now: Timestamp, in host: isolated HostCore) {
    guard let mapping = queue.mapping, queue.pausedUntil <= now, queue.rules.mayGive, !host.isStopping else { return }
    guard let index = host.indices[mapping.function] else { return }
    let limit = concurrency(of: mapping, index, in: host)
    if limit == 0 || store.isFailing {
      queue.pausedUntil = now + Queues.pauseDelay
      return
    }
    while queue.batches.count < limit {
      let messages = queue.rules.take(mapping.batch, fromOneGroup: queue.isFIFO, until: nil, at: now)
      if messages.isEmpty { return }
      let number = takeNumber()
      queue.batches[number] = HostedQueue.Batch(messages: messages, deliveredAt: now)
      let id = queue.id
      ask(.read(messages.map(\.sequence)), in: host) { host, result in
        guard let queue = host.queues.byID[id], queue.batches[number] != nil else { return }
        switch result {
        case .success(.messages(let stored)): host.queues.submit(number, stored, of: queue, in: host)
        case .success: preconditionFailure("BUG: messages were asked for, and something else was answered")
        case .failure(let error):
          host.logger.error(
            "Messages could not be read.", metadata: ["queue": "\(queue.name)", "error": "\(error.message)"])
          host.queues.giveBack(number, of: queue, until: host.clock.now() + Queues.pauseDelay, in: host)
        }
      }
    }
  }

  /// Gives the function a batch that was read.
  private func submit(_ number: Int, _ stored: [StoredMessage], of queue: HostedQueue, in host: isolated HostCore) {
    let now = host.clock.now()
    // One that was refused a moment ago is not asked for each of the batches that were on their way.
    guard !host.isStopping, queue.pausedUntil <= now, let batch = queue.batches[number], let mapping = queue.mapping,
      let index = host.indices[mapping.function]
    else { return giveBack(number, of: queue, until: now, in: host) }
    var texts = Dictionary(stored.map { ($0.sequence, $0) }) { first, _ in first }
    // What somebody deleted meanwhile is not given.
    let lost = batch.messages.filter { texts[$0.sequence] == nil || queue.rules.receives(inFlight: $0.sequence) == nil }
    for delivery in lost {
      texts[delivery.sequence] = nil
      _ = queue.rules.remove(delivery.sequence)
    }
    var deliveries = batch.messages.filter { texts[$0.sequence] != nil }
    guard !deliveries.isEmpty else {
      queue.batches[number] = nil
      return touch(queue, in: host)
    }
    var payload = event(deliveries, texts, of: queue, at: now, in: host)
    while payload.readableBytes > Queues.eventBytesMax, deliveries.count > 1 {
      let (kept, rest) = (deliveries.prefix(deliveries.count / 2), deliveries.dropFirst(deliveries.count / 2))
      queue.rules.giveBack(rest.map(\.sequence), at: now)
      deliveries = Array(kept)
      payload = event(deliveries, texts, of: queue, at: now, in: host)
    }
    queue.batches[number] = HostedQueue.Batch(
      messages: deliveries, ids: deliveries.compactMap { texts[$0.sequence]?.id }, deliveredAt: now)
    let version = host[index].deployment.resolve(qualifier: Deployment.currentAlias) ?? .latest
    let request = host.newRequestID()
    host.submit(
      Submission(
        request: request, function: index, version: version, trigger: .queue, payload: payload,
        arn: host.identity.arn(mapping.function, qualifier: Deployment.currentAlias),
        trace: TraceID(sent: texts[deliveries[0].sequence]?.trace, of: request, at: now),
        completion: QueueCompletion(queue: queue.id, batch: number)))
    admitted(number, deliveries, of: queue, at: now, in: host)
  }

  private func event(
    _ deliveries: [QueueRules.Delivery], _ texts: [Int64: StoredMessage], of queue: HostedQueue, at now: Timestamp,
    in host: isolated HostCore
  ) -> ByteBuffer {
    let messages = deliveries.compactMap { delivery in
      texts[delivery.sequence].map { GivenMessage($0, delivery.receives, of: queue, at: now) }
    }
    return QueueEvent.event(messages, queue: queue.name, isFIFO: queue.isFIFO, host.identity)
  }

  /// Takes note of a batch that was given, unless it was refused for lack of concurrency.
  private func admitted(
    _ number: Int, _ deliveries: [QueueRules.Delivery], of queue: HostedQueue, at now: Timestamp,
    in host: isolated HostCore
  ) {
    if queue.batches[number]?.isThrottled ?? false {
      queue.batches[number] = nil
      return touch(queue, in: host)
    }
    queue.throttlesInRow = 0
    // Nobody waits for it: a host that is killed before it is on the disk delivers the message again in any case.
    store.note(
      .received(
        deliveries.map { .init(sequence: $0.sequence, receives: $0.receives, hiddenUntil: nil) }, at: now))
    var changes: [EventSourceChange] = [.counted(.delivered, Int64(deliveries.count))]
    let retried = deliveries.count { $0.receives > 1 }
    if retried > 0 { changes.append(.counted(.retried, Int64(retried))) }
    for delivery in deliveries { changes.append(.measured(.waiting, max(.zero, now - delivery.waitingSince))) }
    host.tell(queue.source, at: now, changes)
  }

  /// Puts a batch back that the function never had.
  fileprivate func giveBack(
    _ number: Int, of queue: HostedQueue, until time: Timestamp, in host: isolated HostCore
  ) {
    guard let batch = queue.batches.removeValue(forKey: number) else { return }
    queue.rules.giveBack(batch.messages.map(\.sequence), at: host.clock.now())
    queue.pausedUntil = max(queue.pausedUntil, time)
    touch(queue, in: host)
  }

  /// A batch was refused for lack of concurrency: no message of it was received.
  fileprivate func throttled(_ number: Int, of queue: HostedQueue, at now: Timestamp, in host: isolated HostCore) {
    guard let batch = queue.batches[number] else { return }
    queue.batches[number]?.isThrottled = true
    queue.rules.giveBack(batch.messages.map(\.sequence), at: now)
    let doublings = Int64(min(queue.throttlesInRow, 10))
    queue.throttlesInRow += 1
    queue.pausedUntil = now + min(Queues.throttleDelayMax, Nanoseconds(Queues.throttleDelayMin.count << doublings))
    host.tell(queue.source, at: now, [.counted(.throttled, Int64(batch.messages.count))])
  }

  /// The invocation of a batch is over.
  fileprivate func finished(
    _ number: Int, of queue: HostedQueue, _ result: InvocationResult, at now: Timestamp, in host: isolated HostCore
  ) {
    if case .failure(let fault) = result, fault.isHostsOwn {
      return giveBack(number, of: queue, until: now + Queues.pauseDelay, in: host)
    }
    if host.isStopping, case .failure = result { return interrupted(number, of: queue, at: now, in: host) }
    guard let batch = queue.batches.removeValue(forKey: number) else { return }
    var failed: [Int] = Array(batch.messages.indices)
    var counter = EventSourceCounter.failed
    switch result {
    case .success(let answer):
      failed = BatchReply.failures(
        in: answer, of: batch.ids, isFIFO: queue.isFIFO, rule: queue.mapping?.report ?? .ifGiven)
    case .failure(let fault): if fault.outcome == .timeout { counter = .timedOut }
    }
    let processed = Set(batch.messages.indices).subtracting(failed).sorted().map { batch.messages[$0].sequence }
    // A function may have deleted some itself, which was counted then, or given some back, and another has those by now.
    let own = queue.heldStill(batch.messages)
    let removed = processed.filter { own.contains($0) && queue.rules.remove($0) }
    if !removed.isEmpty { store.note(.removed(removed)) }
    var changes: [EventSourceChange] = []
    if !removed.isEmpty { changes.append(.counted(.processed, Int64(removed.count))) }
    if !failed.isEmpty { changes.append(.counted(counter, Int64(failed.count))) }
    for _ in batch.messages { changes.append(.measured(.processing, max(.zero, now - batch.deliveredAt))) }
    host.tell(queue.source, at: now, changes)
    let back = failed.map { batch.messages[$0].sequence }.filter(own.contains)
    takeBack(back, batch.deliveredAt, of: queue, at: now, in: host)
    touch(queue, in: host)
  }

  /// The host ended the invocation, not the function: its next start gives the batch again, and this was no receive.
  private func interrupted(_ number: Int, of queue: HostedQueue, at now: Timestamp, in host: isolated HostCore) {
    guard let batch = queue.batches[number] else { return }
    let receives = batch.messages.map {
      QueueFact.Receive(sequence: $0.sequence, receives: $0.receives - 1, hiddenUntil: nil)
    }
    store.note(.received(receives, at: now))
    giveBack(number, of: queue, until: now, in: host)
  }

  /// Puts messages back that the function failed on.
  private func takeBack(
    _ sequences: [Int64], _ deliveredAt: Timestamp, of queue: HostedQueue, at now: Timestamp, in host: isolated HostCore
  ) {
    guard !sequences.isEmpty else { return }
    let delay = queue.mapping?.retryDelay ?? .backOff(first: .zero)
    let visibility = queue.settings.visibilityTimeout
    var latest = now
    let dead = queue.rules.fail(sequences, at: now) { receives in
      let time = delay.next(
        receives: receives, deliveredAt: deliveredAt, failedAt: now, visibilityTimeout: visibility)
      latest = max(latest, time)
      return time
    }
    if latest > now { store.note(.returned(sequences, availableAt: latest)) }
    bury(dead, of: queue, at: now, in: host)
  }
}

/// The queue decides what becomes of the messages of a batch.
private struct QueueCompletion: SubmissionCompletion {
  let queue: Int64
  let batch: Int

  func throttled(_ submission: Submission, _ reason: ThrottleReason, at time: Timestamp, in host: isolated HostCore) {
    guard let queue = host.queues.byID[queue] else { return }
    host.queues.throttled(batch, of: queue, at: time, in: host)
  }

  func finished(
    _ submission: Submission, _ end: EndedInvocation, in host: isolated HostCore, telling tell: (AnswerReceipt) -> Void
  ) {
    tell(AnswerReceipt(InvokeAnswer.finished(submission, end)))
    guard let queue = host.queues.byID[queue] else { return }
    host.queues.finished(batch, of: queue, end.result, at: end.times.end, in: host)
  }
}

extension GivenMessage {
  init(_ stored: StoredMessage, _ receives: Int, of queue: HostedQueue, at now: Timestamp) {
    self.init(
      id: stored.id, handle: ReceiptHandle(queue: queue.id, sequence: stored.sequence, receives: receives),
      body: stored.body, attributes: stored.attributes, group: stored.group, deduplicationID: stored.deduplicationID,
      sentAt: stored.sentAt, firstReceivedAt: stored.firstReceivedAt ?? now, trace: stored.trace,
      deadLetterSource: stored.deadLetterSource)
  }
}
