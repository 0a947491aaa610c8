import Glibc

/// Programs that tests run, and whether they run.
package enum TestPrograms {
  /// The launcher that this package built: the one that `KELVIN_LAUNCHER` names, else the one beside the bundle of the tests (the
  /// running program may be the toolchain's helper).
  ///
  /// - Throws: If there is none.
  package static func launcher() throws -> String {
    if let named = unsafe getenv("KELVIN_LAUNCHER") { return unsafe String(cString: named) }
    for argument in CommandLine.arguments + ["/proc/self/exe"] where argument.contains("/") {
      var parts = argument.split(separator: "/", omittingEmptySubsequences: false)
      while parts.count > 1 {
        parts.removeLast()
        let path = parts.joined(separator: "/") + "/kelvin-launcher"
        if unsafe access(path, X_OK) == 0 { return path }
      }
    }
    throw MissingProgram(description: "kelvin-launcher is not beside the tests: set KELVIN_LAUNCHER to its path")
  }

  private struct MissingProgram: Error, CustomStringConvertible {
    var description: String
  }

  /// A length of sleep that no other process of this machine sleeps.
  package static func uniqueSleep() -> String { "1000.\(UInt32.random(in: 1_000_000 ... .max))" }

  /// Whether a process with this argument is there, in whatever namespace. A zombie has no arguments any more.
  package static func isRunning(argument: String) -> Bool { isRunning("cmdline", with: argument) }

  /// Whether a process was started with this variable, `NAME=value`.
  package static func isRunning(variable: String) -> Bool { isRunning("environ", with: variable) }

  private static func isRunning(_ file: String, with text: String) -> Bool {
    guard let directory = unsafe opendir("/proc") else { return false }
    defer { unsafe _ = closedir(directory) }
    while let entry = unsafe readdir(directory) {
      let number = unsafe strtol(&entry.pointee.d_name.0, nil, 10)
      if number > 0, contains(text, "/proc/\(number)/\(file)") { return true }
    }
    return false
  }

  /// Whether a file of the kernel has `text` between two zero bytes.
  private static func contains(_ text: String, _ path: String) -> Bool {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 4096)
    while bytes.count < 64 * 1024 {
      let count = unsafe read(descriptor, &piece, piece.count)
      guard count > 0 else { break }
      bytes += piece[..<count]
    }
    return bytes.split(separator: 0).contains { $0.elementsEqual(text.utf8) }
  }
}
