package import Lifecycle

/// A queue as it is kept.
package struct QueueRecord: Hashable, Sendable {
  /// Its number in the store; never used again for another.
  package var id: Int64
  /// Unique; ends with `.fifo` if it is a FIFO queue.
  package var name: String
  /// What it does with messages, in the words of whoever wrote it: JSON.
  package var settings: String
  /// Its tags: JSON.
  package var tags: String
  /// The function that kelvin.yaml gave it last; `nil` if none.
  package var function: String?
  /// When it was made.
  package var createdAt: Timestamp
  /// When its settings were changed last.
  package var modifiedAt: Timestamp

  /// A record of its parts.
  package init(
    id: Int64, name: String, settings: String, tags: String = "{}", function: String? = nil, createdAt: Timestamp,
    modifiedAt: Timestamp
  ) {
    self.id = id
    self.name = name
    self.settings = settings
    self.tags = tags
    self.function = function
    self.createdAt = createdAt
    self.modifiedAt = modifiedAt
  }
}

/// A message on its way into the store.
package struct NewMessage: Sendable {
  /// Says that a message with the same key within five minutes is the same message.
  package struct Deduplication: Hashable, Sendable {
    /// The key in its queue, of at most 32 bytes.
    package var key: [UInt8]
    /// Until when it counts.
    package var until: Timestamp

    /// A key and its time.
    package init(key: [UInt8], until: Timestamp) {
      self.key = key
      self.until = until
    }
  }

  /// Its place in the order of all messages.
  package var sequence: Int64
  /// The number of its queue.
  package var queue: Int64
  /// Its name for whoever sends and receives it.
  package var id: Identifier128
  /// Its group; empty if it has none.
  package var group: String
  /// The id by which it is told from others, in the sender's words; empty if it has none.
  package var deduplicationID: String
  /// `nil`: every message is another one.
  package var deduplication: Deduplication?
  /// When it was sent.
  package var sentAt: Timestamp
  /// Before that it is not given.
  package var availableAt: Timestamp
  /// The body.
  package var body: String
  /// The attributes in the words of whoever wrote them: JSON. Empty if there are none.
  package var attributes: String
  /// The trace that came with it; empty if none did.
  package var trace: String

  /// A message of its parts.
  package init(
    sequence: Int64, queue: Int64, id: Identifier128, group: String, deduplicationID: String,
    deduplication: Deduplication?, sentAt: Timestamp, availableAt: Timestamp, body: String, attributes: String,
    trace: String
  ) {
    self.sequence = sequence
    self.queue = queue
    self.id = id
    self.group = group
    self.deduplicationID = deduplicationID
    self.deduplication = deduplication
    self.sentAt = sentAt
    self.availableAt = availableAt
    self.body = body
    self.attributes = attributes
    self.trace = trace
  }
}

/// What became of a message that was sent.
package struct SentMessage: Hashable, Sendable {
  /// That of the message that counts.
  package var sequence: Int64
  /// That of the message that counts.
  package var id: Identifier128
  /// Whether it is one that was sent before.
  package var isDuplicate: Bool
}

/// A message as it is read.
package struct StoredMessage: Hashable, Sendable {
  /// Its place in the order of all messages.
  package var sequence: Int64
  /// Its name.
  package var id: Identifier128
  /// Its group; empty if it has none.
  package var group: String
  /// As ``NewMessage/deduplicationID``.
  package var deduplicationID: String
  /// When it was sent.
  package var sentAt: Timestamp
  /// How often it was received, as far as the store was told.
  package var receives: Int
  /// When it was received first; `nil` before.
  package var firstReceivedAt: Timestamp?
  /// The body.
  package var body: String
  /// The attributes: JSON, or nothing.
  package var attributes: String
  /// The trace, or nothing.
  package var trace: String
  /// The name of the queue of which it is a dead letter; empty if it is none.
  package var deadLetterSource: String
}

/// What is known of a message in memory after a start.
package struct IndexedMessage: Hashable, Sendable {
  /// Its place in the order of all messages.
  package var sequence: Int64
  /// The number of its queue.
  package var queue: Int64
  /// Its group; empty if it has none.
  package var group: String
  /// When it was sent.
  package var sentAt: Timestamp
  /// Before that it is not given.
  package var availableAt: Timestamp
  /// How often it was received.
  package var receives: Int
  /// Until when a consumer has it; `nil`: none has.
  package var hiddenUntil: Timestamp?

  /// What is known of a message.
  package init(
    sequence: Int64, queue: Int64, group: String, sentAt: Timestamp, availableAt: Timestamp, receives: Int,
    hiddenUntil: Timestamp?
  ) {
    self.sequence = sequence
    self.queue = queue
    self.group = group
    self.sentAt = sentAt
    self.availableAt = availableAt
    self.receives = receives
    self.hiddenUntil = hiddenUntil
  }
}

/// An asynchronous event as it is kept.
package struct EventRecord: Hashable, Sendable {
  /// The identity of all its attempts.
  package var request: RequestID
  /// The function's name.
  package var function: String
  /// The version: `$LATEST` or a number.
  package var version: String
  /// As the caller named the function.
  package var arn: String
  /// What the caller called: a version, an alias, or empty.
  package var qualifier: String
  /// The trace, as the runtime is given it.
  package var trace: String
  /// JSON; `nil` if the caller sent none.
  package var clientContext: String?
  /// What was configured of it when it was accepted, in the words of whoever wrote it: JSON.
  package var settings: String
  /// When it was accepted.
  package var acceptedAt: Timestamp
  /// When it is given to its function next.
  package var due: Timestamp
  /// How often the function has failed on it.
  package var errors: Int
  /// How often it was refused for lack of concurrency.
  package var throttles: Int
  /// The event.
  package var payload: [UInt8]

  /// A record of its parts.
  package init(
    request: RequestID, function: String, version: String, arn: String, qualifier: String, trace: String,
    clientContext: String?, settings: String, acceptedAt: Timestamp, due: Timestamp, errors: Int, throttles: Int,
    payload: [UInt8]
  ) {
    self.request = request
    self.function = function
    self.version = version
    self.arn = arn
    self.qualifier = qualifier
    self.trace = trace
    self.clientContext = clientContext
    self.settings = settings
    self.acceptedAt = acceptedAt
    self.due = due
    self.errors = errors
    self.throttles = throttles
    self.payload = payload
  }
}

/// Something that somebody waits for: it is done whole and on the disk, or not at all.
package enum QueueRequest: Sendable {
  /// Keeps messages, in their order. Answered with ``QueueAnswer/sent(_:)``, one for each.
  case send([NewMessage])
  /// Keeps a queue; one with the same number or name is replaced.
  case keepQueue(QueueRecord)
  /// Keeps an asynchronous event.
  case keepEvent(EventRecord)
  /// Reads messages. Answered with ``QueueAnswer/messages(_:)``; those that are not there are left out.
  case read([Int64])
  /// Nothing. Answered once all that was handed in before is on the disk.
  case barrier
}

/// The answer to a request.
package enum QueueAnswer: Sendable {
  /// What became of messages that were sent.
  case sent([SentMessage])
  /// Messages in the order of their sequence numbers.
  case messages([StoredMessage])
  /// It is done.
  case done
}

/// A fact that the store has to have in the end: nobody waits for it, and it is tried again until it is on the disk.
package enum QueueFact: Sendable {
  /// A message that was given.
  package struct Receive: Sendable {
    /// Which one.
    package var sequence: Int64
    /// How often it was given, this time included.
    package var receives: Int
    /// Until when a consumer has it, even over a restart; `nil`: only while this process lives.
    package var hiddenUntil: Timestamp?

    /// A fact of its parts.
    package init(sequence: Int64, receives: Int, hiddenUntil: Timestamp?) {
      self.sequence = sequence
      self.receives = receives
      self.hiddenUntil = hiddenUntil
    }
  }

  /// Messages were given.
  case received([Receive], at: Timestamp)
  /// Messages came back: nobody has them, and they are not given before a time.
  case returned([Int64], availableAt: Timestamp)
  /// Messages are gone.
  case removed([Int64])
  /// Messages are in another queue now, each with a new sequence number; `source` is the queue of which they are dead letters.
  case moved([(from: Int64, to: Int64)], queue: Int64, source: String, sentAt: Timestamp?)
  /// All messages of a queue up to a sequence number are gone.
  case purged(queue: Int64, upTo: Int64)
  /// A queue is there, with these settings; one with the same number is replaced.
  case queueKept(QueueRecord)
  /// A queue is gone, and all of its messages are.
  case queueRemoved(Int64)
  /// An asynchronous event is tried again.
  case eventDelayed(RequestID, due: Timestamp, errors: Int, throttles: Int)
  /// An asynchronous event is done with.
  case eventRemoved(RequestID)
}
