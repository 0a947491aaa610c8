import ArgumentParser

struct Metrics: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows what happened to functions, queues, schedules and sockets, window by window.",
    discussion: """
      Examples:
        kelvin metrics lambda
        kelvin metrics queue mail.fifo
      """,
    subcommands: [
      MetricsLambda.self, MetricsHTTP.self, MetricsQueue.self, MetricsWebSocket.self, MetricsSchedule.self,
    ])
}
