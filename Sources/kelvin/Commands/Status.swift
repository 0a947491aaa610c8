import ArgumentParser
import BlockingHTTP
import JSON
import Table

struct Status: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows functions, their limits and their instances as they are now.")

  enum Output: String, CaseIterable, ExpressibleByArgument {
    case table, json
  }

  @Option(name: [.short, .long], help: "The form of the answer.")
  var output = Output.table

  @Flag(help: "Show temporary storage and totals, and each instance, too (table).")
  var wide = false

  @OptionGroup var agent: AgentOptions

  func run() async throws {
    try await reportingFailure {
      let client = try ServerClient(.agent, option: agent.agent)
      let status = try client.get("/api/v1/status").body
      if output == .json { return try Console.result(String(decoding: status, as: UTF8.self)) }
      let options = TableOptions.forStandardOutput(isWide: wide)
      let document = try Status.reading { try StatusDocument(json: status) }
      var text = StatusTable.summary(document).joined(separator: "\n") + "\n\n" + StatusTable.text(document, options)
      let instances = try client.get("/api/v1/instances").body
      let instancesDocument = try Status.reading { try InstancesDocument(json: instances) }
      if !instancesDocument.instances.isEmpty { text += "\n" + InstancesTable.text(instancesDocument, options) }
      try Console.result(text)
    }
  }

  private static func reading<Document>(_ read: () throws -> Document) throws -> Document {
    do {
      return try read()
    } catch {
      throw CommandFailure.failure("The agent's answer cannot be read: \(error).")
    }
  }
}
