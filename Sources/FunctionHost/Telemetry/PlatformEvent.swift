import Lifecycle

/// Something that the host did with an instance. Telemetry records and log lines are made from these events.
struct PlatformEvent: Equatable, Sendable {
  var time: Timestamp
  var kind: Kind

  enum Kind: Equatable, Sendable {
    case initStart(InitStart)
    case initRuntimeDone(InitEnd)
    case initReport(InitEnd, duration: Nanoseconds)
    case start(Start)
    case runtimeDone(RuntimeDone)
    case report(Report)
    case extensionState(name: String, state: String, events: [String], errorType: String?)
    case subscription(name: String, types: [String])
    case logsDropped(records: Int, bytes: Int, reason: String)
  }

  /// How something ended.
  enum Status: String, Sendable { case success, failure, error, timeout }

  struct InitStart: Equatable, Sendable {
    var initializationType: InitializationType
    var phase: InitializationPhase
    var functionName: String
    var functionVersion: String
    /// The name of the log stream.
    var instanceID: String
    var memoryLimitBytes: Int64
    var runtimeARN = HostIdentity().runtimeARN
  }

  struct InitEnd: Equatable, Sendable {
    var initializationType: InitializationType
    var phase: InitializationPhase
    var status: Status
    var errorType: String?
  }

  struct Start: Equatable, Sendable {
    var request: RequestID
    var version: String
    var trace: TraceID
  }

  struct Span: Equatable, Sendable {
    var name: String
    var start: Timestamp
    var duration: Nanoseconds
  }

  struct RuntimeDone: Equatable, Sendable {
    var request: RequestID
    var status: Status
    var errorType: String?
    var duration: Nanoseconds
    var producedBytes: Int64
    var spans: [Span]
    var trace: TraceID
  }

  struct Report: Equatable, Sendable {
    var request: RequestID
    var status: Status
    var errorType: String?
    var duration: Nanoseconds
    var memorySizeBytes: Int64
    var memoryUsedBytes: Int64
    /// Rounded up: a function of a few hundred kilobytes does not use nothing.
    var memoryUsedMegabytes: Int64 { (memoryUsedBytes + 0xF_FFFF) >> 20 }
    /// Only of the first invocation of an instance that was initialized on demand, before it.
    var initializationDuration: Nanoseconds?
    var spans: [Span]
    var trace: TraceID
    /// What the old Logs API says of a failure.
    var fault: String?

    /// Whole milliseconds, of both.
    var billedMilliseconds: Int64 {
      (duration + (initializationDuration ?? .zero)).billedMilliseconds
    }
  }
}

/// The runtime that records and lines name: a program of the function's own.
enum HostRuntime {
  static let version = "provided:kelvin"
}

/// The current work of an instance, as its telemetry and its log report it.
struct InvocationProgress {
  var request: RequestID
  var trace: TraceID
  /// When it was handed over, or when the initialization inside of it began.
  var startedAt: Timestamp
  /// When the runtime was given the event.
  var handedAt: Timestamp?
  var timeout: Nanoseconds
  /// When the answer began to arrive, and when it had arrived.
  var answerBeganAt: Timestamp?
  var answeredAt: Timestamp?
  var answerBytes: Int64 = 0
  var runtimeDoneAt: Timestamp?

  mutating func answered(began: Timestamp, at now: Timestamp, bytes: Int) {
    guard answeredAt == nil else { return }
    answerBeganAt = max(startedAt, began)
    answeredAt = now
    answerBytes = Int64(bytes)
  }

  /// The parts of the runtime's work that are known.
  func spans(until end: Timestamp) -> [PlatformEvent.Span] {
    guard let began = answerBeganAt, let answered = answeredAt else { return [] }
    let handed = handedAt ?? startedAt
    return [
      .init(name: "responseLatency", start: handed, duration: began - handed),
      .init(name: "responseDuration", start: began, duration: answered - began),
      .init(name: "runtimeOverhead", start: answered, duration: end - answered),
    ]
  }
}
