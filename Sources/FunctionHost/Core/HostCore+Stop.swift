import HTTPServer
import HostRules
import LambdaAPI
import Lifecycle
import Logging
import NIOCore
import Sandboxes

extension HostCore {
  /// Ends everything: no request is accepted from here on, those in progress have until the limit, then every instance is
  /// ended. Returns when no process is left.
  func stop(_ server: HTTPServer) async {
    isStopping = true
    asynchronous.stop()
    schedules.stop()
    queues.stop(in: self)
    let limit = TimeAmount.nanoseconds(max(0, configuration.stopLimit.count))
    // Longer than callers are waited for, because those that waited in vain are told so at the limit.
    let drained = server.drain(within: limit + HostCore.farewell)
    await waitUntilIdle(limit)
    abandonInvocations()
    await endInstances()
    do {
      try await lodgings.stop(on: loop).get()
      try await drained.get()
    } catch {
      logger.error("The host did not stop cleanly.", metadata: ["error": "\(error)"])
    }
    // As little as the log's end.
    try? await schedules.close()?.get()
    // Never fails: what cannot be written is lost, and that was said.
    try? await reporter.logs?.stop().get()
    dispatcher.stop()
    guard asynchronous.count > 0 else { return }
    if configuration.dataDirectory == nil {
      logger.warning("Asynchronous events are lost with this stop.", metadata: ["events": "\(asynchronous.count)"])
    } else {
      logger.info("Asynchronous events wait for the next start.", metadata: ["events": "\(asynchronous.count)"])
    }
  }

  /// How long the last answers have to reach their callers.
  private static let farewell = TimeAmount.seconds(1)

  private func waitUntilIdle(_ limit: TimeAmount) async {
    let promise = loop.makePromise(of: Void.self)
    whenIdle = promise
    let timer = loop.scheduleTask(in: limit) { promise.succeed() }
    if dispatcher.isIdle { promise.succeed() }
    try? await promise.futureResult.get()  // Is only ever completed with success.
    timer.cancel()
  }

  /// Answers the calls that still wait, because they will get nothing.
  private func abandonInvocations() {
    let now = clock.now()
    for invocation in dispatcher.abandonWaiting() {
      finish(invocation, in: nil, .failure(.stopped(invocation.request)), at: now)
    }
    for function in functions {
      for instance in function.instances.values {
        guard let invocation = instance.invocation else { continue }
        finish(invocation, in: instance, .failure(.stopped(invocation.request)), at: now)
      }
    }
  }

  private func endInstances() async {
    let promise = ends.endAll(at: clock.now(), in: self)
    // A process that cannot be killed (it hangs in the kernel) must not keep the host from ending.
    let timer = loop.scheduleTask(in: .seconds(5)) { promise.succeed() }
    try? await promise.futureResult.get()  // Is only ever completed with success.
    timer.cancel()
  }
}
