internal import CLinux
internal import Glibc

/// How sandboxes of one host are surrounded: what was found to work, and what belongs to the host for it.
struct Surroundings: Sendable {
  var isolation: Isolation
  var groups: ControlGroups?
  /// The host's folder for temporary files of sandboxes that have no /tmp of their own; made when it is needed.
  var folder: String

  /// What one sandbox is started with.
  struct Plan: Sendable {
    /// Of the launcher.
    var arguments: [String] = []
    /// The parts that must succeed; bits of `launcher_part`.
    var parts: Int32 = 0
    var group: MemoryGroup?
    /// Where its temporary files go, if not to a /tmp of its own.
    var folder: String?
    /// What was wanted and could not be made.
    var lack: String?
  }

  /// Makes what must be there before the launcher starts.
  func plan(_ specification: SandboxSpecification, name: String) -> Plan {
    var plan = Plan()
    // What runs in /tmp itself would not find its files in another one.
    let ownsStorage = isolation.storage == .fileSystem && !TemporaryFolders.isWhole(specification.directory)
    if let groups {
      // What is written to /tmp is charged like memory, and has a limit of its own.
      let storage = ownsStorage ? specification.temporaryStorageLimitBytes : 0
      plan.group = groups.makeGroup(name, hardLimitBytes: specification.memoryLimitBytes + storage)
      if plan.group == nil { plan.lack = "a control group" }
      if let group = plan.group { plan.add(LAUNCHER_PART_GROUP, ["--group", group.folder]) }
    } else {
      plan.arguments += ["--memory", String(specification.memoryLimitBytes)]
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
    if isolation.hasOwnProcesses || isolation.hasOwnMessages || ownsStorage {
      plan.add(LAUNCHER_PART_MOUNTS, ["--mounts"])
    }
    return plan
  }

  /// Removes what belongs to the host, once every sandbox is gone.
  func remove() {
    groups?.remove()
    SystemFile.removeAll(folder)
  }
}

extension Surroundings.Plan {
  fileprivate mutating func add(_ part: launcher_part, _ arguments: [String]) {
    parts |= Int32(part.rawValue)
    self.arguments += arguments
  }

  fileprivate mutating func makeFolder(_ name: String, in home: String) {
    let folder = "\(home)/\(name)"
    // For this user alone: the place is one where everybody may write.
    guard unsafe mkdir(home, 0o700) == 0 || errno == EEXIST, unsafe mkdir(folder, 0o700) == 0 else {
      lack = "a folder for temporary files"
      return
    }
    self.folder = folder
  }
}

/// What of the host's `/tmp` an instance needs, although it has a `/tmp` of its own.
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
