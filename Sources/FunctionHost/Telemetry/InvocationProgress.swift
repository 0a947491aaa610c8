import LambdaAPI
import LambdaRecords
import Lifecycle

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

extension TraceID {
  /// As records tell it.
  var tracing: PlatformEvent.Tracing { PlatformEvent.Tracing(value: text) }
}
