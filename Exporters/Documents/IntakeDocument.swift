public import Lifecycle
import Text

/// The answer to a batch of events: what became of each of them.
public struct IntakeDocument: Sendable, Equatable {
  /// How many reasons an answer tells.
  public static let reasonsLimit = 20

  /// Events that are counted, and durable.
  public var accepted: Int
  /// Events that had been accepted before.
  public var duplicates: Int
  /// Events that cannot be read, or are not taken.
  public var rejected: Int
  /// The first of those, in the order of their index.
  public var reasons: [RejectedEvent]

  /// Makes an answer; of the rejected events it tells the first ``reasonsLimit``.
  public init(accepted: Int, duplicates: Int, rejected: [RejectedEvent]) {
    self.accepted = accepted
    self.duplicates = duplicates
    self.rejected = rejected.count
    reasons = Array(rejected.prefix(IntakeDocument.reasonsLimit))
  }

  /// The document as JSON.
  public func json() -> [UInt8] {
    var writer = JSONWriter.document(capacity: 128)
    writer.object { document in
      document.member("accepted", accepted)
      document.member("duplicates", duplicates)
      document.member("rejected", rejected)
      document.key("reasons")
      document.array { list in
        for reason in reasons {
          list.object { event in
            event.member("index", reason.index)
            event.member("reason", reason.reason.name)
            event.member("message", reason.sentence)
          }
        }
      }
    }
    return writer.bytes
  }
}
