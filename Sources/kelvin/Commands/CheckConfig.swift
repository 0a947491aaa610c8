import ArgumentParser
import Configuration
import Schedules

struct CheckConfig: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check-config",
    abstract: "Checks a kelvin.yaml and lists everything that is wrong with it.",
    discussion: """
      The programs and folders of functions must exist. The command looks for a program as kelvin host does: in the \
      function's PATH or its directory. Exit code 0 if the file can be used (warnings allowed), 64 if it has problems, \
      1 if it cannot be read.

      Examples:
        kelvin check-config
        kelvin check-config staging.yaml
      """)

  @Argument(help: "The file to check.", completion: .file(extensions: ["yaml", "yml"]))
  var file = defaultConfigurationPath

  func run() async throws {
    try await reportingFailure {
      let reading = try readConfiguration(file, findingPrograms: true)
      let count = reading.configuration.functions.count
      guard count > 0 else {
        return try Console.result(
          "\(file): ok, but it has no functions. kelvin agent needs none; kelvin host needs one under functions:")
      }
      try Console.result("\(file): ok, \(count) function\(count == 1 ? "" : "s")")
      let now = SystemClock.now()
      for schedule in reading.configuration.schedules {
        // A host that runs counts rates from when it saw them first.
        let times = schedule.schedule.next(3, after: now, anchor: now)
        try Console.result("  schedule \(ScheduleLines.line(schedule.name, times))")
      }
    }
  }
}

/// Reads a configuration file; warnings go to standard error.
///
/// - Parameter findingPrograms: Whether the programs of functions must be there: for who runs them.
/// - Throws: ``CommandFailure`` with exit code 64 and all problems if there are some, 1 if the file cannot be read.
func readConfiguration(_ path: String, findingPrograms: Bool = false) throws -> ConfigurationReading {
  let reading: ConfigurationReading
  do {
    let programs = findingPrograms ? ProgramSearch(environment: Console.environment) : nil
    reading = try ConfigurationFile.read(path: path, programs: programs)
  } catch {
    throw CommandFailure.failure(error.message)
  }
  for warning in reading.warnings {
    Console.message("\(path):\(warning.line):\(warning.column): warning: \(warning.message)")
  }
  guard !reading.problems.isEmpty else { return reading }
  for problem in reading.problems { Console.message("\(path):\(problem)") }
  let count = reading.problems.count
  throw CommandFailure.usage("\(path) has \(count == 1 ? "a problem" : "\(count) problems").")
}
