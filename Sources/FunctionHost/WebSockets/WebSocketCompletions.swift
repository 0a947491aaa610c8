import HTTPServer
import HostRules
import LambdaAPI
import Lifecycle
import NIOCore
import NIOHTTP1
import WebSocketServer

/// `$connect` decides whether a client gets its connection.
struct ConnectCompletion: SubmissionCompletion {
  let connect: PendingConnect

  func throttled(_ submission: Submission, _ reason: ThrottleReason, at time: Timestamp, in host: isolated HostCore) {
    host.webSockets.refuse(connect, .throttled(submission.request, reason, at: time), in: host)
  }

  func finished(
    _ submission: Submission, _ end: EndedInvocation, in host: isolated HostCore, telling tell: (AnswerReceipt) -> Void
  ) {
    let response = FunctionURLAnswer.finished(submission.request, submission.trace, end.result, times: end.times)
    tell(AnswerReceipt(response))
    if (200..<300).contains(response.status.code) {
      host.webSockets.accept(connect, answer: response, in: host)
    } else {
      host.webSockets.refuse(connect, response, in: host)
    }
  }
}

/// Where the answer to a message goes.
struct WebSocketReply: Sendable {
  let connection: GatewayID
  let request: GatewayID
}

/// A message's answer goes back to its client.
struct MessageCompletion: SubmissionCompletion {
  let reply: WebSocketReply
  /// The API that it came to.
  let api: String
  /// What is reserved of the callers' memory, in bytes.
  let hold: Int

  func throttled(_ submission: Submission, _ reason: ThrottleReason, at time: Timestamp, in host: isolated HostCore) {
    release(submission, in: host)
    host.webSockets.throttled(self, reason, at: time, in: host)
  }

  func finished(
    _ submission: Submission, _ end: EndedInvocation, in host: isolated HostCore, telling tell: (AnswerReceipt) -> Void
  ) {
    let outcome = Outcome(end.result, bytesMax: host.webSockets.messageBytesMax(of: api))
    tell(AnswerReceipt(status: outcome.status, bytesCount: outcome.bytesCount))
    release(submission, in: host)
    host.webSockets.finished(self, outcome, end.times, in: host)
  }

  private func release(_ submission: Submission, in host: isolated HostCore) {
    host.bodies.callers(of: submission.function).release(hold)
  }

  /// What the end of an invocation means to the client.
  struct Outcome: Equatable {
    var counter: EventSourceCounter
    /// The status that a caller over HTTP would be given.
    var status: UInt16
    /// What is sent; `nil`: nothing, or an error.
    var data: ByteBuffer?
    var isText = true
    /// The sentence of the error that is sent.
    var error: String?

    var bytesCount: Int { data?.readableBytes ?? 0 }

    /// - Parameter bytesMax: The largest message; an answer that is larger is a failure.
    init(_ result: InvocationResult, bytesMax: Int) {
      self.init(result)
      guard bytesCount > bytesMax else { return }
      error = "The function's answer has \(bytesCount) bytes, and a message has at most \(bytesMax) (messageSize)."
      (counter, status, data) = (.failed, 502, nil)
    }

    private init(_ result: InvocationResult) {
      switch result {
      case .success(let payload):
        (counter, status) = (.processed, 200)
        switch WebSocketAnswer(payload) {
        case .nothing: break
        case .send(let data, let isText): (self.data, self.isText) = (data, isText)
        case .failed(let status, let data, let isText):
          self.status = UInt16(clamping: status)
          counter = .failed
          if data.readableBytes > 0 {
            (self.data, self.isText) = (data, isText)
          } else {
            error = "The function answered with status \(status)."
          }
        case .malformed:
          (counter, status) = (.failed, 502)
          error = "The function's answer is not JSON, or its body is not the Base64 that it says."
        }
      case .failure(let fault):
        let isTimeout = fault.outcome == .timeout
        counter = isTimeout ? .timedOut : .failed
        status = isTimeout ? 504 : fault.isHostsOwn ? 500 : 502
        error = WebSocketError.sentence(fault)
      }
    }
  }
}

/// Nobody waits for the answer to `$disconnect`.
struct DisconnectCompletion: SubmissionCompletion {
  func throttled(_ submission: Submission, _ reason: ThrottleReason, at time: Timestamp, in host: isolated HostCore) {}

  func finished(
    _ submission: Submission, _ end: EndedInvocation, in host: isolated HostCore, telling tell: (AnswerReceipt) -> Void
  ) {
    tell(AnswerReceipt(InvokeAnswer.finished(submission, end)))
  }
}
