import HostRules
import LambdaAPI
import Lifecycle

/// An admitted event, which holds a slot of concurrency until it is finished.
final class Invocation {
  var submission: Submission
  /// The identity of this attempt, in lifecycle events and for the runtime: the request's, but for a repeated asynchronous event, where the
  /// request's has been told as finished before and every attempt counts.
  let eventID: RequestID
  var slot: Admission.Slot
  var pool: ConcurrencyPool
  var isSpillover: Bool
  let admittedAt: Timestamp
  /// When it was handed to an instance, or when the initialization inside of it began.
  var handedOverAt: Timestamp?
  /// The length that its deadline was computed from.
  var timeout = Nanoseconds.zero
  var isCold = false
  /// Whether it had to wait for an instance.
  var hasWaited = false
  /// What its caller wants of the log; `nil` if nothing, or if it was not handed over.
  var tail: LogTail?
  var isFinished = false
  /// Its answer, while that comes piece by piece.
  var answer: StreamedAnswer?

  init(_ submission: Submission, eventID: RequestID, grant: Admission.Grant, admittedAt: Timestamp) {
    self.submission = submission
    self.eventID = eventID
    slot = grant.slot
    pool = grant.pool
    isSpillover = grant.isSpillover
    self.admittedAt = admittedAt
  }

  var request: RequestID { submission.request }

  /// Its times before its end, which is not known.
  var beginning: InvocationTimes {
    InvocationTimes(
      start: admittedAt, handover: handedOverAt ?? admittedAt, end: handedOverAt ?? admittedAt, isCold: isCold)
  }

  /// The event that tells its admission.
  var started: InvocationStarted {
    InvocationStarted(request: eventID, time: admittedAt, trigger: submission.trigger, pool: pool)
  }

  /// The event that tells that it has an instance now, after it waited.
  func handedOver(at now: Timestamp) -> InvocationHandedOver {
    InvocationHandedOver(
      request: eventID, time: now, start: admittedAt, trigger: submission.trigger, pool: pool)
  }
}
