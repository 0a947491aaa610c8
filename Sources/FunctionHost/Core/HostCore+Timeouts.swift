import HTTPServer
import HostRules
import LambdaAPI
import Lifecycle
import Logging
import NIOCore
import Sandboxes

/// Enforces deadlines. Whatever a handler does at its first deadline, a second one ends its instance, so the host never
/// waits for an instance without a limit.
extension HostCore {
  func setDeadline(of instance: Instance, after delay: Nanoseconds) {
    let (function, key) = (instance.function, instance.key)
    instance.restartTimer(schedule(after: delay) { $0.deadlinePassed(function, key) })
  }

  /// The time given to an invocation is over, or that given to what came after it.
  private func deadlinePassed(_ function: FunctionIndex, _ key: InstanceKey) {
    guard let instance = self[function].instances[key] else { return }
    let now = clock.now()
    switch instance.machine.phase {
    case .created, .initializing: starts.boundInitializationOverran(instance, at: now, in: self)
    case .serving(let service): serviceOverran(instance, in: service.activity, at: now)
    case .ending: break
    }
  }

  private func serviceOverran(_ instance: Instance, in activity: InstanceMachine.Activity, at now: Timestamp) {
    switch activity {
    case .awaitingExtensions: ends.remove(instance, .timeout, at: now, in: self)
    case .running: invocationOverran(instance, at: now)
    case .answered(_, let answeredAt) where now - answeredAt < HostCore.settleMin:
      setDeadline(of: instance, after: HostCore.settleMin)
    case .overdue, .answered:
      logger.warning(
        "An instance did not ask for the next event in time and is ended.",
        metadata: [
          "function": "\(self[instance.function].id.name)", "instance": "\(instance.id.value.uuidText)",
        ])
      ends.remove(instance, .timeout, at: now, in: self)
    case .idle, .frozen: break
    }
  }

  /// How long an instance may take, at least, from an answer or a deadline until it asks for the next event.
  private static let settleMin = Nanoseconds.seconds(2)

  private func invocationOverran(_ instance: Instance, at now: Timestamp) {
    guard let invocation = instance.invocation else { return }
    let timeout = invocation.timeout
    finish(
      invocation, in: instance, .failure(.timedOut(invocation.request, after: timeout, source: .platform)), at: now)
    let configuration = self[instance.function].configuration
    switch configuration.onTimeout {
    case .restart:
      // Its place is free at once; what is left of it has the grace to put things in order, if it is told at all.
      let grace = configuration.abortSignal == nil ? .zero : configuration.abortLimit ?? HostCore.settleMin
      ends.remove(instance, .timeout, at: now, killAfter: grace, in: self)
    case .continue:
      instance.machine.passDeadline(at: now)
      dispatcher.answered(instance, at: now)
      setDeadline(of: instance, after: configuration.abortLimit ?? max(timeout, HostCore.settleMin))
    }
    if let signal = configuration.abortSignal { instance.lodging.sandbox?.signal(.runtime, .abort(signal)) }
  }
}
