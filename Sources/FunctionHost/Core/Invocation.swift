import HTTPServer
import HostRules
import Lifecycle
import NIOCore
import NIOHTTP1

/// Who waits for an invocation.
enum Caller: Sendable {
  /// The `Invoke` operation, with whether the last of the output is wanted.
  case invoke(EventLoopPromise<HTTPResponse>, wantsLog: Bool)
  case functionURL(EventLoopPromise<HTTPResponse>)
  /// The queue of asynchronous invocations.
  case queue

  /// What the caller is told; for the queue, what a caller who waited would be.
  func answer(_ submission: Submission, _ result: InvocationResult, _ times: InvocationTimes) -> HTTPResponse {
    let (request, trace) = (submission.request, submission.trace)
    return switch self {
    case .invoke, .queue: InvokeAnswer.finished(request, trace, submission.version, result, times: times)
    case .functionURL: FunctionURLAnswer.finished(request, trace, result, times: times)
    }
  }

  func deliver(_ response: HTTPResponse) {
    switch self {
    case .invoke(let promise, _), .functionURL(let promise): promise.succeed(response)
    case .queue: break
    }
  }
}

/// An event on its way to a function.
struct Submission: Sendable {
  var request: RequestID
  var function: FunctionIndex
  /// The version that the caller's qualifier stands for.
  var version: FunctionVersion
  var trigger: Trigger
  var payload: ByteBuffer
  /// JSON, decoded already.
  var clientContext: String?
  /// As the caller named the function, qualifier included.
  var arn: String
  var trace: TraceID
  /// Whether the request was given to the function before.
  var isRepeated = false
  var caller: Caller
}

/// An admitted event, which holds a slot of concurrency until it is finished.
final class Invocation {
  let submission: Submission
  /// Its identity in lifecycle events: the request's, but for a repeated asynchronous event, where the request's has been
  /// told as finished before and every attempt counts.
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

  init(_ submission: Submission, eventID: RequestID, grant: Admission.Grant, admittedAt: Timestamp) {
    self.submission = submission
    self.eventID = eventID
    slot = grant.slot
    pool = grant.pool
    isSpillover = grant.isSpillover
    self.admittedAt = admittedAt
  }

  var request: RequestID { submission.request }

  /// The event that tells its admission.
  var started: InvocationStarted {
    InvocationStarted(request: eventID, time: admittedAt, trigger: submission.trigger, pool: pool)
  }
}
