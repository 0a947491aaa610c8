import DequeModule
import HTTPServer
import HostRules
import LambdaAPI
import Lifecycle
import NIOCore
import QueueAPI
import QueueStore
import Text
import WindowStore

/// SQS's operations on messages: SendMessage, ReceiveMessage, DeleteMessage, ChangeMessageVisibility, and their batches.
struct MessageOperations {
  let queues: Queues

  /// For how long a FIFO queue knows a message by its deduplication id.
  private static let deduplicationTime = Nanoseconds.seconds(300)
  /// The most messages of a queue that consumers may have at once.
  private static let inFlightMax = 120_000
  /// The most consumers that wait for the messages of one queue.
  private static let waitersMax = 10_000

  // MARK: Sending

  /// The most bytes of all messages of a batch, as in SQS: whatever the queue's own limit for one of them is.
  private static let batchBytesMax = 1 << 20

  func sendMessage(_ call: QueueCall, _ front: FrontCall, in host: isolated HostCore) throws(QueueError) {
    let queue = try queues.queue(of: call)
    let entry = try SendEntry(call, isFIFO: queue.isFIFO, queue.settings)
    try expectRoom(for: 1)
    let isFIFO = queue.isFIFO
    send([entry], to: queue, in: host) { _, result in
      switch result {
      case .failure(let error): front.promise.succeed(QueueError(error).response(front.id))
      case .success(let sent):
        front.promise.succeed(QueueCall.answer(front.id) { MessageOperations.write(sent[0], entry, isFIFO, into: &$0) })
      }
    }
  }

  func sendMessageBatch(_ call: QueueCall, _ front: FrontCall, in host: isolated HostCore) throws(QueueError) {
    let queue = try queues.queue(of: call)
    var refused: [(id: String, error: QueueError)] = []
    var taken: [(id: String, entry: SendEntry)] = []
    for (id, entry) in try call.entries() {
      do throws(QueueError) {
        taken.append((id, try SendEntry(entry, isFIFO: queue.isFIFO, queue.settings)))
      } catch {
        refused.append((id, error))
      }
    }
    let bytes = taken.reduce(0) { $0 + $1.entry.bytesCount }
    guard bytes <= MessageOperations.batchBytesMax else {
      throw QueueError(
        "BatchRequestTooLong",
        "Batch requests cannot be longer than \(MessageOperations.batchBytesMax) bytes. You have sent \(bytes) bytes.")
    }
    try expectRoom(for: taken.count)
    let entries = taken
    let failures = refused
    let isFIFO = queue.isFIFO
    send(entries.map(\.entry), to: queue, in: host) { _, result in
      switch result {
      case .failure(let error): front.promise.succeed(QueueError(error).response(front.id))
      case .success(let sent):
        let response = QueueCall.answer(front.id) { writer in
          writer.key("Successful")
          writer.array { writer in
            for (position, (id, entry)) in entries.enumerated() {
              writer.object {
                $0.member("Id", id)
                MessageOperations.write(sent[position], entry, isFIFO, into: &$0)
              }
            }
          }
          MessageOperations.write(failures, into: &writer)
        }
        front.promise.succeed(response)
      }
    }
  }

  private func expectRoom(for count: Int) throws(QueueError) {
    guard queues.messagesCount + count <= Queues.messagesMax else {
      throw QueueError(
        status: 403, "OverLimit", code: "OverLimit",
        "The queues of this host hold \(queues.messagesCount) messages; at most \(Queues.messagesMax) are kept.")
    }
  }

  /// Keeps messages, which are given once they are on the disk.
  func send(
    _ entries: [SendEntry], to queue: HostedQueue, in host: isolated HostCore,
    _ answer: @escaping @Sendable (isolated HostCore, Result<[SentMessage], StoreError>) -> Void
  ) {
    guard !entries.isEmpty else { return answer(host, .success([])) }
    let now = host.clock.now()
    let messages = entries.map { entry in
      NewMessage(
        sequence: queues.takeSequence(), queue: queue.id, id: .random(using: &host.generator), group: entry.group,
        deduplicationID: entry.deduplicationID,
        deduplication: entry.deduplicationKey(queue.settings).map {
          .init(key: $0, until: now + MessageOperations.deduplicationTime)
        }, sentAt: now, availableAt: now + entry.delay, body: entry.body,
        attributes: MessageAttribute.stored(entry.attributes), trace: entry.trace)
    }
    let index = messages.map { IndexedMessage($0) }
    let id = queue.id
    queues.ask(.send(messages), in: host) { host, result in
      switch result {
      case .failure(let error): answer(host, .failure(error))
      case .success(.sent(let sent)):
        if let queue = host.queues.byID[id] { host.queues.messages.arrived(index, sent, in: queue, host) }
        answer(host, .success(sent))
      case .success: preconditionFailure("BUG: messages were sent, and something else was answered")
      }
    }
  }

  private func arrived(
    _ messages: [IndexedMessage], _ sent: [SentMessage], in queue: HostedQueue, _ host: isolated HostCore
  ) {
    let now = host.clock.now()
    var duplicates: Int64 = 0
    for (message, sent) in zip(messages, sent) {
      guard !sent.isDuplicate else {
        duplicates += 1
        continue
      }
      guard message.sequence > queue.purgedUpTo else { continue }
      queue.rules.add(
        message.sequence, group: message.group, sentAt: message.sentAt, availableAt: message.availableAt, at: now)
    }
    var changes: [EventSourceChange] = []
    let received = Int64(messages.count) - duplicates
    if received > 0 { changes.append(.counted(.received, received)) }
    if duplicates > 0 { changes.append(.counted(.deduplicated, duplicates)) }
    host.tell(queue.source, at: now, changes)
    queues.touch(queue, in: host)
  }

  private static func write(
    _ sent: SentMessage, _ entry: SendEntry, _ isFIFO: Bool, into writer: inout JSONWriter
  ) {
    writer.member("MessageId", sent.id.uuidText)
    if let digest = MessageText.digest([UInt8](entry.body.utf8)) { writer.member("MD5OfMessageBody", digest) }
    if let digest = MessageAttribute.digest(entry.attributes) { writer.member("MD5OfMessageAttributes", digest) }
    if let digest = entry.traceDigest { writer.member("MD5OfMessageSystemAttributes", digest) }
    if isFIFO { writer.member("SequenceNumber", MessageNumbers.text(sequence: sent.sequence)) }
  }

  private static func write(_ failures: [(id: String, error: QueueError)], into writer: inout JSONWriter) {
    guard !failures.isEmpty else { return }
    writer.key("Failed")
    writer.array { writer in
      for (id, error) in failures {
        writer.object {
          $0.member("Id", id)
          $0.member("Code", error.code)
          $0.member("Message", error.message)
          $0.member("SenderFault", error.status < 500)
        }
      }
    }
  }

  // MARK: Receiving

  func receiveMessage(_ call: QueueCall, _ front: FrontCall, in host: isolated HostCore) throws(QueueError) {
    let queue = try queues.queue(of: call)
    let limit = try call.integer("MaxNumberOfMessages", in: 1...10, "Must be between 1 and 10, if provided.") ?? 1
    let visibility = try call.integer(
      "VisibilityTimeout", in: 0...43_200, "Must be between 0 and 43200, if provided.")
    let wait = try call.integer("WaitTimeSeconds", in: 0...20, "Must be >= 0 and <= 20, if provided.")
    let request = ReceiveRequest(
      limit: Int(limit), visibility: visibility.map { .seconds($0) } ?? queue.settings.visibilityTimeout,
      systemAttributes: try call.strings("AttributeNames") + call.strings("MessageSystemAttributeNames"),
      attributes: try call.strings("MessageAttributeNames"), id: front.id, promise: front.promise)
    guard queue.rules.inFlightCount < MessageOperations.inFlightMax else {
      throw QueueError(
        status: 403, "OverLimit", code: "OverLimit",
        "Too many messages in flight: \(queue.rules.inFlightCount) of \(queue.name).")
    }
    guard queue.waiters.count < MessageOperations.waitersMax else {
      throw .unavailable("\(MessageOperations.waitersMax) consumers wait for messages of \(queue.name) already.")
    }
    let (number, id) = (queues.takeNumber(), queue.id)
    let length = wait.map { Nanoseconds.seconds($0) } ?? queue.settings.receiveWait
    let timer = host.schedule(after: length) { host in host.queues.messages.endWait(number, of: id) }
    queue.waiters.append(HostedQueue.Waiter(number: number, request: request, timer: timer))
    // At once: what is there now is given even to who does not wait.
    queues.give(queue, in: host)
    if length <= .zero { return endWait(number, of: id) }
    queues.waits(number, of: id, over: front.request.connectionClosed, in: host)
  }

  /// Answers a consumer that there is nothing; does nothing if it was answered.
  func endWait(_ number: Int, of id: Int64) {
    guard let queue = queues.byID[id], let position = queue.waiters.firstIndex(where: { $0.number == number }) else {
      return
    }
    let waiter = queue.waiters.remove(at: position)
    waiter.timer.cancel()
    waiter.request.promise.succeed(QueueCall.answer(waiter.request.id) { _ in })
  }

  func giveToConsumers(_ queue: HostedQueue, at now: Timestamp, in host: isolated HostCore) {
    while let waiter = queue.waiters.first, queue.rules.mayGive {
      let until = now + waiter.request.visibility
      let messages = queue.rules.take(waiter.request.limit, fromOneGroup: false, until: until, at: now)
      if messages.isEmpty { return }
      queue.waiters.removeFirst()
      waiter.timer.cancel()
      let receives = messages.map {
        QueueFact.Receive(sequence: $0.sequence, receives: $0.receives, hiddenUntil: until)
      }
      queues.store.note(.received(receives, at: now))
      tellReceived(messages, of: queue, at: now, in: host)
      let (id, request) = (queue.id, waiter.request)
      queues.ask(.read(messages.map(\.sequence)), in: host) { host, result in
        guard let queue = host.queues.byID[id] else {
          return request.promise.succeed(QueueError.noQueue.response(request.id))
        }
        switch result {
        case .success(.messages(let stored)):
          // What was purged meanwhile is not there.
          let found = Set(stored.map(\.sequence))
          for message in messages where !found.contains(message.sequence) { _ = queue.rules.remove(message.sequence) }
          if found.count < messages.count { host.queues.touch(queue, in: host) }
          let given = stored.compactMap { stored in
            messages.first { $0.sequence == stored.sequence }.map {
              GivenMessage(stored, $0.receives, of: queue, at: now)
            }
          }
          request.promise.succeed(MessageOperations.answer(request, given, queue.isFIFO, host.identity))
        case .success: preconditionFailure("BUG: messages were asked for, and something else was answered")
        case .failure(let error):
          queue.rules.giveBack(messages.map(\.sequence), at: host.clock.now())
          host.queues.touch(queue, in: host)
          request.promise.succeed(QueueError(error).response(request.id))
        }
      }
    }
  }

  private func tellReceived(
    _ messages: [QueueRules.Delivery], of queue: HostedQueue, at now: Timestamp, in host: isolated HostCore
  ) {
    var changes: [EventSourceChange] = [.counted(.delivered, Int64(messages.count))]
    let retried = messages.count { $0.receives > 1 }
    if retried > 0 { changes.append(.counted(.retried, Int64(retried))) }
    for message in messages { changes.append(.measured(.waiting, max(.zero, now - message.waitingSince))) }
    host.tell(queue.source, at: now, changes)
  }

  private static func answer(
    _ request: ReceiveRequest, _ messages: [GivenMessage], _ isFIFO: Bool, _ identity: HostIdentity
  ) -> HTTPResponse {
    QueueCall.answer(request.id) { writer in
      guard !messages.isEmpty else { return }
      writer.key("Messages")
      writer.array { writer in
        for message in messages { writer.object { write(message, request, isFIFO, identity, into: &$0) } }
      }
    }
  }

  private static func write(
    _ message: GivenMessage, _ request: ReceiveRequest, _ isFIFO: Bool, _ identity: HostIdentity,
    into writer: inout JSONWriter
  ) {
    writer.member("MessageId", message.id.uuidText)
    writer.member("ReceiptHandle", message.handle.text)
    if let digest = MessageText.digest([UInt8](message.body.utf8)) { writer.member("MD5OfBody", digest) }
    writer.member("Body", message.body)
    let wanted = Set(request.systemAttributes)
    let attributes = message.systemAttributes(isFIFO: isFIFO, identity)
      .filter { wanted.contains("All") || wanted.contains($0.name) }
    if !attributes.isEmpty {
      writer.key("Attributes")
      writer.object { writer in for (name, value) in attributes { writer.member(name, value) } }
    }
    let chosen = MessageAttribute.chosen(MessageAttribute.stored(message.attributes), by: request.attributes)
    guard !chosen.isEmpty else { return }
    if let digest = MessageAttribute.digest(chosen) { writer.member("MD5OfMessageAttributes", digest) }
    writer.key("MessageAttributes")
    writer.object { writer in for attribute in chosen { attribute.write(into: &writer) } }
  }

  // MARK: What consumers say of what they have

  func deleteMessage(_ call: QueueCall, in host: isolated HostCore) throws(QueueError) {
    let queue = try queues.queue(of: call)
    try delete(call.required("ReceiptHandle"), of: queue, in: host)
  }

  private func delete(_ text: String, of queue: HostedQueue, in host: isolated HostCore) throws(QueueError) {
    guard let handle = ReceiptHandle(text), handle.queue == queue.id else { throw .badHandle(text) }
    // One that was deleted before is deleted.
    guard let receives = queue.rules.receives(of: handle.sequence) else { return }
    if queue.isFIFO {
      guard queue.rules.receives(inFlight: handle.sequence) == handle.receives else { throw .expiredHandle(text) }
    } else if receives != handle.receives {
      // As in SQS, a handle of an earlier receive deletes nothing, and does not say so.
      return
    }
    _ = queue.rules.remove(handle.sequence)
    queues.store.note(.removed([handle.sequence]))
    host.tell(queue.source, at: host.clock.now(), [.counted(.processed, 1)])
    queues.touch(queue, in: host)
  }

  func changeMessageVisibility(_ call: QueueCall, in host: isolated HostCore) throws(QueueError) {
    try changeVisibility(call, of: queues.queue(of: call), in: host)
  }

  private func changeVisibility(
    _ call: QueueCall, of queue: HostedQueue, in host: isolated HostCore
  ) throws(QueueError) {
    let text = try call.required("ReceiptHandle")
    let range: ClosedRange<Int64> = 0...43_200
    guard let seconds = try call.integer("VisibilityTimeout", in: range, "Must be between 0 and 43200.") else {
      throw .missing("VisibilityTimeout")
    }
    guard let handle = ReceiptHandle(text), handle.queue == queue.id else { throw .badHandle(text) }
    guard queue.rules.receives(inFlight: handle.sequence) == handle.receives else { throw .notInFlight }
    let now = host.clock.now()
    let until = now + .seconds(seconds)
    _ = queue.rules.hide(handle.sequence, until: until)
    let receive = QueueFact.Receive(sequence: handle.sequence, receives: handle.receives, hiddenUntil: until)
    queues.store.note(.received([receive], at: now))
    queues.touch(queue, in: host)
  }

  /// Does what `each` does for every entry, and answers which it was done for.
  func batch(
    _ call: QueueCall, _ front: FrontCall, in host: isolated HostCore,
    _ each: (QueueCall, HostedQueue, isolated HostCore) throws(QueueError) -> Void
  ) throws(QueueError) {
    let queue = try queues.queue(of: call)
    var done: [String] = []
    var failures: [(id: String, error: QueueError)] = []
    for (id, entry) in try call.entries() {
      do throws(QueueError) {
        try each(entry, queue, host)
        done.append(id)
      } catch {
        failures.append((id, error))
      }
    }
    let response = QueueCall.answer(front.id) { writer in
      writer.key("Successful")
      writer.array { writer in for id in done { writer.object { $0.member("Id", id) } } }
      MessageOperations.write(failures, into: &writer)
    }
    queues.answer(front, once: response, in: host)
  }

  func deleteEntry(_ entry: QueueCall, _ queue: HostedQueue, in host: isolated HostCore) throws(QueueError) {
    try delete(entry.required("ReceiptHandle"), of: queue, in: host)
  }

  func changeEntry(_ entry: QueueCall, _ queue: HostedQueue, in host: isolated HostCore) throws(QueueError) {
    try changeVisibility(entry, of: queue, in: host)
  }
}

extension IndexedMessage {
  fileprivate init(_ message: NewMessage) {
    self.init(
      sequence: message.sequence, queue: message.queue, group: message.group, sentAt: message.sentAt,
      availableAt: message.availableAt, receives: 0, hiddenUntil: nil)
  }
}

extension QueueError {
  /// What a failure of the store means for a caller: nothing of the request was kept.
  init(_ error: StoreError) {
    self = .unavailable("The host could not keep it: \(error.message).")
  }
}
