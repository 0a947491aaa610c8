import CLinux
import Glibc
import Lifecycle
import NIOCore
import NIOPosix

/// The thread of a ``ProcessKeeper``. Everything in here is used by that thread alone.
@safe final class ProcessThread {
  private enum Phase {
    case running
    case terminating(killAt: NIODeadline, EventLoopPromise<Void>)
    case killing(giveUpAt: NIODeadline, EventLoopPromise<Void>)
  }

  private let launcher: String
  let surroundings: Surroundings
  private let mailbox: ProcessMailbox
  private let watch: IsolationWatch
  private let note: @Sendable (String) -> Void
  let epoll: Int32
  private var phase = Phase.running
  var sandboxes: [UInt64: SandboxChild] = [:]
  /// What brings output to each of the loops that asked for programs.
  private var pumps: [ObjectIdentifier: OutputPump] = [:]
  /// Which sandbox a program is in.
  var homes: [UInt64: UInt64] = [:]
  /// Groups that could not be removed yet.
  private var leftovers: [ControlGroups.Sandbox] = []
  /// Where the kernel is asked to watch memory. Several, because each waits for the kernel and for nothing else.
  private let watchers = NIOThreadPool(numberOfThreads: 4)
  private var nextSerial: UInt64 = 1
  private var nextFolderCheck = NIODeadline.now()
  let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 65536, alignment: 16)

  /// Starts the thread, with every signal blocked: signals are for those who handle them.
  static func start(
    launcher: String, surroundings: Surroundings, watch: IsolationWatch, mailbox: ProcessMailbox,
    note: @escaping @Sendable (String) -> Void
  ) throws(ProcessError) {
    let thread = try ProcessThread(
      launcher: launcher, surroundings: surroundings, watch: watch, mailbox: mailbox, note: note)
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

  private init(
    launcher: String, surroundings: Surroundings, watch: IsolationWatch, mailbox: ProcessMailbox,
    note: @escaping @Sendable (String) -> Void
  ) throws(ProcessError) {
    self.launcher = launcher
    self.surroundings = surroundings
    self.watch = watch
    self.mailbox = mailbox
    self.note = note
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
    watchers.start()
    var tokens = [UInt64](repeating: 0, count: 64)
    while true {
      let count = unsafe clinux_epoll_wait(epoll, &tokens, Int32(tokens.count), waitMilliseconds)
      for value in tokens.prefix(max(0, Int(count))) {
        if value == 0 {
          for command in mailbox.takeCommands() { obey(command) }
        } else {
          handle(Token(value: value))
        }
      }
      look()
      if !leftovers.isEmpty { leftovers.removeAll { $0.remove() } }
      guard advanceShutdown() else { continue }
      // Nobody waits for it: what is left of their work belongs to sandboxes that are gone.
      watchers.shutdownGracefully { _ in }
      return mailbox.close()
    }
  }

  /// Looks at what the kernel does not tell by itself.
  private func look() {
    for sandbox in sandboxes.values where sandbox.isWatched { sandbox.checkMemory() }
    guard nextFolderCheck <= .now() else { return }
    nextFolderCheck = .now() + folderInterval
    for sandbox in sandboxes.values {
      let (mailbox, handle) = (mailbox, sandbox.handle)
      // Refused: the keeper has ended, and with it the sandbox.
      sandbox.folder?.check { _ = mailbox.post(.kill(handle, .outOfStorage)) }
    }
  }

  private func obey(_ command: ProcessCommand) {
    switch command {
    case .make(let order): make(order)
    case .launch(let sandbox, let order): launch(order, in: sandboxes[sandbox.serial])
    case .signal(let process, let number):
      // Not taken: the launcher is ending, and with it the program.
      _ = sandboxes[process.sandbox]?.send(LAUNCHER_SIGNAL, program: process.serial, value: number)
    case .freeze(let sandbox): _ = sandboxes[sandbox.serial]?.send(LAUNCHER_FREEZE)
    case .thaw(let sandbox): _ = sandboxes[sandbox.serial]?.send(LAUNCHER_THAW)
    case .clear(let sandbox, let promise):
      guard let sandbox = sandboxes[sandbox.serial] else { return promise.fail(ProcessError.sandboxEnds) }
      sandbox.clear(promise)
    case .kill(let sandbox, let reason): sandboxes[sandbox.serial]?.kill(reason)
    case .shutdown(let grace, let promise):
      for sandbox in sandboxes.values {
        for program in sandbox.programs.keys { _ = sandbox.send(LAUNCHER_SIGNAL, program: program, value: SIGTERM) }
        // Nobody is in it who could be asked.
        if sandbox.programs.isEmpty { sandbox.kill(.wanted) }
      }
      phase = .terminating(killAt: .now() + grace, promise)
    }
  }

  private func handle(_ token: Token) {
    switch token.source {
    case .end: if let sandbox = sandboxes[token.serial] { end(sandbox) }
    case .control: if let sandbox = sandboxes[token.serial] { takeReports(of: sandbox) }
    case .memory: sandboxes[token.serial]?.checkMemory()
    case .output: unsafe _ = program(token.serial)?.readOutput(.output, buffer: buffer)
    case .error: unsafe _ = program(token.serial)?.readOutput(.error, buffer: buffer)
    case nil: break
    }
  }

  private func program(_ serial: UInt64) -> ProgramChild? {
    homes[serial].flatMap { sandboxes[$0]?.programs[serial] }
  }

  private func pump(to loop: any EventLoop) -> OutputPump {
    if let pump = pumps[ObjectIdentifier(loop)] { return pump }
    let pump = OutputPump(loop)
    pumps[ObjectIdentifier(loop)] = pump
    return pump
  }

  func newSerial() -> UInt64 {
    defer { nextSerial += 1 }
    return nextSerial
  }
}

// Starting.
extension ProcessThread {
  private func make(_ order: SandboxOrder) {
    do throws(ProcessError) {
      let sandbox = try spawn(order)
      sandboxes[sandbox.handle.serial] = sandbox
      nextFolderCheck = min(nextFolderCheck, .now() + folderInterval)
      order.made.succeed(sandbox.handle)
    } catch {
      order.made.fail(error)
    }
  }

  private func spawn(_ order: SandboxOrder) throws(ProcessError) -> SandboxChild {
    let serial = newSerial()
    let plan = surroundings.plan(order.specification, name: String(serial))
    let folder = plan.folder.map {
      SandboxFolder($0, in: surroundings.folder, limitBytes: order.specification.temporaryStorageLimitBytes)
    }
    func giveUp(_ error: ProcessError) -> ProcessError {
      if !plan.groups.remove() { leftovers.append(plan.groups) }
      folder?.remove(note)
      return error
    }
    watch.started(plan.weakness)
    if let failure = plan.failure { throw giveUp(failure) }
    var (ours, theirs): (Int32, Int32) = (-1, -1)
    guard unsafe clinux_control_socket(&ours, &theirs) == 0 else { throw giveUp(ProcessError(resource: "a socket")) }
    var (process, end): (pid_t, Int32) = (0, -1)
    let code = unsafe withCStrings([launcher, "--control", "3"] + plan.arguments) { arguments in
      unsafe clinux_spawn_launcher(
        launcher, arguments, theirs, plan.parts & Int32(LAUNCHER_PART_PROCESSES.rawValue) != 0 ? 1 : 0,
        plan.hasOwnUser ? 1 : 0, &process, &end)
    }
    close(theirs)
    guard code == 0 else {
      close(ours)
      throw giveUp(ProcessError(spawning: launcher, code: code))
    }
    let handle = KeptSandbox(
      serial: serial, processID: process, memory: SandboxMemory(group: plan.groups.memory))
    let sandbox = SandboxChild(
      handle: handle, order: order, processID: process, parts: plan.parts, groups: plan.groups, folder: folder,
      isWeaker: plan.weakness != nil, control: ours, end: end, watchers: watchers)
    guard sandbox.watch(with: epoll) else {
      let error = ProcessError(resource: "a descriptor to watch a process")
      sandbox.kill(.wanted)
      var status: Int32 = 0
      unsafe _ = waitpid(process, &status, 0)
      throw giveUp(error)
    }
    return sandbox
  }

  private func launch(_ order: LaunchOrder, in sandbox: SandboxChild?) {
    guard let sandbox, !sandbox.isKilled else {
      return order.started.fail(ProcessError(code: .shutDown, message: "The sandbox has ended and starts no program."))
    }
    if let failure = sandbox.failure { return order.started.fail(failure) }
    guard let output = OutputPipe() else { return order.started.fail(ProcessError(resource: "a pipe")) }
    guard let error = OutputPipe() else {
      let failure = ProcessError(resource: "a pipe")
      close(output.reader)
      close(output.writer)
      return order.started.fail(failure)
    }
    let program = ProgramChild(
      serial: newSerial(), order: order, output: output.reader, error: error.reader, pump: pump(to: order.loop))
    var isSent = program.watch(with: epoll)
    var specification = order.specification
    if let folder = sandbox.folder { specification.environment["TMPDIR"] = folder.path }
    if isSent, let block = LaunchBlock(specification) {
      isSent = sandbox.send(block, program: program.serial, output: output.writer, error: error.writer)
    } else {
      isSent = false
    }
    let failure = ProcessError(resource: "a program in a sandbox")
    close(output.writer)
    close(error.writer)
    guard isSent else { return order.started.fail(failure) }
    sandbox.programs[program.serial] = program
    homes[program.serial] = sandbox.handle.serial
  }
}

// What the launchers say.
extension ProcessThread {
  private func takeReports(of sandbox: SandboxChild) {
    while let report = sandbox.receive() { take(report, of: sandbox) }
  }

  private func take(_ report: launcher_report, of sandbox: SandboxChild) {
    let found = sandbox.programs.first { UInt32(truncatingIfNeeded: $0.key) == report.program }
    switch report.kind {
    case LAUNCHER_READY.rawValue:
      sandbox.isReady(with: report.value, sentence: report.sentence)
    case LAUNCHER_STARTED.rawValue:
      guard let (serial, program) = found else { return }
      program.runs(as: KeptProcess(processID: report.process, serial: serial, sandbox: sandbox.handle.serial))
    case LAUNCHER_FAILED.rawValue:
      guard let (serial, program) = found else { return }
      forget(serial, in: sandbox)
      // Surroundings that are not there explain a failure better than its consequence.
      program.order.started.fail(
        sandbox.failure ?? ProcessError(launcherFailure: report.value, sentence: report.sentence))
      sandbox.finishClearing()
    case LAUNCHER_ENDED.rawValue:
      guard let (serial, program) = found else { return }
      forget(serial, in: sandbox)
      end(program, of: sandbox, ProcessExit(report))
      sandbox.finishClearing()
    case LAUNCHER_MEMORY.rawValue:
      sandbox.handle.memory.note(report.memory_bytes)
      if report.value != 0 { sandbox.kill(.outOfMemory) }
    default: break
    }
  }

  private func forget(_ serial: UInt64, in sandbox: SandboxChild) {
    sandbox.programs[serial] = nil
    homes[serial] = nil
  }

  private func end(_ program: ProgramChild, of sandbox: SandboxChild, _ exit: ProcessExit) {
    let status = sandbox.status(of: exit.status)
    unsafe program.end(
      ProcessExit(status: status, processorTime: exit.processorTime), sandbox.farewells, buffer: buffer)
    // Breaking the limit ends the instance, also if the kernel chose to kill one program of several.
    if status == .outOfMemory { sandbox.kill(.outOfMemory) }
  }

  /// The launcher has ended, and with it every process of the sandbox.
  private func end(_ sandbox: SandboxChild) {
    takeReports(of: sandbox)
    var status: Int32 = 0
    guard unsafe waitpid(sandbox.processID, &status, WNOHANG) == sandbox.processID else { return }
    let summary = sandbox.summary()
    for (serial, program) in sandbox.programs {
      forget(serial, in: sandbox)
      if program.isRunning {
        end(program, of: sandbox, ProcessExit(status: .signaled(SIGKILL), processorTime: .zero))
      } else {
        program.order.started.fail(
          sandbox.failure ?? ProcessError(code: .shutDown, message: "The sandbox ended before its program started."))
      }
    }
    sandboxes[sandbox.handle.serial] = nil
    sandbox.abandonClearing()
    if !sandbox.groups.remove() { leftovers.append(sandbox.groups) }
    sandbox.folder?.remove(note)
    let onGone = sandbox.order.onGone
    sandbox.farewells.afterAll(on: sandbox.order.loop) { onGone(summary) }
  }
}

// Ending.
extension ProcessThread {
  /// Does what is due. True if the thread's work is done.
  private func advanceShutdown() -> Bool {
    switch phase {
    case .running: return false
    case .terminating(let killAt, let promise):
      if isEmpty { break }
      for sandbox in sandboxes.values where sandbox.programs.isEmpty { sandbox.kill(.wanted) }
      guard killAt <= .now() else { return false }
      for sandbox in sandboxes.values { sandbox.kill(.wanted) }
      phase = .killing(giveUpAt: .now() + .seconds(10), promise)
      return false
    case .killing(let giveUpAt, let promise):
      if isEmpty { break }
      guard giveUpAt <= .now() else { return false }
      let ids = sandboxes.values.map { String($0.processID) }.joined(separator: ", ")
      promise.fail(ProcessError(code: .unkillable, message: "Processes did not end although they were killed: \(ids)."))
      return true
    }
    finishShutdown()
    return true
  }

  private var isEmpty: Bool { sandboxes.isEmpty && leftovers.isEmpty }

  private func finishShutdown() {
    mailbox.close()
    if let problem = surroundings.remove() { note(problem) }
    switch phase {
    case .running: break
    case .terminating(_, let promise), .killing(_, let promise): promise.succeed()
    }
  }

  private var waitMilliseconds: Int32 {
    var soon: Int32 = -1
    if sandboxes.values.contains(where: { $0.folder != nil }) { soon = milliseconds(until: nextFolderCheck) }
    if !leftovers.isEmpty || sandboxes.values.contains(where: { $0.isWatched }) { soon = 100 }
    switch phase {
    case .running: return soon
    case .terminating(let deadline, _), .killing(let deadline, _):
      let rest = milliseconds(until: deadline)
      return soon >= 0 ? min(rest, soon) : rest
    }
  }

  /// How long until the folders are looked at again: a second, or two while none of them is near its limit or changes, so that
  /// an idle host wakes less than once a second.
  private var folderInterval: TimeAmount {
    sandboxes.values.allSatisfy { $0.folder?.isCalm ?? true } ? .seconds(2) : .seconds(1)
  }

  /// Rounded up, lest the thread spins through the last millisecond.
  private func milliseconds(until deadline: NIODeadline) -> Int32 {
    Int32(clamping: max(0, (deadline - .now()).nanoseconds + 999_999) / 1_000_000)
  }
}

extension ProcessExit {
  /// What wait(2) said of a program.
  fileprivate init(_ report: launcher_report) {
    let signal = report.value & 0x7F
    self.init(
      status: signal == 0 ? .exited(report.value >> 8 & 0xFF) : .signaled(signal),
      processorTime: Nanoseconds(report.processor_nanoseconds))
  }
}

extension ProcessError {
  /// Translates why the launcher could not be started.
  fileprivate init(spawning launcher: String, code: Int32) {
    let reason = unsafe String(cString: strerror(code))
    switch code {
    case ENOENT, EACCES, ENOEXEC, ENOTDIR:
      self.init(code: .launcher, message: "\(launcher) cannot be executed: \(reason).")
    default: self.init(code: .resources, message: "The system refuses to start a process: \(reason).")
    }
  }
}
