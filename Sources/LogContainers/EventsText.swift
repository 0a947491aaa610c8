import Lifecycle
import Text

// `aws logs filter-log-events --output text`, and the same of get-log-events: the columns of an event in the order of their names, so
// that its time comes last, on a line of its own where the message ends with a line break.
extension LogFileReader {
  /// Reads a line of such a file.
  func eventsTextStep(_ bytes: Span<UInt8>, _ position: Int) -> Int? {
    guard let end = lineEnd(bytes, position) else {
      guard bytes.count - position > LogFileReader.lineMax else { return nil }
      intake.refuse("", "the line is longer than \(LogFileReader.lineMax >> 20) MiB")
      mode = .skipping
      collected.removeAll()
      return bytes.count
    }
    let line = bytes.extracting(position..<end)
    let behind = min(end + 1, bytes.count)
    if LogIntake.begins(line, "EVENTS\t") || LogIntake.begins(line, "SEARCHEDLOGSTREAMS")
      || LogIntake.begins(line, "NEXTTOKEN")
      || (LogIntake.begins(line, "b/") && line.count < 400)
    {
      endEventsText()
      if !LogIntake.begins(line, "EVENTS\t") { return behind }
    } else if collected.isEmpty {
      if !LogIntake.isBlank(line) { intake.own(line, at: documents.unnamed()) }
      return behind
    }
    if collected.count < LogFileReader.lineMax {
      if !collected.isEmpty { collected.append(0x0A) }
      collected += LogIntake.array(line)
    }
    return behind
  }

  /// Takes the event that was collected.
  func endEventsText() {
    guard !collected.isEmpty else { return }
    let event = collected
    collected.removeAll(keepingCapacity: true)
    var last = event.count
    while last > 0, event[last - 1] == 0x0A || event[last - 1] == 0x0D { last -= 1 }
    guard let tab = event[..<last].lastIndex(of: 0x09), tab >= 7, let time = EventsText.time(event[(tab + 1)..<last])
    else {
      return intake.refuse(
        String(decoding: event.prefix(80), as: UTF8.self), "the event has no time: the file was cut")
    }
    let head = event[7..<tab].split(separator: 0x09, maxSplits: 3, omittingEmptySubsequences: false)
    var message: ArraySlice<UInt8>
    var stream: String?
    if head.count >= 4, head[0].count >= 20, head[0].allSatisfy(\.isDecimalDigit), EventsText.time(head[1]) != nil {
      stream = String(decoding: head[2], as: UTF8.self)
      message = event[head[3].startIndex..<tab]
    } else if head.count >= 2, EventsText.time(head[0]) != nil {
      message = event[head[1].startIndex..<tab]
    } else {
      message = event[7..<tab]
    }
    while message.last == 0x0A { message.removeLast() }
    intake.event(Array(message).span, at: LogIntake.Place(stream: intake.stream(stream), time: time))
  }
}

private enum EventsText {
  static func time(_ digits: ArraySlice<UInt8>) -> Timestamp? {
    let digits = Array(digits)
    guard let instant = LineInstant.read(digits.span, at: 0), digits.count == 13, instant.end == 13 else { return nil }
    return instant.time
  }
}
