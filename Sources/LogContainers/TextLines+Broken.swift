import LambdaRecords
import Lifecycle
import Text

// Lines that consoles and terminals have broken, at blanks or at tabs.
extension TextLines {
  /// Keeps a line that may go on in the next one.
  mutating func hold(_ line: Span<UInt8>, at place: LogIntake.Place) -> Bool {
    switch line[0] {
    case UInt8(ascii: "R") where LogIntake.begins(line, "REPORT RequestId:"): break
    case UInt8(ascii: "R")
    where LogIntake.begins(line, "RequestId:") && line.count < 300 && !TextLines.isWholeEnding(LogIntake.array(line)):
      break
    case UInt8(ascii: "I") where LogIntake.begins(line, "INIT_REPORT Init"): break
    case UInt8(ascii: "S"), UInt8(ascii: "E"):
      guard line.count < 52, LogIntake.begins(line, "START RequestId:") || LogIntake.begins(line, "END RequestId:"),
        !TextLines.hasRequest(line)
      else { return false }
    default: return false
    }
    keep(LogIntake.array(line), at: place)
    return true
  }

  private mutating func keep(_ line: [UInt8], at place: LogIntake.Place) {
    flush()
    held = line
    heldPlace = place
    heldLine = intake.line
  }

  private static func hasRequest(_ line: Span<UInt8>) -> Bool {
    var digits = 0
    for index in 0..<line.count
    where line[index].isDecimalDigit || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(line[index]) {
      digits += 1
    }
    return digits >= 32
  }

  /// Takes a line as the rest of the one that is kept.
  mutating func goesOn(_ line: Span<UInt8>) -> Bool {
    guard !held.isEmpty, held.count < 2_048, line.count < 300 else { return false }
    var start = 0
    while start < line.count, line[start] <= 0x20 { start += 1 }
    guard start < line.count else { return false }
    let rest = LogIntake.array(line.extracting(start..<line.count))
    let hasFields = held.starts(with: "REPORT".utf8) || held.starts(with: "INIT_REPORT".utf8)
    if hasFields, let field = TextLines.fields.first(where: { rest.starts(with: $0) }), !isTaken(field, rest) {
      held.append(0x0A)
      held += rest
      return true
    }
    guard !LogLine.mayBeOfPlatform(rest.span) || TextLines.isEnding(held + [0x20] + rest) else { return false }
    if hasFields {
      guard !TextLines.isWholeReport(held), isRest(rest) else { return false }
    } else if held[0] == UInt8(ascii: "R") || held[0].isDecimalDigit {
      guard !TextLines.isWholeEnding(held), TextLines.isEnding(held + [0x20] + rest) else { return false }
    } else if TextLines.hasRequest(held.span) {
      return false
    }
    held.append(0x20)
    held += rest
    return true
  }

  // MARK: Reports

  private static let fields: [[UInt8]] = [
    "Duration: ", "Billed Duration: ", "Memory Size: ", "Max Memory Used: ", "Init Duration: ", "Restore Duration: ",
    "Billed Restore Duration: ", "Phase: ", "Status: ", "Error Type: ",
  ].map { Array($0.utf8) }
  private static let status = Array("Status: ".utf8)
  /// The first words of fields with several.
  private static let firstWords = [
    "Billed", "Memory", "Max", "Max Memory", "Init", "Restore", "Billed Restore", "Error",
  ]
  .map { Array($0.utf8) }

  /// Whether a line that begins with a field is a program's: the report has that field, or the value is none.
  private func isTaken(_ field: [UInt8], _ rest: [UInt8]) -> Bool {
    // A name may be the end of another one: `Billed Duration`.
    for index in held.indices where index > 0 && held[index...].starts(with: field) {
      let before = held[..<(index - 1)]
      if held[index - 1] != 0x20 || !TextLines.firstWords.contains(where: { before.ends(with: $0) }) { return true }
    }
    guard field == TextLines.status else { return false }
    let words = String(decoding: rest.dropFirst(field.count), as: UTF8.self).split(separator: " ")
    return words.first.map { PlatformEvent.Status(rawValue: String($0)) == nil } ?? true
  }

  /// Whether a line may be the rest of a report: it has a field, if only with the end of what is kept, or the value of the last one.
  private func isRest(_ rest: [UInt8]) -> Bool {
    if held[0] == UInt8(ascii: "R"), !TextLines.hasRequest(held.span) { return TextLines.hasRequest(rest.span) }
    let end = Array(held[max(0, held.count - 24)...])
    let joint = end + [0x20] + rest
    for field in TextLines.fields {
      // Its last byte is a blank, which a line may have lost.
      if let place = joint.firstRange(of: field.dropLast()), place.upperBound > end.count + 1 { return true }
    }
    // Of a field that was broken between its name, its value and its unit.
    return rest.count < 48 && (rest[0].isDecimalDigit || !rest.contains(0x20)) && !TextLines.isWholeReport(held)
  }

  /// Whether a report has all that reports have, and does not break off in the middle of a field.
  private static func isWholeReport(_ line: [UInt8]) -> Bool {
    if line.starts(with: "REPORT".utf8) {
      guard let place = line.firstRange(of: Array("Max Memory Used: ".utf8)),
        line[place.upperBound...].contains(UInt8(ascii: "B"))
      else { return false }
    } else if line.firstRange(of: Array(" ms".utf8)) == nil {
      return false
    }
    var end = line.count
    while end > 0, line[end - 1] <= 0x20 { end -= 1 }
    let last = line[..<end]
    return last.last != UInt8(ascii: ":") && !(last.last?.isDecimalDigit ?? false)
      && !firstWords.contains { last.ends(with: $0) }
  }

  // MARK: How an invocation ended

  private static func isEnding(_ line: [UInt8]) -> Bool {
    guard let read = (try? LogLine.read(bytes: line)) ?? nil else { return false }
    return read.isEnding
  }

  /// Whether a line says how an invocation ended, to the last word.
  private static func isWholeEnding(_ line: [UInt8]) -> Bool {
    guard isEnding(line) else { return false }
    let last = line.lastIndex { $0 > 0x20 } ?? 0
    let text = String(decoding: line[...last], as: UTF8.self)
    return !["with", "error:", "signal:", "status", "code"].contains { text.hasSuffix($0) }
  }

  /// Takes a line `TIME ID Task timed out after 3.00 seconds`, or the beginning of one. The time is the line's own, though containers write
  /// theirs in the same form.
  mutating func takeTimeout(_ line: Span<UInt8>, at place: LogIntake.Place) -> Bool {
    var end = line.count
    while end > 0, line[end - 1] <= 0x20 { end -= 1 }
    guard end > 60, end < 200 else { return false }
    if line[end - 1] == UInt8(ascii: "s"), LogLine.mayBeOfPlatform(line) {
      guard (try? LogLine.read(line: line)) ?? nil != nil else { return false }
      flush()
      intake.line(line, at: place)
      return true
    }
    var blank = 0
    while blank < 40, line[blank] > 0x20 { blank += 1 }
    guard blank + 38 < end, line[blank + 37] == 0x20, line[blank + 38] == UInt8(ascii: "T") else { return false }
    let words = String(decoding: LogIntake.array(line.extracting(0..<end)), as: UTF8.self).split(separator: " ")
    guard words.count > 2, words[1].utf8.count == 36, TextLines.isBeginOfTimeout(words[2...]) else { return false }
    keep(LogIntake.array(line.extracting(0..<end)), at: place)
    return true
  }

  /// Takes such a line whose time was on the line before.
  mutating func takeTimeout(_ line: Span<UInt8>, timed place: LogIntake.Place) -> Bool {
    guard let time = place.time, line.count > 41, line.count < 120, line[36] == 0x20, line[37] == UInt8(ascii: "T")
    else {
      return false
    }
    let whole = Array("\(RFC3339.text(nanoseconds: time.nanoseconds)) ".utf8) + LogIntake.array(line)
    return takeTimeout(whole.span, at: place)
  }

  private static func isBeginOfTimeout(_ words: ArraySlice<Substring>) -> Bool {
    let sentence = ["Task", "timed", "out", "after"]
    guard words.count <= sentence.count + 1 else { return false }
    return zip(words, sentence).allSatisfy { $0 == $1 }
      && (words.count <= sentence.count || Double(words.last ?? "") != nil)
  }
}

extension ArraySlice<UInt8> {
  fileprivate func ends(with other: [UInt8]) -> Bool {
    count >= other.count && self[(endIndex - other.count)...].elementsEqual(other)
  }
}
