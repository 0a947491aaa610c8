import Foundation

/// The built command, run as a person would.
enum KelvinBinary {
  struct Outcome: Sendable {
    var exitCode: Int32
    var output: String
    var messages: String
  }

  /// Beside the bundle that runs the tests.
  static let path = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
    .appendingPathComponent("kelvin").path

  /// Runs it to its end, in a folder and with an environment of its own.
  static func run(
    _ arguments: [String], folder: TemporaryFolder, environment: [String: String] = [:], input: String = ""
  ) throws -> Outcome {
    try start(arguments, folder: folder, environment: environment, input: input).outcome()
  }

  /// Starts it.
  static func start(
    _ arguments: [String], folder: TemporaryFolder, environment: [String: String] = [:], input: String = ""
  ) throws -> Running {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
    var variables = ProcessInfo.processInfo.environment.filter {
      !$0.key.hasPrefix("KELVIN_") && !$0.key.hasPrefix("AWS_")
    }
    variables.merge(environment) { $1 }
    process.environment = variables
    // Files, not pipes: whatever the size of the output, nobody waits for a reader.
    let names = ["stdin", "stdout", "stderr"].map { folder.path + "/." + $0 + "-" + UUID().uuidString }
    try input.write(toFile: names[0], atomically: false, encoding: .utf8)
    for name in names[1...] { try Data().write(to: URL(fileURLWithPath: name)) }
    process.standardInput = FileHandle(forReadingAtPath: names[0])
    process.standardOutput = FileHandle(forWritingAtPath: names[1])
    process.standardError = FileHandle(forWritingAtPath: names[2])
    try process.run()
    return Running(process: process, outputPath: names[1], messagesPath: names[2])
  }

  /// A command that may still run.
  struct Running {
    let process: Process
    let outputPath: String
    let messagesPath: String

    func messages() throws -> String { try String(contentsOfFile: messagesPath, encoding: .utf8) }

    /// Waits for its end.
    func outcome() throws -> Outcome {
      process.waitUntilExit()
      return Outcome(
        exitCode: process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus,
        output: try String(contentsOfFile: outputPath, encoding: .utf8), messages: try messages())
    }

    /// Waits until it says `text` on standard error, at most 20 s.
    func says(_ text: String) async throws -> Bool {
      let deadline = ContinuousClock.now + .seconds(20)
      while ContinuousClock.now < deadline {
        if try messages().contains(text) { return true }
        guard process.isRunning else { return try messages().contains(text) }
        try await Task.sleep(for: .milliseconds(10))
      }
      return false
    }

    /// The address that stands after `word` in what it says on standard error.
    func address(after word: String) throws -> String? {
      let lines = try messages().split(separator: "\n")
      guard let line = lines.first(where: { $0.contains(" \(word) ") }) else { return nil }
      guard let url = line.split(separator: " ").first(where: { $0.hasPrefix("http://") }) else { return nil }
      return String(url.dropFirst("http://".count).prefix { $0 != "/" })
    }
  }
}

/// A folder that is there as long as this object.
final class TemporaryFolder: Sendable {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.resolvingSymlinksInPath().path + "/kelvin-test-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func write(_ text: String, to name: String) throws {
    try text.write(toFile: "\(path)/\(name)", atomically: false, encoding: .utf8)
  }
}
