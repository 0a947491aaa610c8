import Digests
package import HostRules
package import Lifecycle
import Text

/// A message that somebody wants to send: checked, but for its size in a batch.
package struct SendEntry: Sendable {
  /// The body.
  package var body: String
  /// In the order of their names.
  package var attributes: [MessageAttribute]
  /// Its group; empty if it has none.
  package var group: String
  /// As the sender gave it, or the hash of the body; empty if there is none.
  package var deduplicationID: String
  /// How long it waits before it can be received.
  package var delay: Nanoseconds
  /// The trace that the sender gave; empty if none.
  package var trace: String

  private static let idReason =
    "can only include alphanumeric and punctuation characters. 1 to 128 in length."

  /// Reads the members of a send, or of an entry of a batch.
  ///
  /// - Throws: ``QueueError`` in SQS's words.
  package init(_ call: QueueCall, isFIFO: Bool, _ settings: QueueSettings) throws(QueueError) {
    body = try call.required("MessageBody")
    guard MessageText.isAllowed(body) else { throw MessageText.notAllowed }
    attributes = try MessageAttribute.read(call.map("MessageAttributes"), "MessageAttributes")
    let given = try call.integer("DelaySeconds", in: 0...900, "DelaySeconds must be >= 0 and <= 900.")
    if isFIFO, let given, given > 0 {
      throw .invalid(
        "\(given)", of: "DelaySeconds", "The request include parameter that is not valid for this queue type.")
    }
    delay = isFIFO ? settings.delay : given.map { .seconds($0) } ?? settings.delay
    trace = ""
    for member in try call.map("MessageSystemAttributes") {
      guard member.name == "AWSTraceHeader", case .string(let text)? = member.value["StringValue"],
        text.utf8.count <= 1_024
      else { throw .invalid("Message system attribute name '\(member.name.prefix(200))' is invalid.") }
      trace = text
    }
    group = try call.string("MessageGroupId") ?? ""
    if isFIFO, group.isEmpty { throw .missing("MessageGroupId") }
    guard group.isEmpty || SendEntry.isID(group) else {
      throw .invalid(group, of: "MessageGroupId", "MessageGroupId \(SendEntry.idReason)")
    }
    deduplicationID = try SendEntry.deduplicationID(call.string("MessageDeduplicationId"), body, isFIFO, settings)
    let bytes = bytesCount
    guard bytes <= settings.messageBytesMax else {
      throw .invalid(
        "One or more parameters are invalid. Reason: Message must be shorter than \(settings.messageBytesMax) bytes.")
    }
  }

  /// A message of the host's own to a standard queue; `nil` if it is longer than the queue takes.
  package init?(document: String, _ settings: QueueSettings) {
    guard document.utf8.count <= settings.messageBytesMax else { return nil }
    body = document
    attributes = []
    group = ""
    deduplicationID = ""
    delay = settings.delay
    trace = ""
  }

  private static func deduplicationID(
    _ given: String?, _ body: String, _ isFIFO: Bool, _ settings: QueueSettings
  ) throws(QueueError) -> String {
    if let given, !given.isEmpty {
      guard isFIFO else {
        throw .invalid(
          given, of: "MessageDeduplicationId", "The request include parameter that is not valid for this queue type.")
      }
      guard isID(given) else {
        throw .invalid(given, of: "MessageDeduplicationId", "MessageDeduplicationId \(idReason)")
      }
      return given
    }
    guard isFIFO else { return "" }
    guard settings.contentBasedDeduplication else {
      throw .invalid(
        "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly")
    }
    return Hexadecimal.text(SHA256.digest([UInt8](body.utf8)))
  }

  /// 1 to 128 letters, digits and ASCII punctuation.
  private static func isID(_ text: String) -> Bool {
    (1...128).contains(text.utf8.count) && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
  }

  /// SQS's checksum of the attributes that are the queue's business; `nil` if there are none.
  package var traceDigest: String? {
    trace.isEmpty
      ? nil : MessageAttribute.digest([MessageAttribute(name: "AWSTraceHeader", type: "String", value: .text(trace))])
  }

  /// What it counts for in limits, in bytes.
  package var bytesCount: Int { attributes.reduce(body.utf8.count) { $0 + $1.bytesCount } }

  /// By what it is known for five minutes: 16 bytes; `nil` if nothing tells it from others.
  package func deduplicationKey(_ settings: QueueSettings) -> [UInt8]? {
    guard !deduplicationID.isEmpty else { return nil }
    let scope = settings.deduplicatesPerGroup ? group : ""
    return Array(SHA256.digest([UInt8]("\(scope)\0\(deduplicationID)".utf8)).prefix(16))
  }
}

/// Numbers and texts of messages as clients see them.
package enum MessageNumbers {
  /// The sequence number of a FIFO queue's message: 20 digits.
  package static func text(sequence: Int64) -> String {
    String(10_000_000_000_000_000_000 + UInt64(clamping: sequence))
  }

  /// Milliseconds since the epoch.
  package static func milliseconds(_ time: Timestamp) -> String { String(time.nanoseconds / 1_000_000) }
}
