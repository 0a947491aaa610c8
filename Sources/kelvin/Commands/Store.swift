import ArgumentParser
import Configuration
import Documents
import EventJournal
import Glibc
import Lifecycle
import Text
import WindowStore
import Windows

struct Store: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Checks the store in a data directory, makes it small, and gives its windows out.",
    subcommands: [StoreCheckCommand.self, StoreCompactCommand.self, StoreExportCommand.self])
}

struct StoreOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The data directory. Default: that of kelvin.yaml in the working directory if there is one, else .kelvin.",
      valueName: "folder"),
    completion: .directory)
  var dataDir: String?

  func directory() throws -> String {
    if let dataDir { return dataDir }
    let path = defaultConfigurationPath
    let isPresent = ConfigurationFile.exists(path)
    return (isPresent ? try readConfiguration(path).configuration : KelvinConfiguration()).agent.dataDirectory
  }
}

struct StoreCheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Says what in a data directory is whole and what is not.",
    discussion: """
      Reads everything and changes nothing; an agent may run meanwhile. Exit code 0: all is whole. 1: something is damaged \
      or missing, and the output says what.

      Examples:
        kelvin store check
        kelvin store check --data-dir /var/lib/kelvin
      """)

  @OptionGroup var options: StoreOptions

  func run() async throws {
    try await reportingFailure {
      let directory = try options.directory()
      let store: StoreFindings
      do {
        store = try WindowReader.open(directory: directory).check(directory: directory)
      } catch {
        throw CommandFailure.failure(Sentence.text("\(error)"))
      }
      var lines = [line("store", StoreWords.text(store), isWhole: store.isWhole)]
      lines += store.problems.map { "         \($0)" }
      var isWhole = store.isWhole
      do throws(StoreError) {
        let journal = try FileJournal.check(directory: directory, store)
        isWhole = isWhole && journal.isWhole
        lines.append(line("journal", StoreWords.text(journal), isWhole: journal.isWhole))
        lines += journal.damages.map {
          "         \($0.file): \(StoreWords.count($0.records, "record")) at byte \($0.offset) cannot be read"
        }
        lines += journal.foreign.map { "         \($0): is the journal of another store" }
      } catch {
        isWhole = false
        lines.append(line("journal", Sentence.text(error.message), isWhole: false))
      }
      let reserve =
        store.reserveBytes > 0
        ? "\(store.reserveBytes) bytes are kept for the last checkpoint on a full disk"
        : "none; the next start of an agent makes it if there is room"
      lines.append("reserve  \(reserve)")
      try Console.result(lines.joined(separator: "\n") + "\n")
      if !isWhole { throw ExitCode.failure }
    }
  }

  private func line(_ part: String, _ text: String, isWhole: Bool) -> String {
    part + String(repeating: " ", count: max(1, 9 - part.count)) + (isWhole ? "whole: " : "not whole: ") + text
  }
}

/// Sentences about what was found.
enum StoreWords {
  static func text(_ store: StoreFindings) -> String {
    var parts = [count(UInt64(store.functions), "function"), count(UInt64(store.windows), "window")]
    if store.importedFacts > 0 {
      parts.append(count(UInt64(store.importedFacts), "imported fact"))
      parts.append(count(UInt64(store.importedWindows), "imported window"))
    }
    if store.importSpansLeft > 0 {
      parts.append("\(count(UInt64(store.importSpansLeft), "span")) of imports to be computed by the next agent")
    }
    if let time = store.lastCheckpoint { parts.append("last checkpoint \(RFC3339.text(time))") }
    if store.damagedRows > 0 { parts.append("\(count(UInt64(store.damagedRows), "row")) cannot be read") }
    if store.checkpointsLost > 0 { parts.append("\(count(store.checkpointsLost, "checkpoint")) missing at the end") }
    return parts.joined(separator: ", ")
  }

  static func text(_ journal: JournalFindings) -> String {
    guard journal.exists else { return "there is none yet" }
    let kept =
      "\(count(UInt64(journal.batches), "batch", "batches")) and \(count(UInt64(journal.entries), "entry", "entries"))"
    return "\(kept) that no checkpoint contains"
  }

  static func count(_ count: UInt64, _ noun: String, _ nouns: String? = nil) -> String {
    "\(count) \(count == 1 ? noun : nouns ?? noun + "s")"
  }
}

struct StoreCompactCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compact",
    abstract: "Makes the database of a data directory as small as it can be.",
    discussion: """
      No agent may run on the directory. While it works, it needs as much free space as the database takes.

      Examples:
        kelvin store compact --data-dir /var/lib/kelvin
      """)

  @OptionGroup var options: StoreOptions

  func run() async throws {
    try await reportingFailure {
      let directory = try options.directory()
      do {
        let window = try WindowReader.open(directory: directory).window
        let store = try WindowStore.open(directory: directory, window: window, retention: Retention(window: window))
        let (before, after) = try store.compact()
        try store.close()
        try Console.result("\(before) bytes before, \(after) bytes now\n")
      } catch let error as StoreError {
        throw CommandFailure.failure(Sentence.text(error.message))
      }
    }
  }
}

struct StoreExportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Prints all windows of a store, oldest first.",
    discussion: """
      ndjson: a line for each window of the account and of each function, as the API has it. openmetrics: maxima and \
      counters with a time for each, which is the end of the window; counters begin at 0 with the export. An agent may run \
      meanwhile.

      Examples:
        kelvin store export --format ndjson | tail -n 1
        kelvin store export --format openmetrics --range 7d | gzip
      """)

  enum Format: String, CaseIterable, ExpressibleByArgument {
    case ndjson, openmetrics
  }

  @Option(help: "The format of the output.")
  var format: Format

  @Option(
    help: ArgumentHelp(
      "How far to look back: 12h, 7d. Default: all windows of full resolution.", valueName: "duration"),
    transform: MetricsLambda.duration)
  var range: Nanoseconds?

  @OptionGroup var options: StoreOptions

  func run() async throws {
    try await reportingFailure {
      do {
        let reader = try WindowReader.open(directory: try options.directory())
        let export = try WindowExport(reader, range: range, now: SystemClock.now())
        switch format {
        case .ndjson: try export.writeLines { try Console.result($0) }
        case .openmetrics: try export.writeOpenMetrics { try Console.result($0) }
        }
      } catch let error as StoreError {
        throw CommandFailure.failure(Sentence.text(error.message))
      }
    }
  }
}
