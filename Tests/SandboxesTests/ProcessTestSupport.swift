import Glibc
import NIOCore
import NIOPosix
import Synchronization
import TestSupport
import Testing

@testable import Sandboxes

/// What a process wrote and how it ended.
final class ProcessRecord: Sendable {
  private struct State {
    var output = ProcessOutput()
    var deliveries = 0
    var linesPerDeliveryMax = 0
    var exit: ProcessExit?
    var summary: SandboxSummary?
    var linesAfterExit = 0
  }

  private let state = Mutex(State())

  func take(_ output: ProcessOutput) {
    state.withLock { state in
      state.output.lines += output.lines
      state.output.linesDropped += output.linesDropped
      state.output.bytesDropped += output.bytesDropped
      state.deliveries += 1
      if state.exit != nil { state.linesAfterExit += output.lines.count }
    }
  }

  func end(_ exit: ProcessExit) { state.withLock { $0.exit = exit } }
  func end(_ summary: SandboxSummary) { state.withLock { $0.summary = summary } }

  var summary: SandboxSummary? { state.withLock { $0.summary } }
  var exit: ProcessExit? { state.withLock { $0.exit } }
  var output: ProcessOutput { state.withLock { $0.output } }
  var lines: [String] { state.withLock { $0.output.lines.map(\.text) } }
  var linesAfterExit: Int { state.withLock { $0.linesAfterExit } }
}

/// A keeper, the processes it started in a test, and the loop on which they are told about.
struct ProcessBench {
  let keeper: ProcessKeeper
  let loop: any EventLoop = MultiThreadedEventLoopGroup.singleton.any()

  /// Runs `body` with a keeper that has ended afterwards, and all of its processes with it.
  static func run(
    _ mode: Isolation.Mode = .auto, _ body: (ProcessBench) async throws -> Void
  ) async throws {
    let bench = ProcessBench(keeper: try ProcessKeeper(launcher: TestPrograms.launcher(), isolation: mode))
    do {
      try await body(bench)
    } catch {
      try? await bench.keeper.shutdown(within: .zero, on: bench.loop).get()  // The first error is the one to show.
      throw error
    }
    // A test of the shutdown has done it already.
    try? await bench.keeper.shutdown(within: .zero, on: bench.loop).get()
  }

  func start(_ specification: ProcessSpecification) async throws -> (KeptProcess, ProcessRecord) {
    let record = ProcessRecord()
    return (try await spawn(specification, record).get(), record)
  }

  /// Starts a program in a sandbox of its own, which ends with it.
  func spawn(_ specification: ProcessSpecification, _ record: ProcessRecord) -> EventLoopFuture<KeptProcess> {
    let keeper = keeper
    let loop = loop
    let limits = SandboxSpecification(
      memoryLimitBytes: 512 << 20, temporaryStorageLimitBytes: 64 << 20, paths: specification.paths)
    return keeper.makeSandbox(limits, on: loop, onGone: { record.end($0) }).flatMap { sandbox in
      keeper.launch(
        specification, in: sandbox, on: loop, onOutput: { record.take($0) },
        onExit: {
          record.end($0)
          keeper.kill(sandbox)
        }
      ).flatMapErrorThrowing {
        keeper.kill(sandbox)
        throw $0
      }
    }
  }

  func makeSandbox(memoryBytes: Int64 = 512 << 20, storageBytes: Int64 = 64 << 20) async throws -> KeptSandbox {
    try await keeper.makeSandbox(
      SandboxSpecification(memoryLimitBytes: memoryBytes, temporaryStorageLimitBytes: storageBytes), on: loop,
      onGone: { _ in }
    ).get()
  }

  func launch(
    _ command: [String], in sandbox: KeptSandbox, _ record: ProcessRecord
  ) async throws -> KeptProcess {
    try await keeper.launch(
      ProcessSpecification(command: command, environment: testEnvironment, directory: "/"), in: sandbox, on: loop,
      onOutput: { record.take($0) }, onExit: { record.end($0) }
    ).get()
  }

  func start(_ command: [String]) async throws -> (KeptProcess, ProcessRecord) {
    try await start(ProcessSpecification(command: command, environment: testEnvironment, directory: "/"))
  }

  /// Runs a command to its end.
  func finish(_ command: [String]) async throws -> ProcessRecord {
    let (_, record) = try await start(command)
    await eventually { record.exit != nil }
    return record
  }
}

let testEnvironment = ["PATH": "/usr/local/bin:/usr/bin:/bin"]

/// Polls until `condition` holds, for at most 30 s.
func eventually(_ condition: () -> Bool, sourceLocation: SourceLocation = #_sourceLocation) async {
  let clock = ContinuousClock()
  let deadline = clock.now + .seconds(30)
  while !condition() {
    guard clock.now < deadline else {
      Issue.record("the condition did not come true within 30 s", sourceLocation: sourceLocation)
      return
    }
    try? await clock.sleep(for: .milliseconds(2))  // Cancelled: the test ends anyway.
  }
}

/// Removes a folder of a test's own.
func removeFolder(_ path: String) {
  let folder = unsafe open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
  guard folder >= 0 else { return }
  defer { close(folder) }
  var remover = FolderRemover(folder)
  let isEmpty = remover.empty()
  #expect(isEmpty)
  #expect(unsafe rmdir(path) == 0)
}
