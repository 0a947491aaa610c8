package import Lifecycle
internal import WindowStore

/// The result of submitting a batch.
package enum Completion: Sendable, Equatable {
  /// The batch is durable and applied: every later reader finds it.
  case applied
  /// The same, but for some of its events.
  case appliedInPart(Exceptions)
  /// It had been accepted before, and counts once.
  case duplicate
  /// Nothing of it is kept; its source may send it again.
  case refused(Refusal)
}

extension Completion {
  /// Whether the batch counts from now on, and did not before.
  package var isApplied: Bool {
    switch self {
    case .applied, .appliedInPart: true
    case .duplicate, .refused: false
    }
  }

  /// The events of an applied batch that were not counted.
  package struct Exceptions: Sendable, Equatable {
    /// Events that had been counted before.
    package var duplicates = 0
    /// Events that the aggregator does not take, with their place in `EventBatch.events`, in ascending order.
    package var rejected: [RejectedEvent] = []

    init() {}
  }
}

/// Why a batch was refused.
package struct Refusal: Sendable, Equatable {
  /// The kind of error, to branch on.
  package enum Reason: Sendable, Equatable {
    /// The pipeline has no journal, so it could not promise that the batch survives.
    case noJournal
    /// The pipeline has not started, or stops.
    case notRunning
    /// Too many events wait already; a moment later there may be room.
    case queueFull
    /// There is no room on the disk.
    case diskFull
    /// The journal could not be written for another reason.
    case journalFailed
  }

  /// Whether it is of use to send the batch again, and when.
  package var reason: Reason
  /// A sentence for people.
  package var message: String

  static let noJournal = Refusal(reason: .noJournal, message: "this agent has no journal for batches of events")
  /// The pipeline has not started, or stops.
  package static let notRunning = Refusal(
    reason: .notRunning, message: "Kelvin is starting or stopping; send the batch again")
  static let queueFull = Refusal(
    reason: .queueFull, message: "too many events wait to be counted; send the batch again in a moment")

  private init(reason: Reason, message: String) {
    self.reason = reason
    self.message = message
  }

  init(_ error: StoreError) {
    self.init(reason: error.code == .full ? .diskFull : .journalFailed, message: error.message)
  }
}

/// The results of all batches, since the pipeline was made.
package struct BatchStatistics: Sendable, Equatable {
  /// Batches that were acknowledged.
  package internal(set) var applied: UInt64
  /// Batches that had been accepted before.
  package internal(set) var duplicates: UInt64
  /// Batches that were refused, for whatever reason.
  package internal(set) var refused: UInt64

  /// Makes counts of batches; all are 0 unless given.
  package init(applied: UInt64 = 0, duplicates: UInt64 = 0, refused: UInt64 = 0) {
    self.applied = applied
    self.duplicates = duplicates
    self.refused = refused
  }

  mutating func count(_ completion: Completion) {
    switch completion {
    case .applied, .appliedInPart: applied &+= 1
    case .duplicate: duplicates &+= 1
    case .refused: refused &+= 1
    }
  }
}
