package import NIOCore

/// A program of an instance.
package enum InstanceProgram: Hashable, Sendable {
  /// The function itself, on its runtime.
  case runtime
  /// An external extension, by the name of its file.
  case `extension`(String)
}

/// The surroundings of an instance's programs, and their limits.
package struct SandboxSpecification: Sendable {
  /// What all its processes together may hold, in bytes.
  package var memoryLimitBytes: Int64
  /// What `/tmp` may hold, in bytes.
  package var temporaryStorageLimitBytes: Int64
  /// How many processes and threads it may have at once.
  package var processesMax = SandboxSpecification.processesMaxStandard
  /// Where its programs start.
  package var directory: String
  /// Paths, and lists of paths as in `PATH`, that its programs need: what of them lies in the host's `/tmp` is seen in
  /// the sandbox's own, too.
  package var paths: [String]

  /// Directories whose contents are seen at `/opt`, a later one over an earlier one.
  package var layers: [String]

  /// As on AWS, where 1,024 processes and threads is a quota that cannot be raised.
  package static let processesMaxStandard = 1024

  /// A sandbox with the standard limit of processes.
  package init(
    memoryLimitBytes: Int64, temporaryStorageLimitBytes: Int64, directory: String = "/", paths: [String] = [],
    layers: [String] = []
  ) {
    self.memoryLimitBytes = memoryLimitBytes
    self.temporaryStorageLimitBytes = temporaryStorageLimitBytes
    self.directory = directory
    self.paths = paths
    self.layers = layers
  }
}

/// How a sandbox ended.
package struct SandboxSummary: Sendable {
  /// The most memory that all its processes held at once, in bytes; 0 if that is not known.
  package var memoryUsedBytes: Int64
  /// Whether it broke its memory limit.
  package var isOutOfMemory: Bool
  /// Whether it was ended because its temporary files were more than their limit.
  package var isOutOfStorage = false
}

/// What a sandbox reports to its host. All are called on the host's loop.
package struct SandboxObserver: Sendable {
  /// Lines of a program's output, without their line breaks.
  package var wrote: @Sendable (InstanceProgram, [String]) -> Void
  /// Lines of a program's output, and their bytes, that came faster than they were taken and are lost.
  package var dropped: @Sendable (InstanceProgram, _ lines: Int, _ bytes: Int) -> Void
  /// A program is gone, after its last line.
  package var ended: @Sendable (InstanceProgram, ProcessExit.Status) -> Void
  /// All of the sandbox is gone: after every program's end. It is told once, and only after ``Sandbox/kill()``, or
  /// after the sandbox was ended from outside.
  package var gone: @Sendable (SandboxSummary) -> Void

  /// An observer of these four functions.
  package init(
    wrote: @escaping @Sendable (InstanceProgram, [String]) -> Void,
    dropped: @escaping @Sendable (InstanceProgram, _ lines: Int, _ bytes: Int) -> Void,
    ended: @escaping @Sendable (InstanceProgram, ProcessExit.Status) -> Void,
    gone: @escaping @Sendable (SandboxSummary) -> Void
  ) {
    self.wrote = wrote
    self.dropped = dropped
    self.ended = ended
    self.gone = gone
  }
}

/// The sandbox of one instance: its programs share a memory limit and `/tmp`, and end together. Used on the host's
/// loop.
package protocol Sandbox: Sendable {
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
  /// - Returns: Completes once the end of every program was reported; fails if the sandbox is ending, which then is
  ///   told.
  func clear() -> EventLoopFuture<Void>
  /// Ends every process, at once. Does nothing if it was called before.
  func kill()
  /// The most memory that all its processes have held at once so far, in bytes; 0 if that is not known.
  func memoryUsedBytes() -> Int64
  /// What is held from here on is another instance's.
  func forgetMemoryPeak()
  /// Whether any of its programs' processes has a socket open, by its number in `/proc/PID/fd`; `nil` if that is
  /// unknown.
  func hasOpen(socket: UInt32) -> Bool?
}

/// Makes sandboxes. The host's only way to processes, so that a test can put others in their place.
package protocol SandboxMaker: Sendable {
  /// Makes a sandbox without programs; called on the host's loop.
  func make(
    _ specification: SandboxSpecification, on loop: any EventLoop, observer: SandboxObserver
  ) -> EventLoopFuture<any Sandbox>

  /// Ends every process that is left; completes when all are gone.
  func stop(on loop: any EventLoop) -> EventLoopFuture<Void>
}
