import Lifecycle
import NIOCore

/// What a process tells its host. Both are called on the host's loop.
struct InstanceObserver: Sendable {
  /// Lines of its output, without their line breaks.
  var wrote: @Sendable ([String]) -> Void
  /// It is gone, after its last line. With the most memory that it used, in bytes.
  var ended: @Sendable (ProcessEnding, _ memoryUsedBytes: Int64) -> Void
}

/// The process of one instance.
protocol InstanceProcess: Sendable {
  /// Ends the process and all that it started, at once. Does nothing if it is gone.
  func kill()
  /// The most memory that it has used so far, in bytes; 0 if that is not known.
  func memoryUsedBytes() -> Int64
}

/// Starts processes. The host's only way to them, so that a test can put others in their place.
protocol InstanceStarter: Sendable {
  /// Starts a process; called on the host's loop.
  ///
  /// - Returns: The process once its program runs; a failure if there is none, and then `observer` is not called.
  func start(
    _ specification: ProcessSpecification, on loop: any EventLoop, observer: InstanceObserver
  ) -> EventLoopFuture<any InstanceProcess>

  /// Ends every process that is left; completes when all are gone.
  func stop(on loop: any EventLoop) -> EventLoopFuture<Void>
}

/// Starts processes with the keeper.
struct KeeperStarter: InstanceStarter {
  let keeper: ProcessKeeper

  private struct Process: InstanceProcess {
    let keeper: ProcessKeeper
    let process: KeptProcess
    func kill() { keeper.signal(process, .kill) }
    func memoryUsedBytes() -> Int64 { keeper.memoryHighWater(process) ?? 0 }
  }

  func start(
    _ specification: ProcessSpecification, on loop: any EventLoop, observer: InstanceObserver
  ) -> EventLoopFuture<any InstanceProcess> {
    keeper.spawn(
      specification, on: loop, onOutput: { observer.wrote($0.lines.map(\.text)) },
      onExit: { exit in
        let ending: ProcessEnding =
          switch exit.status {
          case .exited(let status): .exited(status: status)
          case .signaled(let signal): .signaled(signal)
          }
        observer.ended(ending, exit.residentBytesMax ?? 0)
      }
    ).map { Process(keeper: keeper, process: $0) }
  }

  func stop(on loop: any EventLoop) -> EventLoopFuture<Void> {
    // Every instance was killed by its host before, so there is nobody left to be asked politely.
    keeper.shutdown(within: .milliseconds(100), on: loop)
  }
}
