import Synchronization

/// One running handler: the state that the loop's thread and the handler's task share.
final class Execution: Sendable {
  /// Whether the pool had a thread for the handler.
  let start = Moment()
  private let phase = Mutex(HandlerPhase.running)
  private let wakeup: Wakeup
  private let abortion: Moment
  private let onOverlapEnd: @Sendable () -> Void

  init(wakeup: Wakeup, abortion: Moment, onOverlapEnd: @escaping @Sendable () -> Void) {
    self.wakeup = wakeup
    self.abortion = abortion
    self.onOverlapEnd = onOverlapEnd
  }

  /// Called once, by the handler's task.
  func handlerEnded(_ outcome: HandlerOutcome) {
    act(on: phase.withLock { $0.handlerEnded(outcome) })
  }

  /// Called by the loop once the error of the aborted handler is with the host.
  func errorPosted() {
    act(on: phase.withLock { $0.errorPosted() })
  }

  /// Blocks until the handler has ended or the deadline has passed, in which case it counts as aborted.
  ///
  /// - Returns: Its result; nil if it was aborted.
  func outcome(by deadline: ContinuousClock.Instant?) -> HandlerOutcome? {
    while true {
      if case .finished(let outcome) = phase.withLock({ $0 }) { return outcome }
      if let deadline, ContinuousClock.now >= deadline {
        guard phase.withLock({ $0.deadlinePassed() }) == .cancel else { continue }
        abortion.happen()
        return nil
      }
      wakeup.wait(until: deadline)
    }
  }

  /// Blocks until an aborted handler has ended.
  func waitForEnd() {
    while phase.withLock({ $0 }) == .aborted { wakeup.wait(until: nil) }
  }

  private func act(on action: HandlerPhase.Action) {
    switch action {
    case .wake: wakeup.signal()
    case .reportEnd: onOverlapEnd()
    case .nothing, .cancel: break
    }
  }
}
