import HostRules
import Text
import Lifecycle
import NIOCore
import Sandboxes

/// The form of a function's log.
package enum LogFormat: String, CaseIterable, Hashable, Sendable {
  /// Lines as a function writes them, and AWS's lines START, END, REPORT around them.
  case text
  /// AWS's own lines are JSON objects.
  case json
}

/// Writes what happened to an instance as lines of its function's log.
enum LogLine {
  /// Appends the lines of an event; none for what a log does not tell.
  static func append(_ event: PlatformEvent, _ format: LogFormat, to buffer: inout ByteBuffer) {
    switch format {
    case .text: appendText(event.kind, to: &buffer)
    case .json:
      guard event.isLogged else { return }
      buffer.writeImmutableBuffer(event.telemetryRecord(.telemetry20250129))
      buffer.writeStaticString("\n")
    }
  }

  /// Appends a line of a program, marked as its: no program can write a line that passes for the host's.
  ///
  /// As text it begins with `function | ` or `extension NAME | `, and no line of the host's begins so. As JSON it is the record
  /// of the Telemetry API.
  static func append(
    _ line: String, of program: InstanceProgram, _ format: LogFormat, at time: Timestamp, to buffer: inout ByteBuffer
  ) {
    switch (format, program) {
    case (.text, .runtime):
      buffer.writeStaticString("function | ")
      buffer.writeString(line)
    case (.text, .extension(let name)):
      buffer.writeString("extension \(plain(name)) | ")
      buffer.writeString(line)
    case (.json, _):
      for record in TelemetryItem.line(program.telemetryType, line, isJSON: true, at: time).records(.telemetry20250129)
      {
        buffer.writeImmutableBuffer(record)
      }
    }
    buffer.writeStaticString("\n")
  }

  /// The line that tells of lines that are not in the log.
  static func append(_ loss: LogFile.Loss, _ format: LogFormat, at time: Timestamp, to buffer: inout ByteBuffer) {
    switch format {
    case .text:
      buffer.writeString("kelvin: \(loss.lines) lines of this log (\(loss.bytes) bytes) were lost: \(loss.reason)\n")
    case .json:
      let kind = PlatformEvent.Kind.logsDropped(records: loss.lines, bytes: loss.bytes, reason: loss.reason)
      buffer.writeImmutableBuffer(PlatformEvent(time: time, kind: kind).telemetryRecord(.telemetry20250129))
      buffer.writeStaticString("\n")
    }
  }

  /// The name of an extension as one field of a line: a function chooses those of its internal ones.
  private static func plain(_ name: String) -> String {
    guard name.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else { return name }
    return String(
      String.UnicodeScalarView(name.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? "\u{FFFD}" : $0 }))
  }

  private static func appendText(_ kind: PlatformEvent.Kind, to buffer: inout ByteBuffer) {
    switch kind {
    case .initStart(let start):
      buffer.writeString(
        "INIT_START Runtime Version: \(HostRuntime.version)\tRuntime Version ARN: \(start.runtimeARN)\n")
    case .initReport(let end, let duration): appendText(end, duration, to: &buffer)
    case .start(let start):
      buffer.writeString("START RequestId: \(start.request.value.uuidText) Version: \(start.version)\n")
    case .report(let report): appendText(report, to: &buffer)
    case .extensionState(let name, let state, let events, let errorType):
      buffer.writeString("EXTENSION\tName: \(plain(name))\tState: \(state)\tEvents: [\(events.joined(separator: ","))]")
      if let errorType { buffer.writeString("\tError Type: \(errorType)") }
      buffer.writeStaticString("\n")
    case .initRuntimeDone, .runtimeDone, .subscription, .logsDropped: break
    }
  }

  private static func appendText(
    _ end: PlatformEvent.InitEnd, _ duration: Nanoseconds, to buffer: inout ByteBuffer
  ) {
    // One that goes well on demand is told in the REPORT of the invocation that waited for it.
    guard end.status != .success || end.initializationType != .onDemand else { return }
    buffer.writeString(
      "INIT_REPORT Init Duration: \(duration.logMilliseconds) ms\tPhase: \(end.phase.name)\t"
        + "Status: \(end.status.rawValue)\t")
    if let errorType = end.errorType { buffer.writeString("Error Type: \(errorType)\t") }
    buffer.writeStaticString("\n")
  }

  private static func appendText(_ report: PlatformEvent.Report, to buffer: inout ByteBuffer) {
    let request = report.request.value.uuidText
    buffer.writeString(
      "END RequestId: \(request)\nREPORT RequestId: \(request)\t"
        + "Duration: \(report.duration.logMilliseconds) ms\t"
        + "Billed Duration: \(report.billedMilliseconds) ms\tMemory Size: \(report.memorySizeBytes >> 20) MB\t"
        + "Max Memory Used: \(report.memoryUsedMegabytes) MB\t")
    if let initialization = report.initializationDuration {
      buffer.writeString("Init Duration: \(initialization.logMilliseconds) ms\t")
    }
    if report.status != .success {
      buffer.writeString("Status: \(report.status.rawValue)")
      if let errorType = report.errorType { buffer.writeString("\tError Type: \(errorType)") }
    }
    buffer.writeStaticString("\n")
  }
}

extension PlatformEvent {
  /// Whether a log of AWS's default level, INFO, has it.
  fileprivate var isLogged: Bool {
    switch kind {
    case .initRuntimeDone(let end): end.status != .success
    case .initReport(let end, _): end.status != .success || end.initializationType != .onDemand
    case .runtimeDone(let done): done.status != .success
    // What a log lacks, it tells itself, with what the disk did not take.
    case .logsDropped: false
    case .initStart, .start, .report, .extensionState, .subscription: true
    }
  }
}
