import HostRules
import Text
import Lifecycle
import NIOCore
import Sandboxes

/// The API through which a subscriber subscribed, and the fields that it knows.
enum TelemetrySchema: Equatable, Sendable {
  /// Telemetry API, from the oldest on.
  case telemetry20220701, telemetry20221213, telemetry20250129
  /// The old Logs API.
  case logs20200815, logs20210318

  var isLogs: Bool { self == .logs20200815 || self == .logs20210318 }
  /// Whether it has error types, states of initialization reports, and objects as lines.
  var isDetailed: Bool { self == .telemetry20221213 || self == .telemetry20250129 }
}

/// The types of records that a subscriber may ask for.
enum TelemetryType: String, CaseIterable, Sendable {
  case platform
  case function
  case `extension`
}

extension InstanceProgram {
  /// What its lines are to subscribers.
  var telemetryType: TelemetryType { self == .runtime ? .function : .extension }
}

/// Something that subscribers get, before it is text.
enum TelemetryItem: Sendable {
  case platform(PlatformEvent)
  /// A line of a program, and whether the log format is JSON.
  case line(TelemetryType, String, isJSON: Bool, at: Timestamp)

  var type: TelemetryType {
    switch self {
    case .platform: .platform
    case .line(let type, _, _, _): type
    }
  }

  /// About what it takes to keep it, in bytes.
  var cost: Int {
    switch self {
    case .platform: 512
    case .line(_, let text, _, _): 128 + text.utf8.count
    }
  }

  /// The records that it is for a subscriber, each one JSON object.
  func records(_ schema: TelemetrySchema) -> [ByteBuffer] {
    switch self {
    case .line(let type, let text, let isJSON, let time):
      [
        TelemetryRecord.record(time, type.rawValue) {
          // Programs end a record with a line break; the host took it off.
          if isJSON, schema.isDetailed, TelemetryRecord.isObject(text) {
            $0.verbatim(text)
          } else {
            $0.string(text + "\n")
          }
        }
      ]
    case .platform(let event): schema.isLogs ? event.logsRecords(schema) : [event.telemetryRecord(schema)]
    }
  }
}

/// Writes records: `{"time","type","record"}`.
enum TelemetryRecord {
  static func record(_ time: Timestamp, _ type: String, _ body: (inout JSONWriter) -> Void) -> ByteBuffer {
    var writer = JSONWriter()
    writer.object {
      $0.member("time", RFC3339.milliseconds(nanoseconds: time.nanoseconds))
      $0.member("type", type)
      $0.key("record")
      body(&$0)
    }
    return writer.buffer
  }

  /// Whether a line is one JSON object.
  static func isObject(_ text: String) -> Bool {
    text.utf8.first == UInt8(ascii: "{") && ByteBuffer(string: text).jsonProblem() == nil
  }
}

extension PlatformEvent {
  /// The record of the Telemetry API.
  func telemetryRecord(_ schema: TelemetrySchema) -> ByteBuffer {
    TelemetryRecord.record(time, "platform.\(name)") { writer in
      writer.object { self.writeMembers(to: &$0, schema.isDetailed) }
    }
  }

  private var name: String {
    switch kind {
    case .initStart: "initStart"
    case .initRuntimeDone: "initRuntimeDone"
    case .initReport: "initReport"
    case .start: "start"
    case .runtimeDone: "runtimeDone"
    case .report: "report"
    case .extensionState: "extension"
    case .subscription: "telemetrySubscription"
    case .logsDropped: "logsDropped"
    }
  }

  private func writeMembers(to writer: inout JSONWriter, _ isDetailed: Bool) {
    switch kind {
    case .initStart(let start): start.write(to: &writer)
    case .initRuntimeDone(let end): end.write(to: &writer, status: true, isDetailed)
    case .initReport(let end, let duration):
      end.write(to: &writer, status: isDetailed, isDetailed)
      writer.key("metrics")
      writer.object {
        $0.key("durationMs")
        $0.milliseconds(duration)
      }
    case .start(let start):
      writer.member("requestId", start.request.value.uuidText)
      writer.member("version", start.version)
      start.trace.write(to: &writer)
    case .runtimeDone(let done): done.write(to: &writer, isDetailed)
    case .report(let report): report.write(to: &writer, isDetailed)
    case .extensionState(let name, let state, let events, let errorType):
      writer.member("name", name)
      writer.member("state", state)
      writer.texts("events", events)
      if let errorType, isDetailed { writer.member("errorType", errorType) }
    case .subscription(let name, let types):
      writer.member("name", name)
      writer.member("state", "Subscribed")
      writer.texts("types", types)
    case .logsDropped(let records, let bytes, let reason): writer.dropped(records, bytes, reason)
    }
  }

  /// The records of the old Logs API: none for what it does not know, two for an end and its report.
  func logsRecords(_ schema: TelemetrySchema) -> [ByteBuffer] {
    switch kind {
    case .initStart, .initRuntimeDone, .initReport: []
    case .runtimeDone(let done): schema == .logs20200815 ? [] : [logsRuntimeDone(done)]
    case .start(let start):
      [
        object("start") {
          $0.member("requestId", start.request.value.uuidText)
          $0.member("version", start.version)
        }
      ]
    case .report(let report): logsReport(report)
    case .extensionState(let name, let state, let events, _):
      [
        object("extension") {
          $0.member("name", name)
          $0.member("state", state)
          $0.texts("events", events)
        }
      ]
    case .subscription(let name, let types):
      [
        object("logsSubscription") {
          $0.member("name", name)
          $0.member("state", "Subscribed")
          $0.texts("types", types)
        }
      ]
    case .logsDropped(let records, let bytes, let reason):
      [object("logsDropped") { $0.dropped(records, bytes, reason) }]
    }
  }

  private func logsRuntimeDone(_ done: RuntimeDone) -> ByteBuffer {
    object("runtimeDone") {
      $0.member("requestId", done.request.value.uuidText)
      $0.member("status", done.status == .error ? Status.failure.rawValue : done.status.rawValue)
    }
  }

  private func logsReport(_ report: Report) -> [ByteBuffer] {
    let request = report.request.value.uuidText
    var records: [ByteBuffer] = []
    if let fault = report.fault {
      records.append(TelemetryRecord.record(time, "platform.fault") { $0.string(fault) })
    }
    records.append(object("end") { $0.member("requestId", request) })
    records.append(
      object("report") {
        $0.member("requestId", request)
        report.writeMetrics(to: &$0)
      })
    return records
  }

  private func object(_ name: String, _ body: (inout JSONWriter) -> Void) -> ByteBuffer {
    TelemetryRecord.record(time, "platform.\(name)") { $0.object(body) }
  }
}

// The members of records.

extension PlatformEvent.InitStart {
  fileprivate func write(to writer: inout JSONWriter) {
    writer.member("initializationType", initializationType.name)
    writer.member("phase", phase.name)
    writer.member("functionName", functionName)
    writer.member("functionVersion", functionVersion)
    writer.member("instanceId", instanceID)
    writer.key("instanceMaxMemory")
    writer.integer(memoryLimitBytes)
    writer.member("runtimeVersion", HostRuntime.version)
    writer.member("runtimeVersionArn", runtimeARN)
  }
}

extension PlatformEvent.InitEnd {
  fileprivate func write(to writer: inout JSONWriter, status writesStatus: Bool, _ isDetailed: Bool) {
    writer.member("initializationType", initializationType.name)
    writer.member("phase", phase.name)
    if writesStatus { writer.member("status", status.rawValue) }
    if let errorType, isDetailed { writer.member("errorType", errorType) }
  }
}

extension PlatformEvent.RuntimeDone {
  fileprivate func write(to writer: inout JSONWriter, _ isDetailed: Bool) {
    writer.member("requestId", request.value.uuidText)
    writer.member("status", status.rawValue)
    if let errorType, isDetailed { writer.member("errorType", errorType) }
    writer.key("metrics")
    writer.object {
      $0.key("durationMs")
      $0.milliseconds(duration)
      $0.key("producedBytes")
      $0.integer(producedBytes)
    }
    writer.spans(spans)
    trace.write(to: &writer)
  }
}

extension PlatformEvent.Report {
  fileprivate func write(to writer: inout JSONWriter, _ isDetailed: Bool) {
    writer.member("requestId", request.value.uuidText)
    writer.member("status", status.rawValue)
    if let errorType, isDetailed { writer.member("errorType", errorType) }
    writeMetrics(to: &writer)
    writer.spans(spans)
    trace.write(to: &writer)
  }

  fileprivate func writeMetrics(to writer: inout JSONWriter) {
    writer.key("metrics")
    writer.object {
      $0.key("durationMs")
      $0.milliseconds(duration)
      $0.key("billedDurationMs")
      $0.integer(billedMilliseconds)
      $0.key("memorySizeMB")
      $0.integer(memorySizeBytes >> 20)
      $0.key("maxMemoryUsedMB")
      $0.integer(memoryUsedMegabytes)
      if let initializationDuration {
        $0.key("initDurationMs")
        $0.milliseconds(initializationDuration)
      }
    }
  }
}

extension TraceID {
  fileprivate func write(to writer: inout JSONWriter) {
    writer.key("tracing")
    writer.object {
      $0.member("type", "X-Amzn-Trace-Id")
      $0.member("value", text)
    }
  }
}

extension JSONWriter {
  fileprivate mutating func texts(_ name: String, _ texts: [String]) {
    key(name)
    array { for text in texts { $0.string(text) } }
  }

  fileprivate mutating func dropped(_ records: Int, _ bytes: Int, _ reason: String) {
    key("droppedBytes")
    integer(Int64(bytes))
    key("droppedRecords")
    integer(Int64(records))
    member("reason", reason)
  }

  fileprivate mutating func spans(_ spans: [PlatformEvent.Span]) {
    guard !spans.isEmpty else { return }
    key("spans")
    array {
      for span in spans {
        $0.object {
          $0.member("name", span.name)
          $0.member("start", RFC3339.milliseconds(nanoseconds: span.start.nanoseconds))
          $0.key("durationMs")
          $0.milliseconds(span.duration)
        }
      }
    }
  }
}
