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

/// A caller of a function URL waits for the answer.
struct FunctionURLCompletion: SubmissionCompletion {
  let promise: EventLoopPromise<HTTPResponse>

  func throttled(_ submission: Submission, _ reason: ThrottleReason, at time: Timestamp, in host: isolated HostCore) {
    promise.succeed(.throttled(submission.request, reason, at: time))
  }

  func finished(
    _ submission: Submission, _ end: EndedInvocation, in host: isolated HostCore, telling tell: (AnswerReceipt) -> Void
  ) {
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
