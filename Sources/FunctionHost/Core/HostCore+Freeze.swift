import HostRules
import Lifecycle
import Sandboxes

/// Instances that stand still between invocations, as on AWS.
extension HostCore {
  /// Stops the processes of an instance that has nothing to do: runtime and extensions wait, and no handler that timed
  /// out still runs.
  func freezeIfIdle(_ instance: Instance) {
    guard self[instance.function].configuration.freezes, instance.parked != nil, instance.machine.freeze() else {
      return
    }
    instance.telemetry?.pause()
    instance.sandbox?.freeze()
  }

  /// Lets them go on.
  func thaw(_ instance: Instance) {
    guard instance.machine.thaw() else { return }
    instance.sandbox?.thaw()
    instance.telemetry?.resume()
  }
}
