import AlertRules
import ArgumentParser
import Configuration

struct Rules: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Prints recording and alerting rules for Prometheus.",
    discussion: """
      Thresholds are those of the section alerts of the configuration, else the defaults. Prometheus reads the file with \
      rule_files in its own configuration.

      Examples:
        kelvin rules --output /etc/prometheus/kelvin.rules.yaml
        kelvin rules | promtool check rules
      """)

  @Option(
    help: "The configuration with the thresholds. Default: kelvin.yaml in the working directory if there is one.",
    completion: .file(extensions: ["yaml", "yml"]))
  var config: String?

  @Option(
    name: [.short, .long], help: "The file to write, replaced as a whole; - is standard output.", completion: .file())
  var output = "-"

  func run() async throws {
    try await reportingFailure {
      let path = config ?? defaultConfigurationPath
      let hasFile = config != nil || ConfigurationFile.exists(path)
      let settings = hasFile ? try readConfiguration(path).configuration : KelvinConfiguration()
      let text = AlertRules(settings).yaml
      if output == "-" { return try Console.result(text) }
      try WholeFile.write(Array(text.utf8), to: output)
    }
  }
}

extension AlertRules {
  /// The rules for what a configuration says.
  init(_ settings: KelvinConfiguration) {
    let connections = settings.functions.compactMap { function in
      function.databaseConnections.map { DatabaseConnections(function: function.name, perInstance: $0) }
    }
    self.init(settings.alerts, databaseConnections: connections)
  }
}
