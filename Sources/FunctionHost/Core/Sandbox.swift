import CLinux
import Lifecycle
import NIOCore
import Synchronization

/// A program of an instance.
enum InstanceProgram: Hashable, Sendable {
  /// The function itself, on its runtime.
  case runtime
  /// An external extension, by the name of its file.
  case `extension`(String)
}

/// What an instance's programs run in, and what it is allowed.
struct SandboxSpecification: Sendable {
  /// What all its processes together may hold, in bytes.
  var memoryLimitBytes: Int64
  /// What `/tmp` may hold, in bytes.
  var temporaryStorageLimitBytes: Int64
  /// How many processes and threads it may have at once.
  var processesMax = SandboxSpecification.processesMaxStandard
  /// Where its programs start.
  var directory = "/"
  /// Paths, and lists of paths as in `PATH`, that its programs need: what of them lies in the host's `/tmp` is seen in
  /// the sandbox's own, too.
  var paths: [String] = []

  /// Directories whose contents are seen at `/opt`, a later one over an earlier one.
  var layers: [String] = []

  /// As on AWS, where 1,024 processes and threads is a quota that cannot be raised.
  static let processesMaxStandard = 1024
}

/// How a sandbox ended.
struct SandboxSummary: Sendable {
  /// The most memory that all its processes held at once, in bytes; 0 if that is not known.
  var memoryUsedBytes: Int64
  /// Whether it broke its memory limit.
  var isOutOfMemory: Bool
  /// Whether it was ended because its temporary files were more than their limit.
  var isOutOfStorage = false
}

/// What a sandbox tells its host. All are called on the host's loop.
struct SandboxObserver: Sendable {
  /// Lines of a program's output, without their line breaks.
  var wrote: @Sendable (InstanceProgram, [String]) -> Void
  /// Lines of a program's output, and their bytes, that came faster than they were taken and are lost.
  var dropped: @Sendable (InstanceProgram, _ lines: Int, _ bytes: Int) -> Void
  /// A program is gone, after its last line.
  var ended: @Sendable (InstanceProgram, ProcessEnding) -> Void
  /// All of the sandbox is gone: after every program's end. It is told once, and only after ``Sandbox/kill()``, or
  /// after the sandbox was ended from outside.
  var gone: @Sendable (SandboxSummary) -> Void
}

/// What one instance runs in: its programs share memory limit, `/tmp` and fate. Used on the host's loop.
protocol Sandbox: Sendable {
  /// Starts a program.
  ///
  /// - Returns: Completes once the program runs; fails with a ``ProcessError`` if it does not, and then nothing is told
  ///   of its end.
  func launch(_ program: InstanceProgram, _ specification: ProcessSpecification) -> EventLoopFuture<Void>
  /// Sends a signal to a program and what belongs to it. Does nothing if it is gone.
  func signal(_ program: InstanceProgram, _ signal: ProcessSignal)
  /// Stops every process where it is (SIGSTOP).
  func freeze()
  /// Lets every process go on (SIGCONT).
  func thaw()
  /// Ends every process, at once, and keeps the sandbox with its files for programs that are launched later.
  ///
  /// - Returns: Completes once the end of every program was told.
  func clear() -> EventLoopFuture<Void>
  /// Ends every process, at once. Does nothing if it was called before.
  func kill()
  /// The most memory that all its processes have held at once so far, in bytes; 0 if that is not known.
  func memoryUsedBytes() -> Int64
  /// What is held from here on is another instance's.
  func forgetMemoryPeak()
  /// Whether any of its programs' processes has a socket open, by its number in `/proc/PID/fd`; `nil` if that cannot be told.
  func hasOpen(socket: UInt32) -> Bool?
}

/// Makes sandboxes. The host's only way to processes, so that a test can put others in their place.
protocol SandboxMaker: Sendable {
  /// Makes a sandbox without programs; called on the host's loop.
  func make(
    _ specification: SandboxSpecification, on loop: any EventLoop, observer: SandboxObserver
  ) -> EventLoopFuture<any Sandbox>

  /// Ends every process that is left; completes when all are gone.
  func stop(on loop: any EventLoop) -> EventLoopFuture<Void>
}

/// Makes sandboxes as isolated as the machine allows.
struct KeeperSandboxMaker: SandboxMaker {
  let keeper: ProcessKeeper

  func make(
    _ specification: SandboxSpecification, on loop: any EventLoop, observer: SandboxObserver
  ) -> EventLoopFuture<any Sandbox> {
    keeper.makeSandbox(specification, on: loop, onGone: observer.gone).map { sandbox in
      KeeperSandbox(sandbox: sandbox, keeper: keeper, loop: loop, observer: observer)
    }
  }

  func stop(on loop: any EventLoop) -> EventLoopFuture<Void> {
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
  private struct Programs {
    var running: [InstanceProgram: KeptProcess] = [:]
    /// Those that were asked for and whose end is not told yet.
    var count = 0
    var whenNone: EventLoopPromise<Void>?
  }
  private let programs = Mutex(Programs())

  init(sandbox: KeptSandbox, keeper: ProcessKeeper, loop: any EventLoop, observer: SandboxObserver) {
    self.sandbox = sandbox
    self.keeper = keeper
    self.loop = loop
    self.observer = observer
  }

  func launch(_ program: InstanceProgram, _ specification: ProcessSpecification) -> EventLoopFuture<Void> {
    let observer = observer
    programs.withLock { $0.count += 1 }
    let launched = keeper.launch(
      specification, in: sandbox, on: loop, onOutput: { observer.take($0, of: program) },
      onExit: { self.ended(program, $0) }
    )
    launched.whenFailure { _ in self.isGone(program) }
    return launched.map { process in self.programs.withLock { $0.running[program] = process } }
  }

  private func ended(_ program: InstanceProgram, _ exit: ProcessExit) {
    // Told first: who waits for the end of all is to find none to be told.
    observer.ended(program, exit.ending)
    isGone(program)
  }

  private func isGone(_ program: InstanceProgram) {
    let promise = programs.withLock { programs -> EventLoopPromise<Void>? in
      programs.running[program] = nil
      programs.count -= 1
      guard programs.count == 0 else { return nil }
      defer { programs.whenNone = nil }
      return programs.whenNone
    }
    promise?.succeed()
  }

  func clear() -> EventLoopFuture<Void> {
    keeper.clear(sandbox)
    let promise = loop.makePromise(of: Void.self)
    let isNow = programs.withLock { programs in
      if programs.count > 0 { programs.whenNone = promise }
      return programs.count == 0
    }
    if isNow { promise.succeed() }
    return promise.futureResult
  }

  func signal(_ program: InstanceProgram, _ signal: ProcessSignal) {
    guard let process = programs.withLock({ $0.running[program] }) else { return }
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

extension ProcessExit {
  fileprivate var ending: ProcessEnding {
    switch status {
    case .exited(let status): .exited(status: status)
    case .signaled(let signal): .signaled(signal)
    case .outOfMemory: .outOfMemory
    }
  }
}

extension SandboxObserver {
  fileprivate func take(_ output: ProcessOutput, of program: InstanceProgram) {
    if !output.lines.isEmpty { wrote(program, output.lines.map(\.text)) }
    if output.linesDropped > 0 { dropped(program, output.linesDropped, output.bytesDropped) }
  }
}
