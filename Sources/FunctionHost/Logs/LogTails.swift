import HostRules
import Lifecycle
import NIOCore

/// The ends of logs that sources of invocations wait for. Used on the host's loop.
final class LogTails {
  /// How long output may take to arrive after the answer of an instance that lives on: it comes through a pipe, beside it.
  private static let outputDelay = Nanoseconds.milliseconds(20)
  /// The longest that anybody waits for a tail: an extension may take its time, and so may a program's end.
  private static let delayMax = Nanoseconds.seconds(1)

  private var awaited: [RequestID: (tail: LogTail, promise: EventLoopPromise<[UInt8]>)] = [:]

  /// The tail of an invocation that has its answer; arrives once it is complete, or the longest time is over.
  func text(of tail: LogTail, from instance: Instance, in host: isolated HostCore) -> EventLoopFuture<[UInt8]> {
    let (function, key, request) = (instance.function, instance.key, tail.request)
    let promise = host.loop.makePromise(of: [UInt8].self)
    awaited[request] = (tail, promise)
    advance(tail)
    guard awaited[request] != nil else { return promise.futureResult }
    _ = host.schedule(after: LogTails.outputDelay) { host in
      guard let tail = host.reporter.tails.awaited[request]?.tail else { return }
      // The last words of one that ends come with its end.
      if host[function].instances[key].map({ !$0.machine.isEnding }) ?? true { tail.hasOutput = true }
      host.reporter.tails.advance(tail)
    }
    _ = host.schedule(after: LogTails.delayMax) { host in
      guard let tail = host.reporter.tails.awaited[request]?.tail else { return }
      // The instance has not done with the invocation yet: what is known so far is better than nothing.
      if !tail.isReported, let instance = host[function].instances[key] {
        host.reporter.reportProvisionally(tail, of: instance, in: host)
      }
      host.reporter.tails.deliver(tail)
    }
    return promise.futureResult
  }

  /// The program is gone whose output an invocation's tail waits for.
  func outputEnded(_ tail: LogTail) {
    tail.hasOutput = true
    advance(tail)
  }

  /// Something was added to a tail.
  func advance(_ tail: LogTail) {
    if tail.isComplete { deliver(tail) }
  }

  private func deliver(_ tail: LogTail) {
    awaited.removeValue(forKey: tail.request)?.promise.succeed(tail.text)
  }
}
