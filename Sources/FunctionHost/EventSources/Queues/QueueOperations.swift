import DequeModule
import HTTPServer
import HostRules
import LambdaAPI
import Lifecycle
import NIOCore
import NIOHTTP1
import QueueAPI
import QueueStore
import Text
import WindowStore

/// SQS's API: the operations on queues, and which operation is whose.
struct QueueOperations {
  let queues: Queues

  func serve(_ front: FrontCall, in host: isolated HostCore) {
    let headers = front.request.headers
    do throws(QueueError) {
      let call = try QueueCall(
        target: headers.first(name: "X-Amz-Target") ?? "", body: front.request.body,
        authority: headers.first(name: "Host") ?? "localhost")
      try serve(call, front, in: host)
    } catch {
      front.promise.succeed(error.response(front.id))
    }
  }

  private func serve(_ call: QueueCall, _ front: FrontCall, in host: isolated HostCore) throws(QueueError) {
    let messages = queues.messages
    switch call.operation {
    case .sendMessage: try messages.sendMessage(call, front, in: host)
    case .sendMessageBatch: try messages.sendMessageBatch(call, front, in: host)
    case .receiveMessage: try messages.receiveMessage(call, front, in: host)
    case .deleteMessage: kept(front, try messages.deleteMessage(call, in: host), in: host)
    case .deleteMessageBatch: try messages.batch(call, front, in: host, messages.deleteEntry)
    case .changeMessageVisibility: kept(front, try messages.changeMessageVisibility(call, in: host), in: host)
    case .changeMessageVisibilityBatch: try messages.batch(call, front, in: host, messages.changeEntry)
    case .createQueue: try createQueue(call, front, in: host)
    case .deleteQueue: kept(front, try deleteQueue(call, in: host), in: host)
    case .listQueues: try listQueues(call, front, in: host)
    case .getQueueURL:
      let queue = try queues.named(call.required("QueueName"))
      answerURL(of: queue, call, front, in: host)
    case .getQueueAttributes: try getQueueAttributes(call, front, in: host)
    case .setQueueAttributes: try setQueueAttributes(call, front, in: host)
    case .purgeQueue: kept(front, try purgeQueue(call, in: host), in: host)
    case .listDeadLetterSourceQueues: try listDeadLetterSourceQueues(call, front, in: host)
    case .startMessageMoveTask: try startMessageMoveTask(call, front, in: host)
    case .listMessageMoveTasks: try listMessageMoveTasks(call, front, in: host)
    case .listQueueTags: try listTags(call, front)
    case .tagQueue:
      try changeTags(call, front, in: host) { tags, call throws(QueueError) in
        tags.merge(try call.texts("Tags")) { $1 }
      }
    case .untagQueue:
      try changeTags(call, front, in: host) { tags, call throws(QueueError) in
        for key in try call.strings("TagKeys") { tags[key] = nil }
      }
    }
  }

  /// Answers with nothing, once the operation before it is on the disk.
  private func kept(_ front: FrontCall, _: Void, in host: isolated HostCore) {
    queues.answer(front, once: QueueCall.answer(front.id) { _ in }, in: host)
  }

  private func answerURL(
    of queue: HostedQueue, _ call: QueueCall, _ front: FrontCall, in host: isolated HostCore
  ) {
    let url = QueueName.url(of: queue.name, authority: call.authority, host.identity)
    front.promise.succeed(QueueCall.answer(front.id) { $0.member("QueueUrl", url) })
  }

  // MARK: Making and removing

  private func createQueue(_ call: QueueCall, _ front: FrontCall, in host: isolated HostCore) throws(QueueError) {
    let name = try call.required("QueueName")
    guard QueueName.isName(name) else {
      throw .invalid(
        "Can only include alphanumeric characters, hyphens, or underscores. 1 to \(QueueName.bytesMax) in length.")
    }
    let attributes = try call.texts("Attributes")
    let isFIFO = QueueName.isFIFO(name)
    var settings = QueueSettings()
    try QueueAttributes.apply(attributes, to: &settings, isFIFO: isFIFO)
    // SQS makes a FIFO queue only for those who say so twice.
    guard isFIFO == (attributes["FifoQueue"] == "true") else {
      throw .invalid("The name of a FIFO queue ends with .fifo, and its attribute FifoQueue is true.")
    }
    try checkDeadLetters(settings, of: name)
    if let queue = queues.byName[name] {
      for (attribute, value) in QueueAttributes.all(of: settings, isFIFO: isFIFO, host.identity)
      where attributes[attribute] != nil {
        let now = QueueAttributes.all(of: queue.settings, isFIFO: isFIFO, host.identity)
        guard now.contains(where: { $0 == (attribute, value) }) else {
          throw QueueError(
            "QueueNameExists", code: "QueueAlreadyExists",
            "A queue already exists with the same name and a different value for attribute \(attribute)")
        }
      }
      return answerURL(of: queue, call, front, in: host)
    }
    guard queues.byID.count < Queues.queuesMax else {
      throw QueueError(
        status: 403, "OverLimit", code: "OverLimit", "This host has \(queues.byID.count) queues; that is its limit.")
    }
    let tags = try QueueOperations.checked(call.texts("tags"))
    let queue = queues.add(name, at: host.clock.now())
    queue.settings = settings
    queue.tags = QueueOperations.tags(tags)
    queues.refreshPolicies()
    let id = queue.id
    queues.ask(.keepQueue(queue.record), in: host) { host, result in
      switch result {
      case .success:
        if let queue = host.queues.byID[id] { host.queues.operations.answerURL(of: queue, call, front, in: host) }
      case .failure(let error):
        if let queue = host.queues.byID[id] { host.queues.operations.forget(queue, in: host) }
        front.promise.succeed(QueueError(error).response(front.id))
      }
    }
  }

  private func checkDeadLetters(_ settings: QueueSettings, of name: String) throws(QueueError) {
    guard let target = settings.deadLetters?.queue else { return }
    guard queues.byName[target] != nil else {
      throw .attribute("RedrivePolicy", "the dead-letter queue \(target) does not exist.")
    }
    guard QueueName.isFIFO(target) == QueueName.isFIFO(name), target != name else {
      throw .attribute(
        "RedrivePolicy", "the dead-letter queue must be another queue of the same kind, FIFO or standard.")
    }
  }

  private func deleteQueue(_ call: QueueCall, in host: isolated HostCore) throws(QueueError) {
    let queue = try queues.queue(of: call)
    guard queue.mapping == nil else {
      throw .unsupported("\(queue.name) is a queue of kelvin.yaml; take it out there before you delete it.")
    }
    queues.store.note(.queueRemoved(queue.id))
    forget(queue, in: host)
  }

  private func forget(_ queue: HostedQueue, in host: isolated HostCore) {
    queue.isRemoved = true
    queue.timer?.task.cancel()
    queues.byID[queue.id] = nil
    queues.byName[queue.name] = nil
    queues.tasks.forget(queue.name)
    queues.refreshPolicies()
    while let waiter = queue.waiters.popFirst() {
      waiter.timer.cancel()
      waiter.request.promise.succeed(QueueError.noQueue.response(waiter.request.id))
    }
    queue.rules.purge()
    host.tell(queue.source, at: host.clock.now(), ToldLevels(queue.rules).changes(from: queue.told))
  }

  private func purgeQueue(_ call: QueueCall, in host: isolated HostCore) throws(QueueError) {
    let queue = try queues.queue(of: call)
    let dropped = queue.rules.count
    queue.rules.purge()
    // What is on its way into the store was sent before, and is purged with the rest.
    queue.purgedUpTo = queues.takeSequence()
    queues.store.note(.purged(queue: queue.id, upTo: queue.purgedUpTo))
    if dropped > 0 { host.tell(queue.source, at: host.clock.now(), [.counted(.dropped, Int64(dropped))]) }
    queues.touch(queue, in: host)
  }

  // MARK: Lists

  private func listQueues(_ call: QueueCall, _ front: FrontCall, in host: isolated HostCore) throws(QueueError) {
    let prefix = try call.string("QueueNamePrefix") ?? ""
    try answerList(
      queues.byName.keys.filter { $0.hasPrefix(prefix) }, member: "QueueUrls", call, front, in: host)
  }

  private func listDeadLetterSourceQueues(
    _ call: QueueCall, _ front: FrontCall, in host: isolated HostCore
  ) throws(QueueError) {
    let queue = try queues.queue(of: call)
    let sources = queues.byID.values.filter { $0.settings.deadLetters?.queue == queue.name }.map(\.name)
    try answerList(sources, member: "queueUrls", call, front, in: host)
  }

  /// A page of addresses; the token of the next page is the last name of this one.
  private func answerList(
    _ names: [String], member: String, _ call: QueueCall, _ front: FrontCall, in host: isolated HostCore
  ) throws(QueueError) {
    let limit = try call.integer("MaxResults", in: 1...1_000, "Must be between 1 and 1000, if provided.")
    let after = try call.string("NextToken") ?? ""
    let rest = names.filter { $0 > after }.sorted()
    let page = rest.prefix(Int(limit ?? 1_000))
    let identity = host.identity
    front.promise.succeed(
      QueueCall.answer(front.id) { writer in
        // SQS leaves an empty list out, but not that of dead-letter sources.
        if !page.isEmpty || member != "QueueUrls" {
          writer.key(member)
          writer.array { writer in
            for name in page { writer.string(QueueName.url(of: name, authority: call.authority, identity)) }
          }
        }
        if limit != nil, page.count < rest.count, let last = page.last { writer.member("NextToken", last) }
      })
  }

  // MARK: Attributes and tags

  private func getQueueAttributes(
    _ call: QueueCall, _ front: FrontCall, in host: isolated HostCore
  ) throws(QueueError) {
    let queue = try queues.queue(of: call)
    let wanted = Set(try call.strings("AttributeNames"))
    let attributes = attributes(of: queue, host.identity)
    let known = Set(attributes.map(\.name))
    for name in wanted where name != "All" && !known.contains(name) && !QueueAttributes.isName(name) {
      throw QueueError("InvalidAttributeName", code: "InvalidAttributeName", "Unknown Attribute \(name.prefix(100)).")
    }
    let chosen = attributes.filter { wanted.contains("All") || wanted.contains($0.name) }
    front.promise.succeed(
      QueueCall.answer(front.id) { writer in
        guard !chosen.isEmpty else { return }
        writer.key("Attributes")
        writer.object { writer in for (name, value) in chosen { writer.member(name, value) } }
      })
  }

  private func attributes(of queue: HostedQueue, _ identity: HostIdentity) -> [(name: String, value: String)] {
    let seconds = { (time: Timestamp) in String(time.nanoseconds / 1_000_000_000) }
    return QueueAttributes.all(of: queue.settings, isFIFO: queue.isFIFO, identity) + [
      ("ApproximateNumberOfMessages", String(queue.rules.waitingCount)),
      ("ApproximateNumberOfMessagesNotVisible", String(queue.rules.inFlightCount)),
      ("ApproximateNumberOfMessagesDelayed", String(queue.rules.delayedCount)),
      ("CreatedTimestamp", seconds(queue.createdAt)), ("LastModifiedTimestamp", seconds(queue.modifiedAt)),
      ("QueueArn", QueueName.arn(of: queue.name, identity)),
    ]
  }

  private func setQueueAttributes(
    _ call: QueueCall, _ front: FrontCall, in host: isolated HostCore
  ) throws(QueueError) {
    let queue = try queues.queue(of: call)
    var settings = queue.settings
    try QueueAttributes.apply(call.texts("Attributes"), to: &settings, isFIFO: queue.isFIFO)
    try checkDeadLetters(settings, of: queue.name)
    queue.settings = settings
    queue.modifiedAt = host.clock.now()
    queues.refreshPolicies()
    queues.touch(queue, in: host)
    keep(queue, answering: front, in: host)
  }

  /// Keeps what was changed of a queue, and answers then.
  private func keep(_ queue: HostedQueue, answering front: FrontCall, in host: isolated HostCore) {
    queues.ask(.keepQueue(queue.record), in: host) { _, result in
      switch result {
      case .success: front.promise.succeed(QueueCall.answer(front.id) { _ in })
      case .failure(let error): front.promise.succeed(QueueError(error).response(front.id))
      }
    }
  }

  private static let tagsMax = 50
  /// AWS's limits for a tag, in characters.
  private static let (tagKeyMax, tagValueMax) = (128, 256)

  private static func checked(_ tags: [String: String]) throws(QueueError) -> [String: String] {
    guard tags.count <= tagsMax else {
      throw .invalid("A queue can have at most \(tagsMax) tags, but these are \(tags.count).")
    }
    guard
      tags.allSatisfy({ (1...tagKeyMax).contains($0.unicodeScalars.count) && $1.unicodeScalars.count <= tagValueMax })
    else { throw .invalid("A tag has a key of 1 to \(tagKeyMax) and a value of at most \(tagValueMax) characters.") }
    return tags
  }

  private func listTags(_ call: QueueCall, _ front: FrontCall) throws(QueueError) {
    let tags = try QueueOperations.tags(queues.queue(of: call).tags)
    front.promise.succeed(
      QueueCall.answer(front.id) { writer in
        guard !tags.isEmpty else { return }
        writer.key("Tags")
        writer.object { writer in for (key, value) in tags.sorted(by: { $0.key < $1.key }) { writer.member(key, value) }
        }
      })
  }

  private func changeTags(
    _ call: QueueCall, _ front: FrontCall, in host: isolated HostCore,
    _ change: (inout [String: String], QueueCall) throws(QueueError) -> Void
  ) throws(QueueError) {
    let queue = try queues.queue(of: call)
    var tags = QueueOperations.tags(queue.tags)
    try change(&tags, call)
    queue.tags = QueueOperations.tags(try QueueOperations.checked(tags))
    keep(queue, answering: front, in: host)
  }

  private static func tags(_ text: String) -> [String: String] {
    guard case .object(let members)? = ByteBuffer(string: text).json else { return [:] }
    return Dictionary(members.compactMap { member in member.value.string.map { (member.name, $0) } }) { $1 }
  }

  private static func tags(_ tags: [String: String]) -> String {
    var writer = JSONWriter()
    writer.object { writer in for (key, value) in tags.sorted(by: { $0.key < $1.key }) { writer.member(key, value) } }
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  // MARK: Moving dead letters back

  private func startMessageMoveTask(
    _ call: QueueCall, _ front: FrontCall, in host: isolated HostCore
  ) throws(QueueError) {
    let source = try queue(arn: call.required("SourceArn"))
    let destination = try call.string("DestinationArn").map { arn throws(QueueError) in try queue(arn: arn) }
    guard queues.byID.values.contains(where: { $0.settings.deadLetters?.queue == source.name }) else {
      throw .invalid("Source queue must be configured as a Dead Letter Queue.")
    }
    guard destination.map({ $0.isFIFO == source.isFIFO && $0.id != source.id }) ?? true else {
      throw .invalid("The destination must be another queue of the same kind, FIFO or standard.")
    }
    let now = host.clock.now()
    let task = MoveTasks.Task(
      handle: Base64.encode([UInt8]("move \(source.name) \(queues.takeNumber()) \(now.nanoseconds)".utf8)),
      source: source.name,
      destination: destination?.name, startedAt: now, toMove: source.rules.waitingCount + source.rules.delayedCount)
    queues.tasks.begin(task)
    moveOn(task, in: host)
    front.promise.succeed(QueueCall.answer(front.id) { $0.member("TaskHandle", task.handle) })
  }

  private func queue(arn: String) throws(QueueError) -> HostedQueue {
    guard let name = QueueName.name(arn: arn), let queue = queues.byName[name] else {
      throw QueueError(
        status: 404, "ResourceNotFoundException", code: "ResourceNotFoundException",
        "The resource that you specified for the SourceArn or DestinationArn parameter doesn't exist.")
    }
    return queue
  }

  /// The most messages that are moved before anything else is looked at.
  private static let movedMax = 500

  /// Moves some messages, then looks again.
  private func moveOn(_ task: MoveTasks.Task, in host: isolated HostCore) {
    guard let queue = queues.byName[task.source] else { return }
    let sequences = queue.rules.first(QueueOperations.movedMax).map(\.sequence)
    queues.ask(.read(sequences), in: host) { host, result in
      guard case .success(.messages(let stored)) = result else {
        return host.queues.tasks.update(task.handle, of: task.source, moved: 0, isDone: true)
      }
      host.queues.operations.moveOn(task, stored, in: host)
    }
  }

  private func moveOn(_ task: MoveTasks.Task, _ stored: [StoredMessage], in host: isolated HostCore) {
    guard let queue = queues.byName[task.source] else { return }
    let now = host.clock.now()
    let origins = Dictionary(stored.map { ($0.sequence, task.destination ?? $0.deadLetterSource) }) { first, _ in first
    }
    var moved = 0
    for name in Set(origins.values) {
      // One whose queue has gone stays.
      guard let target = queues.byName[name], target.id != queue.id else { continue }
      let messages = queue.rules.takeOut(ofFirst: QueueOperations.movedMax) { origins[$0] == name }
      guard !messages.isEmpty else { continue }
      moved += messages.count
      queues.move(messages, from: queue, to: target, source: "", sentAt: now, in: host)
    }
    queues.tasks.update(task.handle, of: task.source, moved: moved, isDone: moved == 0)
    queues.touch(queue, in: host)
    if moved > 0 { moveOn(task, in: host) }
  }

  private func listMessageMoveTasks(
    _ call: QueueCall, _ front: FrontCall, in host: isolated HostCore
  ) throws(QueueError) {
    let source = try queue(arn: call.required("SourceArn"))
    let limit = try call.integer("MaxResults", in: 1...10, "Must be between 1 and 10, if provided.") ?? 1
    let (tasks, identity) = (queues.tasks.tasks(of: source.name).prefix(Int(limit)), host.identity)
    front.promise.succeed(
      QueueCall.answer(front.id) { writer in
        writer.key("Results")
        writer.array { writer in
          for task in tasks {
            writer.object {
              if !task.isDone { $0.member("TaskHandle", task.handle) }
              $0.member("Status", task.isDone ? "COMPLETED" : "RUNNING")
              $0.member("SourceArn", QueueName.arn(of: task.source, identity))
              if let name = task.destination { $0.member("DestinationArn", QueueName.arn(of: name, identity)) }
              $0.member("ApproximateNumberOfMessagesMoved", task.movedCount)
              $0.member("ApproximateNumberOfMessagesToMove", task.toMove)
              $0.member("StartedTimestamp", task.startedAt.nanoseconds / 1_000_000)
            }
          }
        }
      })
  }
}
