import CLinux
import Glibc

/// The control group of one sandbox.
struct MemoryGroup: Hashable, Sendable {
  var folder: String
  var version: ControlGroups.Version

  /// The memory use of a group, in bytes.
  struct Reading: Equatable, Sendable {
    /// All that is charged to it.
    var usage: Int64
    /// The most that ever was charged to it at once.
    var usageMax: Int64
    /// Pages of files, also of those that exist in memory only.
    var files: Int64
    /// Pages of files that exist in memory only: shared memory, /dev/shm, and /tmp.
    var shared: Int64

    /// What counts as memory: not what the kernel can drop, because a file has it, and not /tmp, because that has a limit of
    /// its own.
    ///
    /// - Parameter storage: What is in use of /tmp.
    func used(storage: Int64) -> Int64 { max(0, usage - notMemory(storage: storage)) }

    /// What does not count as memory.
    func notMemory(storage: Int64) -> Int64 { max(0, files - max(0, shared - storage)) }
  }

  func limit(to bytes: Int64) -> Bool {
    switch version {
    case .one:
      guard SystemFile.write(String(bytes), to: "\(folder)/memory.limit_in_bytes") == 0 else { return false }
      // Not there without accounting of swap: then swap is not limited, but memory is.
      SystemFile.write(String(bytes), to: "\(folder)/memory.memsw.limit_in_bytes")
      return true
    case .two:
      guard SystemFile.write(String(bytes), to: "\(folder)/memory.max") == 0 else { return false }
      SystemFile.write("0", to: "\(folder)/memory.swap.max")
      return true
    }
  }

  func read() -> Reading? {
    let (now, peak, files) =
      version == .one
      ? ("memory.usage_in_bytes", "memory.max_usage_in_bytes", "cache") : ("memory.current", "memory.peak", "file")
    guard let usage = SystemFile.number("\(folder)/\(now)"), let text = SystemFile.text("\(folder)/memory.stat"),
      let files = SystemFile.number(named: files, in: text), let shared = SystemFile.number(named: "shmem", in: text)
    else { return nil }
    // Before Linux 5.19, version 2 kept no peak.
    return Reading(
      usage: usage, usageMax: SystemFile.number("\(folder)/\(peak)") ?? usage, files: files, shared: shared)
  }

  /// How many of its processes the kernel has killed because the hard limit was reached.
  func killedCount() -> Int64 {
    let file = version == .one ? "memory.oom_control" : "memory.events"
    return SystemFile.text("\(folder)/\(file)").flatMap { SystemFile.number(named: "oom_kill", in: $0) } ?? 0
  }

  /// Asks the kernel to say on `descriptor` (an event descriptor) when usage crosses `bytes`. Version 1 only.
  func notify(_ descriptor: Int32, crossing bytes: Int64) -> Bool {
    notify(descriptor, about: "memory.usage_in_bytes", argument: " \(bytes)")
  }

  /// The same when a process is about to be killed. Version 1 only.
  func notifyOfKills(_ descriptor: Int32) -> Bool { notify(descriptor, about: "memory.oom_control", argument: "") }

  private func notify(_ descriptor: Int32, about name: String, argument: String) -> Bool {
    let file = unsafe open("\(folder)/\(name)", O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return false }
    defer { close(file) }
    return SystemFile.write("\(descriptor) \(file)\(argument)", to: "\(folder)/cgroup.event_control") == 0
  }
}
