import HTTPServer
import HostRules
import Lifecycle
import NIOCore

/// The extensions of an instance, and their state.
struct InstanceExtensions {
  var machine: ExtensionMachine
  /// The calls of `event/next` that wait.
  var parked: [Identifier128: ParkedCall] = [:]
  /// An invocation that has its answer, and whose slot of concurrency is held until extensions are done.
  var held: Invocation?

  init(externals: [String]) { machine = ExtensionMachine(externals: externals) }

  /// Answers a call that waits.
  mutating func answer(_ identifier: Identifier128, _ response: HTTPResponse) {
    parked.removeValue(forKey: identifier)?.succeed(response)
  }

  /// Whether there is something that an invocation waits for.
  var isSettled: Bool { machine.isSettled }
}
