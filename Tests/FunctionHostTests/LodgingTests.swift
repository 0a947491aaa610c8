import HostRules
import Lifecycle
import NIOCore
import NIOPosix
import Sandboxes
import Testing

@testable import FunctionHost

@Suite(.timeLimit(.minutes(1))) struct `The lodging of an instance` {
  private let loop = MultiThreadedEventLoopGroup.singleton.any()

  @Test func `has a sandbox once one was made, and none after the instance is gone from it`() {
    var lodging = Lodging()
    #expect(lodging.sandbox == nil && lodging.awaited == nil && lodging.vacancy == nil)
    lodging.make(for: SandboxTenant(key(1)))
    #expect(lodging.sandbox == nil)
    let sandbox = EmptySandbox(loop: loop)
    lodging.occupy(sandbox)
    #expect(lodging.sandbox as? EmptySandbox === sandbox)
    let vacant = vacant(sandbox, of: SandboxTenant(key(1)))
    lodging.leave(vacant)
    #expect(lodging.sandbox as? EmptySandbox === sandbox && lodging.vacancy === vacant)
    lodging.vacate()
    #expect(lodging.sandbox == nil && lodging.vacancy == nil)
    vacant.cleared.succeed()
  }

  @Test func `keeps its sandbox if the instance does not leave it after all`() {
    var lodging = Lodging()
    lodging.make(for: SandboxTenant(key(1)))
    let sandbox = EmptySandbox(loop: loop)
    lodging.occupy(sandbox)
    lodging.stay()
    #expect(lodging.sandbox as? EmptySandbox === sandbox)
    let vacant = vacant(sandbox, of: SandboxTenant(key(1)))
    lodging.leave(vacant)
    lodging.stay()
    #expect(lodging.vacancy == nil && lodging.sandbox as? EmptySandbox === sandbox)
    vacant.cleared.succeed()
  }

  @Test func `is the next instance's, which the sandbox tells from then on`() {
    let tenant = SandboxTenant(key(1))
    let sandbox = EmptySandbox(loop: loop)
    let vacant = vacant(sandbox, of: tenant)
    var lodging = Lodging(vacant.limits, awaiting: vacant)
    #expect(lodging.awaited === vacant && lodging.sandbox == nil)
    tenant.current = nil
    lodging.takeOver(as: key(2))
    #expect(lodging.awaited == nil && lodging.sandbox as? EmptySandbox === sandbox)
    #expect(tenant.current == key(2))
    vacant.cleared.succeed()
  }

  @Test func `is none if the instance waits in vain`() {
    let vacant = vacant(EmptySandbox(loop: loop), of: SandboxTenant(key(1)))
    var lodging = Lodging(vacant.limits, awaiting: vacant)
    lodging.giveUpWaiting()
    #expect(lodging.awaited == nil && lodging.sandbox == nil)
    lodging.make(for: SandboxTenant(key(2)))
    lodging.giveUpWaiting()
    lodging.occupy(EmptySandbox(loop: loop))
    #expect(lodging.sandbox != nil)
    vacant.cleared.succeed()
  }

  private func key(_ number: Int) -> InstanceKey { InstanceKey(pool: .onDemand, number: number) }

  private func vacant(_ sandbox: EmptySandbox, of tenant: SandboxTenant) -> VacantSandbox {
    let instance = Instance(
      id: InstanceID(.zero), key: key(1), function: FunctionIndex(position: 0), version: .latest, inside: nil)
    return VacantSandbox(instance, sandbox, tenant, cleared: loop.makePromise())
  }
}

/// A sandbox without programs.
private final class EmptySandbox: Sandbox {
  private let loop: any EventLoop

  init(loop: any EventLoop) { self.loop = loop }

  func launch(_ program: InstanceProgram, _ specification: ProcessSpecification) -> EventLoopFuture<Void> {
    loop.makeSucceededVoidFuture()
  }
  func signal(_ program: InstanceProgram, _ signal: ProcessSignal) {}
  func freeze() {}
  func thaw() {}
  func clear() -> EventLoopFuture<Void> { loop.makeSucceededVoidFuture() }
  func kill() {}
  func memoryUsedBytes() -> Int64 { 0 }
  func forgetMemoryPeak() {}
  func hasOpen(socket: UInt32) -> Bool? { nil }
}
