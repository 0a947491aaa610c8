internal import CLinux
internal import Glibc
internal import NIOCore

/// The thread of a ``ProcessKeeper``. Everything in here is used by that thread alone.
@safe final class ProcessThread {
  private enum Phase {
    case running
    case terminating(killAt: NIODeadline, EventLoopPromise<Void>)
    case killing(giveUpAt: NIODeadline, EventLoopPromise<Void>)
  }

  private let launcher: String
  private let mailbox: ProcessMailbox
  private let epoll: Int32
  private let parent = getpid()
  private var phase = Phase.running
  private var children: [UInt64: KeptChild] = [:]
  private var nextSerial: UInt64 = 1
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 65536, alignment: 16)

  /// Starts the thread, with every signal blocked: signals are for those who handle them.
  static func start(launcher: String, mailbox: ProcessMailbox) throws(ProcessError) {
    let thread = try ProcessThread(launcher: launcher, mailbox: mailbox)
    let context = unsafe Unmanaged.passRetained(thread).toOpaque()
    var all = sigset_t()
    var before = sigset_t()
    unsafe sigfillset(&all)
    unsafe pthread_sigmask(SIG_BLOCK, &all, &before)
    defer { unsafe _ = pthread_sigmask(SIG_SETMASK, &before, nil) }
    var id = pthread_t()
    let code = unsafe pthread_create(
      &id, nil,
      { context in
        guard let context = unsafe context else { return nil }
        unsafe Unmanaged<ProcessThread>.fromOpaque(context).takeRetainedValue().run()
        return nil
      }, context)
    guard code == 0 else {
      unsafe Unmanaged<ProcessThread>.fromOpaque(context).release()
      errno = code
      throw ProcessError(resource: "a thread")
    }
    pthread_detach(id)
  }

  private init(launcher: String, mailbox: ProcessMailbox) throws(ProcessError) {
    self.launcher = launcher
    self.mailbox = mailbox
    epoll = clinux_epoll_create()
    guard epoll >= 0, clinux_epoll_add(epoll, mailbox.descriptor, 0) == 0 else {
      throw ProcessError(resource: "an epoll descriptor")
    }
  }

  deinit {
    if epoll >= 0 { close(epoll) }
    unsafe buffer.deallocate()
  }

  private func run() {
    var tokens = [UInt64](repeating: 0, count: 64)
    while true {
      let count = unsafe clinux_epoll_wait(epoll, &tokens, Int32(tokens.count), waitMilliseconds)
      for token in tokens.prefix(max(0, Int(count))) {
        if token == 0 {
          for command in mailbox.takeCommands() { obey(command) }
        } else if let child = children[token >> 2], let source = KeptChild.Source(rawValue: token & 3) {
          handle(source, of: child)
        }
      }
      if advanceShutdown() { return mailbox.close() }
    }
  }

  private func obey(_ command: ProcessCommand) {
    switch command {
    case .spawn(let order): spawn(order)
    case .signal(let process, let number):
      // In the table means not yet reaped, so the id is still its own.
      if children[process.serial] != nil { kill(-process.processID, number) }
    case .shutdown(let grace, let promise):
      for child in children.values { kill(-child.process.processID, SIGTERM) }
      phase = .terminating(killAt: .now() + grace, promise)
    }
  }

  private func handle(_ source: KeptChild.Source, of child: KeptChild) {
    switch source {
    case .output, .error: unsafe _ = child.readOutput(source, buffer: buffer)
    case .status: readStatus(of: child, hasEnded: false)
    case .end: end(child)
    }
  }

  private func readStatus(of child: KeptChild, hasEnded: Bool) {
    let wasRunning = child.isRunning
    child.readStatus(hasEnded: hasEnded)
    guard child.isRunning, !wasRunning else { return }
    mailbox.born(child.process.serial)
    child.order.started.succeed(child.process)
  }

  private func end(_ child: KeptChild) {
    readStatus(of: child, hasEnded: true)
    guard let exit = child.reap() else { return }
    children[child.process.serial] = nil
    mailbox.died(child.process.serial)
    if let failure = child.failure {
      child.order.started.fail(failure)
    } else {
      unsafe child.finishOutput(buffer: buffer)
      let onExit = child.order.onExit
      child.order.loop.execute { onExit(exit) }
    }
  }
}

// Starting.
extension ProcessThread {
  private func spawn(_ order: SpawnOrder) {
    guard let pipes = SpawnPipes() else { return order.started.fail(ProcessError(resource: "a pipe")) }
    var pid: pid_t = 0
    let code = callSpawn(order.specification, pipes, &pid)
    pipes.closeWriters()
    guard code == 0 else {
      pipes.closeReaders()
      return order.started.fail(ProcessError(spawning: launcher, code: code))
    }
    let process = KeptProcess(processID: pid, serial: nextSerial)
    nextSerial += 1
    let end = clinux_pidfd_open(pid)
    let child = KeptChild(process: process, order: order, pipes: pipes, end: end)
    guard end >= 0, child.watch(with: epoll) else {
      let error = ProcessError(resource: "a descriptor to watch a process")
      kill(-pid, SIGKILL)
      var status: Int32 = 0
      unsafe _ = waitpid(pid, &status, 0)
      return order.started.fail(error)
    }
    children[process.serial] = child
  }

  private func callSpawn(_ specification: ProcessSpecification, _ pipes: SpawnPipes, _ pid: inout pid_t) -> Int32 {
    var arguments = [
      launcher, "--parent", String(parent), "--directory", specification.directory, "--nofile",
      String(max(8, min(specification.openFilesMax, 1 << 20))), "--status", "3", "--",
    ]
    arguments += specification.command
    let variables = specification.environment.map { "\($0.key)=\($0.value)" }
    return unsafe withCStrings(arguments) { argumentPointers in
      unsafe withCStrings(variables) { variablePointers in
        unsafe clinux_spawn(
          launcher, argumentPointers, variablePointers, pipes.output.writer, pipes.error.writer, pipes.status.writer,
          &pid)
      }
    }
  }
}

// Ending.
extension ProcessThread {
  /// Does what is due. True if the thread's work is done.
  private func advanceShutdown() -> Bool {
    switch phase {
    case .running: return false
    case .terminating(let killAt, let promise):
      if children.isEmpty { break }
      guard killAt <= .now() else { return false }
      for child in children.values { kill(-child.process.processID, SIGKILL) }
      phase = .killing(giveUpAt: .now() + .seconds(10), promise)
      return false
    case .killing(let giveUpAt, let promise):
      if children.isEmpty { break }
      guard giveUpAt <= .now() else { return false }
      let ids = children.values.map { String($0.process.processID) }.joined(separator: ", ")
      promise.fail(ProcessError(code: .unkillable, message: "Processes did not end although killed: \(ids)."))
      return true
    }
    finishShutdown()
    return true
  }

  private func finishShutdown() {
    mailbox.close()
    switch phase {
    case .running: break
    case .terminating(_, let promise), .killing(_, let promise): promise.succeed()
    }
  }

  private var waitMilliseconds: Int32 {
    switch phase {
    case .running: -1
    case .terminating(let deadline, _), .killing(let deadline, _):
      // Rounded up, lest the thread spins through the last millisecond.
      Int32(clamping: max(0, (deadline - .now()).nanoseconds + 999_999) / 1_000_000)
    }
  }
}

/// Gives `body` a null-terminated array of C strings, valid during the call. No string contains a zero byte.
private func withCStrings(
  _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Int32
) -> Int32 {
  var bytes: [CChar] = []
  var offsets: [Int] = []
  for string in strings {
    offsets.append(bytes.count)
    bytes.append(contentsOf: string.utf8.lazy.map { CChar(bitPattern: $0) })
    bytes.append(0)
  }
  return unsafe bytes.withUnsafeMutableBufferPointer { buffer in
    var pointers: [UnsafeMutablePointer<CChar>?] = unsafe []
    for offset in offsets { unsafe pointers.append(buffer.baseAddress.map { unsafe $0 + offset }) }
    unsafe pointers.append(nil)
    return unsafe pointers.withUnsafeBufferPointer { unsafe $0.baseAddress.map { unsafe body($0) } ?? ENOMEM }
  }
}

extension ProcessError {
  /// Translates what posix_spawn(3) of the launcher said.
  fileprivate init(spawning launcher: String, code: Int32) {
    let reason = unsafe String(cString: strerror(code))
    switch code {
    case E2BIG:
      self.init(code: .invalidSpecification, message: "Command and environment are larger than the system takes.")
    case ENOENT, EACCES, ENOEXEC, ENOTDIR:
      self.init(code: .launcher, message: "\(launcher) cannot be executed: \(reason).")
    default: self.init(code: .resources, message: "The system refuses a process: \(reason).")
    }
  }
}
