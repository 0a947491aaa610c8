import AlertRules
import ArgumentParser
import Configuration

struct Rules: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Prints recording and alerting rules for Prometheus.",
    discussion: """
      Thresholds come from the section alerts of the configuration; those that it does not set have defaults. To use \
      the rules, name the file under rule_files in the configuration of Prometheus.

      Examples:
        kelvin rules --output /etc/prometheus/kelvin.rules.yaml
        kelvin rules | promtool check rules
      """)

  @Option(
    help: "The configuration with the thresholds. Default: kelvin.yaml in the working directory if there is one.",
    completion: .file(extensions: ["yaml", "yml"]))
  var config: String?

  @Option(
    name: [.short, .long], help: "The file to write or replace; - is standard output.", completion: .file())
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
