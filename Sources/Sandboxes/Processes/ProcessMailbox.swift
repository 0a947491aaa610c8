import CLinux
import Glibc
import NIOCore
import Synchronization

/// A command for the keeper's thread.
enum ProcessCommand: Sendable {
  case make(SandboxOrder)
  case launch(KeptSandbox, LaunchOrder)
  case signal(KeptProcess, Int32)
  case freeze(KeptSandbox)
  case thaw(KeptSandbox)
  case clear(KeptSandbox, EventLoopPromise<Void>)
  case kill(KeptSandbox, KillReason)
  case shutdown(grace: TimeAmount, EventLoopPromise<Void>)

  /// Whether it makes something that must end again.
  var starts: Bool {
    switch self {
    case .make, .launch: true
    case .signal, .freeze, .thaw, .clear, .kill, .shutdown: false
    }
  }
}

/// Why a sandbox is ended.
enum KillReason: Hashable, Sendable { case wanted, outOfMemory, outOfStorage }

/// A sandbox to start, and the promise for it.
struct SandboxOrder: Sendable {
  let specification: SandboxSpecification
  let loop: any EventLoop
  let made: EventLoopPromise<KeptSandbox>
  let onGone: @Sendable (SandboxSummary) -> Void
}

/// A program to start, and the promise for it.
struct LaunchOrder: Sendable {
  let specification: ProcessSpecification
  let loop: any EventLoop
  let started: EventLoopPromise<KeptProcess>
  let onOutput: @Sendable (ProcessOutput) -> Void
  let onExit: @Sendable (ProcessExit) -> Void
}

/// Where commands wait for the keeper's thread, and what it tells about its children.
final class ProcessMailbox: Sendable {
  private struct State {
    var commands: [ProcessCommand] = []
    var isShuttingDown = false
    var isClosed = false
  }

  private let state = Mutex(State())
  /// Polls readable when commands wait.
  let descriptor: Int32

  init() throws(ProcessError) {
    descriptor = clinux_eventfd()
    guard descriptor >= 0 else { throw ProcessError(resource: "an event descriptor") }
  }

  deinit { Glibc.close(descriptor) }

  /// False if nothing is taken any more.
  func post(_ command: ProcessCommand) -> Bool {
    let taken = state.withLock { state in
      guard !state.isClosed, !(command.starts && state.isShuttingDown) else { return false }
      state.commands.append(command)
      return true
    }
    if taken { wake() }
    return taken
  }

  /// False if the shutdown was asked for before.
  func postShutdown(_ command: ProcessCommand) -> Bool {
    let taken = state.withLock { state in
      guard !state.isClosed, !state.isShuttingDown else { return false }
      state.isShuttingDown = true
      state.commands.append(command)
      return true
    }
    if taken { wake() }
    return taken
  }

  func takeCommands() -> [ProcessCommand] {
    var count: UInt64 = 0
    unsafe _ = read(descriptor, &count, MemoryLayout<UInt64>.size)
    return state.withLock { state in
      let commands = state.commands
      state.commands = []
      return commands
    }
  }

  /// From now on nothing is taken.
  func close() { state.withLock { state in state.isClosed = true } }

  private func wake() {
    var one: UInt64 = 1
    unsafe _ = write(descriptor, &one, MemoryLayout<UInt64>.size)
  }
}

extension ProcessError {
  /// `errno` says that the system has no more of something.
  init(resource: String) {
    let reason = unsafe String(cString: strerror(errno))
    self.init(code: .resources, message: "The system refuses \(resource): \(reason).")
  }
}
