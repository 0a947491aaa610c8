import DequeModule
import HTTPServer
import HostRules
import LambdaAPI
import Lifecycle
import Logging
import NIOCore
import QueueAPI
import QueueStore
import WindowStore

/// The queues of a host: keeps them and their messages, and gives messages to functions and consumers. Used on the host's
/// loop; what has to be on the disk is handed to the ``QueueStore``, which answers there.
final class Queues {
  /// The most queues.
  static let queuesMax = 10_000
  /// The most messages, in all queues together: each takes some 60 bytes of memory, wherever its body is.
  static let messagesMax = 2_000_000

  let store: QueueStore
  var byID: [Int64: HostedQueue] = [:]
  var byName: [String: HostedQueue] = [:]
  var tasks = MoveTasks()
  /// Events of an earlier start, until the source of asynchronous events has taken them.
  private var storedEvents: [EventRecord]
  private var nextSequence: Int64
  private var nextID: Int64 = 1
  private var nextNumber = 0
  private(set) var isStopped = false
  /// The newest wait of the consumer at the other end of a connection, by the connection's end: one that has gone must not be
  /// given a message, and a connection that asks all day must not collect callbacks.
  private var waits: [ObjectIdentifier: (number: Int, queue: Int64)] = [:]

  /// Opens the store and reads what is in it.
  ///
  /// - Parameter directory: The data directory; `nil`: nothing outlives the host.
  init(directory: String?, on loop: any EventLoop, at now: Timestamp) throws(HostError) {
    do throws(StoreError) {
      store = try QueueStore(directory: directory) { answers in
        loop.execute { for answer in answers { answer() } }
      }
      nextSequence = store.firstSequence
      var queues: [Int64: HostedQueue] = [:]
      storedEvents = try store.load { records in
        for record in records { queues[record.id] = HostedQueue(record) }
      } message: { message in
        guard let queue = queues[message.queue] else { return }
        queue.rules.add(
          message.sequence, group: message.group, sentAt: message.sentAt, availableAt: message.availableAt,
          receives: message.receives, hiddenUntil: message.hiddenUntil, at: now)
      }
      for queue in queues.values {
        byID[queue.id] = queue
        byName[queue.name] = queue
        nextID = max(nextID, queue.id + 1)
      }
    } catch {
      throw HostError(.store, error.message, cause: error.cause)
    }
    refreshPolicies()
  }

  /// The asynchronous events that an earlier start has left; a second call gives none.
  func takeEvents() -> [EventRecord] {
    defer { storedEvents = [] }
    return storedEvents
  }

  /// Messages in all queues.
  var messagesCount: Int { byID.values.reduce(0) { $0 + $1.rules.count } }

  func takeSequence() -> Int64 {
    nextSequence += 1
    return nextSequence
  }

  func takeNumber() -> Int {
    nextNumber += 1
    return nextNumber
  }

  // MARK: Who asks

  /// SQS's operations on queues.
  var operations: QueueOperations { QueueOperations(queues: self) }
  /// SQS's operations on messages.
  var messages: MessageOperations { MessageOperations(queues: self) }

  /// The queue whose address a call has.
  func queue(of call: QueueCall) throws(QueueError) -> HostedQueue {
    guard let name = QueueName.name(url: try call.required("QueueUrl")) else { throw .noQueue }
    return try named(name)
  }

  func named(_ name: String) throws(QueueError) -> HostedQueue {
    guard let queue = byName[name] else { throw .noQueue }
    return queue
  }

  // MARK: Queues come and go

  /// Makes queues as they are configured, and changes those that are there. Queues that are not configured any more are kept.
  func configure(_ specifications: [QueueSpecification], in host: isolated HostCore) {
    let now = host.clock.now()
    for queue in byID.values { queue.mapping = nil }
    for specification in specifications {
      let queue = byName[specification.name] ?? add(specification.name, at: now)
      queue.settings = specification.settings
      queue.function = specification.mapping?.function
      queue.mapping = specification.mapping
      keep(queue, at: now)
      if let target = specification.settings.deadLetters?.queue, byName[target] == nil {
        var settings = QueueSettings()
        // Dead letters are kept for as long as SQS can keep them.
        settings.retention = .seconds(14 * 86_400)
        settings.messageBytesMax = specification.settings.messageBytesMax
        let deadLetters = add(target, at: now)
        deadLetters.settings = settings
        keep(deadLetters, at: now)
      }
    }
    refreshPolicies()
    for queue in byID.values {
      if queue.mapping == nil, let function = queue.function { sayOrphaned(queue, of: function, in: host) }
      touch(queue, in: host)
    }
  }

  private func sayOrphaned(_ queue: HostedQueue, of function: String, in host: isolated HostCore) {
    host.logger.warning(
      "A queue gave its messages to a function and is not configured any more: its messages are kept, and no function is given them.",
      metadata: ["queue": "\(queue.name)", "function": "\(function)", "messages": "\(queue.rules.count)"])
  }

  /// Makes a queue that there is not.
  func add(_ name: String, at now: Timestamp) -> HostedQueue {
    let record = QueueRecord(id: nextID, name: name, settings: "{}", createdAt: now, modifiedAt: now)
    nextID += 1
    let queue = HostedQueue(record)
    byID[queue.id] = queue
    byName[name] = queue
    return queue
  }

  private func keep(_ queue: HostedQueue, at now: Timestamp) {
    queue.modifiedAt = now
    // A fact: it is on the disk before the first message of the queue, also if that takes a while.
    store.note(.queueKept(queue.record))
  }

  /// Has every queue know how long it keeps messages and what becomes of dead letters.
  func refreshPolicies() {
    for queue in byID.values {
      let policy = queue.settings.deadLetters
      // Without the other queue, a message stays where it is, as in SQS.
      queue.rules.maximumReceives = policy.flatMap { byName[$0.queue] == nil ? nil : $0.maximumReceives }
      queue.rules.retention = queue.settings.retention
    }
  }

  /// Takes note of who waits at the other end of a connection, which has one request at a time.
  func waits(_ number: Int, of queue: Int64, over end: EventLoopFuture<Void>, in host: isolated HostCore) {
    let key = ObjectIdentifier(end)
    guard waits.updateValue((number, queue), forKey: key) == nil else { return }
    end.whenComplete { [host] _ in
      host.assumeIsolated { host in
        guard let wait = host.queues.waits.removeValue(forKey: key) else { return }
        host.queues.messages.endWait(wait.number, of: wait.queue)
      }
    }
  }

  // MARK: The store

  /// Asks the store for something that takes a while.
  func ask(
    _ request: QueueRequest, in host: isolated HostCore,
    _ answer: @escaping @Sendable (isolated HostCore, Result<QueueAnswer, StoreError>) -> Void
  ) {
    store.request(request) { [host] result in host.assumeIsolated { answer($0, result) } }
  }

  /// Answers a caller once everything that was handed to the store until now is on the disk.
  func answer(_ front: FrontCall, once response: HTTPResponse, in host: isolated HostCore) {
    ask(.barrier, in: host) { _, result in
      switch result {
      case .success: front.promise.succeed(response)
      case .failure(let error): front.promise.succeed(QueueError(error).response(front.id))
      }
    }
  }

  /// Gives nothing any more: consumers that wait are told that there is nothing.
  func stop(in host: isolated HostCore) {
    isStopped = true
    for queue in byID.values {
      queue.timer?.task.cancel()
      queue.timer = nil
      while let waiter = queue.waiters.popFirst() {
        waiter.timer.cancel()
        waiter.request.promise.succeed(QueueCall.answer(waiter.request.id) { _ in })
      }
    }
  }
}
