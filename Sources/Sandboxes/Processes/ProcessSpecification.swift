import Glibc

/// Which program to run, and with which environment. The program inherits nothing from the host.
package struct ProcessSpecification: Sendable {
  /// The program and its arguments. Without a `/` the program is looked for in the `PATH` of ``environment`` (where there is
  /// none: /usr/local/bin, /usr/bin, /bin); a relative path is relative to ``directory``. No shell is involved, ever.
  package var command: [String]
  /// The whole environment.
  package var environment: [String: String]
  /// The working directory.
  package var directory: String
  /// The limit of open files, at most the host's own; 1024 as in AWS unless changed.
  package var openFilesMax = 1024
  /// The longest line of output, in bytes, and AWS's: a longer one becomes several lines.
  package var lineBytesMax = 256 * 1024
  /// The most output, in bytes, that waits for the event loop to take it; what comes on top is dropped and counted.
  package var outputBytesMax = 1024 * 1024

  /// A command with the limits above.
  package init(command: [String], environment: [String: String], directory: String) {
    self.command = command
    self.environment = environment
    self.directory = directory
  }

  /// Where its files may lie: paths, and lists of paths.
  package var paths: [String] { [directory] + command + environment.values }
}

/// A program that a ``ProcessKeeper`` started. Stays meaningful after it ended: nothing that is done with it can reach
/// another process that was given the same id by the system later.
struct KeptProcess: Hashable, Sendable {
  /// The id of the process, and of the group that it leads, as its sandbox sees it.
  let processID: Int32
  /// The keeper's own numbers, never used twice.
  let serial: UInt64
  let sandbox: UInt64
}

/// A sandbox of a ``ProcessKeeper``; stays meaningful after its end.
struct KeptSandbox: Hashable, Sendable {
  let serial: UInt64
  /// Of its launcher, of which all its processes descend.
  let processID: Int32
  /// What its processes hold.
  let memory: SandboxMemory

  static func == (left: KeptSandbox, right: KeptSandbox) -> Bool { left.serial == right.serial }
  func hash(into hasher: inout Hasher) { hasher.combine(serial) }
}

/// Signals that the host sends.
package enum ProcessSignal: Hashable, Sendable {
  /// SIGTERM: end, please.
  case terminate
  /// SIGKILL: ended.
  case kill
  /// SIGSTOP: stays where it is.
  case stop
  /// SIGCONT: goes on.
  case `continue`
  /// Whatever the function's configuration names: give up what you are doing.
  case abort(AbortSignal)

  var number: Int32 {
    switch self {
    case .terminate: SIGTERM
    case .kill: SIGKILL
    case .stop: SIGSTOP
    case .continue: SIGCONT
    case .abort(let signal): signal.number
    }
  }
}
