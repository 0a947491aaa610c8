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
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
    var variables = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("KELVIN_") }
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
    process.waitUntilExit()
    return Outcome(
      exitCode: process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus,
      output: try String(contentsOfFile: names[1], encoding: .utf8),
      messages: try String(contentsOfFile: names[2], encoding: .utf8))
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
