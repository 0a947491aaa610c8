import HostRules
import Lifecycle
import NIOCore
import Sandboxes
import Synchronization

/// The instance that a sandbox belongs to now, which gets everything that the sandbox reports.
final class SandboxTenant: Sendable {
  private let key: Mutex<InstanceKey?>

  init(_ key: InstanceKey) { self.key = Mutex(key) }

  /// `nil` while no instance has the sandbox.
  var current: InstanceKey? {
    get { key.withLock { $0 } }
    set { key.withLock { $0 = newValue } }
  }
}

/// A sandbox whose programs were ended by a timeout or a crash: its `/tmp` and its log stream are for the next instance, as
/// AWS resets an execution environment. Used on the host's loop.
final class VacantSandbox {
  let sandbox: any Sandbox
  let tenant: SandboxTenant
  let version: FunctionVersion
  let pool: InstancePool
  let logStream: String
  let limits: SandboxLimits
  /// Completes when its programs are gone; fails if the sandbox is.
  let cleared: EventLoopPromise<Void>
  /// When its programs were gone.
  var vacantSince: Timestamp?
  /// Whether its programs were killed, and not only asked to end.
  var isBeingCleared = false

  init(_ instance: Instance, _ sandbox: any Sandbox, _ tenant: SandboxTenant, cleared: EventLoopPromise<Void>) {
    self.sandbox = sandbox
    self.tenant = tenant
    version = instance.version
    pool = instance.key.pool
    logStream = instance.reports.logStream
    limits = instance.lodging.limits
    self.cleared = cleared
  }
}

/// The vacant sandboxes of one function; the newest is taken first.
struct VacantSandboxes {
  /// The most that are kept: each holds the files that were left in it.
  static let limit = 16
  private(set) var all: [VacantSandbox] = []

  /// - Returns: The one that there is no more room for.
  mutating func add(_ vacant: VacantSandbox) -> VacantSandbox? {
    all.append(vacant)
    return all.count > VacantSandboxes.limit ? all.removeFirst() : nil
  }

  /// Takes one for an instance that starts. One that starts inside an invocation does not wait for extensions, which
  /// have some time to end.
  mutating func take(for instance: Instance, with limits: SandboxLimits) -> VacantSandbox? {
    let index = all.lastIndex {
      $0.version == instance.version && $0.pool == instance.key.pool && $0.limits == limits
        && (!instance.isBound || $0.isBeingCleared)
    }
    return index.map { all.remove(at: $0) }
  }

  /// Takes out one that is not to be used; `false` if it is not here.
  mutating func remove(_ vacant: VacantSandbox) -> Bool {
    guard let index = all.firstIndex(where: { $0 === vacant }) else { return false }
    all.remove(at: index)
    return true
  }

  mutating func removeAll(of version: FunctionVersion) -> [VacantSandbox] {
    defer { all.removeAll { $0.version == version } }
    return all.filter { $0.version == version }
  }
}
