package import Lifecycle

/// Facts on their way from a reader of logs to an agent, as docs/formats/imports.md describes their bytes.
package struct FactBatch: Equatable, Sendable {
  /// A log stream that facts are of.
  package struct Stream: Equatable, Sendable {
    /// Its name; `nil` if it is not known.
    package var name: String?
    /// The function; `nil` if nothing says it.
    package var function: String?
    /// The time of its last line; `nil` if no line has one.
    package var lastSeen: Timestamp?

    /// Makes a stream of its parts.
    package init(name: String?, function: String?, lastSeen: Timestamp?) {
      self.name = name
      self.function = function
      self.lastSeen = lastSeen
    }
  }

  /// The media type of a batch in HTTP.
  package static let mediaType = "application/vnd.kelvin.log-facts"
  /// The longest name of a stream that is taken, in bytes: that of CloudWatch.
  package static let streamNameBytesMax = 512
  /// The most streams, and the most facts, of one batch.
  package static let countMax = 100_000

  /// The streams; some may have no fact here.
  package var streams: [Stream] = []
  /// Each with the position of its stream.
  package var facts: [(stream: Int, fact: LogFact)] = []

  /// Makes an empty batch.
  package init() {}

  /// Whether two batches have the same streams and facts in the same order.
  package static func == (left: FactBatch, right: FactBatch) -> Bool {
    left.streams == right.streams && left.facts.elementsEqual(right.facts) { $0 == $1 }
  }

  /// The batch in bytes.
  package var bytes: [UInt8] {
    var writer = FactWriter(capacity: 64 * (facts.count + streams.count) + 16)
    writer.byte(FactBatch.version)
    writer.unsigned(UInt64(streams.count))
    for stream in streams {
      writer.optional(stream.name) { $0.text($1, max: FactBatch.streamNameBytesMax) }
      writer.optional(stream.function) { $0.text($1, max: FunctionID.nameBytesLimit) }
      writer.optional(stream.lastSeen) { $0.time($1) }
    }
    writer.unsigned(UInt64(facts.count))
    for (stream, fact) in facts {
      writer.unsigned(UInt64(stream))
      writer.time(fact.time)
      let bytes = fact.bytes
      writer.unsigned(UInt64(bytes.count))
      writer.append(bytes)
    }
    return writer.bytes
  }

  private static let version: UInt8 = 1

  /// Reads what ``bytes`` writes.
  ///
  /// - Returns: `nil` if it is anything else, or has more than ``countMax`` of anything.
  package init?(bytes: Span<UInt8>) {
    var reader = FactReader(bytes)
    guard reader.byte() == FactBatch.version, let streamCount = reader.count(max: FactBatch.countMax) else {
      return nil
    }
    for _ in 0..<streamCount {
      guard let name = reader.optional({ $0.text(max: FactBatch.streamNameBytesMax) }),
        let function = reader.optional({ $0.text(max: FunctionID.nameBytesLimit) }),
        let seen = reader.optional({ $0.time() }), name != "", function != ""
      else { return nil }
      streams.append(Stream(name: name, function: function, lastSeen: seen))
    }
    guard let factCount = reader.count(max: FactBatch.countMax) else { return nil }
    for _ in 0..<factCount {
      guard let stream = reader.count(max: streamCount - 1), let time = reader.time(),
        let bytes = reader.bytesWithCount(), let fact = LogFact(bytes: bytes, at: time)
      else { return nil }
      facts.append((stream, fact))
    }
    guard reader.isAtEnd else { return nil }
  }
}
