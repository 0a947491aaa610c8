internal import CLinux
internal import Glibc
internal import Lifecycle
internal import NIOCore

/// A child of the keeper's thread: its descriptors and what was learned about it. Used on that thread only.
final class KeptChild {
  enum Source: UInt64 { case end, output, error, status }

  let process: KeptProcess
  let order: SpawnOrder
  /// Closed together with this object.
  private var descriptors: [Int32] = [-1, -1, -1, -1]
  private let queue: OutputQueue
  private var output: LineSplitter
  private var error: LineSplitter
  /// The host's own peak when the child was spawned: the kernel lets the child's figure begin there.
  private let hostResidentBytesMax: Int64
  private(set) var failure: ProcessError?
  private(set) var isRunning = false

  /// Takes over the descriptors.
  init(process: KeptProcess, order: SpawnOrder, pipes: SpawnPipes, end: Int32) {
    self.process = process
    self.order = order
    descriptors[Int(Source.end.rawValue)] = end
    descriptors[Int(Source.output.rawValue)] = pipes.output.reader
    descriptors[Int(Source.error.rawValue)] = pipes.error.reader
    descriptors[Int(Source.status.rawValue)] = pipes.status.reader
    queue = OutputQueue(
      bytesMax: order.specification.outputBytesMax, loop: order.loop, onOutput: order.onOutput)
    output = LineSplitter(lineBytesMax: order.specification.lineBytesMax)
    error = LineSplitter(lineBytesMax: order.specification.lineBytesMax)
    var usage = rusage()
    unsafe _ = getrusage(RUSAGE_SELF.rawValue, &usage)
    hostResidentBytesMax = Int64(usage.ru_maxrss) * 1024
  }

  deinit {
    for descriptor in descriptors where descriptor >= 0 { close(descriptor) }
  }

  func watch(with epoll: Int32) -> Bool {
    for (index, descriptor) in descriptors.enumerated() {
      guard clinux_epoll_add(epoll, descriptor, process.serial << 2 | UInt64(index)) == 0 else { return false }
    }
    return true
  }

  /// Looks whether the function's program has started. Silence and the end of the pipe mean that it has.
  ///
  /// - Parameter hasEnded: The process has ended, so that silence alone means it: the pipe's end may come later, while a
  ///   child that is being spawned by another thread has not yet let go of its copy.
  func readStatus(hasEnded: Bool) {
    let descriptor = descriptors[Int(Source.status.rawValue)]
    guard descriptor >= 0 else { return }
    var text = [UInt8](repeating: 0, count: 4096)
    let count = unsafe read(descriptor, &text, text.count)
    if !hasEnded, count < 0, errno == EAGAIN || errno == EINTR { return }
    closeSource(.status)
    if count > 0 {
      failure = ProcessError(launcherReport: text[..<count])
    } else {
      isRunning = true
    }
  }

  /// Reads one piece of what was written. False if there is no more now.
  func readOutput(_ source: Source, buffer: UnsafeMutableRawBufferPointer) -> Bool {
    let descriptor = descriptors[Int(source.rawValue)]
    guard descriptor >= 0 else { return false }
    let count = unsafe read(descriptor, buffer.baseAddress, buffer.count)
    guard count > 0 else {
      if count == 0 || errno != EAGAIN && errno != EINTR { closeSource(source) }
      return false
    }
    handOn { budget, lines in
      let bytes = unsafe UnsafeRawBufferPointer(rebasing: buffer[..<count])
      if source == .output {
        unsafe output.feed(bytes, stream: .standardOutput, budget: &budget, into: &lines)
      } else {
        unsafe error.feed(bytes, stream: .standardError, budget: &budget, into: &lines)
      }
    }
    return true
  }

  /// Hands on what is still in the pipes. A descendant that left the group may hold them open, so it does not wait for
  /// their end; and reads no more than pipes can hold, in case that one goes on writing.
  func finishOutput(buffer: UnsafeMutableRawBufferPointer) {
    for source in [Source.output, .error] {
      for _ in 0..<32 where unsafe !readOutput(source, buffer: buffer) { break }
    }
    handOn { budget, lines in
      output.finish(stream: .standardOutput, budget: &budget, into: &lines)
      error.finish(stream: .standardError, budget: &budget, into: &lines)
    }
  }

  /// Takes the ended process from the system. Nil if it has not ended.
  func reap() -> ProcessExit? {
    var status: Int32 = 0
    var usage = rusage()
    // Everything that the process left behind in its group goes with it. Before the reaping: as long as the leader is
    // a zombie, the system gives its id to nobody else.
    kill(-process.processID, SIGKILL)
    guard unsafe wait4(process.processID, &status, WNOHANG, &usage) == process.processID else { return nil }
    let signal = status & 0x7F
    let residentBytesMax = Int64(usage.ru_maxrss) * 1024
    let seconds = Int64(usage.ru_utime.tv_sec) + Int64(usage.ru_stime.tv_sec)
    let microseconds = Int64(usage.ru_utime.tv_usec) + Int64(usage.ru_stime.tv_usec)
    return ProcessExit(
      status: signal == 0 ? .exited(status >> 8 & 0xFF) : .signaled(signal),
      residentBytesMax: residentBytesMax > hostResidentBytesMax ? residentBytesMax : nil,
      processorTime: Nanoseconds(seconds * 1_000_000_000 + microseconds * 1000))
  }

  private func handOn(_ body: (inout Int, inout ProcessOutput) -> Void) {
    guard failure == nil else { return }
    var lines = ProcessOutput()
    let before = queue.budget
    var budget = before
    body(&budget, &lines)
    // A dropped line sets the budget to nothing, which costs nothing.
    queue.add(lines, cost: lines.linesDropped > 0 ? before : before - budget)
  }

  private func closeSource(_ source: Source) {
    close(descriptors[Int(source.rawValue)])
    descriptors[Int(source.rawValue)] = -1
  }
}

/// The pipes between the keeper and a child that is being spawned.
struct SpawnPipes {
  struct Pipe {
    var reader: Int32 = -1
    var writer: Int32 = -1

    init?() {
      guard unsafe clinux_pipe(&reader, &writer) == 0 else { return nil }
    }

    func closeAll() {
      close(reader)
      close(writer)
    }
  }

  let output: Pipe
  let error: Pipe
  let status: Pipe

  init?() {
    guard let output = Pipe() else { return nil }
    guard let error = Pipe() else {
      output.closeAll()
      return nil
    }
    guard let status = Pipe() else {
      output.closeAll()
      error.closeAll()
      return nil
    }
    self.output = output
    self.error = error
    self.status = status
  }

  func closeWriters() { for pipe in [output, error, status] { close(pipe.writer) } }
  func closeReaders() { for pipe in [output, error, status] { close(pipe.reader) } }
}

extension ProcessError {
  /// What the launcher wrote: a letter and a sentence; see Sources/CLauncher.
  init(launcherReport report: ArraySlice<UInt8>) {
    message = String(decoding: report.dropFirst(), as: UTF8.self)
    switch report.first {
    case UInt8(ascii: "n"): code = .commandNotFound
    case UInt8(ascii: "x"): code = .notExecutable
    case UInt8(ascii: "d"): code = .directory
    default: code = .launcher
    }
  }
}
