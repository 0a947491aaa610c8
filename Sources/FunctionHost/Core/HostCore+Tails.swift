import HTTPServer
import HostRules
import Lifecycle
import NIOCore

/// Answers callers who asked for the end of the log.
extension HostCore {
  /// How long output may take to arrive after the answer of an instance that lives on: it comes through a pipe, beside it.
  private static let outputDelay = Nanoseconds.milliseconds(20)
  /// The longest that an answer waits for its tail: an extension may take its time, and so may a program's end.
  private static let tailDelayMax = Nanoseconds.seconds(1)

  /// Delivers an answer as soon as the tail of its log is complete.
  func deliver(
    _ response: HTTPResponse, to promise: EventLoopPromise<HTTPResponse>, with tail: LogTail, of instance: Instance
  ) {
    let (function, key, request) = (instance.function, instance.key, tail.request)
    tailedAnswers[request] = TailedAnswer(response: response, promise: promise, tail: tail)
    advance(tail)
    guard tailedAnswers[request] != nil else { return }
    _ = schedule(after: HostCore.outputDelay) { core in
      guard let tail = core.tailedAnswers[request]?.tail else { return }
      // The last words of one that ends come with its end.
      if core[function].instances[key].map({ !$0.machine.isEnding }) ?? true { tail.hasOutput = true }
      core.advance(tail)
    }
    _ = schedule(after: HostCore.tailDelayMax) { core in
      guard let answer = core.tailedAnswers.removeValue(forKey: request) else { return }
      if !answer.tail.isReported, let instance = core[function].instances[key] {
        core.reportProvisionally(answer.tail, of: instance)
      }
      answer.deliver()
    }
  }

  /// The program is gone whose output an invocation's tail waits for.
  func outputEnded(of instance: Instance) {
    guard let tail = instance.tail else { return }
    tail.hasOutput = true
    advance(tail)
  }

  /// Something was added to a tail.
  func advance(_ tail: LogTail) {
    guard tail.isComplete else { return }
    tailedAnswers.removeValue(forKey: tail.request)?.deliver()
  }

  /// The instance has not done with the invocation yet: what is known so far is better than nothing.
  private func reportProvisionally(_ tail: LogTail, of instance: Instance) {
    guard let progress = instance.progress, progress.request == tail.request else { return }
    let now = clock.now()
    let report = report(of: progress, in: instance, .success, nil, nil, at: now)
    tail.take(
      PlatformEvent(time: now, kind: .report(report)), self[instance.function].configuration.logFormat)
  }
}
