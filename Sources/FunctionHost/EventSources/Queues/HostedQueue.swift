import DequeModule
import HostRules
import HTTPServer
import LambdaAPI
import Lifecycle
import NIOCore
import QueueAPI
import QueueStore

/// A queue and its current state in the host. Used on the host's loop.
final class HostedQueue {
  /// A consumer that waits for messages.
  struct Waiter {
    var number: Int
    var request: ReceiveRequest
    var timer: Scheduled<Void>
  }

  /// Messages that a function has.
  struct Batch {
    var messages: [QueueRules.Delivery]
    var ids: [Identifier128] = []
    var deliveredAt: Timestamp
    /// Whether its end was not told yet.
    var isThrottled = false
  }

  let id: Int64
  let name: String
  let isFIFO: Bool
  let createdAt: Timestamp
  var modifiedAt: Timestamp
  var settings: QueueSettings
  var tags: String
  /// The function that kelvin.yaml named last.
  var function: String?
  /// `nil`: no function is given its messages.
  var mapping: QueueMapping?
  var rules: QueueRules
  var waiters = Deque<Waiter>()
  var batches: [Int: Batch] = [:]
  /// Whether it is looked at in this turn of the loop anyway.
  var isTouched = false
  var isRemoved = false
  var timer: (time: Timestamp, task: Scheduled<Void>)?
  /// The function is given nothing before.
  var pausedUntil = Timestamp(nanoseconds: 0)
  /// Refusals for lack of concurrency since the last admission.
  var throttlesInRow = 0
  /// Messages up to this sequence number were purged, also those that the store has not answered for yet.
  var purgedUpTo: Int64 = 0
  /// `nil` before the first time: then all is told, whatever an earlier process left behind.
  var told: ToldLevels?

  init(_ record: QueueRecord) {
    id = record.id
    name = record.name
    isFIFO = QueueName.isFIFO(record.name)
    createdAt = record.createdAt
    modifiedAt = record.modifiedAt
    settings = QueueAttributes.stored(record.settings, isFIFO: QueueName.isFIFO(record.name))
    tags = record.tags
    function = record.function
    rules = QueueRules(isFIFO: QueueName.isFIFO(record.name), retention: settings.retention)
  }

  var record: QueueRecord {
    QueueRecord(
      id: id, name: name, settings: QueueAttributes.stored(settings, isFIFO: isFIFO), tags: tags, function: function,
      createdAt: createdAt, modifiedAt: modifiedAt)
  }

  var source: EventSourceID { EventSourceID(.queue, name) }

  /// Those of some messages that were not given again since, by their sequence numbers.
  func heldStill(_ messages: [QueueRules.Delivery]) -> Set<Int64> {
    Set(
      messages.lazy.filter { message in
        // A message of a standard queue may be done with after it came back, until it is given again.
        let receives =
          self.isFIFO ? self.rules.receives(inFlight: message.sequence) : self.rules.receives(of: message.sequence)
        return receives == message.receives
      }.map(\.sequence))
  }
}

/// What was told of a queue's levels.
struct ToldLevels: Equatable {
  var waiting = 0
  var delayed = 0
  var inFlight = 0
  var groupsInFlight = 0
  var oldest: Timestamp?

  init() {}

  init(_ rules: QueueRules) {
    waiting = rules.waitingCount
    delayed = rules.delayedCount
    inFlight = rules.inFlightCount
    groupsInFlight = rules.groupsInFlightCount
    oldest = rules.waitingCount + rules.delayedCount + rules.inFlightCount > 0 ? rules.oldest : nil
  }

  /// What is to be told where `before` was; all of it where nothing was.
  func changes(from before: ToldLevels?) -> [EventSourceChange] {
    var changes: [EventSourceChange] = []
    if waiting != before?.waiting { changes.append(.level(.waiting, Int64(waiting))) }
    if delayed != before?.delayed { changes.append(.level(.delayed, Int64(delayed))) }
    if inFlight != before?.inFlight { changes.append(.level(.inFlight, Int64(inFlight))) }
    if groupsInFlight != before?.groupsInFlight { changes.append(.level(.groupsInFlight, Int64(groupsInFlight))) }
    if before == nil || oldest != before?.oldest { changes.append(.oldest(oldest)) }
    return changes
  }
}

/// What a consumer asks for.
struct ReceiveRequest {
  var limit: Int
  var visibility: Nanoseconds
  var systemAttributes: [String]
  var attributes: [String]
  var id: RequestID
  var promise: EventLoopPromise<HTTPResponse>
}
