import ArgumentParser
import Documents
import LambdaControl
import Table

struct Status: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows functions, their limits and their instances as they are now.",
    discussion: """
      Functions and limits come from the control plane (of the host, or of AWS), instances and totals from the agent. \
      If one of the two does not answer, the command shows what the other knows.

      Examples:
        kelvin status
        kelvin status --function orders --output json
        kelvin status --aws --region eu-central-1
      """)

  enum Output: String, CaseIterable, ExpressibleByArgument {
    case table, json
  }

  @Option(help: "Show only this function; may be given more than once.", completion: .functions)
  var function: [String] = []

  @Option(name: [.short, .long], help: "The output format.")
  var output = Output.table

  @Flag(help: "Also show totals and each instance (table).")
  var wide = false

  @OptionGroup var agent: AgentOptions
  @OptionGroup var control: ControlOptions

  func run() async throws {
    try await reportingFailure {
      let sources = try await StatusSources.asked(
        agent: agent.agent, control: control, functions: function.isEmpty ? nil : function)
      for note in sources.notes { Console.message("kelvin: \(note)") }
      let document = sources.document
      if output == .json { return try Console.result(String(decoding: document.json(), as: UTF8.self)) }
      let options = TableOptions.forStandardOutput(isWide: wide)
      var text = StatusTable.summary(document).joined(separator: "\n") + "\n\n" + StatusTable.text(document, options)
      if let instances = sources.instances, !instances.instances.isEmpty {
        text += "\n" + InstancesTable.text(instances, options)
      }
      if let schedules = sources.schedules, !schedules.entries.isEmpty { text += "\n\(schedules.text)\n" }
      let failures = StatusTable.startFailures(document)
      if !failures.isEmpty { text += "\n" + failures.joined(separator: "\n") + "\n" }
      try Console.result(text)
    }
  }
}
