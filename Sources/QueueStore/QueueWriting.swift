internal import Foundation
internal import GRDB
internal import Lifecycle

/// Writes within one transaction.
struct QueueWriting {
  let database: Database
  private var newKeys = 0
  private var latest = Timestamp(nanoseconds: 0)

  init(database: Database) { self.database = database }

  mutating func perform(_ request: QueueRequest) throws -> QueueAnswer {
    switch request {
    case .read, .barrier: return .done
    case .send(let messages): return .sent(try messages.map { try send($0) })
    case .keepQueue(let queue): try keep(queue)
    case .keepEvent(let event):
      try run(
        """
        INSERT INTO events (request, function, version, arn, qualifier, trace, context, settings, accepted, due, errors,
        throttles, payload) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
        [
          event.request.value.data, event.function, event.version, event.arn, event.qualifier, event.trace,
          event.clientContext, event.settings, event.acceptedAt.nanoseconds, event.due.nanoseconds, event.errors,
          event.throttles,
          Data(event.payload),
        ])
    }
    return .done
  }

  private func keep(_ queue: QueueRecord) throws {
    try run(
      """
      INSERT INTO queues (id, name, settings, tags, function, created, modified) VALUES (?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT (id) DO UPDATE SET settings = excluded.settings, tags = excluded.tags,
      function = excluded.function, modified = excluded.modified
      """,
      [
        queue.id, queue.name, queue.settings, queue.tags, queue.function, queue.createdAt.nanoseconds,
        queue.modifiedAt.nanoseconds,
      ])
  }

  private mutating func send(_ message: NewMessage) throws -> SentMessage {
    if let deduplication = message.deduplication {
      latest = max(latest, message.sentAt)
      if let first = try first(of: message, deduplication) { return first }
      try run(
        "INSERT OR REPLACE INTO deduplication (queue, key, sequence, id, until) VALUES (?, ?, ?, ?, ?)",
        [
          message.queue, Data(deduplication.key), message.sequence, message.id.data, deduplication.until.nanoseconds,
        ])
      newKeys += 1
    }
    try run(
      """
      INSERT INTO messages (sequence, queue, id, message_group, deduplication, sent, available, receives, source, trace,
      attributes, body) VALUES (?, ?, ?, ?, ?, ?, ?, 0, '', ?, ?, ?)
      """,
      [
        message.sequence, message.queue, message.id.data, message.group, message.deduplicationID,
        message.sentAt.nanoseconds, message.availableAt.nanoseconds, message.trace, message.attributes, message.body,
      ])
    return SentMessage(sequence: message.sequence, id: message.id, isDuplicate: false)
  }

  private func first(of message: NewMessage, _ deduplication: NewMessage.Deduplication) throws -> SentMessage? {
    let statement = try database.cachedStatement(
      sql: "SELECT sequence, id FROM deduplication WHERE queue = ? AND key = ? AND until > ?")
    let row = try Row.fetchOne(
      statement, arguments: [message.queue, Data(deduplication.key), message.sentAt.nanoseconds])
    guard let row, let id = Identifier128(data: row[1]) else { return nil }
    return SentMessage(sequence: row[0], id: id, isDuplicate: true)
  }

  /// Two of the old keys go for each new one, so that there are never many.
  mutating func forgetOldKeys() throws {
    guard newKeys > 0 else { return }
    try run(
      """
      DELETE FROM deduplication WHERE (queue, key) IN (
        SELECT queue, key FROM deduplication WHERE until <= ? ORDER BY until LIMIT ?)
      """, [latest.nanoseconds, 2 * newKeys])
  }

  func perform(_ fact: QueueFact) throws {
    switch fact {
    case .received(let receives, let time):
      for receive in receives {
        try run(
          """
          UPDATE messages SET receives = ?, first_received = coalesce(first_received, ?), hidden_until = ?
          WHERE sequence = ?
          """, [receive.receives, time.nanoseconds, receive.hiddenUntil?.nanoseconds, receive.sequence])
      }
    case .returned(let sequences, let availableAt):
      for sequence in sequences {
        try run(
          "UPDATE messages SET available = ?, hidden_until = NULL WHERE sequence = ?",
          [availableAt.nanoseconds, sequence])
      }
    case .removed(let sequences):
      for sequence in sequences { try run("DELETE FROM messages WHERE sequence = ?", [sequence]) }
    case .moved(let pairs, let queue, let source, let sentAt):
      for (old, new) in pairs {
        try run(
          """
          UPDATE messages SET sequence = ?, queue = ?, source = ?, sent = coalesce(?, sent), available = 0, receives = 0,
          first_received = NULL, hidden_until = NULL WHERE sequence = ?
          """, [new, queue, source, sentAt?.nanoseconds, old])
      }
    case .purged(let queue, let last):
      try run("DELETE FROM messages WHERE queue = ? AND sequence <= ?", [queue, last])
    case .queueKept(let queue): try keep(queue)
    case .queueRemoved(let queue):
      try run("DELETE FROM messages WHERE queue = ?", [queue])
      try run("DELETE FROM deduplication WHERE queue = ?", [queue])
      try run("DELETE FROM queues WHERE id = ?", [queue])
    case .eventDelayed(let request, let due, let errors, let throttles):
      try run(
        "UPDATE events SET due = ?, errors = ?, throttles = ? WHERE request = ?",
        [due.nanoseconds, errors, throttles, request.value.data])
    case .eventRemoved(let request): try run("DELETE FROM events WHERE request = ?", [request.value.data])
    }
  }

  private func run(_ sql: String, _ arguments: StatementArguments) throws {
    try database.cachedStatement(sql: sql).execute(arguments: arguments)
  }
}

/// Reads what was written.
enum QueueReading {
  static func queues(in database: Database) throws -> [QueueRecord] {
    try Row.fetchAll(
      database, sql: "SELECT id, name, settings, tags, function, created, modified FROM queues ORDER BY id"
    ).map { row in
      QueueRecord(
        id: row[0], name: row[1], settings: row[2], tags: row[3], function: row[4],
        createdAt: Timestamp(nanoseconds: row[5]), modifiedAt: Timestamp(nanoseconds: row[6]))
    }
  }

  static func messages(in database: Database, _ body: (IndexedMessage) -> Void) throws {
    let cursor = try Row.fetchCursor(
      database,
      sql: """
        SELECT sequence, queue, message_group, sent, available, receives, hidden_until FROM messages ORDER BY sequence
        """)
    while let row = try cursor.next() {
      let hidden: Int64? = row[6]
      body(
        IndexedMessage(
          sequence: row[0], queue: row[1], group: row[2], sentAt: Timestamp(nanoseconds: row[3]),
          availableAt: Timestamp(nanoseconds: row[4]), receives: row[5],
          hiddenUntil: hidden.map { Timestamp(nanoseconds: $0) }))
    }
  }

  static func messages(_ sequences: [Int64], in database: Database) throws -> [StoredMessage] {
    let statement = try database.cachedStatement(
      sql: """
        SELECT sequence, id, message_group, deduplication, sent, receives, first_received, body, attributes, trace, source
        FROM messages WHERE sequence = ?
        """)
    return try sequences.compactMap { sequence in
      guard let row = try Row.fetchOne(statement, arguments: [sequence]), let id = Identifier128(data: row[1]) else {
        return nil
      }
      let first: Int64? = row[6]
      return StoredMessage(
        sequence: row[0], id: id, group: row[2], deduplicationID: row[3], sentAt: Timestamp(nanoseconds: row[4]),
        receives: row[5], firstReceivedAt: first.map { Timestamp(nanoseconds: $0) }, body: row[7], attributes: row[8],
        trace: row[9], deadLetterSource: row[10])
    }
  }

  static func events(in database: Database) throws -> [EventRecord] {
    try Row.fetchAll(
      database,
      sql: """
        SELECT request, function, version, arn, qualifier, trace, context, settings, accepted, due, errors, throttles,
          payload
        FROM events ORDER BY accepted
        """
    ).compactMap { row in
      guard let request = Identifier128(data: row[0]) else { return nil }
      let payload: Data = row[12]
      return EventRecord(
        request: RequestID(request), function: row[1], version: row[2], arn: row[3], qualifier: row[4], trace: row[5],
        clientContext: row[6], settings: row[7], acceptedAt: Timestamp(nanoseconds: row[8]),
        due: Timestamp(nanoseconds: row[9]), errors: row[10], throttles: row[11], payload: [UInt8](payload))
    }
  }
}

extension Identifier128 {
  fileprivate var data: Data {
    var bytes = Data(capacity: 16)
    for shift in stride(from: 56, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: high >> UInt64(shift))) }
    for shift in stride(from: 56, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: low >> UInt64(shift))) }
    return bytes
  }

  fileprivate init?(data: Data) {
    guard data.count == 16 else { return nil }
    self.init(
      high: data.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }, low: data.suffix(8).reduce(0) { $0 << 8 | UInt64($1) })
  }
}
