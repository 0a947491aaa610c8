package import Lifecycle
internal import Windows

/// What was heard of one source of batches, since the pipeline was made.
package struct SourceStatistics: Sendable, Equatable {
  /// Which source; `nil`: all that have no row of their own, and those that send batches without saying who they are.
  package var source: SourceID?
  /// When its last batch was acknowledged or refused.
  package internal(set) var lastHeard: Timestamp
  /// From the newest event of its last batch until that was acknowledged; negative if its clock is ahead.
  package internal(set) var lag = Nanoseconds.zero
  /// Batches that were applied.
  package internal(set) var batches: UInt64 = 0
  /// Events of those, rejected ones left out.
  package internal(set) var events: UInt64 = 0
  /// Events of those that could not be read or were not taken.
  package internal(set) var rejected: UInt64 = 0
  /// Batches that had been accepted before.
  package internal(set) var duplicateBatches: UInt64 = 0
  /// Batches that were refused, and that the source sends again.
  package internal(set) var refusedBatches: UInt64 = 0
  /// Batches that never came although later ones did.
  package internal(set) var missingBatches: UInt64 = 0
  /// The highest sequence that was acknowledged.
  var sequence: UInt64 = 0

  init(source: SourceID?, lastHeard: Timestamp) {
    self.source = source
    self.lastHeard = lastHeard
  }

  /// Adds another source, for the row of all that have none of their own.
  fileprivate mutating func add(_ other: SourceStatistics) {
    if other.lastHeard > lastHeard { (lastHeard, lag) = (other.lastHeard, other.lag) }
    batches &+= other.batches
    events &+= other.events
    rejected &+= other.rejected
    duplicateBatches &+= other.duplicateBatches
    refusedBatches &+= other.refusedBatches
    missingBatches &+= other.missingBatches
  }
}

/// What was heard of each source: of as many as the limit one by one, of all others together.
struct SourceRegistry: Sendable {
  /// What one batch says of its source.
  struct Report {
    /// `nil` if it did not say who it is.
    var source: SourceID?
    var sequence: UInt64
    var events: Int
    var rejected: Int
    /// The newest of its events.
    var newest: Timestamp?

    init(_ batch: EventBatch, rejected: Int) {
      source = batch.source.isAnonymous ? nil : batch.source
      sequence = batch.sequence
      events = batch.events.count
      self.rejected = rejected
      for index in batch.events.indices {
        let latest = batch.events[index].kind.latest
        newest = max(newest ?? latest, latest)
      }
    }
  }

  /// A source that was silent for so long gives its row to a new one if there is no other.
  private static let silence = Nanoseconds.seconds(3_600)

  private let limit: Int
  private var rows: [SourceID: SourceStatistics] = [:]
  private var others: SourceStatistics?

  init(limit: Int) { self.limit = limit }

  /// All rows: first those that were heard last, and at the end that of all others.
  var statistics: [SourceStatistics] {
    rows.values.sorted { left, right in
      left.lastHeard == right.lastHeard ? left.key < right.key : left.lastHeard > right.lastHeard
    } + (others.map { [$0] } ?? [])
  }

  mutating func count(_ report: Report, _ completion: Completion, at now: Timestamp) {
    if let source = report.source, hasRoom(for: source, now) {
      var row = rows[source] ?? SourceStatistics(source: source, lastHeard: now)
      row.count(report, completion, at: now)
      rows[source] = row
    } else {
      var row = others ?? SourceStatistics(source: nil, lastHeard: now)
      row.count(report, completion, at: now)
      others = row
    }
  }

  private mutating func hasRoom(for source: SourceID, _ now: Timestamp) -> Bool {
    if rows[source] != nil || rows.count < limit { return true }
    guard let last = rows.values.min(by: { $0.lastHeard < $1.lastHeard }), let silent = last.source,
      now - last.lastHeard > SourceRegistry.silence
    else { return false }
    rows[silent] = nil
    var others = others ?? SourceStatistics(source: nil, lastHeard: last.lastHeard)
    others.add(last)
    self.others = others
    return true
  }
}

extension SourceStatistics {
  fileprivate var key: Identifier128 { source?.value ?? .zero }

  fileprivate mutating func count(
    _ report: SourceRegistry.Report, _ completion: Completion, at now: Timestamp
  ) {
    lastHeard = now
    switch completion {
    case .applied: applied(report, rejected: 0, now)
    case .appliedInPart(let exceptions): applied(report, rejected: exceptions.rejected.count, now)
    case .duplicate: duplicateBatches &+= 1
    case .refused: refusedBatches &+= 1
    }
  }

  private mutating func applied(_ report: SourceRegistry.Report, rejected: Int, _ now: Timestamp) {
    batches &+= 1
    events &+= UInt64(max(0, report.events - rejected))
    self.rejected &+= UInt64(report.rejected + rejected)
    if let newest = report.newest { lag = now - newest }
    // What came before this process began is known to the journal alone.
    if source != nil, sequence > 0, report.sequence > sequence { missingBatches &+= report.sequence - sequence - 1 }
    sequence = max(sequence, report.sequence)
  }
}
