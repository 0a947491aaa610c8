import LambdaAPI
package import Lifecycle
package import NIOCore
import Text

/// A message as a function or a consumer is given it.
package struct GivenMessage: Sendable {
  /// Its name.
  package var id: Identifier128
  /// What the consumer answers with.
  package var handle: ReceiptHandle
  /// The body.
  package var body: String
  /// As ``MessageAttribute/stored(_:)-(String)`` reads them.
  package var attributes: String
  /// Its group; empty if it has none.
  package var group: String
  /// Empty if it has none.
  package var deduplicationID: String
  /// When it was sent.
  package var sentAt: Timestamp
  /// When it was received first.
  package var firstReceivedAt: Timestamp
  /// The trace; empty if none.
  package var trace: String
  /// The queue of which it is a dead letter; empty if none.
  package var deadLetterSource: String

  /// A message of its parts.
  package init(
    id: Identifier128, handle: ReceiptHandle, body: String, attributes: String, group: String, deduplicationID: String,
    sentAt: Timestamp, firstReceivedAt: Timestamp, trace: String, deadLetterSource: String
  ) {
    self.id = id
    self.handle = handle
    self.body = body
    self.attributes = attributes
    self.group = group
    self.deduplicationID = deduplicationID
    self.sentAt = sentAt
    self.firstReceivedAt = firstReceivedAt
    self.trace = trace
    self.deadLetterSource = deadLetterSource
  }

  /// The attributes that the queue gives it, as SQS names them.
  package func systemAttributes(isFIFO: Bool, _ identity: HostIdentity) -> [(name: String, value: String)] {
    var attributes = [
      ("ApproximateReceiveCount", String(handle.receives)), ("SentTimestamp", MessageNumbers.milliseconds(sentAt)),
      ("SenderId", identity.account),
      ("ApproximateFirstReceiveTimestamp", MessageNumbers.milliseconds(firstReceivedAt)),
    ]
    if isFIFO {
      attributes.append(("SequenceNumber", MessageNumbers.text(sequence: handle.sequence)))
      attributes.append(("MessageDeduplicationId", deduplicationID))
    }
    if !group.isEmpty { attributes.append(("MessageGroupId", group)) }
    if !trace.isEmpty { attributes.append(("AWSTraceHeader", trace)) }
    if !deadLetterSource.isEmpty {
      attributes.append(("DeadLetterQueueSourceArn", QueueName.arn(of: deadLetterSource, identity)))
    }
    return attributes
  }
}

/// The event that a function is given for a batch of messages, in the shape of Lambda's event source mapping for SQS.
package enum QueueEvent {
  /// The event, as JSON.
  package static func event(
    _ messages: [GivenMessage], queue: String, isFIFO: Bool, _ identity: HostIdentity
  ) -> ByteBuffer {
    let size = messages.reduce(64) { $0 + $1.body.utf8.count + $1.attributes.utf8.count + 900 }
    var writer = JSONWriter(capacity: size)
    let arn = QueueName.arn(of: queue, identity)
    writer.object { writer in
      writer.key("Records")
      writer.array { writer in
        for message in messages { record(message, arn, isFIFO, identity, into: &writer) }
      }
    }
    return writer.buffer
  }

  private static func record(
    _ message: GivenMessage, _ arn: String, _ isFIFO: Bool, _ identity: HostIdentity, into writer: inout JSONWriter
  ) {
    let attributes = MessageAttribute.stored(message.attributes)
    writer.object { writer in
      writer.member("messageId", message.id.uuidText)
      writer.member("receiptHandle", message.handle.text)
      writer.member("body", message.body)
      writer.key("attributes")
      writer.object { writer in
        for (name, value) in message.systemAttributes(isFIFO: isFIFO, identity) { writer.member(name, value) }
      }
      writer.key("messageAttributes")
      writer.object { writer in for attribute in attributes { write(attribute, into: &writer) } }
      if let digest = MessageAttribute.digest(attributes) { writer.member("md5OfMessageAttributes", digest) }
      if let digest = MessageText.digest([UInt8](message.body.utf8)) { writer.member("md5OfBody", digest) }
      writer.member("eventSource", "aws:sqs")
      writer.member("eventSourceARN", arn)
      writer.member("awsRegion", identity.region)
    }
  }

  private static func write(_ attribute: MessageAttribute, into writer: inout JSONWriter) {
    writer.key(attribute.name)
    writer.object { writer in
      switch attribute.value {
      case .text(let text): writer.member("stringValue", text)
      case .bytes(let bytes): writer.member("binaryValue", Base64.encode(bytes))
      }
      for name in ["stringListValues", "binaryListValues"] {
        writer.key(name)
        writer.array { _ in }
      }
      writer.member("dataType", attribute.type)
    }
  }
}

/// What a function's answer says of a batch of messages.
package enum BatchReply {
  /// Whether the answer of a function that succeeded says which messages failed.
  package enum Rule: Hashable, Sendable {
    /// It is not read: all messages are processed.
    case ignored
    /// It is read if it is an object with `batchItemFailures`; any other answer means that all are processed.
    case ifGiven
    /// As Lambda's `ReportBatchItemFailures`: an answer that is not what it should be means that all failed.
    case strict
  }

  /// The positions of the messages that failed, in order. In a FIFO queue all after the first that failed did, too.
  ///
  /// - Parameter ids: Those of the batch's messages, in order.
  package static func failures(
    in answer: ByteBuffer, of ids: [Identifier128], isFIFO: Bool, rule: Rule
  ) -> [Int] {
    guard rule != .ignored, let failed = failedIDs(in: answer, rule) else {
      return rule == .strict ? Array(ids.indices) : []
    }
    if failed.isEmpty { return [] }
    var positions: Set<Int> = []
    for text in failed {
      // A name that is nobody's: nobody can say what failed, so all did.
      guard let text, let id = Identifier128(text: text), let position = ids.firstIndex(of: id) else {
        return Array(ids.indices)
      }
      positions.insert(position)
    }
    guard isFIFO, let first = positions.min() else { return positions.sorted() }
    return Array(first..<ids.count)
  }

  /// - Returns: The identifiers, `nil` for one that is malformed; `nil` if the answer is not what it should be.
  private static func failedIDs(in answer: ByteBuffer, _ rule: Rule) -> [String?]? {
    guard answer.readableBytes > 0 else { return [] }
    // What is deeper than a document may be is no list of failures.
    guard let value = answer.json else { return nil }
    if value.isNull { return [] }
    guard case .object = value else { return nil }
    switch value["batchItemFailures"] {
    case nil, .null: return []
    case .array(let items):
      return items.map { item in
        item["itemIdentifier"]?.string.flatMap { $0.isEmpty ? nil : $0 }
      }
    default: return nil
    }
  }
}
