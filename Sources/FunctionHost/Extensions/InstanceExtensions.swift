import HTTPServer
import HostRules
import Lifecycle
import NIOCore

/// What an instance with extensions has beside its runtime.
struct InstanceExtensions {
  var machine: ExtensionMachine
  /// The calls of `event/next` that wait.
  var parked: [Identifier128: ParkedCall] = [:]
  /// Whether the runtime asked for an event that it is not given, because extensions are not done yet.
  var isAwaited = false
  /// An invocation that has its answer, and whose slot of concurrency is held until extensions are done.
  var held: Invocation?
  /// When the end of the instance must be over; set once it has begun.
  var shutdownDeadline: Timestamp?

  init(externals: [String]) { machine = ExtensionMachine(externals: externals) }

  /// Answers a call that waits.
  mutating func answer(_ identifier: Identifier128, _ response: HTTPResponse) {
    parked.removeValue(forKey: identifier)?.succeed(response)
  }

  /// Whether there is something that an invocation waits for.
  var isSettled: Bool { machine.isSettled }
}
