import ArgumentParser
import Logging

struct LoggingOptions: ParsableArguments {
  @Option(
    help: "The lowest level of messages to show: debug (with what functions print), info, notice, warning, error.")
  var logLevel = LogLevel.notice

  enum LogLevel: String, CaseIterable, ExpressibleByArgument {
    case debug, info, notice, warning, error

    var level: Logger.Level {
      switch self {
      case .debug: .debug
      case .info: .info
      case .notice: .notice
      case .warning: .warning
      case .error: .error
      }
    }
  }

  /// A logger that writes to standard error.
  func logger() -> Logger {
    var logger = Logger(label: "kelvin") { SafeLogHandler(StreamLogHandler.standardError(label: $0)) }
    logger.logLevel = logLevel.level
    return logger
  }
}
