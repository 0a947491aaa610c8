package import Lifecycle
import Text

/// The form of a function's log.
package enum LogFormat: String, CaseIterable, Hashable, Sendable {
  /// Lines as a function writes them, and AWS's lines START, END, REPORT around them.
  case text
  /// AWS's own lines are JSON objects.
  case json
}

/// A line of a function's log that is not the function's own text, as the text format has it.
///
/// One event may be two lines: END and REPORT, or REPORT and XRAY.
package enum LogLine: Equatable, Sendable {
  /// A line of the platform: START, END, REPORT, INIT_START, INIT_REPORT, RESTORE_START, RESTORE_REPORT, EXTENSION, TELEMETRY and LOGS.
  case event(PlatformEvent.Kind)
  /// XRAY, where it is not in one piece with its REPORT.
  case segment(PlatformEvent.TraceSegment)
  /// `Task timed out after …`, which older logs have beside a REPORT without a status.
  case timedOut(TaskTimeout)
  /// `RequestId: … Error: Runtime exited …`, which older logs have beside a REPORT without a status.
  case exited(RuntimeExit)
  /// A line of a program in a log of this host.
  case program(LineSource, String)
  /// Lines that are missing in a log of this host.
  case lost(PlatformEvent.LogsDropped)

  /// Whether it says how an invocation failed.
  package var isEnding: Bool {
    switch self {
    case .timedOut, .exited: true
    case .event, .segment, .program, .lost: false
    }
  }

  /// The time that stands in the line itself; `nil` for nearly all.
  package var ownTime: Timestamp? { if case .timedOut(let timeout) = self { timeout.time } else { nil } }

  /// Whose a line of a program is.
  package enum LineSource: Hashable, Sendable {
    /// The function's.
    case function
    /// Of the extension with this name.
    case `extension`(String)

    /// What its records are to subscribers.
    package var type: TelemetryType { self == .function ? .function : .extension }
  }

  /// The platform ended a function that took too long.
  package struct TaskTimeout: Equatable, Sendable {
    /// When; `nil` if the line does not say.
    package var time: Timestamp?
    /// The invocation.
    package var request: RequestID
    /// After what time, to the hundredth of a second.
    package var limit: Nanoseconds

    /// Makes a timeout of its parts.
    package init(time: Timestamp?, request: RequestID, limit: Nanoseconds) {
      self.time = time
      self.request = request
      self.limit = limit
    }
  }

  /// The function's process ended in an invocation.
  package struct RuntimeExit: Equatable, Sendable {
    /// The invocation.
    package var request: RequestID
    /// `Runtime exited with error: signal: killed`, `… exit status 1`, `Runtime exited without providing a reason`;
    /// up to 2019 `Process exited before completing request`.
    package var sentence: String

    /// Makes an exit of its parts.
    package init(request: RequestID, sentence: String) {
      self.request = request
      self.sentence = sentence
    }

    /// Whether the kernel killed the process, as it does when the memory is used up; other causes have the same words.
    package var isKilled: Bool { sentence.hasSuffix("signal: killed") }
  }
}

// MARK: Writing

extension LogLine {
  /// The lines of an event in a log of AWS's default level, INFO, with their line breaks; none for what it does not have.
  package static func bytes(of event: PlatformEvent, _ format: LogFormat) -> [UInt8] {
    switch format {
    case .text: return text(of: event.kind)
    case .json:
      guard event.kind.isLogged else { return [] }
      return event.record(.logged) + [UInt8(ascii: "\n")]
    }
  }

  /// A line of a program, marked as its: no program can write a line that passes for the host's.
  ///
  /// As text it begins with `function | ` or `extension NAME | `, and no line of the host's begins so. As JSON it is the record
  /// of the Telemetry API.
  package static func bytes(
    of text: String, from source: LineSource, _ format: LogFormat, at time: Timestamp
  ) -> [UInt8] {
    switch format {
    case .text:
      var writer = LineWriter(capacity: text.utf8.count + 64)
      writer.write(mark(of: source))
      writer.write(text)
      writer.endLine()
      return writer.bytes
    case .json:
      let line = TelemetryItem.ProgramLine(time: time, type: source.type, text: text, isJSON: true)
      return line.record(.logged) + [UInt8(ascii: "\n")]
    }
  }

  /// The line that tells of lines that are not in the log.
  package static func bytes(of loss: PlatformEvent.LogsDropped, _ format: LogFormat, at time: Timestamp) -> [UInt8] {
    switch format {
    case .text:
      var writer = LineWriter()
      writer.write("\(lossMark)\(loss.records)\(lossWords.0)\(loss.bytes)\(lossWords.1)\(loss.reason)")
      writer.endLine()
      return writer.bytes
    case .json:
      return PlatformEvent(time: time, kind: .logsDropped(loss)).record(.logged) + [UInt8(ascii: "\n")]
    }
  }

  /// What a line of a program begins with in the text format.
  static func mark(of source: LineSource) -> String {
    switch source {
    case .function: functionMark
    case .extension(let name): "\(extensionMark)\(LineWriter.plain(name))\(markEnd)"
    }
  }

  static let markEnd = " | "
  static let functionMark = "function" + markEnd
  static let extensionMark = "extension "
  static let lossMark = "kelvin: "
  static let lossWords = (" lines of this log (", " bytes) were lost: ")

  private static func text(of kind: PlatformEvent.Kind) -> [UInt8] {
    var writer = LineWriter()
    switch kind {
    case .initStart(let start): writer.write(start, as: .initStart)
    case .initReport(let end):
      // One that goes well on demand is told in the REPORT of the invocation that waited for it.
      guard end.isTold else { return [] }
      writer.write(end, as: .initReport)
    case .restoreStart(let start): writer.write(start, as: .restoreStart)
    case .restoreReport(let end): writer.write(end, as: .restoreReport)
    case .start(let start): writer.write(start, as: .start)
    case .end(let request): writer.write(InvocationEnd(request: request), as: .end)
    case .report(let report):
      writer.write(InvocationEnd(request: report.request), as: .end)
      writer.write(report, as: .report)
      if let segment = report.segment { writer.write(segment, as: .segment) }
    case .extensionState(let state): writer.write(state, as: .extensionState)
    case .initRuntimeDone, .restoreRuntimeDone, .runtimeDone, .fault, .subscription, .logsDropped: break
    }
    return writer.bytes
  }
}

extension PlatformEvent.Kind {
  /// Whether a log of AWS's default level, INFO, has it.
  var isLogged: Bool {
    switch self {
    case .initRuntimeDone(let end): end.status != .success
    case .initReport(let end): end.isTold
    case .restoreRuntimeDone(let end): end.status != .success
    case .runtimeDone(let done): done.status != .success
    // What a log lacks, it tells itself, with what the disk did not take.
    case .logsDropped: false
    case .end, .fault: false
    case .initStart, .restoreStart, .restoreReport, .start, .report, .extensionState, .subscription: true
    }
  }
}

extension PlatformEvent.InitializationEnd {
  /// Whether a log of AWS's default level has its report.
  fileprivate var isTold: Bool { status != .success || initializationType != .onDemand }
}
