import HTTPServer
import HostRules
import LambdaAPI
import Lifecycle
import NIOCore
import NIOHTTP1

/// Answers that come piece by piece and go to callers who take them so.
extension RuntimeCalls {
  /// How long the host waits, after a runtime's connection broke in the middle of an answer, for the end of the runtime itself: then that is
  /// what happened.
  private static let brokenGrace = Nanoseconds.milliseconds(250)

  /// Whether the body of a request is to be handed on while it comes: it is an answer, its runtime says that it streams, and its caller
  /// takes streams.
  func streams(
    _ head: HTTPRequestHead, _ match: RouteMatch, _ function: FunctionIndex, _ key: InstanceKey,
    in host: isolated HostCore
  ) -> Bool {
    guard let id = InstanceRoutes.answered(match),
      head.headers.first(name: ResponseMode.field) == ResponseMode.streaming,
      let instance = host[function].instances[key], let invocation = instance.invocation
    else { return false }
    let attempt = instance.attempt(at: id, marked: head.headers.first(name: AttemptID.field))
    return invocation.eventID == attempt && !invocation.isFinished && instance.machine.mayStream(attempt)
      && invocation.submission.completion.streams
  }

  /// The runtime begins to send such an answer.
  func takeStream(_ source: HTTPRequestStream, _ visit: InstanceCall, in host: isolated HostCore) {
    let instance = visit.instance
    let contentType = visit.request.headers.first(name: "Content-Type")
    guard let invocation = instance.invocation,
      let answer = invocation.submission.completion.stream(
        invocation.submission, contentType: contentType, invocation.beginning)
    else {
      return visit.promise.succeed(RuntimeAPI.error(.badRequest, "InvalidRequestID", "Invalid request ID"))
    }
    instance.machine.beginStream(of: invocation.eventID)
    invocation.answer = answer
    // The event is not handed out again.
    instance.runtime.forgetEvent()
    invocation.submission.payload = ByteBuffer()
    let upload = Upload(
      request: invocation.request, attempt: invocation.eventID, function: instance.function, key: instance.key,
      beganAt: host.clock.now(),
      promise: visit.promise)
    let core = host as HostCore
    answer.follow(source, now: { core.clock.now() }) { ending in
      core.assumeIsolated { $0.runtimes.streamEnded(ending, of: upload, in: $0) }
    }
  }

  private func streamEnded(_ ending: StreamedAnswer.Ending, of upload: Upload, in host: isolated HostCore) {
    switch ending {
    case .whole(let trailers):
      let result = FunctionFault.reported(in: trailers).map(InvocationResult.failure) ?? .success(ByteBuffer())
      finish(upload, result, RuntimeAPI.accepted, in: host)
    case .tooLarge:
      let limit = PayloadLimits.streamBytesMax
      finish(upload, .failure(.answerTooLarge(limit: limit)), RuntimeAPI.tooLarge(limit: limit), in: host)
    case .broken:
      _ = host.schedule(after: RuntimeCalls.brokenGrace) { core in
        core.runtimes.finish(upload, .failure(.truncated(upload.request)), RuntimeAPI.truncated, in: core)
      }
    }
  }

  private func finish(
    _ upload: Upload, _ result: InvocationResult, _ answer: HTTPResponse, in host: isolated HostCore
  ) {
    guard let instance = host[upload.function].instances[upload.key] else {
      return upload.promise.succeed(RuntimeAPI.ended)
    }
    let now = host.clock.now()
    let step = instance.machine.endStream(of: upload.attempt, at: now)
    if case .answered = step.effect, let streamed = instance.invocation?.answer {
      host.reporter.noteAnswer(
        began: streamed.firstByteAt ?? upload.beganAt, bytes: streamed.bytesCount, from: instance, at: now)
      if case .success = result { streamed.close() }
    }
    upload.promise.succeed(step.reply == .accepted ? answer : refusal(of: step))
    follow(step, with: result, from: instance, in: host)
  }
}

/// A runtime's request that brings an answer piece by piece.
private struct Upload: Sendable {
  var request: RequestID
  var attempt: RequestID
  var function: FunctionIndex
  var key: InstanceKey
  var beganAt: Timestamp
  var promise: EventLoopPromise<HTTPResponse>
}

/// How a runtime says that it sends an answer piece by piece.
enum ResponseMode {
  static let field = "Lambda-Runtime-Function-Response-Mode"
  static let streaming = "streaming"
}
