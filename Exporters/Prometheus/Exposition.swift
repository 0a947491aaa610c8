public import Catalogue
public import Windows

/// Writes snapshots in the formats of Prometheus, into memory that it keeps.
///
/// One scrape after the other; who serves several at once has one for each. Families come in the order of the catalogue, functions in that
/// of the snapshot; one without a sample is left out. Nothing is allocated for a series, and nothing at all once the memory has grown to what a scrape takes.
public struct Exposition: ~Copyable, Sendable {
  private var memory = Memory()

  /// Makes an exposition without a scrape; its memory grows with the first one.
  public init() {}

  /// How many bytes the last scrape has, or what is left of it after it was handed out in pieces.
  public var count: Int { memory.output.count }

  /// Writes a scrape; it replaces the one before.
  ///
  /// - Complexity: O(series).
  public mutating func write(
    _ snapshot: Snapshot, _ statistics: AgentStatistics, as format: ExpositionFormat, _ options: ExpositionOptions = []
  ) {
    memory.write(snapshot, statistics, format, options, pieceBytes: .max) { _ in }
  }

  /// Writes a scrape in pieces, so that memory stays bounded however many functions there are.
  ///
  /// - Parameters:
  ///   - pieceBytes: About how many bytes a piece has. It may be longer by the series of one function, and in protobuf by all those of
  ///     one metric: their length stands before them.
  ///   - handOut: Called with each piece in order; must copy what it keeps. Its last piece is the end of the scrape.
  public mutating func write(
    _ snapshot: Snapshot, _ statistics: AgentStatistics, as format: ExpositionFormat, _ options: ExpositionOptions = [],
    pieceBytes: Int, _ handOut: (Span<UInt8>) -> Void
  ) {
    memory.write(snapshot, statistics, format, options, pieceBytes: max(1, pieceBytes), handOut)
    memory.output.withSpan(0, memory.output.count, handOut)
    memory.output.removeAll()
  }

  /// Calls `body` with the bytes of the last scrape.
  public borrowing func withBytes<Result>(_ body: (Span<UInt8>) -> Result) -> Result {
    memory.output.withSpan(0, memory.output.count, body)
  }
}

extension Exposition {
  // SAFETY: `Memory` owns its buffers and messages alone and cannot be copied, so it can only be used from one place at a time.
  //
  // Not private to the file: in release mode the compiler (6.3.1) then gives its metadata no name that the linker finds when
  // another module destroys an `Exposition`.
  struct Memory: ~Copyable, @unchecked Sendable {
    var output = OutputBuffer(capacity: 65_536)
    /// The labels of every function as the format writes them, one behind the other.
    var labels = OutputBuffer()
    /// Where the labels of each function end. Not for protobuf.
    var labelEnds: [Int] = []
    /// Where the labels of each function lie. Only for protobuf.
    var packedLabels: [PackedLabels] = []
    var samples = SampleBuffer()
    var agentSamples = AgentSamples()
    var metric = MetricMessage()
  }
}

extension Exposition.Memory {
  mutating func write(
    _ snapshot: Snapshot, _ statistics: AgentStatistics, _ format: ExpositionFormat, _ options: ExpositionOptions,
    pieceBytes: Int, _ handOut: (Span<UInt8>) -> Void
  ) {
    output.removeAll()
    switch format {
    case .text: writeText(snapshot, statistics, .prometheus, [], pieceBytes, handOut)
    case .openMetrics:
      writeText(snapshot, statistics, .openMetrics, options, pieceBytes, handOut)
      output.append(static: "# EOF\n")
    case .protobuf: writeProtobuf(snapshot, statistics, pieceBytes, handOut)
    }
  }

  mutating func handOutPiece(_ handOut: (Span<UInt8>) -> Void) {
    output.withSpan(0, output.count, handOut)
    output.removeAll()
  }
}
