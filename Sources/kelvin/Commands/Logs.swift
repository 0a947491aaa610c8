import ArgumentParser
import Configuration
import Glibc
import Table

struct Logs: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows the log of a function: what it and its extensions print, and the host's own lines.",
    discussion: """
      The host writes the log to logs/NAME.log in its data directory, and renames it to NAME.log.1 when it reaches 8 \
      MiB. The command asks the host for the path; if no host answers, it takes the data directory from the \
      configuration. Lines that programs print begin with their origin, "function | " or "extension NAME | "; all \
      other lines are the host's. On a terminal a carriage return begins a new line and other control characters are \
      made visible; elsewhere bytes are unchanged.

      Examples:
        kelvin logs orders
        kelvin logs orders --follow --lines 10
      """)

  @Argument(help: "The name of the function.", completion: .functions)
  var function: String

  @Flag(name: [.short, .long], help: "Keep showing new lines until Ctrl-C.")
  var follow = false

  @Option(name: [.customShort("n"), .long], help: "The number of last lines to show.")
  var lines = 100

  @Option(
    help: ArgumentHelp(
      "The configuration that names the data directory; no host is asked. Default: if no host answers, kelvin.yaml in "
        + "the working directory, if there is one."
    ),
    completion: .file(extensions: ["yaml", "yml"]))
  var config: String?

  @Option(help: "The data directory of the host; no host is asked.", completion: .directory)
  var dataDir: String?

  @OptionGroup var host: HostOptions

  func validate() throws {
    guard lines >= 0 else { throw ValidationError("--lines must be at least 0, but is \(lines).") }
    guard [config, dataDir, host.host].filter({ $0 != nil }).count <= 1 else {
      throw ValidationError("--config, --data-dir and --host-url name three different places; give one.")
    }
  }

  func run() async throws {
    try await reportingFailure {
      guard FunctionLogFile.isName(function) else {
        throw CommandFailure.usage(
          "'\(function)' cannot be the name of a function; names have letters, digits, - and _.")
      }
      let path = try path()
      var log = FunctionLogFile(path: path)
      guard log.exists || follow else { throw Logs.noLog(function, path) }
      var output = LogOutput()
      try output.show(try log.tail(lines))
      while follow {
        try await Task.sleep(for: .milliseconds(200))
        let more = try log.more()
        if !more.isEmpty { try output.show(more) }
      }
    }
  }

  /// Where the log is: what the command line says; else what a host that answers says; else what the configuration says.
  private func path() throws -> String {
    if let dataDir { return try path(in: "\(dataDir)/logs") }
    guard config == nil else { return try path(in: configuredFolder()) }
    let client = try ServerClient(.host, option: host.host)
    do throws(CommandFailure) {
      if let notes = try HostNotes.asked(function, of: client) {
        if let path = notes.logPath { return path }
        throw CommandFailure.failure(
          "The host at \(client.address) does not say where it writes its logs. Name its data directory with "
            + "--data-dir.")
      }
    } catch {
      // Logs outlive their host. But one that the command line names has to answer.
      guard host.host == nil, error.exitCode == CommandFailure.unreachable("").exitCode else { throw error }
      return try path(in: configuredFolder())
    }
    throw UnknownFunction.failure(function, known: HostNotes.names(of: client), at: "at \(client.address)")
  }

  private func configuredFolder() throws -> String {
    let path = config ?? defaultConfigurationPath
    guard config != nil || ConfigurationFile.exists(path) else {
      return "\(KelvinConfiguration().agent.dataDirectory)/logs"
    }
    return "\(try readConfiguration(path).configuration.agent.dataDirectory)/logs"
  }

  /// The log in a folder of which no host says what functions there are.
  private func path(in folder: String) throws(CommandFailure) -> String {
    let path = "\(folder)/\(function).log"
    let others = FunctionLogFile.names(in: folder)
    guard !FunctionLogFile(path: path).exists else { return path }
    guard others.isEmpty else { throw UnknownFunction.failure(function, known: others, at: "with a log in \(folder)") }
    throw .failure(
      "There is no log of a function \(function) in \(folder), and no host answers that could say where the log is. "
        + "Name the host's data directory with --data-dir or --config.")
  }

  private static func noLog(_ function: String, _ path: String) -> CommandFailure {
    .failure(
      "The function \(function) has no log yet, because the host has not started an instance of it. The log will be "
        + "\(path). To call the function: kelvin invoke \(function)")
  }
}

/// Shows a log: bytes unchanged, but on a terminal without characters that control it.
private struct LogOutput {
  private let isTerminal = Console.outputIsTerminal
  /// The beginning of a line of which the rest is not read yet.
  private var partial: [UInt8] = []

  mutating func show(_ bytes: [UInt8]) throws {
    guard isTerminal else { return try Console.result(bytes) }
    partial += bytes
    guard let end = partial.lastIndex(of: UInt8(ascii: "\n")) else { return }
    let lines = partial[..<end].split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    try Console.result(
      Array(lines.map { TerminalText.logLine(String(decoding: $0, as: UTF8.self)) + "\n" }.joined().utf8))
    partial.removeSubrange(...end)
  }
}

/// A log that another process writes, and puts aside when it is full.
struct FunctionLogFile {
  private static let chunkBytes = 65_536
  private let path: String
  private var descriptor: Int32 = -1
  private var offset = 0

  init(path: String) { self.path = path }

  var exists: Bool { ConfigurationFile.exists(path) || ConfigurationFile.exists("\(path).1") }

  static func isName(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.count <= 140
      && text.utf8.allSatisfy {
        (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || $0 == 45 || $0 == 95
      }
  }

  /// The functions that have a log in a folder, sorted.
  static func names(in folder: String) -> [String] {
    guard let stream = unsafe opendir(folder) else { return [] }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while let entry = unsafe readdir(stream) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      if name.hasSuffix(".log") { names.append(String(name.dropLast(4))) }
    }
    return names.sorted()
  }

  /// The last `count` lines, of both files together; what is written later is for ``more()``.
  mutating func tail(_ count: Int) throws -> [UInt8] {
    var bytes: [UInt8] = []
    let old = unsafe open("\(path).1", O_RDONLY | O_CLOEXEC)
    if old >= 0 {
      defer { close(old) }
      bytes = try FunctionLogFile.read(old, "\(path).1")
    }
    bytes += try more()
    guard count > 0 else { return [] }
    var lines = 0
    // A newline at the very end closes the last line.
    for position in stride(from: bytes.count - 2, through: 0, by: -1) where bytes[position] == UInt8(ascii: "\n") {
      lines += 1
      if lines == count { return Array(bytes[(position + 1)...]) }
    }
    return bytes
  }

  /// What was written since the last time, also if the file was put aside meanwhile.
  mutating func more() throws -> [UInt8] {
    var bytes: [UInt8] = []
    if descriptor >= 0 {
      bytes = try readOn()
      guard isPutAside else { return bytes }
      // Written between the look and the renaming.
      bytes += try readOn()
      close(descriptor)
      descriptor = -1
    }
    descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    offset = 0
    guard descriptor >= 0 else {
      if errno == ENOENT { return bytes }
      throw CommandFailure.failure("\(path) cannot be opened: \(unsafe String(cString: strerror(errno))).")
    }
    return bytes + (try readOn())
  }

  private mutating func readOn() throws -> [UInt8] {
    var status = stat()
    if unsafe fstat(descriptor, &status) == 0, Int(status.st_size) < offset {
      offset = 0
      lseek(descriptor, 0, SEEK_SET)
    }
    let bytes = try FunctionLogFile.read(descriptor, path)
    offset += bytes.count
    return bytes
  }

  /// Whether there is another file at the path now, or none.
  private var isPutAside: Bool {
    var here = stat()
    var there = stat()
    guard unsafe fstat(descriptor, &here) == 0, unsafe stat(path, &there) == 0 else { return true }
    return here.st_ino != there.st_ino || here.st_dev != there.st_dev
  }

  private static func read(_ descriptor: Int32, _ path: String) throws -> [UInt8] {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: chunkBytes)
    while true {
      let count = unsafe Glibc.read(descriptor, &chunk, chunk.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else {
        throw CommandFailure.failure("\(path) cannot be read: \(unsafe String(cString: strerror(errno))).")
      }
      guard count > 0 else { return bytes }
      bytes += chunk[..<count]
    }
  }
}
