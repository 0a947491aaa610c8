import Digests
import Lifecycle
import Text

/// What a consumer is given with a message, to say later that it is done with it.
package struct ReceiptHandle: Equatable, Sendable {
  /// The number of the queue.
  package var queue: Int64
  /// The message's place in the order of all messages.
  package var sequence: Int64
  /// Which receive it was given for.
  package var receives: Int

  /// A handle of its parts.
  package init(queue: Int64, sequence: Int64, receives: Int) {
    self.queue = queue
    self.sequence = sequence
    self.receives = receives
  }

  private static let partsCount = 4

  /// As consumers are given it.
  package var text: String {
    let numbers = "\(queue).\(sequence).\(receives)"
    return Base64.encode([UInt8]("\(numbers).\(ReceiptHandle.check(numbers))".utf8))
  }

  /// Reads a handle; `nil` for a text that is none.
  package init?(_ text: String) {
    guard text.utf8.count <= 256, let bytes = Base64.decode(text) else { return nil }
    let parts = String(decoding: bytes, as: UTF8.self).split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == ReceiptHandle.partsCount, let queue = Int64(parts[0]), let sequence = Int64(parts[1]),
      let receives = Int(parts[2]), parts[3] == ReceiptHandle.check("\(queue).\(sequence).\(receives)")
    else { return nil }
    self.init(queue: queue, sequence: sequence, receives: receives)
  }

  /// Tells a handle that was cut or mistyped from one that was given.
  private static func check(_ numbers: String) -> String {
    Hexadecimal.text(SHA256.digest([UInt8]("receipt \(numbers)".utf8)).prefix(8))
  }
}
