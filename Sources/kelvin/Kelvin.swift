import ArgumentParser
import Glibc

@main
struct Kelvin: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kelvin",
    abstract: "Measures how warm a serverless backend is, and runs its functions on this machine.",
    discussion: """
      Examples:
        kelvin init hello                  write an example
        kelvin host                        run the functions of ./kelvin.yaml
        kelvin invoke orders '{"id": 1}'   send an event to a function
        kelvin schedule list               show schedules and their next runs
        kelvin metrics lambda              show what happened, by window
        kelvin top                         show functions and instances live
        kelvin import --dry-run FILE       show what a log file tells
        kelvin store check                 look whether everything that was stored is whole
        kelvin status                      show functions and their limits
        kelvin reserved 50                 reserve 50 concurrent executions
        kelvin provisioned 5               keep 5 instances ready
        kelvin reload                      take over a changed kelvin.yaml

      Results go to standard output, messages to standard error. Exit codes: 0 success, 1 failure, 64 wrong usage or \
      configuration, 69 agent or host does not answer.
      """,
    version: kelvinVersion,
    subcommands: [
      Init.self, Host.self, AgentCommand.self, Metrics.self, Top.self, Status.self, Reserved.self, Provisioned.self,
      Invoke.self, Queue.self, ScheduleCommand.self, Reload.self, Logs.self, Import.self, Store.self, Rules.self,
      CheckConfig.self,
    ])
}

extension Kelvin {
  static func main() async {
    StandardDescriptors.open()
    do {
      let arguments = ProcessArguments.own
      try await answerBeforeParsing(arguments)
      var command = try await asyncParseAsRoot(arguments)
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
    } catch {
      Glibc.exit(end(with: error))
    }
  }

  /// Answers what the parser would answer less well: a mistyped command, and the version.
  private static func answerBeforeParsing(_ arguments: [String]) async throws {
    try await reportingFailure {
      if let failure = MistypedCommand.failure(arguments) { throw failure }
      if arguments == ["--version"] {
        try Console.result(VersionText.text)
        throw ExitCode.success
      }
    }
  }

  /// Says why the process ends: help, a version, a completion script on standard output, all else on standard error.
  ///
  /// The parser's own way of ending does not look whether its output was written.
  ///
  /// - Returns: The exit code.
  private static func end(with error: any Error) -> Int32 {
    let code = exitCode(for: error)
    let text = fullMessage(for: error)
    guard !text.isEmpty else { return code.rawValue }
    guard code == .success else {
      Console.message(text)
      return code.rawValue
    }
    do {
      try Console.result(text)
      return code.rawValue
    } catch let failure as CommandFailure {
      Console.message("kelvin: \(failure.message)")
      return failure.exitCode
    } catch {
      return ExitCode.failure.rawValue
    }
  }
}
