public import Catalogue
public import Windows
import Lifecycle

/// Writes snapshots in the Prometheus text format 0.0.4, into memory that it keeps.
///
/// One scrape after the other; who serves several at once has one for each. Families come in the order of the catalogue, functions in that
/// of the snapshot; one without a sample is left out. Nothing is allocated for a series, and nothing at all once the memory has grown to what a scrape takes.
public struct TextExposition: ~Copyable, Sendable {
  /// What the answer's `Content-Type` has to say.
  public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

  private var memory = Memory()

  public init() {}

  /// How many bytes the last scrape has, or what is left of it after it was handed out in pieces.
  public var count: Int { memory.text.count }

  /// Writes a scrape; it replaces the one before.
  ///
  /// - Complexity: O(series).
  public mutating func write(_ snapshot: Snapshot, _ statistics: AgentStatistics) {
    memory.write(snapshot, statistics, pieceBytes: .max) { _ in }
  }

  /// Writes a scrape in pieces, so that memory stays bounded however many functions there are.
  ///
  /// - Parameters:
  ///   - pieceBytes: About how many bytes a piece has; a piece may be longer by the series of one function.
  ///   - handOut: Called with each piece in order; must copy what it keeps. Its last piece is the end of the scrape.
  public mutating func write(
    _ snapshot: Snapshot, _ statistics: AgentStatistics, pieceBytes: Int, _ handOut: (Span<UInt8>) -> Void
  ) {
    memory.write(snapshot, statistics, pieceBytes: max(1, pieceBytes), handOut)
    memory.text.withSpan(0, memory.text.count, handOut)
    memory.text.removeAll()
  }

  /// Calls `body` with the bytes of the last scrape.
  public borrowing func withBytes<Result>(_ body: (Span<UInt8>) -> Result) -> Result {
    memory.text.withSpan(0, memory.text.count, body)
  }
}

extension TextExposition {
  // SAFETY: `Memory` owns its buffers alone and cannot be copied, so it can only be used from one place at a time.
  //
  // Not private to the file: in release mode the compiler (6.3.1) then gives its metadata no name that the linker finds when
  // another module destroys a `TextExposition`.
  struct Memory: ~Copyable, @unchecked Sendable {
    var text = TextBuffer(capacity: 65_536)
    /// For every function, `{function="name",version="version"`, one behind the other.
    var labels = TextBuffer()
    /// Where the labels of each function end.
    var labelEnds: [Int] = []
    var samples = SampleBuffer()
  }
}

extension TextExposition.Memory {
  mutating func write(
    _ snapshot: Snapshot, _ statistics: AgentStatistics, pieceBytes: Int, _ handOut: (Span<UInt8>) -> Void
  ) {
    text.removeAll()
    prepareLabels(snapshot.functions.span)
    for template in TextTemplate.all {
      let start = text.count
      writeHead(template, window: snapshot.windowLength)
      let hasSamples =
        switch template.source {
        case .agent(let read): writeAgentSamples(snapshot, statistics, template, read)
        case .function(let read): writeFunctions(snapshot.functions.span, template, pieceBytes, handOut, read)
        case .distribution(let bounds, let read):
          writeHistograms(snapshot.functions.span, template, bounds, pieceBytes, handOut, read)
        }
      // Nothing was handed out since, because pieces end behind samples.
      if !hasSamples { text.removeAll(behind: start) }
    }
  }

  private mutating func prepareLabels(_ functions: Span<FunctionSnapshot>) {
    labels.removeAll()
    labelEnds.removeAll(keepingCapacity: true)
    for index in functions.indices {
      let function = functions[index].function
      labels.append(static: "{function=\"")
      labels.append(escaping: function.name)
      if function.version != FunctionID.latest {
        labels.append(static: "\",version=\"")
        labels.append(escaping: function.version)
      }
      labels.append(UInt8(ascii: "\""))
      labelEnds.append(labels.count)
    }
  }

  private mutating func writeHead(_ template: TextTemplate, window: Nanoseconds) {
    text.append(template.help.span)
    if let behind = template.helpBehindWindow {
      text.append(billionths: Int128(window.count))
      text.append(behind.span)
    }
    text.append(template.type.span)
  }

  private mutating func writeAgentSamples(
    _ snapshot: Snapshot, _ statistics: AgentStatistics, _ template: TextTemplate,
    _ read: (Snapshot, AgentStatistics, inout SampleBuffer) -> Void
  ) -> Bool {
    samples.removeAll()
    read(snapshot, statistics, &samples)
    for position in 0..<samples.count {
      let sample = samples[position]
      text.append(template.name.span)
      if let open = template.openLabel {
        text.append(open.span)
        text.append(escaping: samples.labelText)
        text.append(static: "\"} ")
      } else {
        text.append(template.suffixes.bytes.span.extracting(template.suffixes.range(sample.labelValue)))
      }
      text.append(sample.value)
      text.append(UInt8(ascii: "\n"))
    }
    return samples.count > 0
  }

  /// - Returns: Whether there were samples.
  private mutating func writeFunctions(
    _ functions: Span<FunctionSnapshot>, _ template: TextTemplate, _ pieceBytes: Int,
    _ handOut: (Span<UInt8>) -> Void, _ read: (Span<FunctionSnapshot>, Int, inout SampleBuffer) -> Void
  ) -> Bool {
    var start = 0
    var hasSamples = false
    for index in functions.indices {
      samples.removeAll()
      read(functions, index, &samples)
      hasSamples = hasSamples || samples.count > 0
      let end = labelEnds[index]
      for position in 0..<samples.count {
        let sample = samples[position]
        text.append(template.name.span)
        labels.withSpan(start, end) { text.append($0) }
        text.append(template.suffixes.bytes.span.extracting(template.suffixes.range(sample.labelValue)))
        text.append(sample.value)
        text.append(UInt8(ascii: "\n"))
      }
      start = end
      if text.count >= pieceBytes && hasSamples { handOutPiece(handOut) }
    }
    return hasSamples
  }

  private mutating func writeHistograms(
    _ functions: Span<FunctionSnapshot>, _ template: TextTemplate, _ bounds: ClassicBounds, _ pieceBytes: Int,
    _ handOut: (Span<UInt8>) -> Void, _ read: (Span<FunctionSnapshot>, Int) -> Distribution
  ) -> Bool {
    var start = 0
    for index in functions.indices {
      let distribution = read(functions, index)
      let end = labelEnds[index]
      labels.withSpan(start, end) { labels in
        distribution.forEachClassicBucket(bounds) { position, cumulative in
          text.appendLine(
            template.name.span, labels, template.suffixes.bytes.span.extracting(template.suffixes.range(position)),
            cumulative)
        }
        text.appendLine(
          template.name.span, labels,
          template.suffixes.bytes.span.extracting(template.suffixes.range(bounds.values.count)), distribution.count)
        text.append(template.sumName.span)
        text.append(labels)
        text.append(static: "} ")
        text.append(
          distribution.measure == .duration
            ? .billionths(distribution.sum) : .billionths(distribution.sum * 1_000_000_000))
        text.append(UInt8(ascii: "\n"))
        text.append(template.countName.span)
        text.append(labels)
        text.append(static: "} ")
        text.append(unsigned: distribution.count)
        text.append(UInt8(ascii: "\n"))
      }
      start = end
      if text.count >= pieceBytes { handOutPiece(handOut) }
    }
    return !functions.isEmpty
  }

  private mutating func handOutPiece(_ handOut: (Span<UInt8>) -> Void) {
    text.withSpan(0, text.count, handOut)
    text.removeAll()
  }
}

extension TextBuffer {
  @inline(__always)
  fileprivate mutating func appendLine(
    _ name: Span<UInt8>, _ labels: Span<UInt8>, _ suffix: Span<UInt8>, _ value: UInt64
  ) {
    append(name)
    append(labels)
    append(suffix)
    append(unsigned: value)
    append(UInt8(ascii: "\n"))
  }

  @inline(__always) fileprivate mutating func append(_ value: MetricValue) {
    switch value {
    case .unsigned(let value): append(unsigned: value)
    case .integer(let value): append(integer: value)
    case .billionths(let value): append(billionths: value)
    }
  }

  fileprivate mutating func append(static text: StaticString) {
    text.withUTF8Buffer { bytes in unsafe append(Span(_unsafeElements: bytes)) }
  }

  /// A label's value: backslash, quote and line feed are escaped, nothing else may be.
  fileprivate mutating func append(escaping text: String) {
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\\"), UInt8(ascii: "\""):
        append(UInt8(ascii: "\\"))
        append(byte)
      case UInt8(ascii: "\n"):
        append(UInt8(ascii: "\\"))
        append(UInt8(ascii: "n"))
      default: append(byte)
      }
    }
  }
}
