import Glibc

/// Why a configuration file could not be read at all.
package struct ConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
  /// One sentence that names the file and says what to do.
  package var message: String

  /// Makes an error of its sentence.
  package init(message: String) { self.message = message }

  /// The same as ``message``.
  package var description: String { message }
}

/// Reads `kelvin.yaml`.
package enum ConfigurationFile {
  /// The largest file that is read, in bytes.
  package static let bytesLimit = 1_048_576

  /// Reads the file at `path`; relative folders in it begin at its own folder, and folders of functions must exist.
  ///
  /// Blocks on the file system.
  ///
  /// - Parameter programs: Looks for the programs of functions, which must be there, too; `nil`: they are not looked for,
  ///   because the reader runs none.
  /// - Throws: ``ConfigurationError`` if there is no such file, it cannot be read, or it is larger than ``bytesLimit``. What is
  ///   wrong inside it is in the reading.
  package static func read(
    path: String, programs: ProgramSearch? = nil
  ) throws(ConfigurationError) -> ConfigurationReading {
    let bytes = try contents(path)
    return read(bytes, folder: folder(of: path), programs: programs, folderExists: folderExists)
  }

  /// Reads the bytes of a file.
  ///
  /// - Parameters:
  ///   - bytes: UTF-8; at most ``bytesLimit``, else that is the problem.
  ///   - folder: Where relative folders begin.
  ///   - programs: Looks for the programs of functions; `nil`: they are not looked for.
  ///   - folderExists: Whether there is a folder at a path.
  package static func read(
    _ bytes: [UInt8], folder: String, programs: ProgramSearch? = nil,
    folderExists: (String) -> Bool = { _ in true }
  ) -> ConfigurationReading {
    withoutActuallyEscaping(folderExists) { folderExists in
      var reader = ConfigurationReader(folder: folder, folderExists: folderExists)
      reader.programs = programs
      if bytes.count > bytesLimit {
        reader.nodes.problems = [ConfigurationProblem(line: 1, column: 1, message: "The file is larger than 1 MiB.")]
      } else if let text = String(validating: bytes, as: UTF8.self) {
        reader.read(text)
      } else {
        reader.nodes.problems = [encodingProblem(bytes)]
      }
      return ConfigurationReading(
        configuration: reader.configuration, problems: reader.nodes.problems.sorted(),
        warnings: reader.nodes.warnings.sorted())
    }
  }

  /// Whether there is a file (or something else with a name) at `path`.
  package static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

  private static func encodingProblem(_ bytes: [UInt8]) -> ConfigurationProblem {
    // The first line that is not UTF-8 by itself; a newline is never part of a longer sequence.
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    let line = lines.firstIndex { String(validating: $0, as: UTF8.self) == nil } ?? 0
    return ConfigurationProblem(line: line + 1, column: 1, message: "This line is not UTF-8; save the file as UTF-8.")
  }

  static func contents(_ path: String) throws(ConfigurationError) -> [UInt8] {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw ConfigurationError(message: "\(path) cannot be opened: \(reason()).") }
    defer { close(descriptor) }
    try expectText(descriptor, path)
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while bytes.count <= bytesLimit {
      let count = unsafe Glibc.read(descriptor, &chunk, chunk.count)
      if count == 0 {
        // A program or an editor that was stopped half-way leaves such a file; nobody writes one.
        guard !bytes.isEmpty else {
          throw ConfigurationError(message: "\(path) is empty; write a configuration into it.")
        }
        return bytes
      }
      if count < 0, errno == EINTR { continue }
      if count < 0, errno == EAGAIN, wait(for: descriptor) { continue }
      guard count > 0 else { throw ConfigurationError(message: "\(path) cannot be read: \(reason()).") }
      bytes += chunk[..<count]
    }
    throw ConfigurationError(message: "\(path) is larger than 1 MiB; give the path of a kelvin.yaml.")
  }

  /// - Throws: ``ConfigurationError`` for what has no text in it: a folder, a device, a pipe into which nobody writes.
  private static func expectText(_ descriptor: Int32, _ path: String) throws(ConfigurationError) {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else {
      throw ConfigurationError(message: "\(path) cannot be read: \(reason()).")
    }
    switch status.st_mode & S_IFMT {
    case S_IFREG: return
    case S_IFIFO, S_IFSOCK:
      // A shell's <(…) is a pipe; its writer may take a moment.
      guard wait(for: descriptor) else {
        throw ConfigurationError(
          message: "\(path) is a pipe that no process writes to; give the path of a kelvin.yaml.")
      }
    case S_IFDIR: throw ConfigurationError(message: "\(path) is a folder; give the path of the kelvin.yaml in it.")
    default: throw ConfigurationError(message: "\(path) is a device, not a file; give the path of a kelvin.yaml.")
    }
  }

  /// Waits for something to read, or the end; false if nothing comes for some seconds, or nobody is there to write.
  private static func wait(for descriptor: Int32) -> Bool {
    var event = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return unsafe poll(&event, 1, pipeMilliseconds) > 0
  }

  private static let pipeMilliseconds: Int32 = 2_000

  private static func reason() -> String { unsafe String(cString: strerror(errno)) }

  /// The absolute path of the folder of the file at `path`.
  static func folder(of path: String) -> String {
    let absolute = NodeReader.absolute(path, in: workingDirectory())
    guard let slash = absolute.lastIndex(of: "/") else { return "/" }
    return slash == absolute.startIndex ? "/" : String(absolute[..<slash])
  }

  private static func workingDirectory() -> String {
    guard let path = unsafe getcwd(nil, 0) else { return "/" }
    defer { unsafe free(path) }
    return unsafe String(cString: path)
  }

  private static func folderExists(_ path: String) -> Bool {
    var status = stat()
    return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }
}
