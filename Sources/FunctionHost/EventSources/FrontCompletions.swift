import HTTPServer
import HostRules
import LambdaAPI
import Lifecycle
import NIOCore
import NIOHTTP1
import Text

/// A caller of `Invoke` waits for the answer.
struct InvokeCompletion: SubmissionCompletion {
  let promise: EventLoopPromise<HTTPResponse>

  func throttled(_ submission: Submission, _ reason: ThrottleReason, at time: Timestamp, in host: isolated HostCore) {
    promise.succeed(.throttled(submission.request, reason, at: time))
  }

  func finished(
    _ submission: Submission, _ end: EndedInvocation, in host: isolated HostCore, telling tell: (AnswerReceipt) -> Void
  ) {
    let response = InvokeAnswer.finished(submission, end)
    tell(AnswerReceipt(response))
    guard let tail = end.tail else { return promise.succeed(response) }
    tail.whenSuccess { [promise] text in
      var response = response
      response.headers.add(name: "X-Amz-Log-Result", value: Base64.encode(text))
      promise.succeed(response)
    }
  }
}

/// A caller of `InvokeWithResponseStream` waits for the answer, and takes it piece by piece.
struct InvokeStreamCompletion: SubmissionCompletion {
  let promise: EventLoopPromise<HTTPResponse>

  var streams: Bool { true }

  func stream(_ submission: Submission, contentType: String?, _ times: InvocationTimes) -> StreamedAnswer? {
    let head = InvokeStreamAnswer.head(submission.request, submission.trace, submission.version, times: times)
    return StreamedAnswer(InvokeStream(head: head), to: promise)
  }

  func throttled(_ submission: Submission, _ reason: ThrottleReason, at time: Timestamp, in host: isolated HostCore) {
    promise.succeed(.throttled(submission.request, reason, at: time))
  }

  func finished(
    _ submission: Submission, _ end: EndedInvocation, in host: isolated HostCore, telling tell: (AnswerReceipt) -> Void
  ) {
    guard let streamed = end.streamed, let receipt = streamed.receipt else {
      end.streamed?.abandon()
      let whole = host.loop.makePromise(of: HTTPResponse.self)
      promise.completeWith(whole.futureResult.map { InvokeStreamAnswer.stream($0) })
      return InvokeCompletion(promise: whole).finished(submission, end, in: host, telling: tell)
    }
    tell(receipt)
    var error: (String, String)?
    if case .failure(let fault) = end.result { error = ("Unhandled", String(buffer: fault.document)) }
    guard let tail = end.tail else {
      return streamed.finish(InvokeStreamAnswer.completion(error: error, log: nil))
    }
    let bound = NIOLoopBound(streamed, eventLoop: host.loop)
    tail.whenSuccess { [error] text in
      bound.value.finish(InvokeStreamAnswer.completion(error: error, log: Base64.encode(text)))
    }
  }
}

/// A caller of a function URL waits for the answer.
struct FunctionURLCompletion: SubmissionCompletion {
  let promise: EventLoopPromise<HTTPResponse>
  /// Whether its invoke mode is `RESPONSE_STREAM`.
  let streams: Bool

  func stream(_ submission: Submission, contentType: String?, _ times: InvocationTimes) -> StreamedAnswer? {
    let form = FunctionURLStream(submission.request, submission.trace, contentType: contentType, times: times)
    return StreamedAnswer(form, to: promise)
  }

  func throttled(_ submission: Submission, _ reason: ThrottleReason, at time: Timestamp, in host: isolated HostCore) {
    promise.succeed(.throttled(submission.request, reason, at: time))
  }

  func finished(
    _ submission: Submission, _ end: EndedInvocation, in host: isolated HostCore, telling tell: (AnswerReceipt) -> Void
  ) {
    if let streamed = end.streamed, let receipt = streamed.receipt {
      tell(receipt)
      if case .success = end.result { streamed.finish() } else { streamed.cut() }
      return
    }
    end.streamed?.abandon()
    let response = FunctionURLAnswer.finished(submission.request, submission.trace, end.result, times: end.times)
    tell(AnswerReceipt(response))
    promise.succeed(response)
  }
}

extension InvokeAnswer {
  static func finished(_ submission: Submission, _ end: EndedInvocation) -> HTTPResponse {
    finished(submission.request, submission.trace, submission.version, end.result, times: end.times)
  }
}

extension StreamedAnswer {
  /// The receipt of what its caller has seen; `nil` if that is nothing.
  var receipt: AnswerReceipt? { status.map { AnswerReceipt(status: $0, bytesCount: bytesCount) } }
}

extension AnswerReceipt {
  init(_ response: HTTPResponse) {
    self.init(status: UInt16(response.status.code), bytesCount: response.body.readableBytes)
  }
}

extension HTTPResponse {
  /// What the caller of a function is told who is refused for lack of concurrency.
  static func throttled(_ request: RequestID, _ reason: ThrottleReason, at time: Timestamp) -> HTTPResponse {
    var response = AWSError.throttled(reason).response(request)
    response.headers.add(name: "X-Kelvin-Start", value: String(time.nanoseconds))
    return response
  }
}
