import Lifecycle
import Text

/// Reads a file of log lines, whatever container they are in, piece by piece.
///
/// The container is recognised by what comes, and may change on the way: files are put together of several. Memory is bounded: a line
/// may have ``lineMax`` bytes, and a JSON document that is no list of events ``documentMax``; what is longer is passed over and counted.
package final class LogFileReader {
  /// The longest line, in bytes. An event of CloudWatch has at most 1 MiB.
  package static let lineMax = 2 << 20
  /// The longest JSON value that is read in one piece, in bytes.
  package static let documentMax = 32 << 20
  /// How deep documents may be packed into each other: Base64 of gzip of Base64.
  static let depthMax = 4

  /// How the next bytes are read.
  enum Mode {
    case lines
    /// Inside a list of JSON values.
    case elements
    /// Behind such a list, in the object that it is a member of.
    case closing
    /// Log events as text, one of which is being collected.
    case eventsText
    case csv(InsightsColumns)
    case yaml
    /// In a line that is too long.
    case skipping
  }

  let intake: LogIntake
  let documents: LogDocuments
  private var buffer: [UInt8] = []
  private(set) var isFinal = false
  private var isAtStart = true
  /// Whether what was read last is one line and nothing else.
  private var isLine = false
  var mode = Mode.lines
  var isListOfObject = false
  /// How many bytes there must be from the position on before an open value is looked at again.
  var openBytesMin = 0
  /// Of times and streams that stand alone in front of what they belong to.
  var pendingPlace: LogIntake.Place?
  var lines: TextLines
  var collected: [UInt8] = []
  var yaml = YAMLEvent()

  /// Makes a reader of one file. Call ``LogIntake/begin(_:function:stream:)`` before.
  ///
  /// - Parameter inflate: Undoes gzip, of all its members, within limits of its own; `nil` if it cannot.
  package convenience init(_ intake: LogIntake, inflate: @escaping ([UInt8]) -> [UInt8]?) {
    self.init(intake, inflate: inflate, depth: 0)
  }

  /// - Parameter depth: How many documents this one is inside of.
  init(_ intake: LogIntake, inflate: @escaping ([UInt8]) -> [UInt8]?, depth: Int) {
    self.intake = intake
    documents = LogDocuments(intake: intake, inflate: inflate, depth: depth)
    lines = TextLines(intake)
  }

  /// Takes the next bytes.
  package func append(_ bytes: Span<UInt8>) {
    // SAFETY: the pointer does not leave the closure.
    unsafe bytes.withUnsafeBufferPointer { unsafe buffer.append(contentsOf: $0) }
    process()
  }

  /// Takes the end of the file.
  package func finish() {
    isFinal = true
    process()
    lines.flush()
    if case .eventsText = mode { endEventsText() }
    if case .yaml = mode { endYAML() }
  }

  private func process() {
    var bytes = buffer
    buffer = []
    var position = 0
    if isAtStart, bytes.count >= 3 || isFinal {
      isAtStart = false
      if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
    }
    if !isAtStart {
      while position < bytes.count {
        isLine = false
        guard let next = step(bytes.span, position) else { break }
        openBytesMin = 0
        if documents.depth == 0 {
          intake.line += isLine ? 1 : LineBreak.count(bytes.span.extracting(position..<next))
        }
        position = next
      }
    }
    bytes.removeFirst(position)
    buffer = bytes
  }

  /// Reads on from `position`.
  ///
  /// - Returns: Where to go on, which is further; `nil` if more bytes are needed.
  private func step(_ bytes: Span<UInt8>, _ position: Int) -> Int? {
    switch mode {
    case .lines: return lineStep(bytes, position)
    case .elements: return elementStep(bytes, position)
    case .closing: return closingStep(bytes, position)
    case .eventsText: return eventsTextStep(bytes, position)
    case .csv(let columns): return rowStep(bytes, position, columns)
    case .yaml: return yamlStep(bytes, position)
    case .skipping:
      let end = LineBreak.next(bytes, position)
      if end < bytes.count { mode = .lines }
      return min(end + 1, bytes.count)
    }
  }

  /// Where the line at `position` ends; `nil` if more bytes are needed, or it was too long.
  func lineEnd(_ bytes: Span<UInt8>, _ position: Int) -> Int? {
    let end = LineBreak.next(bytes, position)
    return end < bytes.count || isFinal ? end : nil
  }

  // MARK: Lines

  private func lineStep(_ bytes: Span<UInt8>, _ position: Int) -> Int? {
    let first = bytes[position]
    if first == UInt8(ascii: "{") || first == UInt8(ascii: "[") {
      switch valueStep(bytes, position, pendingPlace, limit: LogFileReader.documentMax) {
      case .taken(let next): return next
      case .needsMore: return nil
      case .none: break
      }
    }
    guard let end = lineEnd(bytes, position) else {
      guard bytes.count - position > LogFileReader.lineMax else { return nil }
      lines.flush()
      intake.refuse(
        String(decoding: LogIntake.array(bytes.extracting(position..<position + 80)), as: UTF8.self),
        "the line is longer than \(LogFileReader.lineMax >> 20) MiB")
      mode = .skipping
      return bytes.count
    }
    var last = end
    while last > position, bytes[last - 1] == UInt8(ascii: "\r") { last -= 1 }
    let behind = min(end + 1, bytes.count)
    guard last > position else {
      lines.flush()
      return behind
    }
    let line = bytes.extracting(position..<last)
    if let next = headerStep(line, bytes, position, behind) { return next }
    return textStep(bytes, position, last, behind)
  }

  /// Recognises what changes how the rest is read.
  private func headerStep(_ line: Span<UInt8>, _ bytes: Span<UInt8>, _ position: Int, _ behind: Int) -> Int? {
    switch line[0] {
    case UInt8(ascii: "E") where LogIntake.begins(line, "EVENTS\t"):
      lines.flush()
      intake.recognise(.eventsText)
      mode = .eventsText
      return eventsTextStep(bytes, position)
    case UInt8(ascii: "S") where LogIntake.begins(line, "SEARCHEDLOGSTREAMS"): return behind
    case UInt8(ascii: "b") where LogIntake.begins(line, "b/") && line.count < 400: return behind
    case UInt8(ascii: "@"), UInt8(ascii: "\""), UInt8(ascii: "t"), UInt8(ascii: "l"), UInt8(ascii: "m"):
      guard let columns = InsightsColumns(header: line) else { return nil }
      lines.flush()
      intake.recognise(.insightsCSV)
      mode = .csv(columns)
      return behind
    case UInt8(ascii: "e"), UInt8(ascii: "-"):
      guard YAMLEvent.begins(line) else { return nil }
      lines.flush()
      intake.recognise(.eventsYAML)
      mode = .yaml
      return yamlStep(bytes, position)
    case UInt8(ascii: "H") where LogIntake.begins(line, "H4sI"):
      guard let packed = Base64.decode(String(decoding: LogIntake.array(line), as: UTF8.self)),
        let inflated = documents.inflate(packed)
      else { return nil }
      intake.recognise(.envelope)
      documents.nested(inflated)
      return behind
    default: return nil
    }
  }

  /// Reads a line, with what stands in front of it.
  private func textStep(_ bytes: Span<UInt8>, _ position: Int, _ last: Int, _ behind: Int) -> Int? {
    if bytes[position] == 0x1B {
      coloured(TextLines.withoutColour(bytes.extracting(position..<last)))
      return behind
    }
    let prefix = lines.prefix(bytes, position, last)
    guard !prefix.parts.isEmpty else {
      lines.take(bytes.extracting(position..<last), at: pendingPlace)
      isLine = true
      return behind
    }
    guard let (place, begin) = opened(prefix, bytes, last) else { return behind }
    if bytes[begin] == UInt8(ascii: "{") {
      switch valueStep(bytes, begin, place, limit: LogFileReader.lineMax) {
      case .taken(let next):
        lines.noteContainer(prefix)
        return next
      case .needsMore: return nil
      case .none: break
      }
    }
    lines.take(bytes.extracting(position..<last), prefix, position, at: place)
    isLine = true
    return behind
  }

  /// The place that a prefix names, and where its line begins; `nil` if that follows on the next lines.
  private func opened(_ prefix: LinePrefix, _ bytes: Span<UInt8>, _ last: Int) -> (LogIntake.Place, Int)? {
    var place = lines.place(of: prefix, bytes)
    if place.time == nil, let pending = pendingPlace, pending.time != nil, prefix.time == nil {
      // Its time was on the line before.
      place.time = pending.time
    }
    var begin = prefix.end
    while begin < last, bytes[begin] <= 0x20 { begin += 1 }
    guard begin < last else {
      // A record that a console, or the CLI, prints on the next lines.
      lines.flush()
      if prefix.parts.contains(.stream) { lines.beginEvent() }
      pendingPlace = place
      if prefix.parts == [.time] { intake.recognise(.consoleCopy) } else { lines.noteContainer(prefix) }
      return nil
    }
    // A time in front of a program's own line does not mean that what follows has none.
    if prefix.parts.contains(.stream) || prefix.parts.contains(.group) { pendingPlace = nil }
    return (place, begin)
  }

  /// Reads a line without its colours.
  private func coloured(_ line: [UInt8]) {
    guard !line.isEmpty else { return }
    let prefix = lines.prefix(line.span, 0, line.count)
    guard !prefix.parts.isEmpty else { return lines.take(line.span, at: pendingPlace) }
    guard let (place, begin) = opened(prefix, line.span, line.count) else { return }
    if line[begin] == UInt8(ascii: "{"), JSONPiece.isWhole(line.span, begin) {
      lines.flush()
      lines.noteContainer(prefix)
      return intake.event(line.span.extracting(begin..<line.count), at: place)
    }
    lines.take(line.span, prefix, 0, at: place)
  }
}
