import Lifecycle

/// The kinds of lines that are made of fields: how each begins, and what lies between its fields.
enum LogLineShape: String, CaseIterable {
  case start = "START"
  case end = "END"
  case report = "REPORT"
  case segment = "XRAY"
  case initStart = "INIT_START"
  case initReport = "INIT_REPORT"
  case restoreStart = "RESTORE_START"
  case restoreReport = "RESTORE_REPORT"
  case extensionState = "EXTENSION"
  case telemetrySubscription = "TELEMETRY"
  case logsSubscription = "LOGS"

  /// The longest of the first words, in bytes.
  static let wordBytesMax = allCases.map(\.rawValue.utf8.count).max() ?? 0

  /// The name of the first field, and its colon: a line that begins with the first word and not with this is a function's own.
  var firstField: String {
    switch self {
    case .start, .end, .report: "RequestId:"
    case .segment: "TraceId:"
    case .initStart, .restoreStart: "Runtime Version:"
    case .initReport: "Init Duration:"
    case .restoreReport: "Restore Duration:"
    case .extensionState, .telemetrySubscription, .logsSubscription: "Name:"
    }
  }

  /// Between the first word and the first field.
  var headSeparator: String {
    switch self {
    case .extensionState, .telemetrySubscription, .logsSubscription: "\t"
    default: " "
    }
  }

  /// Between two fields.
  var fieldSeparator: String { self == .start ? " " : "\t" }
}

/// One direction of the way between a line's values and its fields, `Name: value`, as ``MemberCoder`` is for JSON.
protocol LineCoder {
  mutating func text(_ name: String, _ value: inout String)
  mutating func text(_ name: String, _ value: inout String?)
  /// One word: what stands behind it is no part of it.
  mutating func token(_ name: String, _ value: inout String?)
  /// Words in brackets.
  mutating func texts(_ name: String, _ value: inout [String])
  /// A whole number and its unit.
  mutating func integer(_ name: String, _ unit: LineUnit, _ value: inout Int64?)
  /// Milliseconds with two decimals.
  mutating func milliseconds(_ name: String, _ value: inout Nanoseconds)
  mutating func milliseconds(_ name: String, _ value: inout Nanoseconds?)
  mutating func request(_ name: String, _ value: inout RequestID)
  mutating func boolean(_ name: String, _ value: inout Bool?)
  mutating func status(_ name: String, _ value: inout PlatformEvent.Status?)
  mutating func word<W: Word>(_ name: String, _ value: inout W?)
  /// The end of a line: whether a separator stands there, too. Readers do not mind.
  mutating func close(withSeparator: Bool)
}

/// What follows a number.
enum LineUnit: String {
  case milliseconds = "ms"
  case megabytes = "MB"
}

/// What goes as the fields of a line.
protocol LineRecord {
  /// Values that stand for nothing: a reader replaces all that must be there.
  static var blank: Self { get }
  /// Names every field, in the order in which they are written.
  mutating func fields<C: LineCoder>(_ coder: inout C)
}

// The one table of the fields of lines, for writing and for reading.

extension PlatformEvent.EnvironmentStart: LineRecord {
  mutating func fields<C: LineCoder>(_ coder: inout C) {
    coder.text("Runtime Version", &runtimeVersion)
    coder.text("Runtime Version ARN", &runtimeVersionARN)
  }
}

extension PlatformEvent.InitializationEnd: LineRecord {
  mutating func fields<C: LineCoder>(_ coder: inout C) {
    coder.milliseconds("Init Duration", &duration)
    coder.word("Phase", &phase)
    coder.status("Status", &status)
    coder.text("Error Type", &errorType)
    coder.close(withSeparator: true)
  }
}

extension PlatformEvent.RestoreEnd: LineRecord {
  mutating func fields<C: LineCoder>(_ coder: inout C) {
    coder.milliseconds("Restore Duration", &duration)
    coder.unlessSuccess(&status, &errorType)
  }
}

extension PlatformEvent.Start: LineRecord {
  mutating func fields<C: LineCoder>(_ coder: inout C) {
    coder.request("RequestId", &request)
    coder.token("Version", &version)
  }
}

extension InvocationEnd: LineRecord {
  mutating func fields<C: LineCoder>(_ coder: inout C) {
    coder.request("RequestId", &request)
  }
}

extension PlatformEvent.Report: LineRecord {
  mutating func fields<C: LineCoder>(_ coder: inout C) {
    coder.request("RequestId", &request)
    coder.milliseconds("Duration", &duration)
    coder.integer("Billed Duration", .milliseconds, &billedMilliseconds)
    coder.integer("Memory Size", .megabytes, &memorySizeMegabytes)
    coder.integer("Max Memory Used", .megabytes, &memoryUsedMegabytes)
    coder.milliseconds("Init Duration", &initializationDuration)
    coder.milliseconds("Restore Duration", &restoreDuration)
    coder.integer("Billed Restore Duration", .milliseconds, &billedRestoreMilliseconds)
    coder.unlessSuccess(&status, &errorType)
    coder.close(withSeparator: status == .success)
  }
}

extension PlatformEvent.TraceSegment: LineRecord {
  static var blank: Self { Self(traceID: "") }

  mutating func fields<C: LineCoder>(_ coder: inout C) {
    coder.text("TraceId", &traceID)
    coder.text("SegmentId", &segmentID)
    coder.boolean("Sampled", &isSampled)
    coder.close(withSeparator: true)
  }
}

extension PlatformEvent.ExtensionState: LineRecord {
  mutating func fields<C: LineCoder>(_ coder: inout C) {
    coder.text("Name", &name)
    coder.text("State", &state)
    coder.texts("Events", &events)
    coder.text("Error Type", &errorType)
  }
}

extension PlatformEvent.SubscriptionState: LineRecord {
  mutating func fields<C: LineCoder>(_ coder: inout C) {
    coder.text("Name", &name)
    coder.text("State", &state)
    coder.texts("Types", &types)
  }
}

extension LineCoder {
  /// A state is told only of what went wrong.
  fileprivate mutating func unlessSuccess(
    _ status: inout PlatformEvent.Status, _ errorType: inout String?
  ) {
    var told = status == .success ? nil : Optional(status)
    self.status("Status", &told)
    status = told ?? .success
    if status != .success { text("Error Type", &errorType) }
  }
}
