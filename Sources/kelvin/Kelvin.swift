import ArgumentParser

@main
struct Kelvin: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kelvin",
    abstract: "Measures how warm a serverless backend is, and runs its functions on this machine.",
    discussion: """
      Examples:
        kelvin host                          run the functions of ./kelvin.yaml
        kelvin invoke orders '{"id": 1}'     send one of them an event
        kelvin metrics lambda                what happened, one line for each minute
        kelvin top                           functions and instances, live
        kelvin status                        functions, limits and instances now
        kelvin reserved 50                   keep 50 executions for a function, and no more
        kelvin provisioned 5                 keep 5 instances ready before any request

      Results go to standard output, messages to standard error. Exit codes: 0 success, 1 failure, 64 wrong usage or
      configuration, 69 agent or host not reachable.
      """,
    version: kelvinVersion,
    subcommands: [
      Host.self, AgentCommand.self, Metrics.self, Top.self, Status.self, Reserved.self, Provisioned.self, Invoke.self,
      Logs.self, Rules.self, CheckConfig.self,
    ])
}
