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

/// What people may see of queues beside SQS's API: all of them at a glance, and messages without receiving them.
struct QueueInspection {
  let queues: Queues

  static let routes: [Route<FrontRoutes.Handler>] = [
    Route("queue-list", [.GET], "/kelvin/queues") { core, call in
      QueueInspection(queues: core.queues).list(call, in: core)
    },
    Route("queue-messages", [.GET], "/kelvin/queues/{name}/messages") { core, call in
      try QueueInspection(queues: core.queues).peek(call, in: core)
    },
  ]

  /// The most messages that are shown at once.
  static let shownMax = 100

  /// `GET /kelvin/queues`
  func list(_ call: FrontCall, in host: isolated HostCore) {
    let now = host.clock.now()
    let rows = queues.byName.values.sorted { $0.name < $1.name }
    call.promise.succeed(
      .document { writer in
        writer.object { writer in
          writer.key("queues")
          writer.array { writer in for queue in rows { writer.object { write(queue, at: now, into: &$0, in: host) } } }
        }
      })
  }

  private func write(
    _ queue: HostedQueue, at now: Timestamp, into writer: inout JSONWriter, in host: isolated HostCore
  ) {
    let levels = ToldLevels(queue.rules)
    writer.member("name", queue.name)
    writer.member("state", state(of: queue, in: host).rawValue)
    if let function = queue.function { writer.member("function", function) }
    writer.member("waiting", levels.waiting)
    writer.member("delayed", levels.delayed)
    writer.member("inFlight", levels.inFlight)
    if queue.isFIFO { writer.member("groupsInFlight", levels.groupsInFlight) }
    if let oldest = levels.oldest {
      writer.key("oldestAgeSeconds")
      writer.seconds(nanoseconds: Int128(max(0, (now - oldest).count)))
    }
    if let policy = queue.settings.deadLetters {
      writer.member("deadLetterQueue", policy.queue)
      writer.member("maximumReceives", policy.maximumReceives)
    }
  }

  /// Whether a function is given the messages, and why not.
  private enum State: String {
    case active
    /// No function was ever configured.
    case noFunction = "no-function"
    /// The function's reserved concurrency is 0.
    case paused
    /// kelvin.yaml has the queue, or its function, no more.
    case orphaned
    /// The disk takes nothing.
    case diskFailing = "disk-failing"
  }

  private func state(of queue: HostedQueue, in host: isolated HostCore) -> State {
    guard let function = queue.function else { return .noFunction }
    guard queue.mapping != nil, let index = host.indices[function] else { return .orphaned }
    if queues.store.isFailing { return .diskFailing }
    return host.dispatcher.reserved(of: index) == 0 ? .paused : .active
  }

  /// `GET /kelvin/queues/{name}/messages`: the oldest messages.
  func peek(_ call: FrontCall, in host: isolated HostCore) throws(AWSError) {
    let name = call.request.route.parameters.first ?? ""
    guard let queue = queues.byName[name] else { throw .notFound("There is no queue \(name.prefix(100)).") }
    var limit = 10
    for item in try call.query() where item.name == "limit" {
      guard let number = item.value.flatMap({ Int($0) }), (1...QueueInspection.shownMax).contains(number) else {
        throw .invalidParameter("limit must be a whole number from 1 to \(QueueInspection.shownMax).")
      }
      limit = number
    }
    let sequences = queue.rules.first(limit).map(\.sequence)
    queues.ask(.read(sequences), in: host) { _, result in
      switch result {
      case .success(.messages(let messages)): call.promise.succeed(QueueInspection.answer(name, messages))
      case .success: preconditionFailure("BUG: messages were asked for, and something else was answered")
      case .failure(let error):
        call.promise.succeed(
          AWSError.unavailable("The messages could not be read: \(error.message).").response(call.id))
      }
    }
  }

  private static func answer(_ queue: String, _ messages: [StoredMessage]) -> HTTPResponse {
    .document { writer in
      writer.object { writer in
        writer.member("queue", queue)
        writer.key("messages")
        writer.array { writer in for message in messages { writer.object { write(message, into: &$0) } } }
      }
    }
  }

  private static func write(_ message: StoredMessage, into writer: inout JSONWriter) {
    writer.member("id", message.id.uuidText)
    writer.member("sequenceNumber", MessageNumbers.text(sequence: message.sequence))
    writer.member("sent", RFC3339.milliseconds(nanoseconds: message.sentAt.nanoseconds))
    writer.member("receives", message.receives)
    if !message.group.isEmpty { writer.member("group", message.group) }
    if !message.deduplicationID.isEmpty { writer.member("deduplicationId", message.deduplicationID) }
    if !message.deadLetterSource.isEmpty { writer.member("deadLetterOf", message.deadLetterSource) }
    writer.member("body", message.body)
  }
}
