package import Lifecycle

/// One entry of `queues`.
package struct QueueConfiguration: Hashable, Sendable {
  /// When a message is given again that the function failed on.
  package enum Retry: Hashable, Sendable {
    /// After so long, which doubles with every further receive; 0 s to 15 min.
    case after(Nanoseconds)
    /// When the visibility timeout has passed.
    case visibilityTimeout
  }

  /// 1 to 80 letters, digits, `-` and `_`, with `.fifo` at the end for a FIFO queue; unique in a file.
  package var name: String
  /// The function that its messages are for; one of the file. `nil`: none, so that only consumers of SQS's API have them.
  package var function: String?
  /// The most messages of an invocation, 1 to 10.
  package var batch: Int64 = 10
  /// How often a message is received before it is a dead letter, 1 to 1,000.
  package var maximumReceives: Int64 = 5
  /// When a message is given again that the function failed on.
  package var retry = Retry.after(.zero)
  /// How long a consumer has a message, 0 s to 12 h.
  package var visibilityTimeout = Nanoseconds.seconds(30)
  /// How long a message is kept, 1 min to 14 days.
  package var retention = Nanoseconds.seconds(4 * 86_400)
  /// How long a message waits before it is given, 0 s to 15 min.
  package var delay = Nanoseconds.zero
  /// The queue for dead letters; `nil`: none, so that a message is given again until it is too old.
  package var deadLetterQueue: String?
  /// Whether a FIFO queue tells messages without a deduplication id apart by their bodies.
  package var contentBasedDeduplication = true
  /// The most invocations at once, 1 to 1,000; `nil`: the function's reserved concurrency, or 10.
  package var maximumConcurrency: Int64?
  /// Whether the function's answer says which messages failed; `nil`: only an answer that has such a list does.
  package var reportBatchItemFailures: Bool?
  /// The line of the file where the queue's name stands; 0 if it is from elsewhere.
  package var line = 0

  /// A queue of which nothing is said but its name.
  package init(name: String, deadLetterQueue: String?) {
    self.name = name
    self.deadLetterQueue = deadLetterQueue
  }

  /// What the name of a FIFO queue ends with.
  package static let suffix = ".fifo"

  /// Whether it is a FIFO queue.
  package var isFIFO: Bool { name.hasSuffix(QueueConfiguration.suffix) }
}
