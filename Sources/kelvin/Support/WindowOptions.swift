import Agent
import ArgumentParser
import BlockingHTTP
import Configuration
import Documents
import Lifecycle
import Text

/// Which windows a command shows, from where, and how.
struct WindowOptions: ParsableArguments {
  enum Output: String, CaseIterable, ExpressibleByArgument {
    case table, json, csv
  }

  @Option(
    help: ArgumentHelp(
      "How far to look back: 30m, 12h, 7d. Default: to the oldest data, at most 12h.", valueName: "duration"),
    transform: MetricsLambda.duration)
  var range: Nanoseconds?

  @Option(
    help: ArgumentHelp(
      "The length of a window: 1m, 1h. Default: 1m for a range under 1h, 10m under 12h, 1h under 3d, 4h under 7d, "
        + "else 1d.",
      valueName: "duration"),
    transform: MetricsLambda.duration)
  var resolution: Nanoseconds?

  @Option(name: [.short, .long], help: "The output format.")
  var output = Output.table

  @Option(
    help: ArgumentHelp("Read the store in this folder instead of asking an agent.", valueName: "folder"),
    completion: .directory)
  var dataDir: String?

  @OptionGroup var agent: AgentOptions

  func validate() throws {
    if dataDir != nil, agent.agent != nil {
      throw ValidationError("--data-dir reads a store without an agent; give either --data-dir or --agent.")
    }
  }

  /// The windows that an agent or a store has.
  ///
  /// - Parameters:
  ///   - scope: The parameters that say whose windows they are.
  ///   - function: The function that they are of, for the message that it is not there.
  func read(_ scope: [(name: String, value: String)], about function: String? = nil) throws -> WindowsDocument {
    var parameters: [(name: String, value: String?)] = scope.map { ($0.name, $0.value) }
    if let range { parameters.append(("range", DurationText.text(range))) }
    if let resolution { parameters.append(("resolution", DurationText.text(resolution))) }
    if let dataDir { return try stored(in: dataDir, parameters) }
    let query = parameters.map { "\($0.name)=\(PercentEncoding.encoded($0.value ?? ""))" }.joined(separator: "&")
    let reply = try ServerClient(.agent, option: agent.agent).get(
      "/api/v1/windows" + (query.isEmpty ? "" : "?\(query)"), about: function)
    do {
      return try WindowsDocument(json: reply.body)
    } catch {
      throw CommandFailure.failure("The agent's answer cannot be read: \(error.phrase).")
    }
  }

  private func stored(
    in directory: String, _ parameters: [(name: String, value: String?)]
  ) throws(CommandFailure) -> WindowsDocument {
    do {
      return try StoredWindows.read(directory: directory, parameters: parameters, now: SystemClock.now())
    } catch {
      let message = Sentence.text(error.message)
      throw error.code == .configuration ? CommandFailure.usage(message) : CommandFailure.failure(message)
    }
  }
}
