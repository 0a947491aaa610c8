import LambdaRecords
import Lifecycle
import Text

/// Lines of text one after the other: puts together those that a console has broken, and tells the lines that begin an event from
/// those that go on with one.
struct TextLines {
  let intake: LogIntake
  /// What containers write in front of lines here, once a line of the platform has shown it.
  private var framing: LinePrefix.Parts?
  /// Whether the last line with this in front was a program's.
  private var isInProgramsEvent = false
  /// Streams that came lately, each at the place that the end of its name says: a random number.
  private var recentStreams = Array(repeating: (name: [UInt8](), number: 0), count: 1_024)
  /// A line of the platform that may go on in the next line.
  var held: [UInt8] = []
  var heldPlace: LogIntake.Place?
  var heldLine = 0

  init(_ intake: LogIntake) { self.intake = intake }

  // MARK: What stands in front

  /// Finds what stands in front of a line.
  func prefix(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> LinePrefix {
    let first = bytes[start]
    if first.isDecimalDigit || first == UInt8(ascii: "/") {
      var prefix = LinePrefix(bytes, start, end)
      if prefix.parts == [.time] { TextLines.addOtherStream(&prefix, bytes, end) }
      return prefix
    }
    return TextLines.otherStreamFirst(bytes, start, end) ?? LinePrefix(bytes, end, end)
  }

  /// Streams of other programs have names of their own: between a time and a line of the platform.
  private static func addOtherStream(_ prefix: inout LinePrefix, _ bytes: Span<UInt8>, _ end: Int) {
    guard let blank = word(bytes, prefix.end, end), isPlatforms(bytes, blank + 1, end),
      !isPlatforms(bytes, prefix.end, end), isName(bytes.extracting(prefix.end..<blank)),
      LineInstant.read(bytes, at: prefix.end) == nil
    else { return }
    prefix.stream = prefix.end..<blank
    prefix.parts.insert(.stream)
    prefix.end = blank + 1
  }

  /// Whether a word may be the name of a stream, and not what a program writes in front of its lines, as `INFO`.
  private static func isName(_ word: Span<UInt8>) -> Bool {
    guard word[0] != UInt8(ascii: "["), word[word.count - 1] != UInt8(ascii: ":") else { return false }
    for index in 0..<word.count where word[index].isDecimalDigit || word[index] == UInt8(ascii: "/") { return true }
    return false
  }

  /// As `sam logs` writes it: the stream, a time, and a line of the platform.
  private static func otherStreamFirst(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> LinePrefix? {
    guard let blank = word(bytes, start, end), blank + 1 < end, bytes[blank + 1].isDecimalDigit,
      isName(bytes.extracting(start..<blank))
    else { return nil }
    var prefix = LinePrefix(bytes, blank + 1, end)
    guard prefix.parts.contains(.time), !prefix.parts.contains(.stream), isPlatforms(bytes, prefix.end, end) else {
      return nil
    }
    prefix.stream = start..<blank
    prefix.parts.insert(.stream)
    return prefix
  }

  /// Where the blank behind a short word is.
  private static func word(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Int? {
    var index = start
    let last = min(end, start + 256)
    while index < last, bytes[index] > 0x20 { index += 1 }
    return index > start && index < last && bytes[index] == 0x20 ? index : nil
  }

  private static func isPlatforms(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Bool {
    guard start < end, LogLine.mayBeOfPlatform(bytes.extracting(start..<end)) else { return false }
    return bytes[start] != UInt8(ascii: "R") || start + 8 < end
  }

  /// The place that a prefix names.
  mutating func place(of prefix: LinePrefix, _ bytes: Span<UInt8>) -> LogIntake.Place {
    if prefix.time != nil, !prefix.isTimeExact { intake.roundedTimes += 1 }
    let group = prefix.group.isEmpty ? nil : TextLines.text(bytes, prefix.group)
    guard !prefix.stream.isEmpty else {
      return LogIntake.Place(stream: intake.stream(nil, group: group), time: prefix.time)
    }
    let slot = TextLines.slot(bytes, prefix.stream)
    if group != nil || !TextLines.isEqual(recentStreams[slot].name, bytes, prefix.stream) {
      let name = LogIntake.array(bytes.extracting(prefix.stream))
      recentStreams[slot] = (name, intake.stream(String(decoding: name, as: UTF8.self), group: group))
    }
    return LogIntake.Place(stream: recentStreams[slot].number, time: prefix.time)
  }

  private static func slot(_ bytes: Span<UInt8>, _ name: Range<Int>) -> Int {
    var slot = 0
    for index in max(name.lowerBound, name.upperBound - 6)..<name.upperBound { slot = slot &* 31 &+ Int(bytes[index]) }
    return slot & 1_023
  }

  private static func text(_ bytes: Span<UInt8>, _ range: Range<Int>) -> String {
    String(decoding: LogIntake.array(bytes.extracting(range)), as: UTF8.self)
  }

  private static func isEqual(_ name: [UInt8], _ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
    guard name.count == range.count else { return false }
    // The end differs first: it is a random number.
    for index in stride(from: name.count - 1, through: 0, by: -1) where name[index] != bytes[range.lowerBound + index] {
      return false
    }
    return true
  }

  /// Notes which container writes such things in front.
  func noteContainer(_ prefix: LinePrefix) {
    if prefix.parts.contains(.group) {
      intake.recognise(.awslogs)
    } else if prefix.parts == [.time, .stream] {
      intake.recognise((prefix.timeBegin ?? 0) > prefix.stream.lowerBound ? .sam : .tail)
    } else if prefix.parts == [.time] {
      intake.recognise(.shortTail)
    }
  }

  /// A line without the sequences of characters that colour it on a terminal.
  static func withoutColour(_ line: Span<UInt8>) -> [UInt8] {
    var plain: [UInt8] = []
    plain.reserveCapacity(line.count)
    var index = 0
    while index < line.count {
      guard line[index] == 0x1B else {
        plain.append(line[index])
        index += 1
        continue
      }
      index += 1
      guard index < line.count, line[index] == UInt8(ascii: "[") else { continue }
      while index < line.count,
        !(UInt8(ascii: "A")...UInt8(ascii: "z")).contains(line[index]) || line[index] == UInt8(ascii: "[")
      {
        index += 1
      }
      index += 1
    }
    return plain
  }

  // MARK: Lines

  /// Notes that what follows is of another event than what came before.
  mutating func beginEvent() { isInProgramsEvent = false }

  /// Takes a line with something in front of it.
  ///
  /// - Parameters:
  ///   - line: With what is in front.
  ///   - offset: Where `line` begins in the bytes that `prefix` is of.
  mutating func take(_ line: Span<UInt8>, _ prefix: LinePrefix, _ offset: Int, at place: LogIntake.Place) {
    flush()
    let own = line.extracting(prefix.end - offset..<line.count)
    if let timeBegin = prefix.timeBegin, takeTimeout(line.extracting(timeBegin - offset..<line.count), at: place) {
      isInProgramsEvent = false
      return
    }
    if LogLine.mayBeOfPlatform(own) {
      if hold(own, at: place) || intake.line(own, at: place) {
        if framing == nil, !prefix.isTabbed { framing = prefix.parts }
        noteContainer(prefix)
        isInProgramsEvent = false
        return
      }
    } else {
      intake.own(own, at: place)
    }
    if prefix.parts == framing || framing == nil && prefix.parts.contains(.stream), !prefix.isTabbed {
      isInProgramsEvent = true
    }
  }

  /// Takes a line with nothing in front of it.
  mutating func take(_ line: Span<UInt8>, at pending: LogIntake.Place?) {
    if goesOn(line) { return }
    flush()
    let place = pending ?? LogIntake.Place(stream: intake.stream(nil), time: nil)
    if isInProgramsEvent { return intake.continuation(line, at: place) }
    let start = TextLines.ownBegin(line)
    let own = line.extracting(start..<line.count)
    if LogIntake.begins(own, "Traceback (most") { return intake.continuation(own, at: place) }
    if takeTimeout(own, timed: place) { return }
    guard LogLine.mayBeOfPlatform(own) else { return intake.own(own, at: place) }
    if framing == nil { intake.recognise(line[0] == UInt8(ascii: "\t") ? .messageList : .plain) }
    if !hold(own, at: place) { intake.line(own, at: place) }
  }

  /// Where a line of the platform begins behind what people and programs write in front of lines that they show; else 0.
  private static func ownBegin(_ line: Span<UInt8>) -> Int {
    func platforms(_ start: Int) -> Int? {
      start < line.count && LogLine.mayBeOfPlatform(line.extracting(start..<line.count)) ? start : nil
    }
    // A list of messages as text has tabs between them. Documents indent what they show, and answers to letters quote it.
    var start = 0
    while start < min(line.count, 16), line[start] == 0x20 || line[start] == 0x09 || line[start] == UInt8(ascii: ">") {
      start += 1
    }
    if let begin = platforms(start) { return begin }
    // docker compose writes `NAME  | ` in front of each line.
    var bar = 1
    while bar < min(line.count, 64), line[bar] != UInt8(ascii: "|") { bar += 1 }
    guard bar + 1 < min(line.count, 64), line[bar - 1] == 0x20, line[bar + 1] == 0x20 else { return 0 }
    return platforms(bar + 2) ?? 0
  }

  // MARK: Lines that were broken

  /// Takes the line that is kept.
  mutating func flush() {
    guard let place = heldPlace else { return }
    let line = held
    held = []
    heldPlace = nil
    let current = intake.line
    intake.line = heldLine
    intake.line(line.span, at: place)
    intake.line = current
  }
}
