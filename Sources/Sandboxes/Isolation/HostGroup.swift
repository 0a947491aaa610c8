import CLinux
import Glibc
import Synchronization

/// The control group of one host in one hierarchy; each of its sandboxes has one below it.
///
/// It is locked for as long as its host lives (flock(2) on the folder itself, which all namespaces of the machine see as the same):
/// what is not locked was left by a host that was killed.
final class HostGroup: Sendable {
  private struct Home: Sendable {
    var path: String
    var folder: HeldFolder
  }

  let place: ControlGroups.Place
  /// What groups below it can limit.
  let controllers: [String]
  private let state: Mutex<Home>

  private init(_ place: ControlGroups.Place, _ controllers: [String], _ home: Home) {
    self.place = place
    self.controllers = controllers
    state = Mutex(home)
  }

  /// Makes it, and removes what ended hosts have left in the same place.
  ///
  /// - Parameters:
  ///   - wanted: The controllers that it must have.
  ///   - optional: Those that it has where that is possible.
  /// - Throws: ``ProcessError`` with ``ProcessError/Code/resources`` and the reason.
  static func make(
    in place: ControlGroups.Place, wanted: [String], optional: [String] = []
  ) throws(ProcessError) -> HostGroup {
    removeStale(in: place.folder)
    var controllers = wanted
    if place.version == .two {
      for controller in wanted { if let reason = delegate(controller, in: place.folder) { throw reason } }
      controllers += optional.filter { delegate($0, in: place.folder) == nil }
    }
    return HostGroup(place, controllers, try makeHome(in: place, controllers))
  }

  /// A group for one sandbox. If the host's own is gone, it is made again.
  ///
  /// - Returns: Its folder.
  /// - Throws: ``ProcessError`` with ``ProcessError/Code/resources``.
  func makeGroup(_ name: String) throws(ProcessError) -> String {
    let home = try state.withLock { (home) throws(ProcessError) -> String in
      if !home.folder.isStill(home.path, in: AT_FDCWD) { home = try HostGroup.makeHome(in: place, controllers) }
      return home.path
    }
    let folder = "\(home)/\(name)"
    guard unsafe mkdir(folder, 0o755) == 0 else { throw ProcessError(resource: "a control group in \(home)") }
    return folder
  }

  /// Removes it, once every group in it is.
  func remove() { HostGroup.removeHome(state.withLock { $0.path }) }

  /// Ends what is left in a sandbox's group, and removes it. False if it cannot be removed yet.
  static func removeGroup(_ folder: String) -> Bool {
    if unsafe rmdir(folder) == 0 || errno == ENOENT { return true }
    // Since Linux 5.14, in version 2; reaches processes of every namespace.
    if SystemFile.write("1", to: "\(folder)/cgroup.kill") != 0 {
      for process in processes(of: folder) where process != getpid() { kill(process, SIGKILL) }
    }
    return unsafe rmdir(folder) == 0 || errno == ENOENT
  }

  /// The processes of a group that this process namespace has numbers for. Those of others read as 0, which kill(2) takes for the
  /// caller's own group.
  static func processes(of folder: String) -> [Int32] {
    SystemFile.text("\(folder)/cgroup.procs")?.split(separator: "\n").compactMap { Int32($0) }.filter { $0 > 0 } ?? []
  }

  private static func makeHome(
    in place: ControlGroups.Place, _ controllers: [String]
  ) throws(ProcessError) -> Home {
    for _ in 0..<8 {
      let path = "\(place.folder)/\(HostMark.random())"
      guard unsafe mkdir(path, 0o700) == 0 else { throw ProcessError(resource: "a control group in \(place.folder)") }
      let descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
      guard descriptor >= 0 else {
        // Gone: a host that clears away what others have left has come between.
        if errno == ENOENT { continue }
        let error = ProcessError(resource: "a descriptor of a control group")
        unsafe _ = rmdir(path)
        throw error
      }
      let folder = HeldFolder(path: path, descriptor: descriptor)
      guard clinux_lock(descriptor) == 0, folder.isStill(path, in: AT_FDCWD) else { continue }
      if place.version == .two {
        let handed = controllers.map { "+\($0)" }.joined(separator: " ")
        let code = SystemFile.write(handed, to: "\(path)/cgroup.subtree_control")
        guard code == 0 else {
          unsafe _ = rmdir(path)
          errno = code
          throw ProcessError(
            resource: "the controllers \(controllers.joined(separator: " and ")) for groups in \(path)")
        }
      }
      return Home(path: path, folder: folder)
    }
    throw ProcessError(
      code: .resources, message: "No control group can be kept in \(place.folder): something removes it.")
  }

  /// Lets groups below `folder` have a controller of version 2. Returns why that is not possible.
  private static func delegate(_ controller: String, in folder: String) -> ProcessError? {
    func words(_ file: String) -> [Substring] {
      SystemFile.text("\(folder)/\(file)")?.split { $0 == " " || $0 == "\n" } ?? []
    }
    guard words("cgroup.controllers").contains(where: { $0 == controller }) else {
      return ProcessError(code: .resources, message: "version 2 has no \(controller) controller here")
    }
    if words("cgroup.subtree_control").contains(where: { $0 == controller }) { return nil }
    let code = SystemFile.write("+\(controller)", to: "\(folder)/cgroup.subtree_control")
    guard code != 0 else { return nil }
    let reason = unsafe String(cString: strerror(code))
    return ProcessError(
      code: .resources,
      message: "\(folder) does not delegate the \(controller) controller: \(reason) (a service needs Delegate=yes)")
  }

  /// Ends and removes what hosts have left that were killed.
  static func removeStale(in folder: String) {
    let place = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard place >= 0 else { return }
    defer { close(place) }
    for name in FolderNames.read(place) where HostMark.isOne(name) {
      let descriptor = unsafe clinux_open_folder(place, name)
      guard descriptor >= 0 else { continue }
      defer { close(descriptor) }
      if clinux_lock(descriptor) == 0 { removeHome("\(folder)/\(name)") }
    }
  }

  private static func removeHome(_ path: String) {
    var folders = SystemFile.names(in: path).map { "\(path)/\($0)" }
    folders.removeAll { unsafe access("\($0)/cgroup.procs", F_OK) != 0 }
    // A group can be removed a moment after its last process has ended.
    for _ in 0..<100 {
      folders.removeAll(where: removeGroup)
      if folders.isEmpty { break }
      usleep(1000)
    }
    unsafe _ = rmdir(path)
  }
}
