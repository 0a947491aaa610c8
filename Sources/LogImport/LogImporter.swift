import Glibc
package import LambdaRecords
package import Lifecycle
package import LogContainers
import Windows

/// Reads files of logs and says what they tell: what `kelvin import` does, but for reading the files.
package final class LogImporter {
  /// What was found out about a file.
  package struct FileReport: Sendable {
    /// What it was recognised as, and the line where.
    package var recognised: [(container: LogContainer, line: Int)]
    /// Why nothing of it was read, or not all, as a part of a sentence.
    package var problem: String?
    /// Whether nothing of it could be read.
    package var isRefused: Bool
    /// How many rows of Logs Insights it has.
    package var insightsRows: Int
    /// How many lines have one of the platform's in their middle, before the first that was recognised.
    package var misplaced: UInt64

    /// Whether it has records of the JSON log format.
    package var isInPlatformsFormat: Bool { recognised.contains { $0.container == .telemetry } }
  }

  /// Counts of lines, with the first of each.
  package var intake: LogIntake { feed.intake }
  private let feed: Feed
  private var collector: FactCollector?
  private var content: FileContent?

  /// Makes an importer.
  ///
  /// - Parameter window: The length of the windows that are counted; 1 s to 1 h.
  package convenience init(window: Nanoseconds = .seconds(60)) {
    self.init(window: window, now: Timestamp(seconds: Int64(time(nil))))
  }

  /// Makes an importer that also hands on the facts of all lines.
  ///
  /// - Parameters:
  ///   - window: The length of the windows that are counted; 1 s to 1 h.
  ///   - send: Takes batches of them, in the order in which they are read, the last ones during ``finish()``.
  package convenience init(window: Nanoseconds, sendingFacts send: @escaping (FactBatch) -> Void) {
    self.init(window: window)
    let collector = FactCollector(send: send)
    self.collector = collector
    let intake = intake
    intake.takeFact = { [unowned intake] fact, stream in collector.take(fact, stream, intake.lives) }
  }

  /// - Parameter now: Lines of a day after it, and later, do not count: that is no time at which a log was written.
  package init(window: Nanoseconds = .seconds(60), now: Timestamp) {
    feed = Feed(window: window, latest: now + .seconds(86_400))
  }

  /// Begins a file.
  ///
  /// - Parameters:
  ///   - name: What it is called in messages.
  ///   - folder: The name of the folder that it is in: that of a stream in an export to S3.
  ///   - function: The function of lines that name none.
  package func begin(_ name: String, folder: String? = nil, function: String?) {
    let stream = folder.flatMap { LogStreamName(exportFolder: $0) }?.text
    intake.begin(name, function: function, stream: stream)
    content = FileContent(intake)
  }

  /// Takes the next bytes of the file.
  package func append(_ bytes: Span<UInt8>) { content?.append(bytes) }

  /// Takes the end of the file.
  package func endFile() -> FileReport {
    content?.finish()
    defer { content = nil }
    return FileReport(
      recognised: intake.recognised, problem: content?.problem, isRefused: content?.isRefused ?? false,
      insightsRows: intake.insightsRows, misplaced: intake.misplaced)
  }

  /// Takes the end of the last file.
  ///
  /// - Returns: All that was counted. Nothing may follow.
  package func finish() -> ImportedLives {
    intake.finish()
    collector?.finish(intake.lives)
    return feed.lives
  }

  /// What takes lives as they are complete.
  private final class Feed {
    var lives: ImportedLives
    lazy var intake = LogIntake(latest: latest) { [unowned self] life in lives.take(life) }
    private let latest: Timestamp

    init(window: Nanoseconds, latest: Timestamp) {
      lives = ImportedLives(window: window)
      self.latest = latest
    }
  }
}
