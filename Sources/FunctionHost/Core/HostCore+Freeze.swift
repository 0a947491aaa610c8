import HostRules
import Lifecycle
import Sandboxes

/// Stops the processes of instances between invocations, as AWS does.
extension HostCore {
  /// Stops the processes of an instance that has nothing to do: runtime and extensions wait, and no handler that timed
  /// out still runs.
  func freezeIfIdle(_ instance: Instance) {
    guard self[instance.function].configuration.freezes, instance.runtime.parked != nil, instance.machine.freeze()
    else {
      return
    }
    instance.reports.telemetry?.pause()
    instance.lodging.sandbox?.freeze()
  }

  /// Lets them go on.
  func thaw(_ instance: Instance) {
    guard instance.machine.thaw() else { return }
    instance.lodging.sandbox?.thaw()
    instance.reports.telemetry?.resume()
  }
}
