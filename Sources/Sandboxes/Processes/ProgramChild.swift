import CLinux
import Glibc
import Lifecycle
import NIOCore

/// A program of a sandbox: its pipes, and who gets its output and its end. Used on the keeper's thread only.
final class ProgramChild {
  enum Stream: Int { case output, error }

  let serial: UInt64
  let order: LaunchOrder
  private(set) var isRunning = false
  /// Closed together with this object.
  private var descriptors: [Int32]
  private let queue: OutputQueue
  private var output: LineSplitter
  private var error: LineSplitter

  /// Takes over the reading ends.
  init(serial: UInt64, order: LaunchOrder, output: Int32, error: Int32, pump: OutputPump) {
    self.serial = serial
    self.order = order
    descriptors = [output, error]
    queue = OutputQueue(bytesMax: order.specification.outputBytesMax, pump: pump, onOutput: order.onOutput)
    self.output = LineSplitter(lineBytesMax: order.specification.lineBytesMax)
    self.error = LineSplitter(lineBytesMax: order.specification.lineBytesMax)
  }

  deinit {
    for descriptor in descriptors where descriptor >= 0 { close(descriptor) }
  }

  func watch(with epoll: Int32) -> Bool {
    clinux_epoll_add(epoll, descriptors[0], Token(serial, .output).value) == 0
      && clinux_epoll_add(epoll, descriptors[1], Token(serial, .error).value) == 0
  }

  func runs(as process: KeptProcess) {
    isRunning = true
    order.started.succeed(process)
  }

  /// Reads one piece of what was written. False if there is no more now.
  func readOutput(_ stream: Stream, buffer: UnsafeMutableRawBufferPointer) -> Bool {
    let descriptor = descriptors[stream.rawValue]
    guard descriptor >= 0 else { return false }
    let count = unsafe read(descriptor, buffer.baseAddress, buffer.count)
    guard count > 0 else {
      if count == 0 || errno != EAGAIN && errno != EINTR {
        close(descriptor)
        descriptors[stream.rawValue] = -1
      }
      return false
    }
    handOn { budget, lines in
      let bytes = unsafe UnsafeRawBufferPointer(rebasing: buffer[..<count])
      if stream == .output {
        unsafe output.feed(bytes, stream: .standardOutput, budget: &budget, into: &lines)
      } else {
        unsafe error.feed(bytes, stream: .standardError, budget: &budget, into: &lines)
      }
    }
    return true
  }

  /// Hands on what is still in the pipes, then the end. A descendant may hold the pipes open, so it does not wait for
  /// their end; and reads no more than pipes can hold, in case that one goes on writing.
  func end(_ exit: ProcessExit, _ farewells: Farewells, buffer: UnsafeMutableRawBufferPointer) {
    for stream in [Stream.output, .error] {
      for _ in 0..<32 where unsafe !readOutput(stream, buffer: buffer) { break }
    }
    handOn { budget, lines in
      output.finish(stream: .standardOutput, budget: &budget, into: &lines)
      error.finish(stream: .standardError, budget: &budget, into: &lines)
    }
    let onExit = order.onExit
    farewells.begin()
    queue.finish {
      onExit(exit)
      farewells.end()
    }
  }

  private func handOn(_ body: (inout Int, inout ProcessOutput) -> Void) {
    var lines = ProcessOutput()
    var budget = queue.budget
    body(&budget, &lines)
    queue.add(lines)
  }
}

/// What epoll says is ready: whose descriptor, and which.
struct Token {
  enum Source: UInt64 { case end, control, memory, output, error }

  var value: UInt64

  init(_ serial: UInt64, _ source: Source) { value = serial << 3 | source.rawValue }
  init(value: UInt64) { self.value = value }

  var serial: UInt64 { value >> 3 }
  var source: Source? { Source(rawValue: value & 7) }
}

/// A pipe of a program.
struct OutputPipe {
  var reader: Int32 = -1
  var writer: Int32 = -1

  init?() {
    guard unsafe clinux_pipe(&reader, &writer) == 0 else { return nil }
  }
}

extension ProcessError {
  /// What the launcher reports about a start that failed.
  init(launcherFailure failure: Int32, sentence: String) {
    message = sentence
    switch failure {
    case Int32(LAUNCHER_FAILURE_NOT_FOUND.rawValue): code = .commandNotFound
    case Int32(LAUNCHER_FAILURE_NOT_EXECUTABLE.rawValue): code = .notExecutable
    case Int32(LAUNCHER_FAILURE_DIRECTORY.rawValue): code = .directory
    case Int32(LAUNCHER_FAILURE_TOO_LARGE.rawValue): code = .invalidSpecification
    default: code = .launcher
    }
  }
}
