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
}

/// How a sandbox ended.
struct SandboxSummary: Sendable {
  /// The most memory that all its processes held at once, in bytes; 0 if that is not known.
  var memoryUsedBytes: Int64
  /// Whether it broke its memory limit.
  var isOutOfMemory: Bool
}

/// What a sandbox tells its host. All are called on the host's loop.
struct SandboxObserver: Sendable {
  /// Lines of a program's output, without their line breaks.
  var wrote: @Sendable (InstanceProgram, [String]) -> Void
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
  /// Ends every process, at once. Does nothing if it was called before.
  func kill()
  /// The most memory that all its processes have held at once so far, in bytes; 0 if that is not known.
  func memoryUsedBytes() -> Int64
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

/// Makes sandboxes of ordinary processes.
struct KeeperSandboxMaker: SandboxMaker {
  let keeper: ProcessKeeper

  func make(
    _ specification: SandboxSpecification, on loop: any EventLoop, observer: SandboxObserver
  ) -> EventLoopFuture<any Sandbox> {
    loop.makeSucceededFuture(KeeperSandbox(keeper: keeper, loop: loop, observer: observer))
  }

  func stop(on loop: any EventLoop) -> EventLoopFuture<Void> {
    // Every instance was killed by its host before, so there is nobody left to be asked politely.
    keeper.shutdown(within: .milliseconds(100), on: loop)
  }
}

/// A sandbox whose programs are process groups of their own.
private final class KeeperSandbox: Sandbox {
  private struct State {
    var running: [InstanceProgram: KeptProcess] = [:]
    /// Programs that are being started.
    var starting = 0
    var isKilled = false
    var isGone = false
    var memoryUsedBytes: Int64 = 0

    /// Whether the end is to be told now; true once.
    mutating func takeEnd() -> Bool {
      guard isKilled, !isGone, starting == 0, running.isEmpty else { return false }
      isGone = true
      return true
    }
  }

  private let keeper: ProcessKeeper
  private let loop: any EventLoop
  private let observer: SandboxObserver
  private let state = Mutex(State())

  init(keeper: ProcessKeeper, loop: any EventLoop, observer: SandboxObserver) {
    self.keeper = keeper
    self.loop = loop
    self.observer = observer
  }

  func launch(_ program: InstanceProgram, _ specification: ProcessSpecification) -> EventLoopFuture<Void> {
    state.withLock { $0.starting += 1 }
    let observer = observer
    return keeper.spawn(
      specification, on: loop, onOutput: { observer.wrote(program, $0.lines.map(\.text)) },
      onExit: { self.ended(program, $0) }
    ).always { self.started(program, $0) }.map { _ in }
  }

  private func started(_ program: InstanceProgram, _ result: Result<KeptProcess, any Error>) {
    let (kills, ends) = state.withLock { state in
      state.starting -= 1
      if case .success(let process) = result { state.running[program] = process }
      return (state.isKilled, state.takeEnd())
    }
    if kills, case .success(let process) = result { keeper.signal(process, .kill) }
    if ends { tellEnd() }
  }

  private func ended(_ program: InstanceProgram, _ exit: ProcessExit) {
    let ends = state.withLock { state in
      state.running[program] = nil
      state.memoryUsedBytes = max(state.memoryUsedBytes, exit.residentBytesMax ?? 0)
      return state.takeEnd()
    }
    observer.ended(program, exit.ending)
    if ends { tellEnd() }
  }

  private func tellEnd() {
    observer.gone(SandboxSummary(memoryUsedBytes: state.withLock { $0.memoryUsedBytes }, isOutOfMemory: false))
  }

  func signal(_ program: InstanceProgram, _ signal: ProcessSignal) {
    guard let process = state.withLock({ $0.running[program] }) else { return }
    keeper.signal(process, signal)
  }

  func freeze() { signalAll(.stop) }
  func thaw() { signalAll(.continue) }

  func kill() {
    let (isFirst, ends) = state.withLock { state in
      let isFirst = !state.isKilled
      state.isKilled = true
      return (isFirst, state.takeEnd())
    }
    if isFirst { signalAll(.kill) }
    // Not from inside this call: whoever kills has not finished what it does.
    if ends { loop.execute { self.tellEnd() } }
  }

  private func signalAll(_ signal: ProcessSignal) {
    for process in state.withLock({ Array($0.running.values) }) { keeper.signal(process, signal) }
  }

  func memoryUsedBytes() -> Int64 {
    let (running, ended) = state.withLock { (Array($0.running.values), $0.memoryUsedBytes) }
    return max(ended, running.reduce(0) { $0 + (keeper.memoryHighWater($1) ?? 0) })
  }
}

extension ProcessExit {
  fileprivate var ending: ProcessEnding {
    switch status {
    case .exited(let status): .exited(status: status)
    case .signaled(let signal): .signaled(signal)
    }
  }
}
