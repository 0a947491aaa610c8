import AWSClient
import ArgumentParser
import Documents
import LambdaControl
import Table

struct Reserved: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Reserves concurrency for a function; the reserve is also its limit.",
    discussion: """
      Without a number the command shows what is reserved. 0 pauses the function; off returns the reserve to the pool \
      that all functions share.

      Examples:
        kelvin reserved 50
        kelvin reserved off --function orders
        kelvin reserved 0 --function orders --aws --region eu-central-1
      """,
    aliases: ["reserve"])

  @Argument(help: "A number of concurrent executions, or off.")
  var amount: ConcurrencyAmount?

  @Option(help: "The function. Not needed if there is only one.", completion: .functions)
  var function: String?

  @Option(name: [.short, .long], help: "The output format.")
  var output = TextOutput.text

  @OptionGroup var control: ControlOptions

  func run() async throws {
    try await reportingFailure {
      let document = try await ControlTarget(control).withClient { client in
        let name = try await FunctionChoice.name(function, of: client)
        let reserved = try await UnknownFunction.reported([name], of: client) { try await apply(to: name, client) }
        return ReservedDocument(function: name, reserved: reserved)
      }
      try Console.result(
        output == .json ? String(decoding: document.json(), as: UTF8.self) : ConcurrencyText.line(document))
    }
  }

  private func apply(to name: String, _ client: LambdaClient) async throws(AWSClientError) -> Int64? {
    switch amount {
    case nil: return try await client.reserved(of: name)
    case .count(let count): return try await client.setReserved(of: name, to: count)
    case .off:
      try await client.removeReserved(of: name)
      return nil
    }
  }
}

/// The form of an answer that is a line or two.
enum TextOutput: String, CaseIterable, ExpressibleByArgument {
  case text, json
}
