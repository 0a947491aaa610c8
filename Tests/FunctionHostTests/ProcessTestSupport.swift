import FunctionHost
import Glibc
import NIOCore
import NIOPosix
import Synchronization
import Testing

/// The launcher that this package built: it lies beside the test bundle, while the running program is the toolchain's
/// test helper.
func testLauncher() throws -> String {
  let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") || $0.contains(".xctest/") }
  let directory = bundle.map { $0[..<($0.firstRange(of: ".xctest")?.lowerBound ?? $0.endIndex)] }
  if let slash = directory?.lastIndex(of: "/"), let path = directory?[..<slash] {
    let launcher = "\(path)/kelvin-launcher"
    if unsafe access(launcher, X_OK) == 0 { return launcher }
  }
  return try LauncherLocation.find()
}

/// What a process wrote and how it ended.
final class ProcessRecord: Sendable {
  private struct State {
    var output = ProcessOutput()
    var deliveries = 0
    var linesPerDeliveryMax = 0
    var exit: ProcessExit?
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
  static func run(_ body: (ProcessBench) async throws -> Void) async throws {
    let bench = ProcessBench(keeper: try ProcessKeeper(launcher: testLauncher()))
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
    let process = try await keeper.spawn(
      specification, on: loop, onOutput: { record.take($0) }, onExit: { record.end($0) }
    ).get()
    return (process, record)
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

/// Whether a process is there and is no zombie: what became an orphan may wait long for its new parent to reap it.
func isRunning(_ processID: Int32) -> Bool {
  let descriptor = unsafe open("/proc/\(processID)/stat", O_RDONLY)
  guard descriptor >= 0 else { return false }
  defer { close(descriptor) }
  var text = [UInt8](repeating: 0, count: 512)
  let count = unsafe read(descriptor, &text, text.count)
  guard count > 0, let name = text[..<count].lastIndex(of: UInt8(ascii: ")")), name + 2 < count else { return false }
  return text[name + 2] != UInt8(ascii: "Z") && text[name + 2] != UInt8(ascii: "X")
}
