internal import CLinux
internal import Glibc
public import NIOCore
internal import Synchronization

/// Starts, watches and ends the processes of instances.
///
/// All of it happens on one thread of its own, which lives as long as the keeper: the kernel sends the parent-death signal
/// when the *thread* that spawned a child ends. The thread also reads what the processes write, so that a busy event loop
/// never blocks a function. A keeper must be ended by ``shutdown(within:on:)``.
public final class ProcessKeeper: Sendable {
  private let mailbox: ProcessMailbox

  /// Starts the keeper's thread, and raises this process's limit of open files to the most it may have (an instance takes
  /// three).
  ///
  /// - Parameter launcher: The path of `kelvin-launcher`; see ``LauncherLocation``.
  /// - Throws: ``ProcessError`` with ``ProcessError/Code/launcher`` if that is not an executable file, and
  ///   ``ProcessError/Code/resources`` if the system refuses a thread or a descriptor.
  public init(launcher: String) throws(ProcessError) {
    guard unsafe access(launcher, X_OK) == 0 else {
      throw ProcessError(code: .launcher, message: "\(launcher) is not an executable file: is Kelvin installed whole?")
    }
    // Refused: then there is room for fewer instances, and a spawn that finds none says so.
    _ = clinux_raise_open_files_limit()
    mailbox = try ProcessMailbox()
    try ProcessThread.start(launcher: launcher, mailbox: mailbox)
  }

  /// Starts a process as leader of its own process group.
  ///
  /// - Parameters:
  ///   - specification: What to run.
  ///   - loop: Where the result, the output and the exit are told, in this order: result, output, exit.
  ///   - onOutput: Takes what the process wrote; called on `loop`.
  ///   - onExit: Called once, on `loop`, after the process was reaped, the rest of its group killed and its last output
  ///     handed on. Not called if the start failed.
  /// - Returns: The process once its program runs, or a failure with a ``ProcessError``.
  public func spawn(
    _ specification: ProcessSpecification, on loop: any EventLoop,
    onOutput: @escaping @Sendable (ProcessOutput) -> Void, onExit: @escaping @Sendable (ProcessExit) -> Void
  ) -> EventLoopFuture<KeptProcess> {
    let order = SpawnOrder(
      specification: specification, loop: loop, started: loop.makePromise(), onOutput: onOutput, onExit: onExit)
    if let problem = specification.problem {
      order.started.fail(ProcessError(code: .invalidSpecification, message: problem))
    } else if !mailbox.post(.spawn(order)) {
      order.started.fail(ProcessError(code: .shutDown, message: "The host is shutting down and starts no process."))
    }
    return order.started.futureResult
  }

  /// Sends a signal to the process and everything in its group. Does nothing once the process has ended.
  public func signal(_ process: KeptProcess, _ signal: ProcessSignal) {
    // Refused: the keeper has ended, and with it every process.
    _ = mailbox.post(.signal(process, signal.number))
  }

  /// The most memory that the process itself held at once, in bytes; nil once it has ended.
  /// - Complexity: One small file of /proc, some 10 µs, no allocation. May be called on any thread.
  public func memoryHighWater(_ process: KeptProcess) -> Int64? {
    guard mailbox.isAlive(process) else { return nil }
    let bytes = clinux_memory_high_water(process.processID)
    return bytes >= 0 ? bytes : nil
  }

  /// Ends all: SIGTERM to every group, SIGKILL to those that live after `grace`; the thread ends. From now on every spawn
  /// fails.
  ///
  /// - Returns: Completes when all are reaped. Fails with ``ProcessError/Code/unkillable`` if a process is still there 10 s
  ///   after SIGKILL.
  public func shutdown(within grace: TimeAmount, on loop: any EventLoop) -> EventLoopFuture<Void> {
    let promise = loop.makePromise(of: Void.self)
    if !mailbox.postShutdown(.shutdown(grace: grace, promise)) {
      promise.fail(ProcessError(code: .shutDown, message: "The process keeper was shut down before."))
    }
    return promise.futureResult
  }
}

extension ProcessSpecification {
  /// A sentence that says why this cannot be passed to the system; nil if it can.
  var problem: String? {
    guard let program = command.first, !program.isEmpty else { return "The command is empty." }
    for text in command + [directory] + environment.keys + environment.values where text.utf8.contains(0) {
      return "The command, its directory or its environment contains a zero byte: \(text.debugDescription)."
    }
    for name in environment.keys where name.isEmpty || name.utf8.contains(UInt8(ascii: "=")) {
      return "The environment has a variable with the name \(name.debugDescription), which is not one."
    }
    return nil
  }
}
