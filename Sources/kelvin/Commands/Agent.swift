import ArgumentParser
import Configuration

struct AgentCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "agent",
    abstract: "Runs the agent without a host: serves metrics, the API and the page from its store.",
    discussion: """
      Examples:
        kelvin agent
        kelvin agent --config kelvin.yaml
      """)

  @Option(
    help: "The configuration. Default: kelvin.yaml in the working directory if there is one.",
    completion: .file(extensions: ["yaml", "yml"]))
  var config: String?

  @OptionGroup var logging: LoggingOptions

  func run() async throws {
    try await reportingFailure {
      let path = config ?? defaultConfigurationPath
      let isPresent = config != nil || ConfigurationFile.exists(path)
      let settings = isPresent ? try readConfiguration(path).configuration : KelvinConfiguration()
      try await Serving.run(settings, from: isPresent ? path : nil, hostsFunctions: false, logger: logging.logger())
    }
  }
}
