import ArgumentParser

struct Metrics: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows what happened to functions, window by window.",
    discussion: """
      Examples:
        kelvin metrics lambda
      """,
    subcommands: [MetricsLambda.self])
}
