import ArgumentParser
import BlockingHTTP
import Text

struct Reload: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Has a running host read its kelvin.yaml again.",
    discussion: """
      Functions that are new in the file come, those that are gone from it go, and those that changed get new instances while \
      invocations in progress run to their end on the old ones. A file with problems changes nothing. SIGHUP and \
      POST /-/reload do the same.

      Examples:
        kelvin reload
        kelvin reload --output json
      """)

  @Option(
    name: [.customLong("host-url")],
    help: ArgumentHelp(
      "The host's address. Default: $KELVIN_HOST, else ./kelvin.yaml, else http://127.0.0.1:27316.", valueName: "url"))
  var host: String?

  @Option(name: [.short, .long], help: "The output format.")
  var output = Output.text

  enum Output: String, ExpressibleByArgument, CaseIterable { case text, json }

  func run() async throws {
    try await reportingFailure {
      let client = try ServerClient(.host, option: host)
      // Instances of extensions and layers are looked at on the disk: longer than anything else that is asked.
      let reply = try client.send(ClientRequest("POST", "/-/reload"), timeout: .seconds(60))
      let document = try? JSONValue(reply.body.span, .answer)
      switch reply.status {
      case 200:
        guard output == .text else { return try Console.foreignResult(reply.body) }
        try Console.result(TypedText.safe(document?["message"]?.string ?? "Reloaded."))
      case 500 where document?["error"]?["problems"] != nil:
        let problems = document?["error"]?["problems"]?.array ?? []
        for problem in problems { Console.message(TypedText.safe(problem.string ?? "")) }
        throw CommandFailure.failure("The host at \(client.address) did not reload: nothing changed.")
      default:
        let said = document?["Message"]?.string ?? document?["message"]?.string
        throw CommandFailure.failure(
          "The host at \(client.address) answered \(reply.status)\(said.map { ": \(TypedText.safe($0))" } ?? ".")")
      }
    }
  }
}
