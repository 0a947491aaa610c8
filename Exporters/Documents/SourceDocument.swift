public import Lifecycle
import Text

/// The answer of `GET /api/v1/sources`: who sends events from other processes.
public struct SourcesDocument: Sendable, Equatable {
  /// The instant that all of it is of.
  public var time: Timestamp
  /// The one that was heard last comes first, all that are not told apart come last.
  public var sources: [SourceDocument]

  /// Makes the list of what was heard until `time`.
  public init(time: Timestamp, sources: [SourceDocument]) {
    self.time = time
    self.sources = sources
  }

  /// The document as JSON.
  public func json() -> [UInt8] {
    var writer = JSONWriter.document(capacity: 64 + 256 * sources.count)
    writer.object { document in
      document.member("time", RFC3339.text(time))
      document.key("sources")
      document.array { for source in sources { source.write(to: &$0) } }
    }
    return writer.bytes
  }
}

/// One source of events in another process, or all that are not told apart: a part of ``StatusDocument`` and
/// ``SourcesDocument``. Counts begin with the agent.
public struct SourceDocument: Sendable, Equatable {
  /// 32 hexadecimal digits, or `_other`.
  public var source: String
  /// When it was heard last.
  public var lastHeard: Timestamp
  /// How long after its newest event its last batch was acknowledged; negative if its clock is ahead.
  public var lag: Nanoseconds
  /// Events of accepted batches, rejected ones left out.
  public var events: UInt64
  /// Events that were rejected.
  public var rejected: UInt64
  /// Batches that had been accepted before.
  public var duplicateBatches: UInt64
  /// Batches that never came although later ones did.
  public var missingBatches: UInt64

  /// Makes what is known of a source.
  public init(
    source: String, lastHeard: Timestamp, lag: Nanoseconds, events: UInt64, rejected: UInt64, duplicateBatches: UInt64,
    missingBatches: UInt64
  ) {
    self.source = source
    self.lastHeard = lastHeard
    self.lag = lag
    self.events = events
    self.rejected = rejected
    self.duplicateBatches = duplicateBatches
    self.missingBatches = missingBatches
  }

  func write(to writer: inout JSONWriter) {
    writer.object { document in
      document.member("source", source)
      document.member("lastHeard", RFC3339.text(lastHeard))
      document.member("lagSeconds", nanoseconds: Int128(lag.count))
      document.member("events", events)
      document.member("rejected", rejected)
      document.member("duplicateBatches", duplicateBatches)
      document.member("missingBatches", missingBatches)
    }
  }

  init(from reader: inout JSONReader) throws(JSONError) {
    var document = SourceDocument(
      source: "", lastHeard: Timestamp(nanoseconds: 0), lag: .zero, events: 0, rejected: 0, duplicateBatches: 0,
      missingBatches: 0)
    try reader.object { (reader: inout JSONReader, name: String) throws(JSONError) in
      switch name {
      case "source": document.source = try reader.string()
      case "lastHeard": document.lastHeard = try reader.time()
      case "lagSeconds": document.lag = try reader.duration()
      case "events": document.events = try reader.unsigned()
      case "rejected": document.rejected = try reader.unsigned()
      case "duplicateBatches": document.duplicateBatches = try reader.unsigned()
      case "missingBatches": document.missingBatches = try reader.unsigned()
      default: try reader.skip()
      }
    }
    self = document
  }
}
