package import LambdaRecords
package import Lifecycle
import Text

/// Where the lines of all containers arrive: says what each means, counts them, and reconstructs lives.
package final class LogIntake {
  /// A line, and what became of it.
  package struct Example: Equatable, Sendable {
    /// The file's name as the caller gave it.
    /// Printable, as ``text``.
    package var file: String
    /// From 1; of a line of a document inside another, the line where the outermost one begins.
    package var line: Int
    /// The beginning of the line, without what controls a terminal.
    package var text: String
    /// Why it does not count; `nil` if it does, or is a program's.
    package var reason: String?
  }

  /// How many lines one thing became of, and the first of them.
  package struct Count: Equatable, Sendable {
    /// The most examples that are kept.
    package static let examplesMax = 20

    /// All of them.
    package fileprivate(set) var count: UInt64 = 0
    /// The first of them.
    package fileprivate(set) var examples: [Example] = []
  }

  /// Where an event is from.
  package struct Place: Sendable {
    /// The number of its stream.
    package var stream: Int
    /// Its time; `nil` if the container has none.
    package var time: Timestamp?
  }

  /// Lines of the platform that were read, repeated ones too.
  package private(set) var understood = Count()
  /// Lines of programs, and those that cannot be read.
  package private(set) var passedOver = Count()
  /// Lines that say something else than others.
  package private(set) var contradictory = Count()
  /// Lines that had been said before.
  package private(set) var repeated: UInt64 = 0
  /// Times without decimals and zone.
  package var roundedTimes: UInt64 = 0
  /// Rows of Logs Insights in the current file.
  package var insightsRows = 0
  /// Lines of the current file that have one of the platform's in their middle, as long as nothing was recognised.
  package private(set) var misplaced: UInt64 = 0
  /// What the current file was recognised as, with the line where.
  package private(set) var recognised: [(container: LogContainer, line: Int)] = []
  /// What is done with the facts of lines that have a time, with the number of their stream, in the order in which they are read. Lines
  /// that repeat or contradict others are facts, too.
  package var takeFact: ((LogFact, Int) -> Void)?
  /// What the log says of functions.
  package var lives = LifeReconstruction()
  /// The line that is being read.
  var line = 1
  /// The stream of lines that name none.
  private(set) var unnamed = 0
  private(set) var file = ""
  private var defaultFunction: String?
  private var fileStream: String?
  /// A line `[ERROR] Type: …` came last, which is the runtime's if a traceback follows.
  private var errorPlace: Place?
  private let pendingMax: Int
  private let latest: Timestamp?
  private let take: (Life) -> Void
  private var linesUntilDrain: Int

  /// Makes an intake.
  ///
  /// - Parameters:
  ///   - pendingMax: About how many requests wait for more to be said of them; at least 1.
  ///   - latest: Lines with a later time, or one before there was AWS Lambda, do not count. With `nil` all do.
  ///   - take: What is done with lives that are complete.
  package init(pendingMax: Int = 1 << 16, latest: Timestamp? = nil, take: @escaping (Life) -> Void) {
    self.pendingMax = pendingMax
    self.latest = latest
    self.take = take
    linesUntilDrain = pendingMax
  }

  /// Begins a file, or whatever comes in one piece.
  ///
  /// - Parameters:
  ///   - name: For examples.
  ///   - function: The function that lines are of which name none.
  ///   - stream: The stream of all lines that name none, where something outside of the file says it.
  package func begin(_ name: String, function: String?, stream: String? = nil) {
    file = name
    line = 1
    recognised = []
    insightsRows = 0
    misplaced = 0
    errorPlace = nil
    defaultFunction = function
    fileStream = stream
    unnamed = lives.stream(stream, of: name, function: function)
  }

  /// The function of events that name none.
  var functionOfEvents: FunctionID? { defaultFunction.map { FunctionID($0) } }

  /// Hands on all lives.
  package func finish() { lives.drain(keeping: 0, take) }

  /// The number of a stream, of the function that names or groups say.
  ///
  /// - Parameter group: A log group such as `/aws/lambda/orders`; perhaps with an account and a colon in front.
  func stream(_ name: String?, group: String? = nil) -> Int {
    let function = group.flatMap(LogIntake.function(ofGroup:)) ?? defaultFunction
    guard let name = name ?? fileStream else {
      guard let group, function != nil else { return unnamed }
      return lives.stream(nil, of: "\(file)\u{0}\(group)", function: function)
    }
    return lives.stream(name, of: file, function: function)
  }

  private static func function(ofGroup group: String) -> String? {
    let mark = "/aws/lambda/"
    guard let range = group.firstRange(of: mark) else { return nil }
    let name = group[range.upperBound...].prefix { $0 != ":" }
    return name.isEmpty || name.contains("/") ? nil : String(name)
  }

  /// Notes what the file is.
  func recognise(_ container: LogContainer) {
    if recognised.last?.container == container { return }
    if !recognised.contains(where: { $0.container == container }) { recognised.append((container, line)) }
  }
}

// MARK: Events and lines

extension LogIntake {
  /// Takes an event: a line, or several. Only its first line can be the platform's, and the segment that stands behind a report.
  func event(_ bytes: Span<UInt8>, at place: Place) {
    var start = 0
    while start < bytes.count, bytes[start] <= 0x20 { start += 1 }
    guard start < bytes.count else { return }
    if bytes[start] == UInt8(ascii: "{"), JSONPiece.isWhole(bytes, start) {
      let object = bytes.extracting(start..<bytes.count)
      if let members = JSONMembers(object) {
        record(members, object, at: place)
        return
      }
    }
    var end = LineBreak.next(bytes, 0)
    line(bytes.extracting(0..<end), at: place)
    while end < bytes.count {
      let begin = end + 1
      end = LineBreak.next(bytes, begin)
      continuation(bytes.extracting(begin..<end), at: place)
    }
  }

  /// Takes a line that may be the platform's.
  ///
  /// - Returns: Whether it is.
  @discardableResult
  func line(_ line: Span<UInt8>, at place: Place) -> Bool {
    if LogLine.mayBeOfPlatform(line) {
      do throws(RecordError) {
        if let read = try LogIntake.read(line) {
          if let reason = problem(place.time) ?? problem(read.ownTime) ?? LogIntake.problem(read) {
            own(line, at: place, reason: reason)
            return true
          }
          if let takeFact, let fact = LogFact(read, at: place.time) { takeFact(fact, place.stream) }
          note(lives.take(read, in: place.stream, at: place.time), line)
          return true
        }
      } catch {
        own(line, at: place, reason: error.description)
        return true
      }
    }
    own(line, at: place)
    return false
  }

  /// Reads a line of the platform; also one of which some tabs, but not all, have become blanks.
  private static func read(_ line: Span<UInt8>) throws(RecordError) -> LogLine? {
    do throws(RecordError) {
      return try LogLine.read(line: line)
    } catch {
      let bytes = array(line)
      guard error.code == .missing, bytes.contains(0x09) else { throw error }
      return try LogLine.read(bytes: bytes.map { $0 == 0x09 ? 0x20 : $0 })
    }
  }

  /// Takes a line that stands behind the first one of its event, or seems to.
  func continuation(_ line: Span<UInt8>, at place: Place) {
    if let errorPlace, LogIntake.begins(line, "Traceback (most recent call last):") {
      takeError(of: nil, at: errorPlace)
    }
    errorPlace = nil
    guard line.count > 4, line[0] == UInt8(ascii: "X") else { return own(line, at: place) }
    self.line(line, at: place)
  }

  /// Counts a line of a program, or one that cannot be read.
  func own(_ line: Span<UInt8>, at place: Place, reason: String? = nil) {
    guard !LogIntake.isBlank(line) else { return }
    if let time = place.time, problem(time) == nil { lives.seen(place.stream, at: time) }
    if line.count > 8 { lookForError(line, at: place) }
    if recognised.isEmpty, reason == nil, LogIntake.hasPlatforms(line) { misplaced += 1 }
    count(&passedOver, line, reason)
  }

  /// Counts a line that cannot be taken.
  func refuse(_ text: String, _ reason: String) { count(&passedOver, Array(text.utf8).span, reason) }

  private func note(_ verdict: LifeReconstruction.Verdict, _ line: Span<UInt8>) {
    switch verdict {
    case .understood: count(&understood, line, nil)
    case .repeated:
      repeated += 1
      count(&understood, line, nil)
    case .contradictory(let reason): count(&contradictory, line, reason)
    }
    linesUntilDrain -= 1
    guard linesUntilDrain <= 0 else { return }
    linesUntilDrain = pendingMax / 2
    if lives.pendingCount > pendingMax { lives.drain(keeping: pendingMax / 2, take) }
  }

  /// Beyond what an invocation may take there is an initialization, at most, and what times are off.
  private static let durationMax = LifeReconstruction.invocationMax + .seconds(60)
  /// The first instant of the year in which AWS Lambda appeared.
  private static let earliest = Timestamp(seconds: 1_388_534_400)

  /// Why a time cannot be that of a line, as a part of a sentence; `nil` if it can.
  private func problem(_ time: Timestamp?) -> String? {
    guard let time, let latest else { return nil }
    if time < LogIntake.earliest { return "its time is before 2014, when there was no AWS Lambda" }
    return time > latest ? "its time is in the future" : nil
  }

  /// Whether a line can have this time.
  func isPossible(_ time: Timestamp) -> Bool { problem(time) == nil }

  /// Whether the platform can say this.
  func isPossible(_ kind: PlatformEvent.Kind) -> Bool { LogIntake.problem(kind) == nil }

  private static func problem(_ line: LogLine) -> String? {
    if case .event(let kind) = line { problem(kind) } else { nil }
  }

  /// Why what a report says cannot be, as a part of a sentence; `nil` if it can.
  private static func problem(_ kind: PlatformEvent.Kind) -> String? {
    guard case .report(let report) = kind, report.duration > durationMax else { return nil }
    return "its duration is longer than an invocation may take"
  }

  /// Takes an event of the platform that is no line.
  func platform(_ event: PlatformEvent, _ bytes: Span<UInt8>, at place: Place) {
    if let reason = problem(event.time) ?? LogIntake.problem(event.kind) {
      return own(bytes, at: place, reason: reason)
    }
    if let takeFact, let fact = LogFact(event.kind, at: event.time) { takeFact(fact, place.stream) }
    note(lives.take(event.kind, in: place.stream, at: event.time), bytes)
  }

  /// Takes what stands for a line of the platform in a container that has no lines.
  func platform(_ kind: PlatformEvent.Kind, _ text: String, at place: Place) {
    if let reason = problem(place.time) ?? LogIntake.problem(kind) { return refuse(text, reason) }
    if let takeFact, let time = place.time, let fact = LogFact(kind, at: time) { takeFact(fact, place.stream) }
    note(lives.take(kind, in: place.stream, at: place.time), Array(text.utf8).span)
  }

  private func count(_ count: inout Count, _ line: Span<UInt8>, _ reason: String?) {
    count.count += 1
    guard count.examples.count < Count.examplesMax else { return }
    var text = String(decoding: LogIntake.array(line.extracting(first: 160)), as: UTF8.self)
    while let last = text.last, last.isWhitespace { text.removeLast() }
    count.examples.append(
      Example(file: LogIntake.printable(file), line: self.line, text: LogIntake.printable(text), reason: reason))
  }

  /// A text as it can go to a terminal, in one line: what controls one is shown by its number.
  private static func printable(_ text: String) -> String {
    var shown = ""
    for scalar in text.unicodeScalars {
      switch scalar.value {
      case 0x09: shown += "\t"
      case 0..<0x20, 0x7F..<0xA0, 0x2028, 0x2029, 0x202A...0x202E, 0x2066...0x2069:
        shown += "\\u{\(String(scalar.value, radix: 16))}"
      default: shown.unicodeScalars.append(scalar)
      }
    }
    return shown
  }

  static func array(_ bytes: Span<UInt8>) -> [UInt8] {
    // SAFETY: the pointer does not leave the closure.
    unsafe bytes.withUnsafeBufferPointer { unsafe Array($0) }
  }

  static func isBlank(_ line: Span<UInt8>) -> Bool {
    var index = 0
    while index < line.count, line[index] <= 0x20 { index += 1 }
    return index == line.count
  }

  /// Whether a line of the platform stands in a line, but not at its begin.
  private static func hasPlatforms(_ line: Span<UInt8>) -> Bool {
    guard line.count > 17 else { return false }
    for index in 1..<line.count - 16 where line[index] == UInt8(ascii: "R") || line[index] == UInt8(ascii: "S") {
      let rest = line.extracting(index..<line.count)
      if begins(rest, "REPORT RequestId:") || begins(rest, "START RequestId: ") { return true }
    }
    return false
  }

  static func begins(_ line: Span<UInt8>, _ text: StaticString) -> Bool {
    let count = text.utf8CodeUnitCount
    guard line.count >= count else { return false }
    return text.withUTF8Buffer { text in
      for index in 0..<count where unsafe line[index] != text[index] { return false }
      return true
    }
  }
}

// MARK: Errors that functions report

extension LogIntake {
  private func takeError(of request: RequestID?, at place: Place) {
    if let takeFact, let time = place.time, problem(time) == nil {
      takeFact(LogFact(time: time, kind: .functionError(request)), place.stream)
    }
    lives.takeError(of: request, in: place.stream, at: place.time)
  }

  private static let nodeErrors: [StaticString] = ["Invoke Error", "Uncaught Exception", "Unhandled Promise Rejection"]

  /// What a runtime writes of an error that a function reported, in Python `[ERROR] Type: …` with a traceback behind it, in Node.js
  /// `TIME, REQUEST, ERROR, Invoke Error` between tabs.
  private func lookForError(_ line: Span<UInt8>, at place: Place) {
    errorPlace = nil
    switch line[0] {
    case UInt8(ascii: "["):
      guard LogIntake.begins(line, "[ERROR] ") else { return }
      var index = 8
      while index < line.count, LogIntake.isOfType(line[index]) { index += 1 }
      guard index > 8, index == line.count || line[index] == UInt8(ascii: ":") || line[index] <= 0x20 else { return }
      errorPlace = place
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"):
      // A container's reader may have taken the time off already.
      let start = line.count > 24 && line[24] == UInt8(ascii: "\t") ? 25 : 0
      guard start + 43 < line.count, line[start + 36] == UInt8(ascii: "\t"),
        LogIntake.begins(line.extracting(start + 37..<line.count), "ERROR\t")
      else { return }
      let words = line.extracting(start + 43..<line.count)
      guard LogIntake.nodeErrors.contains(where: { LogIntake.begins(words, $0) }) else { return }
      let id = String(decoding: LogIntake.array(line.extracting(start..<start + 36)), as: UTF8.self)
      guard let request = Identifier128(text: id) else { return }
      takeError(of: RequestID(request), at: place)
    default: return
    }
  }

  private static func isOfType(_ byte: UInt8) -> Bool {
    byte.isDecimalDigit || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "_")
      || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
  }

  /// Takes an object that is a record of the platform, or whatever a program wrote.
  ///
  /// - Parameter bytes: Of the object, and nothing else than white space around it.
  func record(_ members: JSONMembers, _ bytes: Span<UInt8>, at place: Place) {
    if members[.type] != nil, members[.record] != nil {
      do throws(RecordError) {
        guard let item = try TelemetryItem.record(bytes) else { return own(bytes, at: place) }
        switch item {
        case .platform(let event):
          recognise(.telemetry)
          if case .start(let start) = event.kind { learn(start.functionARN, place.stream) }
          platform(event, bytes, at: place)
        case .line(let line):
          let text = Array(line.text.utf8)
          own(text.span, at: Place(stream: place.stream, time: line.time))
        }
      } catch {
        own(bytes, at: place, reason: error.description)
      }
      return
    }
    if let request = LogIntake.failedRequest(members, bytes) {
      takeError(of: request, at: place)
    }
    own(bytes, at: place)
  }

  private func learn(_ functionARN: String?, _ stream: Int) {
    guard lives.function(of: stream) == nil,
      let name = functionARN.flatMap(LifeReconstruction.functionName(ofARN:))
    else { return }
    lives.learn(function: name, of: stream)
  }

  /// The request of an error that a runtime reports in the JSON format: Python's `log_level` stands nowhere else.
  private static func failedRequest(_ members: JSONMembers, _ bytes: Span<UInt8>) -> RequestID? {
    guard let id = members.text(.requestId, bytes), let request = Identifier128(text: id) else { return nil }
    if members.text(.logLevel, bytes) == "ERROR", members[.errorType] != nil { return RequestID(request) }
    guard members.text(.level, bytes) == "ERROR", let message = members.text(.message, bytes),
      nodeErrors.contains(where: { message.hasPrefix("\($0)") })
    else { return nil }
    return RequestID(request)
  }
}
