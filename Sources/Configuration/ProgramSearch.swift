import Text
import Glibc

/// Looks for the programs of functions in the places where a host would look, so that a missing one is reported before
/// the first caller needs it.
///
/// Blocks on the file system.
package struct ProgramSearch: Hashable, Sendable {
  /// Where the host looks without a `PATH`.
  private static let pathDefault = "/usr/local/bin:/usr/bin:/bin"
  /// What the kernel reads of a script's first line.
  private static let firstLineBytesLimit = 256
  /// Programs that machines have by another name.
  private static let otherNames = [
    "python": "python3", "python3": "python", "pip": "pip3", "node": "nodejs", "nodejs": "node",
  ]

  /// The `PATH` of the host; that of a function goes before it.
  private let path: String

  /// Makes a search that looks where a host with this environment would.
  ///
  /// - Parameter environment: The host's own.
  package init(environment: [String: String]) { path = environment["PATH"] ?? "" }

  /// Says why a program cannot be started, and what to do; `nil` if it can, as far as one can tell without starting it.
  ///
  /// - Parameters:
  ///   - program: A path, which begins at `directory` unless it is absolute, or a name that is looked up in `PATH`.
  ///   - directory: Where the function runs.
  ///   - ownPath: The function's own `PATH`; `nil` if it sets none.
  ///   - layers: The folders that cover what the machine has at `/opt`.
  func problem(_ program: String, in directory: String, path ownPath: String?, layers: [String] = []) -> String? {
    if program.contains("/") {
      return problem(of: NodeReader.absolute(program, in: directory), layers)
    }
    let path = ownPath ?? path
    let folders = (path.isEmpty ? Self.pathDefault : path).split(separator: ":", omittingEmptySubsequences: false)
    // An empty part of PATH, or a relative one, begins at the function's own folder.
    let found = { (name: String) in
      folders.map { $0.hasPrefix("/") ? "\($0)/\(name)" : "\(directory)/\($0)\($0.isEmpty ? "" : "/")\(name)" }
        + layers.map { "\($0)/bin/\(name)" }
    }
    var problems: [String] = []
    for file in found(program) {
      guard kind(of: file) != nil else { continue }
      guard let problem = problem(of: file, layers) else { return nil }
      problems.append(problem)
    }
    if let first = problems.first { return first }
    let other = Self.otherNames[program].flatMap { name in
      found(name).contains { problem(of: $0, layers) == nil } ? name : nil
    }
    let advice = other.map { "did you mean \($0)?" } ?? "install it, or write the path of the program."
    return "\(quoted(program)) is in no folder of PATH (\(shown(path.isEmpty ? Self.pathDefault : path))); \(advice)"
  }

  private func problem(of path: String, _ layers: [String]) -> String? {
    let places = Self.places(path, layers)
    let problems = places.map { problem(ofFile: $0, layers) }
    guard !problems.contains(nil) else { return nil }
    // Of several places, the one that has something tells more.
    let first = places.firstIndex { kind(of: $0) != nil } ?? 0
    return problems[first]
  }

  /// Where a path that an instance sees lies on the machine; the layer that covers the others first.
  private static func places(_ path: String, _ layers: [String]) -> [String] {
    guard !layers.isEmpty, path.hasPrefix("/opt/") else { return [path] }
    return layers.reversed().map { $0 + path.dropFirst("/opt".count) }
  }

  private func problem(ofFile path: String, _ layers: [String]) -> String? {
    guard let kind = kind(of: path) else {
      let code = errno
      guard code == ENOENT else { return "\(shown(path)) cannot be read: \(reason(code))." }
      let advice =
        path.contains("/.venv/") || path.contains("/venv/")
        ? "create its virtual environment, or correct the command."
        : "build it, or correct the command."
      return "there is no program \(shown(path)); \(advice)"
    }
    if kind == S_IFDIR { return "\(shown(path)) is a folder; write the path of a program." }
    guard kind == S_IFREG else { return "\(shown(path)) is not a regular file; write the path of a program." }
    guard unsafe access(path, X_OK) == 0 else {
      let code = errno
      return code == EACCES
        ? "\(shown(path)) may not be executed by this user; make it executable: chmod +x \(shown(path))"
        : "\(shown(path)) cannot be executed: \(reason(code))."
    }
    guard let interpreter = interpreter(of: path), isMissing(interpreter, layers) else { return nil }
    return
      "\(shown(path)) is a script for \(shown(interpreter)), which does not exist; install \(shown(interpreter)), or "
      + "correct the first line of the script."
  }

  private func isMissing(_ interpreter: String, _ layers: [String]) -> Bool {
    guard interpreter.hasPrefix("/") else { return false }
    return !Self.places(interpreter, layers).contains { unsafe kind(of: $0) == S_IFREG && access($0, X_OK) == 0 }
  }

  /// What the first line of a script names; `nil` if it is none, or cannot be read.
  private func interpreter(of path: String) -> String? {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: Self.firstLineBytesLimit)
    let count = unsafe read(descriptor, &bytes, bytes.count)
    guard count > 2, bytes[0] == UInt8(ascii: "#"), bytes[1] == UInt8(ascii: "!") else { return nil }
    let line = bytes[2..<count].prefix { $0 != UInt8(ascii: "\n") && $0 != 0 }
    let words = line.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
    // A name that goes on beyond what was read is cut, and says nothing.
    guard let name = words.first, words.count > 1 || line.endIndex < count || count < bytes.count else { return nil }
    return String(validating: name, as: UTF8.self)
  }

  /// The kind of a file, symbolic links followed; `nil` with `errno` if there is none.
  private func kind(of path: String) -> mode_t? {
    var status = stat()
    return unsafe stat(path, &status) == 0 ? status.st_mode & S_IFMT : nil
  }

  private func reason(_ code: Int32) -> String { unsafe String(cString: strerror(code)) }

  /// A path for a message: control characters escaped, cut after 300 characters.
  private func shown(_ path: String) -> String {
    var result = ""
    for scalar in path.unicodeScalars.prefix(300) {
      let isPrintable = scalar.value >= 0x20 && !(0x7F...0x9F).contains(scalar.value)
      if isPrintable {
        result.unicodeScalars.append(scalar)
      } else {
        result += "\\u{\(String(scalar.value, radix: 16))}"
      }
    }
    return path.unicodeScalars.count > 300 ? result + "…" : result
  }
}
