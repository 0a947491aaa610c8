import Configuration
import Glibc

/// Looks for the programs of functions before their host starts, so that a slip of the pen is told at once and not to the
/// first caller.
enum ProgramLookup {
  /// Where the launcher looks without a `PATH`.
  private static let pathDefault = "/usr/local/bin:/usr/bin:/bin"

  /// One sentence about the first function whose program cannot be run; `nil` if all can.
  ///
  /// - Parameter environment: The host's own; a function's `PATH` wins over the one in it.
  static func problem(_ functions: [FunctionSettings], environment: [String: String]) -> String? {
    for function in functions {
      guard let program = function.command.first else { continue }
      if program.contains("/") {
        let path = program.hasPrefix("/") ? program : "\(function.directory)/\(program)"
        // Layers cover what the machine has at /opt.
        let isLayered = !function.layers.isEmpty && path.hasPrefix("/opt/")
        let places = isLayered ? function.layers.map { $0 + path.dropFirst("/opt".count) } : [path]
        if places.contains(where: isExecutable) { continue }
        return "The command of the function \(function.name) cannot be run: \(path) is not an executable file; "
          + "build it, or correct the function's command."
      }
      let path = function.environment["PATH"] ?? environment["PATH"] ?? ""
      let folders = (path.isEmpty ? pathDefault : path).split(separator: ":", omittingEmptySubsequences: false)
      // An empty part of PATH, or a relative one, begins at the function's own folder.
      let isThere = folders.contains { folder in
        isExecutable(folder.hasPrefix("/") ? "\(folder)/\(program)" : "\(function.directory)/\(folder)/\(program)")
      }
      if isThere || function.layers.contains(where: { isExecutable("\($0)/bin/\(program)") }) { continue }
      return "The command of the function \(function.name) cannot be run: \(program) is not in PATH; "
        + "install it, or correct the function's command."
    }
    return nil
  }

  private static func isExecutable(_ path: String) -> Bool {
    var status = stat()
    guard unsafe stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return false }
    return unsafe access(path, X_OK) == 0
  }
}
