import Testing
import Text

extension GoldenCorpus {
  /// A way to write the events, and what it carries.
  struct Container: Sendable, CustomTestStringConvertible {
    var testDescription: String
    /// Whether times are exact to a millisecond.
    var isExact = true
    /// Whether it can be written with carriage returns before line feeds.
    var isText = false
    var write: @Sendable ([Event]) -> [LogFile]
  }

  static let containers: [Container] = texts + documents + packed

  private static func lines(_ events: [Event], _ line: (Event) -> String) -> [LogFile] {
    [LogFile(events.map { line($0) + "\n" }.joined())]
  }

  private static let texts: [Container] = [
    Container(testDescription: "aws logs tail", isText: true) { events in
      lines(events) { "\(time($0, decimals: 6, zone: "+00:00")) \($0.stream) \($0.trimmed)" }
    },
    Container(testDescription: "aws logs tail in colour") { events in
      lines(events) {
        "\u{1B}[32m\(time($0, decimals: 6, zone: "+00:00"))\u{1B}[0m \u{1B}[36m\($0.stream)\u{1B}[0m \($0.trimmed)"
      }
    },
    Container(testDescription: "aws logs tail --format short", isExact: false, isText: true) { events in
      lines(events) { "\(time($0, decimals: 0, zone: "")) \($0.trimmed)" }
    },
    Container(testDescription: "aws logs tail --format json", isText: true) { events in
      lines(events) { event in
        let text = event.trimmed.hasPrefix("{") ? "\n" + event.trimmed.replacing(",", with: ",\n    ") : event.trimmed
        return "\(time(event, decimals: 6, zone: "+00:00")) \(event.stream) \(text)"
      }
    },
    Container(testDescription: "sam logs", isText: true) { events in
      lines(events) { "\($0.stream) \(time($0, decimals: 6, zone: "")) \($0.trimmed)" }
    },
    Container(testDescription: "awslogs", isText: true) { events in
      lines(events) { "/aws/lambda/orders \($0.stream) \(time($0, decimals: 3, zone: "Z")) \($0.trimmed)" }
    },
    Container(testDescription: "filter-log-events --output text") { events in
      [
        LogFile(
          events.enumerated().map { number, event in
            let id = String(repeating: "3", count: 52) + String(1_000 + number)
            return
              "EVENTS\t\(id)\t\(event.milliseconds + 900)\t\(event.stream)\t\(event.message)\t\(event.milliseconds)\n"
          }.joined() + "SEARCHEDLOGSTREAMS\t\(first)\tTrue\n")
      ]
    },
    Container(testDescription: "filter-log-events --output yaml", isText: true) { events in
      [
        LogFile(
          "events:\n"
            + events.map { event in
              "- eventId: '3795'\n  ingestionTime: \(event.milliseconds + 900)\n  logStreamName: \(event.stream)\n"
                + "  message: \(yaml(event.message))\n  timestamp: \(event.milliseconds)\n"
            }.joined() + "searchedLogStreams: []\n")
      ]
    },
  ]

  /// In double quotes where there is a tab, else in single ones, both folded.
  private static func yaml(_ text: String) -> String {
    if text.contains("\t") {
      return quoted(text).replacing(" Billed", with: "\\\n    \\ Billed").replacing(
        " Version ARN", with: "\n    Version ARN")
    }
    return "'" + text.replacing("'", with: "''").replacing("\n", with: "\n\n    ") + "'"
  }

  private static func json(_ event: Event, number: Int) -> String {
    "{\"logStreamName\":\(quoted(event.stream)),\"timestamp\":\(event.milliseconds),\"message\":\(quoted(event.message)),"
      + "\"ingestionTime\":\(event.milliseconds + 900),\"eventId\":\"\(37_950 + number)\"}"
  }

  private static let documents: [Container] = [
    Container(testDescription: "filter-log-events") { events in
      let list = events.enumerated().map { json($0.element, number: $0.offset) }
      return [
        LogFile(
          "{\"events\": [\n  \(list.joined(separator: ",\n  "))\n], \"searchedLogStreams\": [{\"a\": 1}], \"nextToken\": \"x\"}\n"
        )
      ]
    },
    Container(testDescription: "sam logs --output json", isText: true) { events in
      [LogFile(events.enumerated().map { json($0.element, number: $0.offset) + "\n" }.joined())]
    },
    Container(testDescription: "documents without anything between them") { events in
      [LogFile(events.enumerated().map { json($0.element, number: $0.offset) }.joined())]
    },
    Container(testDescription: "get-query-results") { events in
      let rows = events.map { event in
        [
          ("@timestamp", time(event, decimals: 3, zone: "", blank: true)), ("@message", event.message),
          ("@logStream", event.stream), ("@ptr", "x"),
        ]
        .map { "{\"field\":\"\($0.0)\",\"value\":\(quoted($0.1))}" }.joined(separator: ",")
      }
      return [LogFile("{\"results\":[[\(rows.reversed().joined(separator: "],["))]],\"status\":\"Complete\"}")]
    },
    Container(testDescription: "Logs Insights as CSV", isText: true) { events in
      let rows = events.reversed().map { event in
        let message = event.message.replacing("\"", with: "\"\"")
        return "\(time(event, decimals: 3, zone: "", blank: true)),\"\(message)\",\(event.stream)\n"
      }
      return [LogFile("@timestamp,@message,@logStream\n" + rows.joined())]
    },
  ]

  private static func streams(_ events: [Event]) -> [(name: String, events: [Event])] {
    [first, second, restored].map { name in (name, events.filter { $0.stream == name }) }
  }

  private static func subscription(_ name: String, _ events: [Event]) -> [UInt8] {
    let list = events.enumerated().map { number, event in
      "{\"id\":\"\(number)\",\"timestamp\":\(event.milliseconds),\"message\":\(quoted(event.message))}"
    }
    return Array(
      ("{\"messageType\":\"DATA_MESSAGE\",\"owner\":\"123456789012\",\"logGroup\":\"/aws/lambda/orders\",\"logStream\":\(quoted(name)),"
        + "\"subscriptionFilters\":[\"f\"],\"logEvents\":[\(list.joined(separator: ","))]}").utf8)
  }

  private static let control = Array(
    "{\"messageType\":\"CONTROL_MESSAGE\",\"owner\":\"CloudwatchLogs\",\"logGroup\":\"\",\"logStream\":\"\",\"subscriptionFilters\":[],\"logEvents\":[{\"id\":\"\",\"timestamp\":\"1\",\"message\":\"CWL CONTROL MESSAGE: Checking health\"}]}"
      .utf8)

  private static let packed: [Container] = [
    Container(testDescription: "an export to S3") { events in
      streams(events).map { name, events in
        let text = events.map { "\(time($0, decimals: 3, zone: "Z")) \($0.message)" }.joined()
        return LogFile(gzipped(Array(text.utf8)), folder: name.replacing("/", with: "-"))
      }
    },
    Container(testDescription: "the event of a subscription") { events in
      streams(events).map { name, events in
        LogFile("{\"awslogs\": {\"data\": \"\(Base64.encode(gzipped(subscription(name, events))))\"}}")
      }
    },
    Container(testDescription: "an object of Firehose") { events in
      [LogFile(gzipped(control) + streams(events).flatMap { gzipped(subscription($0.name, $0.events)) })]
    },
    Container(testDescription: "an object of Firehose, packed twice") { events in
      [LogFile(gzipped(gzipped(control) + streams(events).flatMap { gzipped(subscription($0.name, $0.events)) }))]
    },
    Container(testDescription: "records of Kinesis") { events in
      let records = streams(events).map {
        "{\"kinesis\":{\"data\":\"\(Base64.encode(gzipped(subscription($0.name, $0.events))))\"}}"
      }
      return [LogFile("{\"Records\":[\(records.joined(separator: ","))]}")]
    },
    Container(testDescription: "a request of Firehose") { events in
      let records = streams(events).map { "{\"data\":\"\(Base64.encode(gzipped(subscription($0.name, $0.events))))\"}" }
      return [LogFile("{\"requestId\":\"r\",\"timestamp\":1,\"records\":[\(records.joined(separator: ","))]}")]
    },
  ]
}
