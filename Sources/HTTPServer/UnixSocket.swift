internal import Glibc

/// A socket in the file system, made so that nobody can open it before it has its mode.
public enum UnixSocket {
  /// The longest path; what the kernel takes less the name of a folder in between.
  public static let pathBytesMax = 90

  static func remove(_ path: String) { unsafe _ = unlink(path) }

  /// Where one is made, and where it is put once it listens.
  struct Place: Sendable {
    let path: String
    /// A folder that only this user may enter.
    private let folder: String

    /// Makes the folder beside the path.
    ///
    /// - Throws: ``HTTPServerError`` if somebody listens at the path, if another file is there, or if the folder is not to be had.
    init(_ path: String) throws(HTTPServerError) {
      guard path.utf8.count <= pathBytesMax, !path.isEmpty, !path.utf8.contains(0) else {
        throw HTTPServerError(
          code: .failed, message: "Cannot listen at \(path): a socket's path has 1 to \(pathBytesMax) bytes.")
      }
      self.path = path
      try Place.check(path)
      var template = Array("\(path).XXXXXX".utf8CString)
      // SAFETY: the template ends with a zero byte and is only changed in place.
      guard unsafe mkdtemp(&template) != nil else {
        throw HTTPServerError(
          code: errno == EACCES || errno == EPERM ? .permissionDenied : .failed,
          message: "Cannot make a socket at \(path): \(unsafe String(cString: strerror(errno))).")
      }
      folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    var temporaryPath: String { "\(folder)/s" }

    /// Puts the socket where it belongs.
    func publish() throws(HTTPServerError) {
      guard unsafe chmod(temporaryPath, 0o600) == 0, unsafe rename(temporaryPath, path) == 0 else {
        throw HTTPServerError(
          code: .failed, message: "Cannot make a socket at \(path): \(unsafe String(cString: strerror(errno))).")
      }
      unsafe rmdir(folder)
    }

    /// Removes what was not published.
    func discard() {
      unsafe unlink(temporaryPath)
      unsafe rmdir(folder)
    }

    private static func check(_ path: String) throws(HTTPServerError) {
      var status = stat()
      guard unsafe lstat(path, &status) == 0 else { return }
      guard status.st_mode & S_IFMT == S_IFSOCK else {
        throw HTTPServerError(
          code: .addressInUse,
          message: "Cannot listen at \(path): a file that is no socket is there; remove it, or choose another path.")
      }
      guard !answers(path) else {
        throw HTTPServerError(
          code: .addressInUse,
          message: "The socket \(path) is in use: stop the process that listens there, or choose another path.")
      }
    }

    /// Whether somebody accepts connections there.
    private static func answers(_ path: String) -> Bool {
      let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
      guard descriptor >= 0 else { return true }
      defer { close(descriptor) }
      var address = sockaddr_un()
      address.sun_family = sa_family_t(AF_UNIX)
      unsafe withUnsafeMutableBytes(of: &address.sun_path) { room in
        unsafe room.copyBytes(from: path.utf8.prefix(room.count - 1))
      }
      // SAFETY: the address lives through the call, which reads as many bytes as it is told.
      return unsafe withUnsafePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
        }
      }
    }
  }
}
