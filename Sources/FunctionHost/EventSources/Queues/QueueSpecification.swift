package import HostRules
import Lifecycle
package import QueueAPI

/// A queue as it is configured: what it does, and which function its messages are for.
package struct QueueSpecification: Hashable, Sendable {
  /// The name; a FIFO queue's ends with `.fifo`.
  package var name: String
  /// What it does with messages. Its dead-letter queue is made if it is not there.
  package var settings: QueueSettings
  /// The function that it gives its messages to; `nil`: none.
  package var mapping: QueueMapping?

  /// A queue.
  package init(name: String, settings: QueueSettings, mapping: QueueMapping? = nil) {
    self.name = name
    self.settings = settings
    self.mapping = mapping
  }
}

/// How a queue gives its messages to a function, which AWS calls an event source mapping.
package struct QueueMapping: Hashable, Sendable {
  /// The most invocations at once for a function without reserved concurrency.
  package static let concurrencyDefault = 10

  /// The function's name.
  package var function: String
  /// The most messages of an invocation; 1 to 10.
  package var batch: Int
  /// When a message is given again that the function failed on.
  package var retryDelay: RetryDelay
  /// The most invocations at once; `nil`: as many as the function has reserved concurrency, or ``concurrencyDefault``.
  package var maximumConcurrency: Int?
  /// What the function's answer says of single messages.
  package var report: BatchReply.Rule

  /// A mapping to a function.
  package init(
    function: String, batch: Int = 10, retryDelay: RetryDelay = .backOff(first: .zero), maximumConcurrency: Int? = nil,
    report: BatchReply.Rule = .ifGiven
  ) {
    self.function = function
    self.batch = batch
    self.retryDelay = retryDelay
    self.maximumConcurrency = maximumConcurrency
    self.report = report
  }
}
