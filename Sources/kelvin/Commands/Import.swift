import ArgumentParser
import Documents
import Lifecycle
import LogContainers
import LogImport
import Table
import Text

struct Import: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Reads log files into an agent's windows: invocations, errors, cold starts and exact concurrency.",
    discussion: """
      Examples:
        aws logs tail /aws/lambda/orders --since 1d > orders.log
        kelvin import --dry-run --function orders orders.log
        kelvin import --function orders orders.log
        kelvin import --dry-run --output json exports/
        zcat orders.gz | kelvin import -

      An agent keeps what the files tell and has its windows; importing a file again, or the parts of a log in any order, \
      gives the same. With --dry-run nothing is kept, and no agent is needed.

      Files may have any form that logs of AWS Lambda come in: aws logs tail, filter-log-events and get-log-events \
      (JSON, text, YAML), sam logs, exports to S3, objects of subscriptions and Firehose, Logs Insights (JSON, CSV), \
      captures of the Telemetry API, copies from the console; plain, or packed with gzip. What a file does not say is \
      left out: lines without a time are counted and are in no window.
      """)

  enum Output: String, CaseIterable, ExpressibleByArgument {
    case table, json, csv
  }

  @Argument(help: "Files, folders, or - for standard input.", completion: .file())
  var files: [String]

  @Option(help: "The function of lines that name none.")
  var function: String?

  @Flag(help: "Show what the files tell and keep nothing; no agent is needed.")
  var dryRun = false

  @Option(
    help: ArgumentHelp(
      "How far to look back from the end of the log: 30m, 12h, 7d. Default: all of it.", valueName: "duration"),
    transform: MetricsLambda.duration)
  var range: Nanoseconds?

  @Option(
    help: ArgumentHelp(
      "The length of a window: 10s, 1m, 1h. Default: 1m for a range under 1h, 10m under 12h, 1h under 3d, 4h under 7d, "
        + "else 1d.",
      valueName: "duration"),
    transform: MetricsLambda.duration)
  var resolution: Nanoseconds?

  @Option(name: [.short, .long], help: "The output format.")
  var output = Output.table

  @Flag(help: "Also show initialization and memory (table and csv).")
  var wide = false

  @OptionGroup var agent: AgentOptions

  /// The most windows that are printed.
  static let rowsMax: Int64 = 20_000

  func validate() throws {
    if let function, function.isEmpty || function.utf8.count > FunctionID.nameBytesLimit {
      throw ValidationError("--function must have 1 to \(FunctionID.nameBytesLimit) bytes.")
    }
    if dryRun, agent.agent != nil {
      throw ValidationError("--dry-run needs no agent; give either --dry-run or --agent.")
    }
  }

  func run() async throws {
    try await reportingFailure {
      let upload = dryRun ? nil : try ImportUpload(ServerClient(.agent, option: agent.agent))
      let importer =
        upload.map { upload in LogImporter(window: window) { upload.send($0) } } ?? LogImporter(window: window)
      var reading = ImportReading(importer, function: function) { upload?.problem }
      try reading.read(files)
      let lives = importer.finish()
      var document = ImportDocument(
        lives, importer.intake, range: range, resolution: resolution, now: SystemClock.now())
      guard document.rows <= Import.rowsMax || output == .json else {
        throw CommandFailure.usage(
          "The log spans \(document.rows) windows, more than \(Import.rowsMax); give a longer --resolution or a shorter --range."
        )
      }
      var messages = ImportMessages(importer.intake, lives, document, reading).sentences
      if let upload {
        let stored = try upload.finish(document)
        messages += stored.sentences(document)
        document.stored = stored.counts
        if let windows = try upload.windows(document) { document.windows = windows }
      }
      for sentence in messages { Console.message(sentence) }
      try print(document)
      if reading.filesRead == 0 { throw CommandFailure.failure("No file could be read.") }
    }
  }

  /// The windows that are counted: those that are shown, or shorter ones that these are made of.
  private var window: Nanoseconds {
    guard let resolution, resolution.count % 60_000_000_000 != 0 else { return .seconds(60) }
    return [60, 30, 20, 15, 12, 10, 6, 5, 4, 3, 2, 1].map { Nanoseconds.seconds($0) }
      .first { resolution.count % $0.count == 0 } ?? .seconds(1)
  }

  private func print(_ document: ImportDocument) throws {
    switch output {
    case .json: try Console.result(String(decoding: document.json(), as: UTF8.self))
    case .csv:
      if let windows = document.windows { try Console.result(WindowsCSV.text(windows, isWide: wide)) }
    case .table:
      if let windows = document.windows {
        try Console.result(WindowsTable.text(windows, TableOptions.forStandardOutput(isWide: wide)))
      }
    }
  }
}
