import Lifecycle
import Text

extension LogLine {
  /// Reads an event of a log in the text format: one line, or REPORT with the line XRAY behind it.
  ///
  /// - Parameter text: From the first byte of the event on. A container of lines (a stream's name, a time) has been taken off.
  /// - Returns: `nil` for a line that is neither the platform's nor marked by this host: the function's own. Only what begins as
  ///   a line of the platform is taken for one.
  /// - Throws: ``RecordError`` for a line of the platform that cannot be read.
  /// - Complexity: O(`text`).
  package static func read(_ text: some StringProtocol) throws(RecordError) -> LogLine? {
    try read(bytes: Array(text.utf8))
  }

  /// Reads an event of a log in the text format, as ``read(_:)``.
  package static func read(bytes text: [UInt8]) throws(RecordError) -> LogLine? {
    var bytes = text
    if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
    // Nearly all lines are a function's own: what they begin with is looked at before anything else.
    switch bytes.first ?? 0 {
    case UInt8(ascii: "f"), UInt8(ascii: "e"), UInt8(ascii: "k"):
      return marked(String(decoding: bytes, as: UTF8.self)[...])
    case UInt8(ascii: "A")...UInt8(ascii: "Z"):
      trimEnd(&bytes)
      let word = bytes.prefix { $0 > 0x20 }
      if word.count <= LogLineShape.wordBytesMax,
        let shape = LogLineShape(rawValue: String(decoding: word, as: UTF8.self))
      {
        return try line(bytes, shape, from: word.count)
      }
      return word.elementsEqual(requestMark.utf8.dropLast()) ? ending(String(decoding: bytes, as: UTF8.self)[...]) : nil
    case UInt8(ascii: "0")...UInt8(ascii: "9"):
      trimEnd(&bytes)
      // Such a line ends so; to look for it is cheaper than to read a time.
      return bytes.count > timeoutWords.1.utf8.count && bytes.last == UInt8(ascii: "s")
        ? ending(String(decoding: bytes, as: UTF8.self)[...]) : nil
    default: return nil
    }
  }

  /// Whether a line begins, or ends, as one that the platform writes: a look at a few bytes, which rules out nearly all lines of
  /// programs without a copy. Lines that this host marks as a program's are none.
  package static func mayBeOfPlatform(_ line: Span<UInt8>) -> Bool {
    guard line.count > 4 else { return false }
    switch (line[0], line[1], line[2]) {
    case (UInt8(ascii: "S"), UInt8(ascii: "T"), UInt8(ascii: "A")),
      (UInt8(ascii: "E"), UInt8(ascii: "N"), UInt8(ascii: "D")),
      (UInt8(ascii: "E"), UInt8(ascii: "X"), UInt8(ascii: "T")), (UInt8(ascii: "R"), UInt8(ascii: "E"), _),
      (UInt8(ascii: "R"), UInt8(ascii: "e"), UInt8(ascii: "q")),
      (UInt8(ascii: "X"), UInt8(ascii: "R"), UInt8(ascii: "A")),
      (UInt8(ascii: "I"), UInt8(ascii: "N"), UInt8(ascii: "I")),
      (UInt8(ascii: "T"), UInt8(ascii: "E"), UInt8(ascii: "L")),
      (UInt8(ascii: "L"), UInt8(ascii: "O"), UInt8(ascii: "G")):
      return true
    case (UInt8(ascii: "0")...UInt8(ascii: "9"), _, _):
      var end = line.count
      while end > 0, line[end - 1] <= 0x20 { end -= 1 }
      return end > timeoutWords.1.utf8.count && line[end - 1] == UInt8(ascii: "s") && line[end - 2] == UInt8(ascii: "d")
    default: return false
    }
  }

  private static func trimEnd(_ bytes: inout [UInt8]) {
    while let last = bytes.last, last <= 0x20 { bytes.removeLast() }
  }

  // MARK: Fields

  /// - Parameter start: Where the line's first word has ended.
  private static func line(
    _ bytes: [UInt8], _ shape: LogLineShape, from start: Int
  ) throws(RecordError) -> LogLine? {
    // A function may print a line that begins with the same word.
    let rest = bytes[start...].drop { $0 <= 0x20 }
    guard rest.starts(with: shape.firstField.utf8) else { return nil }
    func read<R: LineRecord>(_ type: R.Type) throws(RecordError) -> R {
      try LineReader.read(type, bytes, from: rest.startIndex, shape)
    }
    switch shape {
    case .start: return .event(.start(try read(PlatformEvent.Start.self)))
    case .end: return .event(.end(try read(InvocationEnd.self).request))
    case .report: return .event(.report(try report(bytes, from: rest.startIndex)))
    case .segment: return .segment(try read(PlatformEvent.TraceSegment.self))
    case .initStart: return .event(.initStart(try read(PlatformEvent.EnvironmentStart.self)))
    case .initReport: return .event(.initReport(try read(PlatformEvent.InitializationEnd.self)))
    case .restoreStart: return .event(.restoreStart(try read(PlatformEvent.EnvironmentStart.self)))
    case .restoreReport: return .event(.restoreReport(try read(PlatformEvent.RestoreEnd.self)))
    case .extensionState: return .event(.extensionState(try read(PlatformEvent.ExtensionState.self)))
    case .telemetrySubscription, .logsSubscription:
      return .event(.subscription(try read(PlatformEvent.SubscriptionState.self)))
    }
  }

  /// A report, and the segment that stands behind it: in a line of its own, or, where lines were joined, in the same.
  private static func report(_ bytes: [UInt8], from start: Int) throws(RecordError) -> PlatformEvent.Report {
    let mark = Array("\(LogLineShape.segment.rawValue)\(LogLineShape.segment.headSeparator)".utf8)
    let traced = bytes.indices.first { index in
      index > start && bytes[index - 1] <= 0x20
        && bytes[index...].starts(with: mark + LogLineShape.segment.firstField.utf8)
    }
    let own = traced.map { Array(bytes[..<$0]) } ?? bytes
    var report = try LineReader.read(PlatformEvent.Report.self, own, from: start, .report)
    if let traced {
      report.segment = try LineReader.read(
        PlatformEvent.TraceSegment.self, bytes, from: traced + mark.count, .segment)
    }
    return report
  }

  // MARK: Lines of this host

  private static func marked(_ text: Substring) -> LogLine? {
    if text.hasPrefix(functionMark) { return .program(.function, String(text.dropFirst(functionMark.count))) }
    if text.hasPrefix(extensionMark), let (name, line) = parts(text.dropFirst(extensionMark.count), around: markEnd) {
      return .program(.extension(String(name)), String(line))
    }
    guard text.hasPrefix(lossMark),
      let (records, rest) = parts(text.dropFirst(lossMark.count), around: lossWords.0),
      let (bytes, reason) = parts(rest, around: lossWords.1), let records = Int64(records), let bytes = Int64(bytes)
    else { return nil }
    return .lost(PlatformEvent.LogsDropped(bytes: bytes, records: records, reason: String(reason)))
  }

  /// What is before and behind the first place of `mark`.
  private static func parts(_ text: Substring, around mark: String) -> (Substring, Substring)? {
    guard let place = text.firstRange(of: mark) else { return nil }
    return (text[..<place.lowerBound], text[place.upperBound...])
  }

  // MARK: How an invocation ended, in older logs

  private static func ending(_ text: Substring) -> LogLine? {
    let line = text.prefix { !$0.isNewline }
    if line.hasPrefix(requestMark) {
      let words = line.dropFirst(requestMark.count)
      guard let (id, sentence) = parts(words, around: errorMark) ?? parts(words, around: " "),
        let request = Identifier128(text: id)
      else { return nil }
      if let limit = limit(sentence) {
        return .timedOut(TaskTimeout(time: nil, request: RequestID(request), limit: limit))
      }
      guard exitMarks.contains(where: { sentence.hasPrefix($0) }) else { return nil }
      return .exited(RuntimeExit(request: RequestID(request), sentence: String(sentence)))
    }
    let words = line.split(separator: " ", maxSplits: 2)
    guard words.count == 3, let limit = limit(words[2]), let time = RFC3339.nanoseconds(words[0]),
      let request = Identifier128(text: words[1])
    else { return nil }
    return .timedOut(
      TaskTimeout(time: Timestamp(nanoseconds: time), request: RequestID(request), limit: limit))
  }

  private static let requestMark = "RequestId: "
  private static let errorMark = " Error: "
  /// Of the runtime, of an extension, and of a program that cannot be started.
  private static let exitMarks = [
    "Runtime exited", "Process exited before completing request", "exit code ", "exit status ", "signal: ",
    "fork/exec ", "Couldn't find valid bootstrap",
  ]
  private static let timeoutWords = ("Task timed out after ", " seconds")

  private static func limit(_ sentence: Substring) -> Nanoseconds? {
    guard sentence.hasPrefix(timeoutWords.0) else { return nil }
    let rest = sentence.dropFirst(timeoutWords.0.count)
    guard rest.hasSuffix(timeoutWords.1) else { return nil }
    return DecimalText.scaled(rest.dropLast(timeoutWords.1.count), wholeDigitsLimit: 9, decimals: 9)
      .map { Nanoseconds($0) }
  }
}
