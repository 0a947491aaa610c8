import Glibc
import NIOCore
import Synchronization

/// Starts, watches and ends the sandboxes of instances and the programs in them.
///
/// All of it happens on one thread of its own, which lives as long as the keeper: the kernel sends the parent-death signal
/// when the *thread* that made a child ends. The thread also reads what the programs write, so that a busy event loop
/// never blocks a function. A keeper must be ended by ``shutdown(within:on:)``.
package final class ProcessKeeper: Sendable {
  private let mailbox: ProcessMailbox
  private let watch: IsolationWatch

  /// How sandboxes that start now are isolated.
  package var isolation: Isolation { watch.isolation }

  /// Calls `body` whenever that changes, on whatever thread.
  package func onIsolationChange(_ body: @escaping @Sendable (Isolation) -> Void) { watch.onChange(body) }

  /// Finds out what this machine allows, starts the keeper's thread, and raises this process's limit of open files to the
  /// most it may have (an instance takes eight).
  ///
  /// - Parameters:
  ///   - launcher: The path of `kelvin-launcher`; see ``LauncherLocation``.
  ///   - mode: Whether to isolate at all.
  ///   - note: Takes sentences for the log: what is left alone that has a name of ours, what is enforced no more. Called on whatever
  ///     thread.
  /// - Throws: ``ProcessError`` with ``ProcessError/Code/launcher`` if that is not an executable file, and
  ///   ``ProcessError/Code/resources`` if the system refuses a thread or a descriptor.
  package init(
    launcher: String, isolation mode: Isolation.Mode = .auto, note: @escaping @Sendable (String) -> Void = { _ in }
  ) throws(ProcessError) {
    guard unsafe access(launcher, X_OK) == 0 else {
      throw ProcessError(
        code: .launcher, message: "\(launcher) is not an executable file: is Kelvin installed completely?")
    }
    // Refused: then there is room for fewer instances, and a start that finds none says so.
    OpenFiles.raiseLimit()
    mailbox = try ProcessMailbox()
    let surroundings = IsolationProbe.surroundings(mode, launcher: launcher, note: note)
    watch = IsolationWatch(surroundings.isolation, note: note)
    do throws(ProcessError) {
      try ProcessThread.start(
        launcher: launcher, surroundings: surroundings, watch: watch, mailbox: mailbox, note: note)
    } catch {
      _ = surroundings.remove()
      throw error
    }
  }

  /// Makes a sandbox without programs.
  ///
  /// - Parameters:
  ///   - loop: Where everything about it is reported.
  ///   - onGone: Called once, on `loop`, after the sandbox and every process in it has ended, and the end of every program
  ///     was told.
  /// - Returns: The sandbox, or a failure with a ``ProcessError``.
  func makeSandbox(
    _ specification: SandboxSpecification, on loop: any EventLoop,
    onGone: @escaping @Sendable (SandboxSummary) -> Void
  ) -> EventLoopFuture<KeptSandbox> {
    let order = SandboxOrder(specification: specification, loop: loop, made: loop.makePromise(), onGone: onGone)
    if !mailbox.post(.make(order)) {
      order.made.fail(ProcessError(code: .shutDown, message: "The host is shutting down and starts no process."))
    }
    return order.made.futureResult
  }

  /// Starts a program in a sandbox, as leader of its own process group.
  ///
  /// - Parameters:
  ///   - specification: What to run.
  ///   - loop: Where result, output and exit are reported, in this order.
  ///   - onOutput: Takes what the program wrote; called on `loop`.
  ///   - onExit: Called once, on `loop`, after the program was reaped, the rest of its group killed and its last output
  ///     handed on. Not called if the start failed.
  /// - Returns: The program once it runs, or a failure with a ``ProcessError``.
  func launch(
    _ specification: ProcessSpecification, in sandbox: KeptSandbox, on loop: any EventLoop,
    onOutput: @escaping @Sendable (ProcessOutput) -> Void, onExit: @escaping @Sendable (ProcessExit) -> Void
  ) -> EventLoopFuture<KeptProcess> {
    let order = LaunchOrder(
      specification: specification, loop: loop, started: loop.makePromise(), onOutput: onOutput, onExit: onExit)
    if let problem = specification.problem {
      order.started.fail(ProcessError(code: .invalidSpecification, message: problem))
    } else if !mailbox.post(.launch(sandbox, order)) {
      order.started.fail(ProcessError(code: .shutDown, message: "The host is shutting down and starts no process."))
    }
    return order.started.futureResult
  }

  /// Sends a signal to the program and everything in its group. Does nothing once it has ended.
  func signal(_ process: KeptProcess, _ signal: ProcessSignal) { post(.signal(process, signal.number)) }

  /// Stops every process of the sandbox where it is.
  func freeze(_ sandbox: KeptSandbox) { post(.freeze(sandbox)) }

  /// Lets every process of the sandbox go on.
  func thaw(_ sandbox: KeptSandbox) { post(.thaw(sandbox)) }

  /// Ends every process of the sandbox, which stays with its `/tmp` for programs that are launched later. The end of each program is
  /// told as that of one that was killed.
  ///
  /// - Returns: Completes on `loop` once the end of every program was reported; fails with a ``ProcessError`` if the
  ///   sandbox is ending.
  func clear(_ sandbox: KeptSandbox, on loop: any EventLoop) -> EventLoopFuture<Void> {
    let promise = loop.makePromise(of: Void.self)
    if !mailbox.post(.clear(sandbox, promise)) { promise.fail(ProcessError.sandboxEnds) }
    return promise.futureResult
  }

  /// Ends every process of the sandbox, and with them the sandbox.
  func kill(_ sandbox: KeptSandbox) { post(.kill(sandbox, .wanted)) }

  // Refused: the keeper has ended, and with it every process.
  private func post(_ command: ProcessCommand) { _ = mailbox.post(command) }

  /// Ends all: SIGTERM to every program, SIGKILL to those that live after `grace`; the thread ends. From now on every spawn
  /// fails.
  ///
  /// - Returns: Completes when all are reaped. Fails with ``ProcessError/Code/unkillable`` if a process is still there 10 s
  ///   after SIGKILL.
  func shutdown(within grace: TimeAmount, on loop: any EventLoop) -> EventLoopFuture<Void> {
    let promise = loop.makePromise(of: Void.self)
    if !mailbox.postShutdown(.shutdown(grace: grace, promise)) {
      promise.fail(ProcessError(code: .shutDown, message: "The process keeper was shut down before."))
    }
    return promise.futureResult
  }
}

extension ProcessError {
  /// A sandbox that was to be kept is ending.
  static let sandboxEnds = ProcessError(code: .shutDown, message: "The sandbox is ending.")
}

extension ProcessSpecification {
  /// A sentence that says why this cannot be passed to the system; nil if it can.
  var problem: String? {
    guard let program = command.first, !program.isEmpty else { return "The command is empty." }
    for text in command + [directory] + environment.keys + environment.values where text.utf8.contains(0) {
      return "The command, its directory or its environment contains a zero byte: \(text.debugDescription)."
    }
    for name in environment.keys where name.isEmpty || name.utf8.contains(UInt8(ascii: "=")) {
      return "The environment has a variable whose name is not valid: \(name.debugDescription)."
    }
    return nil
  }
}
