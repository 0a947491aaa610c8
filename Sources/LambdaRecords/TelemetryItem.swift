package import Lifecycle
import Text

/// One record of the Telemetry API, or of its predecessor, the Logs API; also a line of a log in the JSON format.
package enum TelemetryItem: Equatable, Sendable {
  /// What the platform did.
  case platform(PlatformEvent)
  /// What a program wrote.
  case line(ProgramLine)

  /// A line of a function or an extension.
  package struct ProgramLine: Equatable, Sendable {
    /// When it came.
    package var time: Timestamp
    /// Whose it is; not `platform`.
    package var type: TelemetryType
    /// Without the line break at its end.
    package var text: String
    /// Whether ``text`` may stand in the record as the JSON object that it is, as far as it is one: so with the JSON log format.
    package var isJSON: Bool

    /// Makes a line of its parts.
    package init(time: Timestamp, type: TelemetryType, text: String, isJSON: Bool = false) {
      self.time = time
      self.type = type
      self.text = text
      self.isJSON = isJSON
    }
  }

  /// What a subscriber asks for to get it.
  package var type: TelemetryType {
    switch self {
    case .platform: .platform
    case .line(let line): line.type
    }
  }

  /// About what it takes to keep it, in bytes.
  package var cost: Int {
    switch self {
    case .platform: 512
    case .line(let line): 128 + line.text.utf8.count
    }
  }

  /// The records that it is for a subscriber, each one JSON object: none for what the schema does not know, several for a report in
  /// the Logs API.
  package func records(_ schema: TelemetrySchema) -> [[UInt8]] {
    switch self {
    case .line(let line): [line.record(schema)]
    case .platform(let event):
      if schema.isLogs { event.logsRecords(schema) } else { event.kind.isLegacy ? [] : [event.record(schema)] }
    }
  }
}

/// How a record is wrapped: `{"time","type","record"}`.
enum RecordEnvelope {
  static let time = "time"
  static let type = "type"
  static let record = "record"

  static func bytes(
    _ at: Timestamp, _ typeName: String, _ schema: TelemetrySchema, _ body: (inout MemberWriter) -> Void
  ) -> [UInt8] {
    var writer = MemberWriter(schema)
    writer.json.beginObject()
    writer.json.member(time, RFC3339.milliseconds(nanoseconds: at.nanoseconds))
    writer.json.member(type, typeName)
    writer.json.key(record)
    body(&writer)
    writer.json.endObject()
    return writer.json.bytes
  }
}

extension TelemetryItem.ProgramLine {
  func record(_ schema: TelemetrySchema) -> [UInt8] {
    RecordEnvelope.bytes(time, type.rawValue, schema) {
      // Programs end a record with a line break; the host took it off.
      if isJSON, schema.isDetailed, isObject { $0.json.verbatim(text) } else { $0.json.string(text + "\n") }
    }
  }

  /// Whether the text is one JSON object.
  private var isObject: Bool {
    guard text.utf8.first == UInt8(ascii: "{") else { return false }
    return JSONReader.problem(in: Array(text.utf8).span, TelemetryItem.lineRules) == nil
  }
}

extension TelemetryItem {
  /// Of what programs write, which is handed on as it came.
  static let lineRules = JSONRules(depthLimit: JSONRules.depthMax, loneSurrogates: .replaced)
}

extension PlatformEvent {
  /// The record of the Telemetry API.
  func record(_ schema: TelemetrySchema) -> [UInt8] {
    RecordEnvelope.bytes(time, kind.recordType(isLogs: schema.isLogs).rawValue, schema) { kind.write(to: &$0) }
  }

  /// The records of the Logs API.
  func logsRecords(_ schema: TelemetrySchema) -> [[UInt8]] {
    var event = self
    switch kind {
    case .initStart, .initRuntimeDone, .initReport, .restoreStart, .restoreRuntimeDone, .restoreReport: return []
    case .runtimeDone where schema == .logs20200815: return []
    case .runtimeDone(var done) where done.status == .error:
      done.status = .failure
      event.kind = .runtimeDone(done)
      return [event.record(schema)]
    case .report(let report):
      let fault = report.fault.map { PlatformEvent(time: time, kind: .fault($0)) }
      let end = PlatformEvent(time: time, kind: .end(report.request))
      return [fault, end, self].compactMap { $0?.record(schema) }
    case .start, .runtimeDone, .end, .fault, .extensionState, .subscription, .logsDropped: return [record(schema)]
    }
  }
}

extension PlatformEvent.Kind {
  /// Whether only the Logs API has a record of it.
  fileprivate var isLegacy: Bool {
    switch self {
    case .end, .fault: true
    default: false
    }
  }

  fileprivate func write(to writer: inout MemberWriter) {
    switch self {
    case .initStart(let start), .restoreStart(let start): writer.write(start)
    case .initRuntimeDone(let end), .initReport(let end): writer.write(end)
    case .restoreRuntimeDone(let end), .restoreReport(let end): writer.write(end)
    case .start(let start): writer.write(start)
    case .runtimeDone(let done): writer.write(done)
    case .end(let request): writer.write(InvocationEnd(request: request))
    case .report(let report): writer.write(report)
    case .fault(let sentence): writer.json.string(sentence)
    case .extensionState(let state): writer.write(state)
    case .subscription(let state): writer.write(state)
    case .logsDropped(let loss): writer.write(loss)
    }
  }
}
