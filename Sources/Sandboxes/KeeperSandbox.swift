import CLinux
package import NIOCore
import Synchronization

/// Makes sandboxes as isolated as the machine allows.
package struct KeeperSandboxMaker: SandboxMaker {
  private let keeper: ProcessKeeper

  /// Makes sandboxes on this machine.
  ///
  /// - Parameter keeper: Whose thread starts and ends the programs; ended by ``stop(on:)``.
  package init(keeper: ProcessKeeper) { self.keeper = keeper }

  /// A sandbox of the keeper's; fails with a ``ProcessError``.
  package func make(
    _ specification: SandboxSpecification, on loop: any EventLoop, observer: SandboxObserver
  ) -> EventLoopFuture<any Sandbox> {
    keeper.makeSandbox(specification, on: loop, onGone: observer.gone).map { sandbox in
      KeeperSandbox(sandbox: sandbox, keeper: keeper, loop: loop, observer: observer)
    }
  }

  /// Ends the keeper, after a tenth of a second for what is left.
  package func stop(on loop: any EventLoop) -> EventLoopFuture<Void> {
    // Every instance was killed by its host before, so there is nobody left to be asked politely.
    keeper.shutdown(within: .milliseconds(100), on: loop)
  }
}

/// A sandbox of the keeper's, on the host's loop.
private final class KeeperSandbox: Sandbox {
  private let sandbox: KeptSandbox
  private let keeper: ProcessKeeper
  private let loop: any EventLoop
  private let observer: SandboxObserver
  private let running = Mutex<[InstanceProgram: KeptProcess]>([:])

  init(sandbox: KeptSandbox, keeper: ProcessKeeper, loop: any EventLoop, observer: SandboxObserver) {
    self.sandbox = sandbox
    self.keeper = keeper
    self.loop = loop
    self.observer = observer
  }

  func launch(_ program: InstanceProgram, _ specification: ProcessSpecification) -> EventLoopFuture<Void> {
    let observer = observer
    return keeper.launch(
      specification, in: sandbox, on: loop, onOutput: { observer.take($0, of: program) },
      onExit: { self.ended(program, $0) }
    ).map { process in self.running.withLock { $0[program] = process } }
  }

  private func ended(_ program: InstanceProgram, _ exit: ProcessExit) {
    running.withLock { $0[program] = nil }
    observer.ended(program, exit.status)
  }

  func clear() -> EventLoopFuture<Void> { keeper.clear(sandbox, on: loop) }

  func signal(_ program: InstanceProgram, _ signal: ProcessSignal) {
    guard let process = running.withLock({ $0[program] }) else { return }
    keeper.signal(process, signal)
  }

  func freeze() { keeper.freeze(sandbox) }
  func thaw() { keeper.thaw(sandbox) }
  func kill() { keeper.kill(sandbox) }
  func memoryUsedBytes() -> Int64 { sandbox.memory.peak() }
  func forgetMemoryPeak() { sandbox.memory.forgetPeak() }

  func hasOpen(socket: UInt32) -> Bool? {
    switch clinux_tree_has_socket(sandbox.processID, socket) {
    case 1: true
    case 0: false
    default: nil
    }
  }
}

extension SandboxObserver {
  fileprivate func take(_ output: ProcessOutput, of program: InstanceProgram) {
    if !output.lines.isEmpty { wrote(program, output.lines.map(\.text)) }
    if output.linesDropped > 0 { dropped(program, output.linesDropped, output.bytesDropped) }
  }
}
