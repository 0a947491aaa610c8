import Glibc

/// The external extensions of a function: the programs in its directory of extensions.
enum ExtensionFiles {
  /// The names of the executable regular files directly in `directory`, sorted. Blocks on the file system.
  ///
  /// - Throws: ``HostError`` with ``HostError/Code/configuration`` if it cannot be read, or has more than AWS allows.
  static func names(in directory: String, of function: String) throws(HostError) -> [String] {
    guard let stream = unsafe opendir(directory) else {
      let reason = unsafe String(cString: strerror(errno))
      throw HostError(
        .configuration,
        "The extensions of '\(function)' cannot be read: \(directory): \(reason). Correct its key extensions, or leave it out."
      )
    }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while let entry = unsafe readdir(stream) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      if isProgram("\(directory)/\(name)") { names.append(name) }
    }
    guard names.count <= ExtensionMachine.limit else {
      throw HostError(
        .configuration,
        "The directory \(directory) has \(names.count) extensions for '\(function)'; at most \(ExtensionMachine.limit) are "
          + "taken: move some elsewhere.")
    }
    return names.sorted()
  }

  private static func isProgram(_ path: String) -> Bool {
    var status = stat()
    guard unsafe stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return false }
    return unsafe access(path, X_OK) == 0
  }
}
