import CLinux
import Glibc
import Lifecycle
import NIOCore
import NIOPosix

/// A sandbox of the keeper's thread: the launcher that is its init process, the launcher's reports, and its programs.
@safe final class SandboxChild {
  let handle: KeptSandbox
  let order: SandboxOrder
  let processID: Int32
  /// The parts that the launcher was asked for.
  let parts: Int32
  /// The ends of its programs that are not reported yet.
  let farewells = Farewells()
  var programs: [UInt64: ProgramChild] = [:] {
    didSet { if let last = programs.keys.max(), last > function { function = last } }
  }
  /// The program that was launched last: the function itself, if there are extensions before it.
  private var function: UInt64 = 0
  /// Until when extensions may go on although the memory limit was broken.
  private var sparedUntil: NIODeadline?
  private(set) var isKilled = false
  private(set) var isOutOfMemory = false
  private(set) var isOutOfStorage = false
  /// Who waits for its programs to be gone.
  private var clearing: EventLoopPromise<Void>?
  let groups: ControlGroups.Sandbox
  /// Where its temporary files are, if it has no /tmp of its own.
  let folder: SandboxFolder?
  /// Whether the kernel keeps less of its limits than of others': then it is for one instance alone.
  let isWeaker: Bool
  /// Why its surroundings are not what was asked for.
  private(set) var failure: ProcessError?
  /// Whether it is to be looked at again soon: near its memory limit, with files or /tmp in between, or without the kernel's help.
  private(set) var isWatched = false
  private var control: Int32
  private let end: Int32
  private let watchers: NIOThreadPool
  private var memoryWatch: MemoryWatch?
  private var thresholds: [Int64] = []

  /// Takes over the descriptors.
  init(
    handle: KeptSandbox, order: SandboxOrder, processID: Int32, parts: Int32, groups: ControlGroups.Sandbox,
    folder: SandboxFolder?, isWeaker: Bool, control: Int32, end: Int32, watchers: NIOThreadPool
  ) {
    self.isWeaker = isWeaker
    self.groups = groups
    self.folder = folder
    self.watchers = watchers
    self.handle = handle
    self.order = order
    self.processID = processID
    self.parts = parts
    self.control = control
    self.end = end
  }

  deinit {
    for descriptor in [control, end] where descriptor >= 0 { close(descriptor) }
  }

  var hasOwnProcesses: Bool { parts & Int32(LAUNCHER_PART_PROCESSES.rawValue) != 0 }

  func watch(with epoll: Int32) -> Bool {
    guard clinux_epoll_add(epoll, end, Token(handle.serial, .end).value) == 0,
      clinux_epoll_add(epoll, control, Token(handle.serial, .control).value) == 0
    else { return false }
    guard let group = handle.memory.group, group.version == .one else { return true }
    guard let watch = MemoryWatch(group), watch.watchKills(),
      clinux_epoll_add(epoll, watch.descriptor, Token(handle.serial, .memory).value) == 0
    else { return false }
    memoryWatch = watch
    addThreshold(order.specification.memoryLimitBytes)
    return true
  }

  /// Sends a request. False if the launcher does not take it.
  func send(
    _ kind: launcher_request_kind, program: UInt64 = 0, value: Int32 = 0
  ) -> Bool {
    var request = launcher_request()
    request.kind = kind.rawValue
    request.program = UInt32(truncatingIfNeeded: program)
    request.value = value
    return unsafe clinux_send_request(control, &request, [], 0) == 0
  }

  /// Hands over a program with its block of texts and its pipes.
  func send(_ launch: borrowing LaunchBlock, program: UInt64, output: Int32, error: Int32) -> Bool {
    var request = launch.request
    request.kind = LAUNCHER_LAUNCH.rawValue
    request.program = UInt32(truncatingIfNeeded: program)
    return unsafe clinux_send_request(control, &request, [launch.descriptor, output, error], 3) == 0
  }

  /// The next report; `nil` if there is none now, or none any more.
  func receive() -> launcher_report? {
    guard control >= 0 else { return nil }
    var report = launcher_report()
    var descriptor: Int32 = -1
    let result = unsafe clinux_receive_report(control, &report, &descriptor)
    if descriptor >= 0 { handle.memory.take(storage: descriptor) }
    if result > 0 { return report }
    if result < 0 {
      // Nobody is there any more; the end itself is told by the other descriptor.
      close(control)
      control = -1
    }
    return nil
  }

  /// What the launcher could set up.
  func isReady(with parts: Int32, sentence: String) {
    guard parts & self.parts != self.parts else { return }
    failure = ProcessError(
      code: .launcher, message: sentence.isEmpty ? "The sandbox could not be set up." : "The launcher \(sentence)")
  }

  /// Ends every process and keeps the sandbox.
  ///
  /// - Parameter promise: Completed once the end of every program was reported; fails if the sandbox ends as a whole,
  ///   as one does whose limits are kept in a weaker way: the next may be better.
  func clear(_ promise: EventLoopPromise<Void>) {
    if isWeaker { kill(.wanted) }
    guard !isKilled, clearing == nil, send(LAUNCHER_CLEAR) else { return promise.fail(ProcessError.sandboxEnds) }
    clearing = promise
    finishClearing()
  }

  /// Looks whether every program is gone that was to go.
  func finishClearing() {
    guard programs.isEmpty, let promise = clearing.take() else { return }
    farewells.afterAll(on: order.loop) { promise.succeed() }
  }

  /// It is ending as a whole.
  func abandonClearing() { clearing.take()?.fail(ProcessError.sandboxEnds) }

  /// Ends every process, and with them the sandbox.
  func kill(_ reason: KillReason) {
    guard !isKilled else { return }
    if reason == .outOfMemory {
      isOutOfMemory = true
      if endsFunctionAlone() { return }
    }
    isOutOfStorage = reason == .outOfStorage
    isKilled = true
    abandonClearing()
    // The kernel ends a process namespace with its init. Else the launcher ends what is below it, first.
    if hasOwnProcesses || !send(LAUNCHER_KILL) { Glibc.kill(processID, SIGKILL) }
    if !hasOwnProcesses {
      for process in groups.processesIDs where process != processID { Glibc.kill(process, SIGKILL) }
    }
  }

  /// After the memory limit was broken the instance is over. Its extensions live on to be told so, for a little longer than
  /// the host gives them; the kernel, where it keeps the limit, keeps it meanwhile.
  private func endsFunctionAlone() -> Bool {
    if let sparedUntil { return .now() < sparedUntil }
    guard programs.keys.contains(where: { $0 != function }) else { return false }
    if programs[function] != nil, !send(LAUNCHER_SIGNAL, program: function, value: SIGKILL) { return false }
    sparedUntil = .now() + .seconds(3)
    return true
  }

  /// Looks whether the memory limit is broken, and ends the sandbox if it is.
  func checkMemory() {
    guard let group = handle.memory.group, !isKilled else { return }
    if let memoryWatch {
      var count: UInt64 = 0
      unsafe _ = read(memoryWatch.descriptor, &count, MemoryLayout<UInt64>.size)
    }
    if group.killedCount() > 0 { return kill(.outOfMemory) }
    guard let reading = group.read() else { return }
    let storage = handle.memory.storageBytes()
    handle.memory.note(reading, storage: storage)
    let limit = order.specification.memoryLimitBytes
    let used = reading.used(storage: storage)
    if used > limit { return kill(.outOfMemory) }
    let isNear = reading.usage >= limit
    isWatched = isNear || memoryWatch?.hasFailed == true
    if isNear { addThreshold(reading.usage + max(limit - used, 1 << 20)) }
  }

  /// Asks to be woken when usage crosses `bytes`. Those asked for before stay: usage may fall and rise again.
  private func addThreshold(_ bytes: Int64) {
    guard let memoryWatch, thresholds.count < 64, !thresholds.contains(where: { abs($0 - bytes) < 1 << 20 }) else {
      return
    }
    thresholds.append(bytes)
    memoryWatch.addThreshold(bytes, on: watchers)
  }

  /// How a program ended that was there when the sandbox did, or whose end was a killing.
  func status(of ending: ProcessExit.Status) -> ProcessExit.Status {
    guard ending == .signaled(SIGKILL) else { return ending }
    if !isOutOfMemory, !isKilled, let group = handle.memory.group, group.killedCount() > 0 { isOutOfMemory = true }
    return isOutOfMemory ? .outOfMemory : ending
  }

  func summary() -> SandboxSummary {
    if let group = handle.memory.group, !isKilled, group.killedCount() > 0 { isOutOfMemory = true }
    return SandboxSummary(
      memoryUsedBytes: handle.memory.peak(), isOutOfMemory: isOutOfMemory, isOutOfStorage: isOutOfStorage)
  }
}

/// The texts of a program that is to be started, in a file in memory.
struct LaunchBlock: ~Copyable {
  let request: launcher_request
  let descriptor: Int32

  init?(_ specification: ProcessSpecification) {
    var bytes: [UInt8] = []
    for text in [specification.directory] + specification.command
      + specification.environment.map({ "\($0.key)=\($0.value)" })
    {
      bytes.append(contentsOf: text.utf8)
      bytes.append(0)
    }
    var request = launcher_request()
    request.arguments_count = UInt32(specification.command.count)
    request.environment_count = UInt32(specification.environment.count)
    request.open_files = UInt32(max(8, min(specification.openFilesMax, 1 << 20)))
    request.block_bytes = UInt64(bytes.count)
    let descriptor = unsafe clinux_block(bytes, bytes.count)
    guard descriptor >= 0 else { return nil }
    self.request = request
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }
}
