internal import CLinux
internal import Glibc
internal import Synchronization

/// Finds out what this kernel allows this process.
enum IsolationProbe {
  /// - Parameter launcher: The path of `kelvin-launcher`.
  /// - Complexity: Two processes that end at once; a few milliseconds.
  static func surroundings(_ mode: Isolation.Mode, launcher: String) -> Surroundings {
    let mark = ProcessMark.own()
    let temporary = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? ""
    let base = temporary.hasPrefix("/") ? temporary : "/tmp"
    removeStaleFolders(in: base)
    var surroundings = Surroundings(isolation: .weakest, groups: nil, folder: "\(base)/\(uniqueName(mark))")
    guard mode == .auto else {
      surroundings.isolation.shortcomings = ["isolation is switched off in the configuration"]
      return surroundings
    }
    var shortcomings: [String] = []
    let places = ControlGroups.places(
      groups: SystemFile.text("/proc/self/cgroup") ?? "",
      mounts: SystemFile.text("/proc/self/mountinfo", bytesMax: 1 << 20) ?? "")
    let (groups, reason) = ControlGroups.make(uniqueName(mark), in: places)
    surroundings.groups = groups
    if let groups {
      surroundings.isolation.memory = .controlGroup(version: groups.version.rawValue)
    } else {
      shortcomings.append("memory is kept by sampling: \(reason)")
    }
    probe(&surroundings, launcher: launcher, shortcomings: &shortcomings)
    surroundings.isolation.shortcomings = shortcomings
    return surroundings
  }

  /// Several keepers of one process, as in tests, must not share what they remove.
  private static func uniqueName(_ mark: ProcessMark) -> String {
    let number = count.withLock { number in
      number += 1
      return number
    }
    return "\(mark.name)-\(number)"
  }
  private static let count = Mutex(0)

  /// Removes what hosts have left that were killed.
  private static func removeStaleFolders(in base: String) {
    for name in SystemFile.names(in: base) {
      guard let mark = ProcessMark(name: name), !mark.isAlive else { continue }
      SystemFile.removeAll("\(base)/\(name)")
    }
  }

  /// Asks for everything, and keeps what was given.
  private static func probe(_ surroundings: inout Surroundings, launcher: String, shortcomings: inout [String]) {
    var wanted = surroundings
    wanted.isolation.hasOwnProcesses = true
    wanted.isolation.hasOwnMessages = true
    wanted.isolation.storage = .fileSystem
    let specification = SandboxSpecification(memoryLimitBytes: 64 << 20, temporaryStorageLimitBytes: 1 << 20)
    var answer = ask(wanted, specification, launcher: launcher)
    if answer == nil {
      // A process namespace is refused at once, before the launcher runs.
      wanted.isolation.hasOwnProcesses = false
      answer = ask(wanted, specification, launcher: launcher)
    }
    let parts = answer?.parts ?? 0
    let reason = answer.map { $0.sentence } ?? "the launcher does not start"
    func has(_ part: launcher_part) -> Bool { parts & Int32(part.rawValue) != 0 }
    surroundings.isolation.hasOwnProcesses = has(LAUNCHER_PART_PROCESSES)
    surroundings.isolation.hasOwnMessages = has(LAUNCHER_PART_MESSAGES)
    if has(LAUNCHER_PART_STORAGE) { surroundings.isolation.storage = .fileSystem }
    let because = reason.isEmpty ? "not allowed" : reason
    if !has(LAUNCHER_PART_PROCESSES) {
      shortcomings.append("processes are ended by group and parentage, without a namespace: \(because)")
    }
    if !has(LAUNCHER_PART_STORAGE) {
      shortcomings.append("temporary storage is a folder in TMPDIR with a checked quota: \(because)")
    }
    if let groups = surroundings.groups, !has(LAUNCHER_PART_GROUP) {
      groups.remove()
      surroundings.groups = nil
      surroundings.isolation.memory = .sampling
      shortcomings.append("memory is kept by sampling: \(because)")
    }
  }

  /// Starts a launcher, and returns what it could set up; `nil` if it does not start.
  private static func ask(
    _ surroundings: Surroundings, _ specification: SandboxSpecification, launcher: String
  ) -> (parts: Int32, sentence: String)? {
    let plan = surroundings.plan(specification, name: "probe")
    defer {
      if let group = plan.group { removeSoon(group) }
      if let folder = plan.folder { SystemFile.removeAll(folder) }
    }
    var (ours, theirs): (Int32, Int32) = (-1, -1)
    guard unsafe clinux_control_socket(&ours, &theirs) == 0 else { return nil }
    defer { close(ours) }
    var (process, end): (pid_t, Int32) = (0, -1)
    let code = unsafe withCStrings([launcher, "--control", "3"] + plan.arguments) { arguments in
      unsafe clinux_spawn_launcher(
        launcher, arguments, theirs, surroundings.isolation.hasOwnProcesses ? 1 : 0, &process, &end)
    }
    close(theirs)
    guard code == 0 else { return nil }
    defer {
      kill(process, SIGKILL)
      var status: Int32 = 0
      unsafe _ = waitpid(process, &status, 0)
      close(end)
    }
    var report = launcher_report()
    var descriptor: Int32 = -1
    let deadline = ContinuousClock.now + .seconds(5)
    while ContinuousClock.now < deadline {
      let result = unsafe clinux_receive_report(ours, &report, &descriptor)
      if descriptor >= 0 { close(descriptor) }
      if result < 0 { return nil }
      if result > 0 { return (report.value, report.sentence) }
      usleep(200)
    }
    return nil
  }

  /// A group can be removed a moment after its last process has ended.
  private static func removeSoon(_ group: MemoryGroup) {
    for _ in 0..<100 where !group.remove() { usleep(1000) }
  }
}
