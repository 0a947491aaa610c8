internal import NIOCore

/// The one timer of a connection.
///
/// It looks at the deadline when it fires, because arming a timer anew for every request costs more than the request's parsing.
final class ConnectionTimer {
  private var scheduled: Scheduled<Void>?
  private var scheduledFor = NIODeadline.distantFuture
  private var deadline = NIODeadline.distantFuture

  /// Whether something has a deadline.
  var isArmed: Bool { deadline != .distantFuture }

  /// Sets the deadline, of whatever the connection does next.
  ///
  /// - Parameter passed: What is called when the deadline of then has passed.
  func arm(after amount: TimeAmount, on loop: any EventLoop, _ passed: @escaping () -> Void) {
    deadline = .now() + amount
    if scheduled != nil {
      guard deadline < scheduledFor else { return }
      scheduled?.cancel()
    }
    schedule(loop, passed)
  }

  /// Nothing has a deadline any more.
  func disarm() { deadline = .distantFuture }

  /// The connection is at its end.
  func cancel() {
    disarm()
    scheduled?.cancel()
    scheduled = nil
  }

  private func schedule(_ loop: any EventLoop, _ passed: @escaping () -> Void) {
    scheduledFor = deadline
    scheduled = loop.assumeIsolated().scheduleTask(deadline: deadline) { self.fired(loop, passed) }
  }

  private func fired(_ loop: any EventLoop, _ passed: @escaping () -> Void) {
    scheduled = nil
    guard isArmed else { return }
    if deadline <= .now() { passed() } else { schedule(loop, passed) }
  }
}
