import ArgumentParser

/// A command's failure: its message on standard error, and its exit code.
struct CommandFailure: Error, Hashable {
  var exitCode: Int32
  /// Whole sentences; printed after `kelvin: `.
  var message: String

  /// Something went wrong that is neither of the others.
  static func failure(_ message: String) -> CommandFailure { CommandFailure(exitCode: 1, message: message) }

  /// The command line or the configuration is wrong (`EX_USAGE`).
  static func usage(_ message: String) -> CommandFailure { CommandFailure(exitCode: 64, message: message) }

  /// Agent or host does not answer (`EX_UNAVAILABLE`).
  static func unreachable(_ message: String) -> CommandFailure { CommandFailure(exitCode: 69, message: message) }
}

/// Runs the work of a command; its failure is printed, and becomes the exit code.
func reportingFailure(_ work: () async throws -> Void) async throws {
  do {
    try await work()
  } catch let failure as CommandFailure {
    Console.message("kelvin: \(failure.message)")
    throw ExitCode(failure.exitCode)
  }
}
