import HostRules
import Lifecycle
import NIOCore
import QueueAPI
import Text

extension FuzzTarget {
  /// What senders, consumers and functions say about queues.
  static let queues: [FuzzTarget] = [
    FuzzTarget("queue-calls", queueCalls),
    FuzzTarget("batch-replies") { bytes in
      let ids = (1...3).map { Identifier128(high: 0x1234, low: UInt64($0)) }
      for rule in [BatchReply.Rule.ignored, .ifGiven, .strict] {
        for isFIFO in [true, false] {
          let failed = BatchReply.failures(in: ByteBuffer(bytes: bytes), of: ids, isFIFO: isFIFO, rule: rule)
          require(failed == failed.sorted() && Set(failed).count == failed.count, "a message failed twice")
          require(failed.allSatisfy { ids.indices.contains($0) }, "a message failed that was not there")
          require(
            !isFIFO || failed.isEmpty || failed.last == ids.count - 1, "a message was processed after a failed one")
        }
      }
    },
    FuzzTarget("receipt-handles") { bytes in
      guard let handle = ReceiptHandle(String(decoding: bytes, as: UTF8.self)) else { return }
      require(ReceiptHandle(handle.text) == handle, "a handle reads differently")
    },
  ]

  /// The name of an operation, and behind an empty line its body. What was taken is written, and then reads the same.
  private static func queueCalls(_ bytes: [UInt8]) {
    let parts = String(decoding: bytes, as: UTF8.self).split(
      separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
    guard let body = parts.last, parts.count == 2,
      let call = try? QueueCall(
        target: QueueCall.targetPrefix + parts[0], body: ByteBuffer(string: String(body)), authority: "localhost")
    else { return }
    for isFIFO in [true, false] {
      var settings = QueueSettings()
      settings.contentBasedDeduplication = isFIFO
      if let attributes = try? call.texts("Attributes"),
        (try? QueueAttributes.apply(attributes, to: &settings, isFIFO: isFIFO)) != nil
      {
        let stored = QueueAttributes.stored(settings, isFIFO: isFIFO)
        require(QueueAttributes.stored(stored, isFIFO: isFIFO) == settings, "settings read differently")
      }
      let calls = [call] + ((try? call.entries()) ?? []).map(\.call)
      for call in calls {
        guard let entry = try? SendEntry(call, isFIFO: isFIFO, settings) else { continue }
        require(entry.bytesCount <= settings.messageBytesMax, "a message is too long")
        let stored = MessageAttribute.stored(entry.attributes)
        require(MessageAttribute.stored(stored) == entry.attributes, "attributes read differently")
        let message = GivenMessage(
          id: Identifier128(high: 1, low: 2), handle: ReceiptHandle(queue: 1, sequence: 2, receives: 3),
          body: entry.body,
          attributes: stored, group: entry.group, deduplicationID: entry.deduplicationID, sentAt: Timestamp(seconds: 1),
          firstReceivedAt: Timestamp(seconds: 2), trace: entry.trace, deadLetterSource: "")
        let event = QueueEvent.event([message], queue: "q", isFIFO: isFIFO, HostIdentity())
        let read = try? JSONValue([UInt8](event.readableBytesView).span, .answer)
        require(read?["Records"]?[0]?["body"]?.string == entry.body, "an event has another body")
      }
    }
  }
}
