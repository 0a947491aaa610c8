import CLinux
import Glibc

/// How the sandboxes of one host are isolated: which means work, and which of them belong to the host.
struct Surroundings: Sendable {
  var isolation: Isolation
  var groups: ControlGroups?
  /// Why no control group limits the number of processes; empty if one does.
  var processesReason = ""
  /// For temporary files of sandboxes that have no /tmp of their own; made when it is needed.
  var folder: HostFolder

  /// The means with which one sandbox is started.
  struct Plan: Sendable {
    /// Of the launcher.
    var arguments: [String] = []
    /// The parts that must succeed; bits of `launcher_part`.
    var parts: Int32 = 0
    var groups = ControlGroups.Sandbox()
    /// Whether the launcher is put into a user namespace.
    var hasOwnUser = false
    /// Where its temporary files go, if not to a /tmp of its own.
    var folder: HeldFolder?
    /// What was wanted and could not be made; then there is nothing to be started.
    var failure: ProcessError?
    /// Why the kernel keeps less of its limits than the host found possible at its start.
    var weakness: String?
  }

  /// Makes what must be there before the launcher starts.
  func plan(_ specification: SandboxSpecification, name: String) -> Plan {
    var plan = Plan()
    // What runs in /tmp itself would not find its files in another one.
    let ownsStorage = isolation.storage == .fileSystem && !TemporaryFolders.isWhole(specification.directory)
    if let groups {
      // What is written to /tmp is charged like memory, and has a limit of its own.
      let storage = ownsStorage ? specification.temporaryStorageLimitBytes : 0
      plan.makeGroups(
        name, in: groups, hardLimitBytes: specification.memoryLimitBytes + storage,
        processesMax: specification.processesMax)
    }
    if plan.groups.memory == nil { plan.arguments += ["--memory", String(specification.memoryLimitBytes)] }
    if isolation.hasOwnUser {
      plan.hasOwnUser = true
      plan.arguments += ["--user"]
      if isolation.limitsProcesses, groups?.limitsProcesses != true {
        plan.add(LAUNCHER_PART_TASKS, ["--tasks", String(specification.processesMax)])
      }
    }
    if isolation.hasOwnProcesses { plan.add(LAUNCHER_PART_PROCESSES, ["--processes"]) }
    if isolation.hasOwnMessages {
      plan.add(LAUNCHER_PART_MESSAGES, ["--messages", "--shared", String(specification.memoryLimitBytes)])
    }
    if ownsStorage {
      plan.add(LAUNCHER_PART_STORAGE, ["--storage", String(specification.temporaryStorageLimitBytes)])
      for path in TemporaryFolders.kept(of: specification.paths) { plan.arguments += ["--keep", path] }
    }
    if !ownsStorage { plan.makeFolder(name, in: folder) }
    if !specification.layers.isEmpty {
      plan.add(LAUNCHER_PART_LAYERS, specification.layers.flatMap { ["--layer", $0] })
    }
    if isolation.hasOwnProcesses || isolation.hasOwnMessages || ownsStorage || !specification.layers.isEmpty {
      plan.add(LAUNCHER_PART_MOUNTS, ["--mounts"])
    }
    return plan
  }

  /// Removes what belongs to the host, once every sandbox is gone. Returns what had to be left, and why.
  func remove() -> String? {
    groups?.remove()
    return folder.remove()
  }
}

extension Surroundings.Plan {
  fileprivate mutating func add(_ part: launcher_part, _ arguments: [String]) {
    parts |= Int32(part.rawValue)
    self.arguments += arguments
  }

  fileprivate mutating func makeGroups(
    _ name: String, in groups: ControlGroups, hardLimitBytes: Int64, processesMax: Int
  ) {
    do throws(ProcessError) {
      self.groups = try groups.makeSandbox(name, hardLimitBytes: hardLimitBytes, processesMax: processesMax)
      if !self.groups.folders.isEmpty {
        add(LAUNCHER_PART_GROUP, self.groups.folders.flatMap { ["--group", $0] })
      }
    } catch {
      weakness = error.message
    }
  }

  fileprivate mutating func makeFolder(_ name: String, in home: HostFolder) {
    do throws(ProcessError) {
      folder = try home.makeFolder(name)
    } catch {
      failure = error
    }
  }
}

/// The folders in the host's `/tmp` that an instance needs, although it has a `/tmp` of its own.
enum TemporaryFolders {
  /// Whether a directory is `/tmp` itself, so that no other can be put in its place.
  static func isWhole(_ directory: String) -> Bool { directory == "/tmp" || directory == "/tmp/" }

  /// As many as the launcher takes.
  static let countMax = 64

  /// The entries of `/tmp` in which the given paths lie, each once. Also looks into lists such as `PATH`.
  static func kept(of texts: [String]) -> [String] {
    var kept: [String] = []
    for text in texts where text.contains("/tmp/") {
      for path in text.split(separator: ":") where path.hasPrefix("/tmp/") {
        let entry = path.dropFirst("/tmp/".count).prefix { $0 != "/" }
        let folder = "/tmp/\(entry)"
        guard !entry.isEmpty, entry != ".", entry != "..", !kept.contains(folder), kept.count < countMax else {
          continue
        }
        kept.append(folder)
      }
    }
    return kept
  }
}
