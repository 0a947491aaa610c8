import Glibc
import HostRules

/// The external extensions of a function: the programs in its directory of extensions.
enum ExtensionFiles {
  /// The names of the executable regular files directly in `directory`, sorted. Blocks on the file system.
  ///
  /// - Throws: As ``list(in:of:)``.
  static func names(in directory: String, of function: String) throws(HostError) -> [String] {
    try list(in: directory, of: function).programs
  }

  /// The executable regular files directly in `directory`, and what was surely meant to be one and is not: files that are not
  /// executable, links to nothing. Sorted by name. Blocks on the file system.
  ///
  /// - Throws: ``HostError`` with ``HostError/Code/configuration`` if it cannot be read, or has more than AWS allows.
  static func list(
    in directory: String, of function: String
  ) throws(HostError) -> (programs: [String], others: [String]) {
    guard let stream = unsafe opendir(directory) else {
      let reason = unsafe String(cString: strerror(errno))
      throw HostError(
        .configuration,
        "The extensions of '\(function)' cannot be read: \(directory): \(reason). Correct the function's key "
          + "extensions, or leave it out."
      )
    }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    var others: [String] = []
    while let entry = unsafe readdir(stream) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      switch kind("\(directory)/\(name)") {
      case .program: names.append(name)
      case .notExecutable: others.append(name)
      case .noFile: break
      }
    }
    guard names.count <= ExtensionMachine.limit else {
      throw HostError(
        .configuration,
        "The directory \(directory) has \(names.count) extensions for '\(function)'; at most \(ExtensionMachine.limit) are "
          + "allowed: move some elsewhere.")
    }
    return (names.sorted(), others.sorted())
  }

  private enum Kind { case program, notExecutable, noFile }

  private static func kind(_ path: String) -> Kind {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return .notExecutable }
    guard status.st_mode & S_IFMT == S_IFREG else { return .noFile }
    return unsafe access(path, X_OK) == 0 ? .program : .notExecutable
  }
}
