import CLinux
import Glibc
import NIOPosix

/// Finds out what this kernel allows this process.
enum IsolationProbe {
  /// - Parameters:
  ///   - launcher: The path of `kelvin-launcher`.
  ///   - note: Takes, on whatever thread, what of earlier hosts is left alone, and why.
  /// - Complexity: Two processes that end at once; a few milliseconds. What was left is removed on another thread.
  static func surroundings(
    _ mode: Isolation.Mode, launcher: String, note: @escaping @Sendable (String) -> Void
  ) -> Surroundings {
    let temporary = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? ""
    let base = temporary.hasPrefix("/") ? temporary : "/tmp"
    NIOThreadPool.singleton.submit { _ in tell(HostFolder.removeStale(in: base), note) }
    var surroundings = Surroundings(isolation: .weakest, groups: nil, folder: HostFolder(in: base))
    guard mode == .auto else {
      surroundings.isolation.shortcomings = ["isolation is switched off in the configuration"]
      return surroundings
    }
    var shortcomings: [String] = []
    let (groups, memoryReason, processesReason) = ControlGroups.make(
      groups: SystemFile.text("/proc/self/cgroup") ?? "",
      mounts: SystemFile.text("/proc/self/mountinfo", bytesMax: 1 << 20) ?? "")
    surroundings.groups = groups
    if let memory = groups.memory {
      surroundings.isolation.memory = .controlGroup(version: memory.place.version.rawValue)
    } else {
      let user = geteuid() == 0 ? "" : "an ordinary user gets no control groups without a service's Delegate=yes: "
      shortcomings.append("memory is limited by sampling, ten times a second: \(user)\(memoryReason)")
    }
    surroundings.isolation.limitsProcesses = groups.limitsProcesses
    surroundings.processesReason = processesReason
    probe(&surroundings, launcher: launcher, shortcomings: &shortcomings)
    surroundings.isolation.shortcomings = shortcomings
    return surroundings
  }

  /// Where everybody may write, anybody can use a name like ours: a few are reported, the rest are counted.
  private static func tell(_ left: [String], _ note: (String) -> Void) {
    for sentence in left.prefix(5) { note(sentence) }
    if left.count > 5 { note("\(left.count - 5) more of that kind are left alone, too.") }
  }

  /// What is asked for in turn: with root's rights, else with those that a user namespace gives, else without a process namespace, whose
  /// /proc a container may refuse.
  private static let attempts: [(hasOwnProcesses: Bool, hasOwnUser: Bool)] = [
    (true, false), (true, true), (false, true), (false, false),
  ]

  /// Asks for everything, and keeps what was given.
  private static func probe(_ surroundings: inout Surroundings, launcher: String, shortcomings: inout [String]) {
    let specification = SandboxSpecification(memoryLimitBytes: 64 << 20, temporaryStorageLimitBytes: 1 << 20)
    var (parts, reason): (Int32, String) = (0, "the launcher does not start")
    var hasOwnUser = false
    for attempt in attempts {
      var wanted = surroundings
      wanted.isolation.hasOwnMessages = true
      wanted.isolation.storage = .fileSystem
      wanted.isolation.hasOwnProcesses = attempt.hasOwnProcesses
      wanted.isolation.hasOwnUser = attempt.hasOwnUser
      wanted.isolation.limitsProcesses = true
      // Refused at once, before the launcher runs: a namespace is not allowed.
      guard let answer = ask(wanted, specification, launcher: launcher) else { continue }
      let isFirst = parts == 0
      guard isFirst || answer.parts.nonzeroBitCount > parts.nonzeroBitCount else { continue }
      parts = answer.parts
      hasOwnUser = attempt.hasOwnUser
      reason = answer.sentence.isEmpty ? "not allowed" : answer.sentence
      if attempt.hasOwnProcesses, parts & Int32(LAUNCHER_PART_STORAGE.rawValue) != 0 { break }
    }
    keep(parts, hasOwnUser: hasOwnUser, because: reason, in: &surroundings, shortcomings: &shortcomings)
  }

  private static func keep(
    _ parts: Int32, hasOwnUser: Bool, because: String, in surroundings: inout Surroundings, shortcomings: inout [String]
  ) {
    func has(_ part: launcher_part) -> Bool { parts & Int32(part.rawValue) != 0 }
    surroundings.isolation.hasOwnMounts = has(LAUNCHER_PART_MOUNTS)
    surroundings.isolation.hasOwnUser = hasOwnUser && has(LAUNCHER_PART_MOUNTS)
    surroundings.isolation.hasOwnProcesses = has(LAUNCHER_PART_PROCESSES)
    surroundings.isolation.hasOwnMessages = has(LAUNCHER_PART_MESSAGES)
    if has(LAUNCHER_PART_STORAGE) { surroundings.isolation.storage = .fileSystem }
    if !has(LAUNCHER_PART_PROCESSES) {
      shortcomings.append("processes are ended by group and parentage, without a namespace: \(because)")
    }
    if !has(LAUNCHER_PART_STORAGE) {
      shortcomings.append("temporary storage is a folder in TMPDIR with a checked quota: \(because)")
    }
    if let groups = surroundings.groups, groups.memory != nil || groups.processes != nil, !has(LAUNCHER_PART_GROUP) {
      groups.remove()
      surroundings.groups = nil
      surroundings.isolation.memory = .sampling
      surroundings.isolation.limitsProcesses = false
      shortcomings.append("memory is limited by sampling: \(because)")
    }
    if surroundings.groups?.limitsProcesses != true {
      surroundings.isolation.limitsProcesses = surroundings.isolation.hasOwnUser && has(LAUNCHER_PART_TASKS)
      if !surroundings.isolation.limitsProcesses {
        shortcomings.append("the number of processes and threads is not limited: \(surroundings.processesReason)")
      }
    }
  }

  /// Starts a launcher, and returns what it could set up; `nil` if it does not start.
  private static func ask(
    _ surroundings: Surroundings, _ specification: SandboxSpecification, launcher: String
  ) -> (parts: Int32, sentence: String)? {
    let plan = surroundings.plan(specification, name: "probe")
    defer {
      removeSoon(plan.groups)
      if let folder = plan.folder { _ = surroundings.folder.remove(folder) }
    }
    var (ours, theirs): (Int32, Int32) = (-1, -1)
    guard unsafe clinux_control_socket(&ours, &theirs) == 0 else { return nil }
    defer { close(ours) }
    var (process, end): (pid_t, Int32) = (0, -1)
    let code = unsafe withCStrings([launcher, "--control", "3"] + plan.arguments) { arguments in
      unsafe clinux_spawn_launcher(
        launcher, arguments, theirs, surroundings.isolation.hasOwnProcesses ? 1 : 0, plan.hasOwnUser ? 1 : 0, &process,
        &end)
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
  private static func removeSoon(_ groups: ControlGroups.Sandbox) {
    for _ in 0..<100 where !groups.remove() { usleep(1000) }
  }
}
