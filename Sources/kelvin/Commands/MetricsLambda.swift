import Text
import Agent
import ArgumentParser
import BlockingHTTP
import Configuration
import Documents
import Lifecycle
import Table

struct MetricsLambda: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lambda",
    abstract: "Shows invocations, throttles, errors, cold starts, concurrency and durations, newest window first.",
    discussion: """
      Examples:
        kelvin metrics lambda
        kelvin metrics lambda --function orders --range 30m
        kelvin metrics lambda --range 7d --resolution 1h --output csv
        kelvin metrics lambda --function orders --watch
        kelvin metrics lambda --output prometheus | promtool check metrics

      With --watch the command keeps showing windows as they change. On a terminal it redraws the screen, with \
      sparklines, until q or Ctrl-C; elsewhere, and where TERM is dumb, it prints one table after another.

      --output prometheus prints the metrics of functions that GET /metrics has, in the text format 0.0.4: totals \
      since Kelvin first saw each function. With --data-dir it prints counters and histograms as of the last \
      checkpoint.
      """)

  enum Output: String, CaseIterable, ExpressibleByArgument {
    case table, json, csv, prometheus
  }

  @Option(
    help: "Show only this function. Default: the account, which is all functions together.", completion: .functions)
  var function: String?

  @Option(
    help: ArgumentHelp(
      "How far to look back: 30m, 12h, 7d. Default: to the oldest data, at most 12h; with --watch at most 30m.",
      valueName: "duration"),
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

  @Flag(help: "Also show warm-up, initialization, memory and spillover (table and csv).")
  var wide = false

  @Option(
    help: ArgumentHelp("Read the store in this folder instead of asking an agent.", valueName: "folder"),
    completion: .directory)
  var dataDir: String?

  @Flag(help: "Keep showing windows as they change.")
  var watch = false

  @Option(
    help: ArgumentHelp("How often --watch asks the agent: 500ms, 2s, 1m. Default: 2s.", valueName: "duration"),
    transform: LiveInterval.parse)
  var interval: Nanoseconds?

  @OptionGroup var agent: AgentOptions

  func validate() throws {
    if dataDir != nil, agent.agent != nil {
      throw ValidationError("--data-dir reads a store without an agent; give either --data-dir or --agent.")
    }
    if watch, output != .table {
      throw ValidationError("--watch shows tables only; leave it out, or leave out --output \(output.rawValue).")
    }
    if interval != nil, !watch { throw ValidationError("--interval works only with --watch; give --watch, too.") }
    if output == .prometheus, range != nil || resolution != nil || wide {
      throw ValidationError(
        "--output prometheus prints totals, not windows; leave out --range, --resolution and --wide.")
    }
  }

  func run() async throws {
    try await reportingFailure {
      if watch { return try runWatch() }
      if output == .prometheus { return try Console.result(try exposition()) }
      if let dataDir {
        let document = try storedDocument(in: dataDir)
        try Console.result(output == .json ? String(decoding: document.json(), as: UTF8.self) : text(document))
      } else {
        let reply = try ServerClient(.agent, option: agent.agent).get(path, about: function)
        try Console.result(output == .json ? reply.text : text(documentFrom(reply.body)))
      }
    }
  }

  /// The parameters of the query to an agent or a store.
  private var parameters: [(name: String, value: String?)] {
    var parameters: [(name: String, value: String?)] = []
    if let range = range ?? (watch ? .seconds(30 * 60) : nil) { parameters.append(("range", DurationText.text(range))) }
    if let resolution { parameters.append(("resolution", DurationText.text(resolution))) }
    if let function { parameters.append(("function", function)) }
    return parameters
  }

  var path: String {
    let query = parameters.map { "\($0.name)=\(PercentEncoding.encoded($0.value ?? ""))" }.joined(separator: "&")
    return "/api/v1/windows" + (query.isEmpty ? "" : "?\(query)")
  }

  func storedDocument(in directory: String) throws(CommandFailure) -> WindowsDocument {
    do {
      return try StoredWindows.read(directory: directory, parameters: parameters, now: SystemClock.now())
    } catch {
      if error.code == .unknownFunction, let function { throw unknown(function) }
      let message = Sentence.text(error.message)
      throw error.code == .configuration ? CommandFailure.usage(message) : CommandFailure.failure(message)
    }
  }

  func documentFrom(_ body: [UInt8]) throws(CommandFailure) -> WindowsDocument {
    do {
      return try WindowsDocument(json: body)
    } catch {
      throw CommandFailure.failure("The agent's answer cannot be read: \(error.phrase).")
    }
  }

  func text(_ document: WindowsDocument) -> String {
    switch output {
    case .csv: WindowsCSV.text(document, isWide: wide)
    case .table, .json, .prometheus: WindowsTable.text(document, TableOptions.forStandardOutput(isWide: wide))
    }
  }

  @Sendable static func duration(_ text: String) throws -> Nanoseconds {
    let length: Nanoseconds
    do {
      length = try DurationText.parse(text)
    } catch {
      throw ValidationError(error.message)
    }
    guard length >= .seconds(1) else { throw ValidationError("\(text) is too short; the shortest is 1s.") }
    return length
  }
}

extension TableOptions {
  /// As wide as the terminal and in colour if standard output is one that takes it, else plain and as wide as needed.
  static func forStandardOutput(isWide: Bool) -> TableOptions {
    TableOptions(width: Console.outputColumns, isWide: isWide, usesColour: Console.outputTakesColour)
  }
}
