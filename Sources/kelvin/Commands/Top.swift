import ArgumentParser
import Lifecycle
import Terminal

struct Top: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows functions and their instances live.",
    discussion: """
      Rates cover about ten seconds. Max, cold starts and memory cover the last 30 windows; p95 covers the newest \
      window in which an invocation ended. Press ? for the keys and q to leave.

      Examples:
        kelvin top
        kelvin top --function orders --interval 500ms
        kelvin top --once
      """)

  @Option(help: "Show only this function.", completion: .functions)
  var function: String?

  @Option(
    help: ArgumentHelp("How often to ask the agent: 500ms, 2s, 1m.", valueName: "duration"),
    transform: LiveInterval.parse)
  var interval = LiveInterval.standard

  @Flag(help: "Wait one interval, print one table and exit.")
  var once = false

  @OptionGroup var agent: AgentOptions

  func run() async throws {
    try await reportingFailure {
      guard once || TerminalSession.isPossible else {
        throw CommandFailure.usage(
          "kelvin top needs a terminal that it can draw on, and standard output is not one. "
            + "To print one table: kelvin top --once")
      }
      var asker = TopAsker(try ServerClient(.agent, option: agent.agent), function: function)
      let clock = ContinuousClock()
      let start = clock.now
      let first = try asker.ask(TopQuestion())
      var view = TopView(first, interval: interval)
      guard once else { return try LiveLoop.run(view, asker: asker, every: .nanoseconds(interval.count)) }
      // Rates are differences.
      Console.sleep(until: start + .nanoseconds(interval.count), clock)
      view.take(try asker.ask(TopQuestion()))
      let usesColour = Console.outputTakesColour
      let width = Console.outputColumns
      let lines = view.once(width: width).map { line in
        let line = width.map { line.cut(to: $0) } ?? line
        return usesColour ? line.rendered(usesColour: true) : line.text
      }
      try Console.result(lines.joined(separator: "\n"))
    }
  }
}
