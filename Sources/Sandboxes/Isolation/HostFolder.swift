import CLinux
import Glibc
import Synchronization

/// A random name of a host's folder or group, in a place that hosts share with others.
enum HostMark {
  static let prefix = "kelvin-"
  private static let digits = 32

  static func random() -> String {
    let number = UInt128.random(in: 0 ..< .max)
    let text = String(number, radix: 16)
    return prefix + String(repeating: "0", count: digits - text.utf8.count) + text
  }

  /// Whether a name is of this form: whose it is, only its lock says.
  static func isOne(_ name: String) -> Bool {
    guard name.hasPrefix(prefix) else { return false }
    let rest = name.utf8.dropFirst(prefix.utf8.count)
    return rest.count == digits
      && rest.allSatisfy {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
      }
  }
}

/// A folder that this host has made and holds open, so that it is found again whatever happens to its name.
final class HeldFolder: Sendable {
  let path: String
  let descriptor: Int32

  /// Takes over the descriptor.
  init(path: String, descriptor: Int32) {
    self.path = path
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  var name: String { path.split(separator: "/").last.map(String.init) ?? path }

  /// Whether `name` in the folder `parent` still is this one.
  func isStill(_ name: String, in parent: Int32) -> Bool {
    var (own, there) = (stat(), stat())
    return unsafe fstat(descriptor, &own) == 0 && fstatat(parent, name, &there, AT_SYMLINK_NOFOLLOW) == 0
      && own.st_ino == there.st_ino && own.st_dev == there.st_dev
  }
}

/// The folder of one host for the temporary files of sandboxes that have no `/tmp` of their own.
///
/// It lies where others may write (`/tmp`), so it is closed to everybody else, was made and not found, is held open, and is locked
/// for as long as its host lives: what is not locked was left by a host that was killed. No process number says so: another
/// process namespace has other ones.
final class HostFolder: Sendable {
  /// The folder in which it is made.
  private let base: String
  private let state = Mutex(HeldFolder?.none)

  init(in base: String) { self.base = base }

  /// Makes a folder for one sandbox. If the host's own is gone, it is made again.
  ///
  /// - Throws: ``ProcessError`` with ``ProcessError/Code/resources``.
  func makeFolder(_ name: String) throws(ProcessError) -> HeldFolder {
    let home = try state.withLock { (home) throws(ProcessError) -> HeldFolder in
      if let home, home.isStill(home.path, in: AT_FDCWD) { return home }
      let made = try HostFolder.make(in: base)
      home = made
      return made
    }
    guard unsafe mkdirat(home.descriptor, name, 0o700) == 0 else {
      throw ProcessError(resource: "a folder for temporary files in \(home.path)")
    }
    let descriptor = unsafe clinux_open_folder(home.descriptor, name)
    guard descriptor >= 0 else { throw ProcessError(resource: "a folder for temporary files in \(home.path)") }
    return HeldFolder(path: "\(home.path)/\(name)", descriptor: descriptor)
  }

  /// Removes a folder that ``makeFolder(_:)`` made, with all that is in it. Returns what had to be left, and why.
  func remove(_ folder: HeldFolder) -> String? {
    var remover = FolderRemover(folder.descriptor)
    guard remover.empty() else {
      return "\(folder.path) is not removed: \(remover.obstacle ?? "new files appear in it")."
    }
    guard let home = state.withLock({ $0 }) else { return nil }
    // What has its name now may be something else that the function put there: a link goes, a folder stays.
    if unsafe folder.isStill(folder.name, in: home.descriptor)
      ? unlinkat(home.descriptor, folder.name, AT_REMOVEDIR) == 0 : unlinkat(home.descriptor, folder.name, 0) == 0
    {
      return nil
    }
    if errno == ENOENT { return nil }
    return "\(folder.path) is not removed: \(unsafe String(cString: strerror(errno)))."
  }

  /// Removes the host's own, once every sandbox is gone. Returns what had to be left, and why.
  func remove() -> String? {
    let home = state.withLock { home in
      defer { home = nil }
      return home
    }
    return home.flatMap { HostFolder.remove($0, in: AT_FDCWD, as: $0.path, within: .seconds(5)) }
  }

  private static func remove(
    _ home: HeldFolder, in base: Int32, as name: String, within patience: Duration
  ) -> String? {
    var remover = FolderRemover(home.descriptor, owner: geteuid(), within: patience)
    guard remover.empty() else {
      return "\(home.path) is not removed: \(remover.obstacle ?? "new files appear in it")."
    }
    guard home.isStill(name, in: base), unsafe unlinkat(base, name, AT_REMOVEDIR) != 0, errno != ENOENT else {
      return nil
    }
    return "\(home.path) is not removed: \(unsafe String(cString: strerror(errno)))."
  }

  /// Makes a folder with a name that nobody could foresee, and takes its lock.
  private static func make(in base: String) throws(ProcessError) -> HeldFolder {
    var status = stat()
    guard unsafe stat(base, &status) == 0 else {
      throw ProcessError(resource: "a folder for temporary files in \(base)")
    }
    guard status.st_mode & S_IWOTH == 0 || status.st_mode & S_ISVTX != 0 else {
      throw ProcessError(
        code: .resources,
        message: "\(base) lets every user rename what others have there: chmod +t it, or set TMPDIR to another folder.")
    }
    for _ in 0..<8 {
      let path = "\(base)/\(HostMark.random())"
      guard unsafe mkdir(path, 0o700) == 0 else {
        if errno == EEXIST { continue }
        throw ProcessError(resource: "a folder for temporary files in \(base)")
      }
      let descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
      guard descriptor >= 0 else { continue }
      let home = HeldFolder(path: path, descriptor: descriptor)
      // A host that clears away what others have left may have come between.
      if isOwn(descriptor), clinux_lock(descriptor) == 0, home.isStill(path, in: AT_FDCWD) { return home }
    }
    throw ProcessError(
      code: .resources, message: "No folder for temporary files can be kept in \(base): something removes it.")
  }

  private static func isOwn(_ descriptor: Int32) -> Bool {
    var status = stat()
    return unsafe fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
      && status.st_uid == geteuid() && status.st_mode & (S_IRWXG | S_IRWXO) == 0
  }

  /// Removes what hosts of this user have left in `base` that were killed. Returns what has a host's name and is left, because it is
  /// not this user's or cannot be removed.
  static func removeStale(in base: String) -> [String] {
    let place = unsafe open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard place >= 0 else { return [] }
    defer { close(place) }
    var left: [String] = []
    for name in FolderNames.read(place) where HostMark.isOne(name) {
      let path = "\(base)/\(name)"
      let descriptor = unsafe clinux_open_folder(place, name)
      guard descriptor >= 0 else {
        // Closed to us: a folder of another user's host, most likely. Gone: another host was faster.
        if errno == ELOOP || errno == ENOTDIR || errno == EXDEV {
          left.append("\(path) is left alone: it is not Kelvin's folder.")
        }
        continue
      }
      let home = HeldFolder(path: path, descriptor: descriptor)
      guard clinux_lock(descriptor) == 0 else { continue }
      guard isOwn(descriptor) else {
        left.append("\(path) is left alone: it belongs to another user, or is open to others.")
        continue
      }
      if let problem = remove(home, in: place, as: name, within: FolderRemover.patience) { left.append(problem) }
    }
    return left
  }
}
