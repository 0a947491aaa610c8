package import HostRules
package import Lifecycle
import Text

/// The attributes of a queue, as SQS names and checks them.
package enum QueueAttributes {
  private struct Number {
    var name: String
    var range: ClosedRange<Int64>
  }

  private static let numbers = [
    Number(name: "VisibilityTimeout", range: 0...43_200), Number(name: "DelaySeconds", range: 0...900),
    Number(name: "MessageRetentionPeriod", range: 60...1_209_600),
    Number(name: "MaximumMessageSize", range: 1_024...1_048_576),
    Number(name: "ReceiveMessageWaitTimeSeconds", range: 0...20),
  ]
  /// Of SQS, but not of this host.
  private static let unsupported: Set<String> = [
    "Policy", "KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds", "SqsManagedSseEnabled", "RedriveAllowPolicy",
  ]
  /// Those that a queue may have or not.
  private static let optional: Set<String> = [
    "RedrivePolicy", "FifoQueue", "ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit",
  ]

  /// Whether SQS has an attribute that some queues do not have.
  package static func isName(_ name: String) -> Bool { optional.contains(name) || unsupported.contains(name) }

  /// Changes settings by attributes of a caller.
  ///
  /// - Throws: ``QueueError`` in SQS's words; the settings are half changed then.
  package static func apply(
    _ attributes: [String: String], to settings: inout QueueSettings, isFIFO: Bool
  ) throws(QueueError) {
    for (name, value) in attributes.sorted(by: { $0.key < $1.key }) {
      if let number = numbers.first(where: { $0.name == name }) {
        guard let amount = Int64(value), number.range.contains(amount) else {
          throw .attribute(name, "it must be from \(number.range.lowerBound) to \(number.range.upperBound).")
        }
        set(name, to: amount, in: &settings)
        continue
      }
      switch name {
      case "RedrivePolicy": settings.deadLetters = try redrivePolicy(value)
      case "FifoQueue":
        guard isFIFO == (value == "true") else {
          throw .attribute(name, "the name of a FIFO queue ends with .fifo, and no other does.")
        }
      case "ContentBasedDeduplication" where isFIFO:
        settings.contentBasedDeduplication = try boolean(name, value)
      case "DeduplicationScope" where isFIFO:
        guard value == "queue" || value == "messageGroup" else {
          throw .attribute(name, "it must be queue or messageGroup.")
        }
        settings.deduplicatesPerGroup = value == "messageGroup"
      case "FifoThroughputLimit" where isFIFO:
        // The host has no such limit, so both mean the same.
        guard value == "perQueue" || value == "perMessageGroupId" else {
          throw .attribute(name, "it must be perQueue or perMessageGroupId.")
        }
      case _ where unsupported.contains(name):
        throw .unsupported("This host does not implement the attribute \(name) of queues.")
      default:
        throw QueueError("InvalidAttributeName", code: "InvalidAttributeName", "Unknown Attribute \(name.prefix(100)).")
      }
    }
  }

  private static func boolean(_ name: String, _ value: String) throws(QueueError) -> Bool {
    guard value == "true" || value == "false" else { throw .attribute(name, "it must be true or false.") }
    return value == "true"
  }

  private static func set(_ name: String, to amount: Int64, in settings: inout QueueSettings) {
    switch name {
    case "VisibilityTimeout": settings.visibilityTimeout = .seconds(amount)
    case "DelaySeconds": settings.delay = .seconds(amount)
    case "MessageRetentionPeriod": settings.retention = .seconds(amount)
    case "MaximumMessageSize": settings.messageBytesMax = Int(amount)
    default: settings.receiveWait = .seconds(amount)
    }
  }

  /// Reads `{"deadLetterTargetArn": …, "maxReceiveCount": …}`; an empty text takes the policy away.
  private static func redrivePolicy(_ text: String) throws(QueueError) -> QueueSettings.DeadLetters? {
    if text.isEmpty { return nil }
    guard let value = try? JSONValue([UInt8](text.utf8).span, .answer), let arn = value["deadLetterTargetArn"]?.string,
      let queue = QueueName.name(arn: arn)
    else {
      throw .attribute("RedrivePolicy", "deadLetterTargetArn must be the ARN of a queue.")
    }
    // Clients send the count as a number or as a text.
    let count = value["maxReceiveCount"].flatMap { $0.int ?? $0.string.flatMap { Int($0) } }
    guard let count, (1...1_000).contains(count) else {
      throw .attribute("RedrivePolicy", "maxReceiveCount must be from 1 to 1000.")
    }
    return QueueSettings.DeadLetters(queue: queue, maximumReceives: count)
  }

  /// The attributes that settings stand for.
  package static func all(
    of settings: QueueSettings, isFIFO: Bool, _ identity: HostIdentity
  ) -> [(name: String, value: String)] {
    var attributes = [
      ("VisibilityTimeout", seconds(settings.visibilityTimeout)), ("DelaySeconds", seconds(settings.delay)),
      ("MessageRetentionPeriod", seconds(settings.retention)),
      ("MaximumMessageSize", String(settings.messageBytesMax)),
      ("ReceiveMessageWaitTimeSeconds", seconds(settings.receiveWait)),
    ]
    if let policy = settings.deadLetters {
      var writer = JSONWriter()
      writer.object {
        $0.member("deadLetterTargetArn", QueueName.arn(of: policy.queue, identity))
        $0.member("maxReceiveCount", policy.maximumReceives)
      }
      attributes.append(("RedrivePolicy", String(decoding: writer.bytes, as: UTF8.self)))
    }
    if isFIFO {
      attributes += [
        ("FifoQueue", "true"), ("ContentBasedDeduplication", String(settings.contentBasedDeduplication)),
        ("DeduplicationScope", settings.deduplicatesPerGroup ? "messageGroup" : "queue"),
        ("FifoThroughputLimit", settings.deduplicatesPerGroup ? "perMessageGroupId" : "perQueue"),
      ]
    }
    return attributes
  }

  private static func seconds(_ length: Nanoseconds) -> String { String(length.count / 1_000_000_000) }

  /// As the store keeps settings.
  package static func stored(_ settings: QueueSettings, isFIFO: Bool) -> String {
    var writer = JSONWriter()
    writer.object { writer in
      for (name, value) in all(of: settings, isFIFO: isFIFO, HostIdentity()) { writer.member(name, value) }
    }
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  /// What ``stored(_:isFIFO:)`` wrote. What cannot be read is as in a new queue.
  package static func stored(_ text: String, isFIFO: Bool) -> QueueSettings {
    var settings = QueueSettings()
    guard case .object(let members)? = try? JSONValue([UInt8](text.utf8).span, .answer) else { return settings }
    for member in members {
      guard let value = member.value.string else { continue }
      // One attribute that cannot be read must not cost the others.
      try? apply([member.name: value], to: &settings, isFIFO: isFIFO)
    }
    return settings
  }
}
