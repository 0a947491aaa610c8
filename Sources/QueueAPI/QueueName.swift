package import Lifecycle

/// Names of queues, and what stands for them: addresses and ARNs.
package enum QueueName {
  /// What the name of a FIFO queue ends with.
  package static let suffix = ".fifo"
  /// The longest name, in bytes, its suffix included.
  package static let bytesMax = 80

  /// Whether SQS takes it for the name of a queue.
  package static func isName(_ text: String) -> Bool {
    let stem = isFIFO(text) ? text.utf8.dropLast(suffix.utf8.count) : text.utf8[...]
    return !stem.isEmpty && text.utf8.count <= bytesMax && stem.allSatisfy { isNameByte($0) }
  }

  /// Whether it is the name of a FIFO queue.
  package static func isFIFO(_ name: String) -> Bool { name.hasSuffix(suffix) }

  static func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
      true
    default: false
    }
  }

  /// The dead-letter queue that a queue has unless it names one: `mail-dlq`, `mail-dlq.fifo`.
  package static func deadLetters(of name: String) -> String {
    isFIFO(name) ? name.dropLast(suffix.count) + "-dlq" + suffix : name + "-dlq"
  }

  /// The address that clients are given for a queue.
  package static func url(of name: String, authority: String, _ identity: HostIdentity) -> String {
    "http://\(authority)/\(identity.account)/\(name)"
  }

  /// The name in an address of a queue, whatever host and account it names.
  package static func name(url: String) -> String? {
    // A bare name is taken, too, as SQS does.
    let name = url.split(separator: "/").last.map(String.init)
    return name.flatMap { isName($0) ? $0 : nil }
  }

  /// The ARN of a queue.
  package static func arn(of name: String, _ identity: HostIdentity) -> String {
    "arn:\(identity.partition):sqs:\(identity.region):\(identity.account):\(name)"
  }

  /// The name in an ARN of a queue, whatever region and account it names.
  package static func name(arn: String) -> String? {
    let parts = arn.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 6, parts[0] == "arn", parts[2] == "sqs" else { return nil }
    return isName(String(parts[5])) ? String(parts[5]) : nil
  }
}
