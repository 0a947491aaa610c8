/// What carries log lines, as it was recognised by its content.
package enum LogContainer: String, CaseIterable, Sendable {
  case tail, shortTail, sam, awslogs, plain, consoleCopy
  case events, eventsText, eventsYAML, insights, insightsCSV, subscription, envelope, telemetry, messages, messageList,
    lifecycle

  /// What it is and how that is known, as a part of a sentence.
  package var reason: String {
    switch self {
    case .tail: "aws logs tail: time and stream in front of each event"
    case .shortTail: "lines with a time in front (aws logs tail --format short, an S3 export)"
    case .sam: "sam logs: stream and time in front of each event"
    case .awslogs: "awslogs: group and stream in front of each event"
    case .plain: "lines of a log without anything in front"
    case .consoleCopy: "a copy from a console: times on lines of their own"
    case .events: "log events as JSON (filter-log-events, get-log-events, sam logs --output json)"
    case .eventsText: "log events as text: lines that begin with EVENTS"
    case .eventsYAML: "log events as YAML"
    case .insights: "rows of Logs Insights as JSON"
    case .insightsCSV: "rows of Logs Insights as CSV: a header with names of fields"
    case .subscription: "documents of a subscription: messageType and logEvents"
    case .envelope: "an envelope with Base64 data (awslogs, Kinesis, Firehose)"
    case .telemetry: "records of the platform: time, type and record"
    case .messageList:
      "a list of messages as text, without times and without what begins an event: leave out --query, or take --output json"
    case .lifecycle: "Kelvin's own events as lines of JSON"
    case .messages: "a JSON list of messages without times"
    }
  }
}
