import HostRules
import Lifecycle
import Sandboxes

/// Where an instance lives: the sandbox that it has, waits for, or leaves to the next one.
struct Lodging {
  enum Phase {
    /// It has no sandbox yet, or none any more.
    case none
    /// It gets a sandbox that another one leaves, once that one is gone from it.
    case awaited(VacantSandbox)
    /// A sandbox is being made for it.
    case beingMade(SandboxTenant)
    /// It has a sandbox.
    case occupied(any Sandbox, SandboxTenant)
    /// It is being ended and leaves its sandbox; another one may wait for it already.
    case leaving(VacantSandbox)
  }

  /// What its sandbox is made with.
  let limits: SandboxLimits
  private(set) var phase: Phase
  /// Whether its sandbox is fit for another instance.
  var isSound = true

  init(
    _ limits: SandboxLimits = SandboxLimits(memoryBytes: 0, temporaryStorageBytes: 0),
    awaiting vacant: VacantSandbox? = nil
  ) {
    self.limits = limits
    phase = vacant.map { .awaited($0) } ?? .none
  }

  /// Its sandbox, from the moment that it has it until it is gone from it.
  var sandbox: (any Sandbox)? {
    switch phase {
    case .none, .awaited, .beingMade: nil
    case .occupied(let sandbox, _): sandbox
    case .leaving(let vacant): vacant.sandbox
    }
  }

  /// What it waits for.
  var awaited: VacantSandbox? { if case .awaited(let vacant) = phase { vacant } else { nil } }

  /// What it leaves.
  var vacancy: VacantSandbox? { if case .leaving(let vacant) = phase { vacant } else { nil } }

  /// A sandbox is being made for it that tells `tenant` what happens.
  mutating func make(for tenant: SandboxTenant) { phase = .beingMade(tenant) }

  /// The sandbox that was being made for it is there.
  mutating func occupy(_ sandbox: any Sandbox) {
    guard case .beingMade(let tenant) = phase else {
      preconditionFailure("BUG: a sandbox for an instance that is \(phase)")
    }
    phase = .occupied(sandbox, tenant)
  }

  /// The one is gone whose sandbox it waited for.
  ///
  /// - Parameter key: Its own, which its sandbox tells from now on.
  mutating func takeOver(as key: InstanceKey) {
    guard let vacant = awaited else { preconditionFailure("BUG: an instance that is \(phase) takes over a sandbox") }
    vacant.tenant.current = key
    phase = .occupied(vacant.sandbox, vacant.tenant)
  }

  /// It gets nothing of what it waited for.
  mutating func giveUpWaiting() { if awaited != nil { phase = .none } }

  /// It leaves its sandbox, once it is gone.
  mutating func leave(_ vacant: VacantSandbox) { phase = .leaving(vacant) }

  /// It leaves nothing after all, and ends with its sandbox.
  mutating func stay() { if let vacant = vacancy { phase = .occupied(vacant.sandbox, vacant.tenant) } }

  /// It is gone from its sandbox.
  mutating func vacate() { phase = .none }
}

/// What a sandbox was made with: one with other limits is none for an instance.
struct SandboxLimits: Equatable, Sendable {
  var memoryBytes: Int64
  var temporaryStorageBytes: Int64
}
