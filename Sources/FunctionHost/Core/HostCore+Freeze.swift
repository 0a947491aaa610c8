import HostRules
import Lifecycle
import Sandboxes

/// Instances that stand still between invocations, as on AWS.
extension HostCore {
  /// Stops the processes of an instance that has nothing to do: runtime and extensions wait, and no handler that timed
  /// out still runs.
  func freezeIfIdle(_ instance: Instance) {
    guard self[instance.function].configuration.freezes, !instance.isFrozen, instance.machine.state == .waiting,
      instance.readyAt != nil, instance.parked != nil, instance.extensions?.isAwaited != true,
      !instance.machine.hasOverlaps
    else { return }
    instance.isFrozen = true
    instance.telemetry?.pause()
    instance.sandbox?.freeze()
  }

  /// Lets them go on.
  func thaw(_ instance: Instance) {
    guard instance.isFrozen else { return }
    instance.isFrozen = false
    instance.sandbox?.thaw()
    instance.telemetry?.resume()
  }
}
