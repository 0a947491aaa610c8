import ArgumentParser
import Configuration

struct Host: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Runs the functions of a kelvin.yaml on this machine, with an agent in the same process.",
    discussion: """
      Functions answer on the host's port: to AWS Lambda's Invoke (kelvin invoke, boto3, aws --endpoint-url) and as \
      function URLs under /url/NAME/. The agent answers on a port of its own. Ctrl-C (or SIGTERM) stops both once \
      invocations in progress are answered; a second Ctrl-C ends them at once.

      Examples:
        kelvin host
        kelvin host --config staging.yaml --log-level debug
        kelvin host --agent http://10.0.0.7:27315
        kelvin host --agent https://agent.example:27315 --spill-file events.spill
      """)

  @Option(
    help: "The configuration. Default: kelvin.yaml in the working directory.",
    completion: .file(extensions: ["yaml", "yml"]))
  var config: String?

  @Option(
    help: ArgumentHelp(
      "Send events to the agent at this address, instead of running one in the same process.", valueName: "url"))
  var agent: String?

  @Option(
    help: ArgumentHelp(
      "With --agent: a file for events while that agent is gone. What is in it at the end is sent by the next host with the same file.",
      valueName: "file"), completion: .file())
  var spillFile: String?

  @OptionGroup var logging: LoggingOptions

  func run() async throws {
    try await reportingFailure {
      let path = config ?? defaultConfigurationPath
      guard config != nil || ConfigurationFile.exists(path) else {
        throw CommandFailure.usage(
          "There is no kelvin.yaml in this folder. To make one with an example function: kelvin init. To use another "
            + "file: kelvin host --config FILE.")
      }
      let settings = try readConfiguration(path, findingPrograms: true).configuration
      guard !settings.functions.isEmpty else {
        throw CommandFailure.usage(
          "\(path) has no functions. Add one under functions:, or run the agent without a host: kelvin agent.")
      }
      guard agent != nil || spillFile == nil else {
        throw CommandFailure.usage("--spill-file is for events on their way to another agent; name that with --agent.")
      }
      guard let agent else {
        return try await Serving.run(settings, from: path, hostsFunctions: true, logger: logging.logger())
      }
      let address = try ServerAddress(agent, defaultPort: 27_315)
      try await Serving.run(settings, from: path, reportingTo: address, spillPath: spillFile, logger: logging.logger())
    }
  }
}
