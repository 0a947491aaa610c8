import LambdaRecords
import Lifecycle
import Text

/// JSON documents that carry log lines, and what they are packed in.
struct LogDocuments {
  let intake: LogIntake
  /// Undoes gzip of a small document; `nil` if it is damaged.
  let inflate: ([UInt8]) -> [UInt8]?
  /// How many documents these are inside of.
  let depth: Int

  /// Reads a document that was packed into another one.
  func nested(_ bytes: [UInt8]) {
    guard depth < LogFileReader.depthMax else {
      return intake.refuse("", "documents are packed into each other deeper than \(LogFileReader.depthMax) levels")
    }
    let line = intake.line
    let reader = LogFileReader(intake, inflate: inflate, depth: depth + 1)
    reader.append(bytes.span)
    reader.finish()
    intake.line = line
  }

  /// Takes an element of a list: an event, a row, a message.
  func element(_ value: Span<UInt8>) {
    switch value[0] {
    case UInt8(ascii: "{"):
      if let members = JSONMembers(value) { object(members, value, at: nil) } else { refuse(value) }
    case UInt8(ascii: "["): row(value)
    case UInt8(ascii: "\""):
      var reader = JSONReader(value, JSONMembers.rules)
      guard let text = try? reader.string() else { return refuse(value) }
      intake.recognise(.messages)
      intake.event(Array(text.utf8).span, at: LogIntake.Place(stream: intake.stream(nil), time: nil))
    default: refuse(value)
    }
  }

  private func refuse(_ value: Span<UInt8>) {
    intake.refuse(
      String(decoding: LogIntake.array(value.extracting(first: 80)), as: UTF8.self), "it is no JSON of a log")
  }

  // MARK: Objects

  /// Takes an object: a container of events, an event, a record, or what a program wrote.
  func object(_ members: JSONMembers, _ value: Span<UInt8>, at place: LogIntake.Place?) {
    if place == nil, members[.event] != nil || members[.sequence] != nil, intake.lifecycle(members, value) { return }
    if members[.record] != nil || place?.time != nil && members[.logEvents] == nil {
      return intake.record(members, value, at: place ?? unnamed())
    }
    if members[.logEvents] != nil { return subscription(members, value) }
    if let awslogs = members[.awslogs] {
      intake.recognise(.envelope)
      return packed(value.extracting(awslogs))
    }
    if let records = members[.records], arePacked(value.extracting(records)) {
      intake.recognise(.envelope)
      return each(value.extracting(records)) { packed($0) }
    }
    if members[.data] != nil, members.count <= 6 {
      intake.recognise(.envelope)
      return packed(value)
    }
    if let list = members[.results] ?? members[.events], value[list.lowerBound] == UInt8(ascii: "[") {
      return each(value.extracting(list)) { element($0) }
    }
    if members[.insightsTimestamp] != nil || members[.insightsMessage] != nil || members[.insightsRequest] != nil {
      return insightsObject(value)
    }
    if members[.message] != nil, let stamp = members.digits(.timestamp, value),
      members[.logStreamName] != nil || members[.logStream] != nil || members[.eventId] != nil
        || Int64(stamp) != nil && members[.level] == nil
    {
      let stream = members.text(.logStreamName, value) ?? members.text(.logStream, value)
      return event(members, value, stream: stream, group: members.text(.logGroup, value))
    }
    intake.record(members, value, at: place ?? unnamed())
  }

  /// Whether the first element of a list carries data; the events of other services, which programs print, have a list `Records`, too.
  private func arePacked(_ list: Span<UInt8>) -> Bool {
    guard list[0] == UInt8(ascii: "[") else { return false }
    var isFirst = true
    var hasData = false
    each(list) { element in
      if isFirst, let members = JSONMembers(element) { hasData = members[.data] != nil || members[.kinesis] != nil }
      isFirst = false
    }
    return hasData
  }

  func unnamed() -> LogIntake.Place { LogIntake.Place(stream: intake.stream(nil), time: nil) }

  private func each(_ list: Span<UInt8>, _ take: (Span<UInt8>) -> Void) {
    var reader = JSONReader(list, JSONMembers.rules)
    // The list was read before as a part of the whole: it is JSON.
    try? reader.array { (reader: inout JSONReader) throws(JSONError) in
      let slice = try reader.slice()
      take(list.extracting(slice))
    }
  }

  private func event(_ members: JSONMembers, _ value: Span<UInt8>, stream: String?, group: String?) {
    intake.recognise(.events)
    take(members, value, stream: intake.stream(stream, group: group))
  }

  private func take(_ members: JSONMembers, _ value: Span<UInt8>, stream: Int) {
    let time = members.digits(.timestamp, value).flatMap { LineInstant.read($0) }?.time
    let place = LogIntake.Place(stream: stream, time: time)
    if let message = members.text(.message, value) {
      intake.event(Array(message.utf8).span, at: place)
    } else if let message = members[.message], value[message.lowerBound] == UInt8(ascii: "{") {
      intake.event(value.extracting(message), at: place)
    }
  }

  private func subscription(_ members: JSONMembers, _ value: Span<UInt8>) {
    intake.recognise(.subscription)
    guard members.text(.messageType, value) != "CONTROL_MESSAGE", let events = members[.logEvents] else { return }
    let stream = intake.stream(members.text(.logStream, value), group: members.text(.logGroup, value))
    each(value.extracting(events)) { event in
      if let members = JSONMembers(event) { take(members, event, stream: stream) }
    }
  }

  /// Takes an object with Base64 in it, or in an object of its own.
  private func packed(_ value: Span<UInt8>) {
    guard let members = JSONMembers(value) else { return refuse(value) }
    if let kinesis = members[.kinesis] { return packed(value.extracting(kinesis)) }
    guard let text = members.text(.data, value) else { return refuse(value) }
    guard let bytes = Base64.decode(text) else { return intake.refuse(String(text.prefix(80)), "it is no Base64") }
    guard bytes.starts(with: [0x1F, 0x8B]) else { return nested(bytes) }
    guard let inflated = inflate(bytes) else { return intake.refuse(String(text.prefix(80)), "it is damaged gzip") }
    nested(inflated)
  }

  // MARK: Rows of Logs Insights

  /// A row: a list of fields and values. A pair of a time and a message is one, too.
  private func row(_ value: Span<UInt8>) {
    var fields = InsightsFields()
    var number: String?
    var text: String?
    each(value) { cell in
      if cell[0] == UInt8(ascii: "{"), let members = JSONMembers(cell), let name = members.text(.field, cell) {
        fields[name] = members.digits(.value, cell) ?? ""
      } else if cell[0] == UInt8(ascii: "\"") {
        var reader = JSONReader(cell, JSONMembers.rules)
        text = try? reader.string()
      } else {
        number = String(decoding: LogIntake.array(cell), as: UTF8.self)
      }
    }
    if let text {
      intake.recognise(.messages)
      let time = number.flatMap { LineInstant.read($0) }?.time
      return intake.event(Array(text.utf8).span, at: LogIntake.Place(stream: intake.stream(nil), time: time))
    }
    intake.recognise(.insights)
    fields.take(intake)
  }

  /// A row as the console exports it: an object.
  private func insightsObject(_ value: Span<UInt8>) {
    intake.recognise(.insights)
    var fields = InsightsFields()
    do throws(JSONError) {
      var reader = JSONReader(value, JSONMembers.rules)
      try reader.object { (reader: inout JSONReader, name: String) throws(JSONError) in
        if try reader.kind() == .string {
          fields[name] = try reader.string()
        } else {
          let slice = try reader.slice()
          fields[name] = String(decoding: LogIntake.array(value.extracting(slice)), as: UTF8.self)
        }
      }
    } catch {
      return refuse(value)
    }
    fields.take(intake)
  }
}
