import Text

/// Where the members of an object are that containers and records of logs have.
struct JSONMembers {
  /// The names that mean something.
  enum Name: Int, CaseIterable {
    case time, type, record, timestamp, message, logStreamName, logGroup, logStream, logEvents, messageType, awslogs,
      records
    case kinesis, data, results, events, level, logLevel, errorType, requestId, eventId, owner
    case insightsTimestamp, insightsMessage, insightsRequest, field, value, event, source, sequence

    static let byText: [String: Name] = [
      "time": .time, "type": .type, "record": .record, "timestamp": .timestamp, "message": .message,
      "logStreamName": .logStreamName, "logGroup": .logGroup, "logGroupName": .logGroup,
      "logGroupIdentifier": .logGroup,
      "logStream": .logStream, "logEvents": .logEvents, "messageType": .messageType, "awslogs": .awslogs,
      "records": .records, "Records": .records, "kinesis": .kinesis, "data": .data, "Data": .data, "results": .results,
      "events": .events, "sessionResults": .events, "level": .level, "log_level": .logLevel, "errorType": .errorType,
      "requestId": .requestId,
      "eventId": .eventId, "id": .eventId, "owner": .owner, "@timestamp": .insightsTimestamp,
      "@message": .insightsMessage, "@requestId": .insightsRequest, "field": .field, "value": .value, "event": .event,
      "source": .source, "sequence": .sequence,
    ]
  }

  private var places = InlineArray<30, Range<Int>>(repeating: 0..<0)
  /// How many members there are, known or not.
  private(set) var count = 0

  /// Reads an object, and nothing else than white space around it.
  ///
  /// - Returns: `nil` if it is no object, or no JSON.
  init?(_ bytes: Span<UInt8>) {
    var found = InlineArray<30, Range<Int>>(repeating: 0..<0)
    var count = 0
    do throws(JSONError) {
      var reader = JSONReader(bytes, JSONMembers.rules)
      try reader.object { (reader: inout JSONReader, text: String) throws(JSONError) in
        count += 1
        let slice = try reader.slice()
        if let name = Name.byText[text] { found[name.rawValue] = slice }
      }
      try reader.end()
    } catch {
      return nil
    }
    places = found
    self.count = count
  }

  /// Of what programs and containers write.
  static let rules = JSONRules(depthLimit: JSONRules.depthMax, invalidUTF8: .replaced, loneSurrogates: .replaced)

  /// Where the value of a member is; `nil` if there is none.
  subscript(name: Name) -> Range<Int>? {
    let place = places[name.rawValue]
    return place.isEmpty ? nil : place
  }

  /// The value of a member that is a text.
  func text(_ name: Name, _ bytes: Span<UInt8>) -> String? {
    guard let place = self[name], bytes[place.lowerBound] == 0x22 else { return nil }
    var reader = JSONReader(bytes, at: place.lowerBound, JSONMembers.rules)
    return try? reader.string()
  }

  /// The digits of a member that is a number or a text, or the text itself.
  func digits(_ name: Name, _ bytes: Span<UInt8>) -> String? {
    guard let place = self[name] else { return nil }
    if bytes[place.lowerBound] == 0x22 { return text(name, bytes) }
    return String(decoding: LogIntake.array(bytes.extracting(place)), as: UTF8.self)
  }
}
