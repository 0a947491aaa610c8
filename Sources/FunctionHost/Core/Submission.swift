import HostRules
import LambdaAPI
import Lifecycle
import NIOCore

/// An event on its way to a function, from whatever source.
struct Submission: Sendable {
  /// The identity of the invocation; that of every attempt, if its source tries again.
  var request: RequestID
  var function: FunctionIndex
  /// The version that the caller's qualifier stands for.
  var version: FunctionVersion
  var trigger: Trigger
  /// What the function is given: JSON.
  var payload: ByteBuffer
  /// JSON, decoded already.
  var clientContext: String?
  /// As the caller named the function, qualifier included.
  var arn: String
  var trace: TraceID
  /// Whether the request was given to the function before.
  var isRepeated = false
  /// Whether its source wants the end of the invocation's log.
  var wantsLog = false
  /// The longest that its source gives the function, if the function's own timeout is not shorter.
  var timeLimit: Nanoseconds?
  /// What becomes of its end.
  var completion: any SubmissionCompletion
}

/// What the source of a submission makes of the submission's end: an answer to its caller, or a verdict of its queue.
///
/// Exactly one of the two functions is called, once, on the host's loop.
protocol SubmissionCompletion: Sendable {
  /// The event was refused for lack of concurrency.
  func throttled(_ submission: Submission, _ reason: ThrottleReason, at time: Timestamp, in host: isolated HostCore)

  /// The invocation is over.
  ///
  /// - Parameter tell: Takes the receipt of the answer. To be called once, before the answer is sent, so that whoever
  ///   has the answer finds the invocation counted.
  func finished(
    _ submission: Submission, _ end: EndedInvocation, in host: isolated HostCore, telling tell: (AnswerReceipt) -> Void)

  /// Whether an answer that the function sends piece by piece is taken so.
  var streams: Bool { get }

  /// The function begins to send such an answer. Its end is told by ``finished(_:_:in:telling:)`` all the same.
  ///
  /// - Parameters:
  ///   - contentType: That of the runtime's request.
  ///   - times: All but the end.
  /// - Returns: What takes it; not `nil` if it ``streams``.
  func stream(_ submission: Submission, contentType: String?, _ times: InvocationTimes) -> StreamedAnswer?
}

extension SubmissionCompletion {
  var streams: Bool { false }

  func stream(_ submission: Submission, contentType: String?, _ times: InvocationTimes) -> StreamedAnswer? { nil }
}

/// The end of an invocation, as its source is told of it.
struct EndedInvocation {
  var result: InvocationResult
  var times: InvocationTimes
  /// The end of the invocation's log, at most ``LogTail/bytesMax`` bytes. Arrives within a second, and never fails; `nil`
  /// if the source does not want it, or no instance had the event.
  var tail: EventLoopFuture<[UInt8]>?
  /// The answer that the function was sending piece by piece; the result says how that ended.
  var streamed: StreamedAnswer?
}

/// What an answer looks like from outside.
struct AnswerReceipt: Equatable, Sendable {
  /// The HTTP status; where no caller waits, the one that a caller who waited would be given.
  var status: UInt16
  var bytesCount: Int
}
