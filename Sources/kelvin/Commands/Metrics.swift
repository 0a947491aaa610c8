import ArgumentParser

struct Metrics: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows what happened, window by window.", subcommands: [MetricsLambda.self])
}
