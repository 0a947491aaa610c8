import Glibc

/// The control groups in which the kernel counts and limits memory and processes, and the groups that the host makes in
/// them.
struct ControlGroups: Sendable {
  /// The two interfaces of the kernel: one hierarchy for each controller, or one for all.
  enum Version: Int, Hashable, Sendable { case one = 1, two = 2 }

  /// This process's own group in a hierarchy.
  struct Place: Hashable, Sendable {
    var version: Version
    var folder: String
  }

  /// The hierarchy with the controller of memory.
  let memory: HostGroup?
  /// The one with the controller of processes, if that is another.
  let processes: HostGroup?

  /// Where a controller may be, as /proc/self/cgroup and /proc/self/mountinfo tell; the newer interface first.
  static func places(of controller: String = "memory", groups: String, mounts: String) -> [Place] {
    var places: [Place] = []
    for line in groups.split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3 else { continue }
      let isUnified = parts[0] == "0" && parts[1].isEmpty
      guard isUnified || parts[1].split(separator: ",").contains(where: { $0 == controller }) else {
        continue
      }
      let version = isUnified ? Version.two : .one
      guard let folder = folder(of: String(parts[2]), controller, version, mounts: mounts) else { continue }
      places.append(Place(version: version, folder: folder))
    }
    return places.sorted { $0.version.rawValue > $1.version.rawValue }
  }

  /// Where a group is seen: below the mount of its hierarchy.
  private static func folder(of group: String, _ controller: String, _ version: Version, mounts: String) -> String? {
    for line in mounts.split(separator: "\n") {
      let halves = line.split(separator: " ", omittingEmptySubsequences: false)
      guard let dash = halves.firstIndex(of: "-"), dash + 3 < halves.count, dash > 4 else { continue }
      let type = halves[dash + 1]
      let isIt =
        version == .two
        ? type == "cgroup2" : type == "cgroup" && halves[dash + 3].split(separator: ",").contains { $0 == controller }
      guard isIt else { continue }
      let (root, point) = (String(halves[3]), String(halves[4]))
      if root == "/" { return group == "/" ? point : point + group }
      // A container sees a part of the hierarchy as its root.
      if group == root { return point }
      if group.hasPrefix(root + "/") { return point + group.dropFirst(root.count) }
    }
    return nil
  }

  /// Makes the host's groups, each in the first place that lets it, and removes what ended hosts have left there.
  ///
  /// - Returns: The groups, and the reasons why there are none for memory or for processes; empty where there are.
  static func make(
    groups: String, mounts: String
  ) -> (groups: ControlGroups, memoryReason: String, processesReason: String) {
    var (memoryReasons, processesReasons): ([String], [String]) = ([], [])
    let memory = first(
      of: places(of: "memory", groups: groups, mounts: mounts), "memory", optional: ["pids"], &memoryReasons)
    var processes: HostGroup?
    if memory?.controllers.contains("pids") != true {
      processes = first(of: places(of: "pids", groups: groups, mounts: mounts), "pids", &processesReasons)
    }
    return (
      ControlGroups(memory: memory, processes: processes),
      memory == nil ? text(memoryReasons, "memory") : "",
      memory?.controllers.contains("pids") == true || processes != nil ? "" : text(processesReasons, "pids")
    )
  }

  private static func text(_ reasons: [String], _ controller: String) -> String {
    reasons.isEmpty ? "the kernel has no \(controller) controller" : reasons.joined(separator: "; ")
  }

  private static func first(
    of places: [Place], _ controller: String, optional: [String] = [], _ reasons: inout [String]
  ) -> HostGroup? {
    for place in places {
      do throws(ProcessError) {
        return try HostGroup.make(in: place, wanted: [controller], optional: optional)
      } catch {
        reasons.append(error.message)
      }
    }
    return nil
  }

  /// Whether the number of processes is limited.
  var limitsProcesses: Bool { processes != nil || memory?.controllers.contains("pids") == true }

  /// The groups of one sandbox.
  struct Sandbox: Hashable, Sendable {
    var memory: MemoryGroup?
    /// Of all hierarchies.
    var folders: [String] = []

    /// Ends what is left in them, and removes them. False if one cannot be removed yet.
    func remove() -> Bool {
      folders.reduce(true) { HostGroup.removeGroup($1) && $0 }
    }

    var processesIDs: [Int32] { folders.first.map(HostGroup.processes(of:)) ?? [] }
  }

  /// Makes groups for one sandbox.
  ///
  /// - Parameters:
  ///   - hardLimitBytes: What the kernel never lets it exceed.
  ///   - processesMax: How many processes and threads it may have.
  /// - Throws: ``ProcessError`` with ``ProcessError/Code/resources``; then there is nothing left of them.
  func makeSandbox(_ name: String, hardLimitBytes: Int64, processesMax: Int) throws(ProcessError) -> Sandbox {
    var sandbox = Sandbox()
    do throws(ProcessError) {
      if let memory {
        let group = MemoryGroup(folder: try memory.makeGroup(name), version: memory.place.version)
        sandbox.folders.append(group.folder)
        guard group.limit(to: hardLimitBytes) else {
          throw ProcessError(resource: "a limit of memory in \(group.folder)")
        }
        sandbox.memory = group
        if memory.controllers.contains("pids") { try ControlGroups.limit(group.folder, to: processesMax) }
      }
      if let processes {
        let folder = try processes.makeGroup(name)
        sandbox.folders.append(folder)
        try ControlGroups.limit(folder, to: processesMax)
      }
    } catch {
      _ = sandbox.remove()
      throw error
    }
    return sandbox
  }

  private static func limit(_ folder: String, to processesMax: Int) throws(ProcessError) {
    // The launcher is one of them.
    let code = SystemFile.write(String(processesMax + 1), to: "\(folder)/pids.max")
    guard code != 0 else { return }
    errno = code
    throw ProcessError(resource: "a limit of processes in \(folder)")
  }

  /// Removes the host's groups, once every group in them is.
  func remove() {
    memory?.remove()
    processes?.remove()
  }
}
