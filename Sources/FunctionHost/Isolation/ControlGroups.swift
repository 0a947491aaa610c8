internal import Glibc

/// Where the kernel counts and limits memory for this process, and the groups that the host makes there.
struct ControlGroups: Hashable, Sendable {
  /// The two interfaces of the kernel: one hierarchy for each controller, or one for all.
  enum Version: Int, Hashable, Sendable { case one = 1, two = 2 }

  /// This process's own memory group.
  struct Place: Hashable, Sendable {
    var version: Version
    var folder: String
  }

  var version: Version
  /// The folder of this host, below which each sandbox has one.
  var home: String

  /// The places that /proc/self/cgroup and /proc/self/mountinfo tell of; the newer interface first.
  static func places(groups: String, mounts: String) -> [Place] {
    var places: [Place] = []
    for line in groups.split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3 else { continue }
      let isUnified = parts[0] == "0" && parts[1].isEmpty
      guard isUnified || parts[1].split(separator: ",").contains("memory") else { continue }
      let version = isUnified ? Version.two : .one
      guard let folder = folder(of: String(parts[2]), version, mounts: mounts) else { continue }
      places.append(Place(version: version, folder: folder))
    }
    return places.sorted { $0.version.rawValue > $1.version.rawValue }
  }

  /// Where a group is seen: below the mount of its hierarchy.
  private static func folder(of group: String, _ version: Version, mounts: String) -> String? {
    for line in mounts.split(separator: "\n") {
      let halves = line.split(separator: " ", omittingEmptySubsequences: false)
      guard let dash = halves.firstIndex(of: "-"), dash + 3 < halves.count, dash > 4 else { continue }
      let type = halves[dash + 1]
      let isIt =
        version == .two
        ? type == "cgroup2" : type == "cgroup" && halves[dash + 3].split(separator: ",").contains("memory")
      guard isIt else { continue }
      let (root, point) = (String(halves[3]), String(halves[4]))
      if root == "/" { return group == "/" ? point : point + group }
      // A container sees a part of the hierarchy as its root.
      if group == root { return point }
      if group.hasPrefix(root + "/") { return point + group.dropFirst(root.count) }
    }
    return nil
  }

  /// Makes the host's folder in the first place that lets it, and removes what ended hosts have left there.
  ///
  /// - Returns: The groups, or the reason why there are none.
  static func make(_ name: String, in places: [Place]) -> (groups: ControlGroups?, reason: String) {
    var reasons: [String] = []
    for place in places {
      removeStale(in: place.folder)
      if place.version == .two, let reason = delegate(place.folder) {
        reasons.append(reason)
        continue
      }
      let home = "\(place.folder)/\(name)"
      guard unsafe mkdir(home, 0o755) == 0 || errno == EEXIST else {
        reasons.append("no control group can be made in \(place.folder): \(unsafe String(cString: strerror(errno)))")
        continue
      }
      if place.version == .two, SystemFile.write("+memory", to: "\(home)/cgroup.subtree_control") != 0 {
        unsafe _ = rmdir(home)
        reasons.append("the memory controller of \(home) cannot be handed on")
        continue
      }
      return (ControlGroups(version: place.version, home: home), "")
    }
    return (nil, reasons.isEmpty ? "the kernel has no memory controller" : reasons.joined(separator: "; "))
  }

  /// Lets groups below `folder` have the memory controller. Returns why that is not possible.
  private static func delegate(_ folder: String) -> String? {
    let controllers = SystemFile.text("\(folder)/cgroup.controllers")?.split { $0 == " " || $0 == "\n" } ?? []
    guard controllers.contains("memory") else { return "version 2 has no memory controller here" }
    let control = "\(folder)/cgroup.subtree_control"
    if SystemFile.text(control)?.split(whereSeparator: { $0 == " " || $0 == "\n" }).contains("memory") == true {
      return nil
    }
    let code = SystemFile.write("+memory", to: control)
    guard code != 0 else { return nil }
    let reason = unsafe String(cString: strerror(code))
    return "\(folder) does not hand the memory controller on: \(reason) (a service needs Delegate=yes)"
  }

  /// Ends and removes what hosts have left that were killed.
  static func removeStale(in folder: String) {
    for name in SystemFile.names(in: folder) {
      guard let mark = ProcessMark(name: name), !mark.isAlive else { continue }
      let home = "\(folder)/\(name)"
      for sandbox in SystemFile.names(in: home) {
        let group = MemoryGroup(folder: "\(home)/\(sandbox)", version: .one)
        if unsafe access("\(group.folder)/cgroup.procs", F_OK) == 0 { _ = group.remove() }
      }
      unsafe _ = rmdir(home)
    }
  }

  /// A group for one sandbox: what it may hold, and what the kernel never lets it exceed.
  func makeGroup(_ name: String, hardLimitBytes: Int64) -> MemoryGroup? {
    let group = MemoryGroup(folder: "\(home)/\(name)", version: version)
    guard unsafe mkdir(group.folder, 0o755) == 0 else { return nil }
    guard group.limit(to: hardLimitBytes) else {
      _ = group.remove()
      return nil
    }
    return group
  }

  /// Removes the host's folder, once every group in it is.
  func remove() {
    for name in SystemFile.names(in: home) {
      let folder = "\(home)/\(name)"
      if unsafe access("\(folder)/cgroup.procs", F_OK) == 0 {
        _ = MemoryGroup(folder: folder, version: version).remove()
      }
    }
    unsafe _ = rmdir(home)
  }
}
