package import Lifecycle

/// What a queue does with its messages, in SQS's terms.
package struct QueueSettings: Hashable, Sendable {
  /// Where messages go that were received too often.
  package struct DeadLetters: Hashable, Sendable {
    /// The name of the dead-letter queue.
    package var queue: String
    /// How often a message is received before it is moved there; at least 1.
    package var maximumReceives: Int

    /// A policy of its parts.
    package init(queue: String, maximumReceives: Int) {
      self.queue = queue
      self.maximumReceives = maximumReceives
    }
  }

  /// How long a message stays invisible after a receive; at most 12 h.
  package var visibilityTimeout = Nanoseconds.seconds(30)
  /// How long a message that is sent waits before it can be received; at most 15 min.
  package var delay = Nanoseconds.zero
  /// How long a message is kept; 1 min to 14 days.
  package var retention = Nanoseconds.seconds(4 * 86_400)
  /// The longest body with its attributes, in bytes; 1,024 to 1 MiB.
  package var messageBytesMax = 1 << 20
  /// How long a receive waits for a message unless it says so itself; at most 20 s.
  package var receiveWait = Nanoseconds.zero
  /// Whether a FIFO queue takes the SHA-256 of a body for a deduplication id that is not given.
  package var contentBasedDeduplication = false
  /// Whether deduplication ids of different groups are different.
  package var deduplicatesPerGroup = false
  /// `nil`: messages are received again and again until they are too old.
  package var deadLetters: DeadLetters?

  /// SQS's defaults.
  package init() {}
}

/// When a queue gives a message again that its function failed on.
package enum RetryDelay: Hashable, Sendable {
  /// After `first`, doubled with every further receive, at most ``longest``.
  case backOff(first: Nanoseconds)
  /// When the visibility timeout that began with the delivery has passed, as AWS does.
  case visibilityTimeout

  /// The longest delay that doubling leads to: 15 min.
  package static let longest = Nanoseconds.seconds(900)

  /// When a message is given again.
  ///
  /// - Parameters:
  ///   - receives: How often it was received, this time included; at least 1.
  ///   - deliveredAt: When it was delivered.
  ///   - visibilityTimeout: That of the queue.
  package func next(
    receives: Int, deliveredAt: Timestamp, failedAt now: Timestamp, visibilityTimeout: Nanoseconds
  ) -> Timestamp {
    switch self {
    case .visibilityTimeout: return max(now, deliveredAt + visibilityTimeout)
    case .backOff(let first):
      let doublings = min(max(0, receives - 1), 40)
      let (product, overflow) = first.count.multipliedReportingOverflow(by: 1 << Int64(doublings))
      // A first delay above the limit is kept as it was configured.
      let limit = max(first, RetryDelay.longest)
      return now + (overflow ? limit : min(limit, Nanoseconds(product)))
    }
  }
}
