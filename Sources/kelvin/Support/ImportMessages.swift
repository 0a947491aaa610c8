import LambdaRecords
import LogContainers
import LogImport

/// What is said of an import beside its result.
struct ImportMessages {
  private let intake: LogIntake
  private let lives: ImportedLives
  private let document: ImportDocument
  private let reading: ImportReading

  init(_ intake: LogIntake, _ lives: ImportedLives, _ document: ImportDocument, _ reading: ImportReading) {
    self.intake = intake
    self.lives = lives
    self.document = document
    self.reading = reading
  }

  /// Lines for standard error.
  var sentences: [String] { files + counts + totals + doubts }

  private var files: [String] {
    reading.unread
      + reading.reports.flatMap { file, report -> [String] in
        var lines: [String] = []
        if !report.recognised.isEmpty {
          let kinds = report.recognised.map { "\($0.container.reason) (line \($0.line))" }
          lines.append("\(file): recognised as \(kinds.joined(separator: "; "))")
        } else if report.problem == nil {
          lines.append("\(file): no line of the platform was recognised; \(ImportMessages.readable)")
          if report.misplaced > 0 {
            lines.append(
              "\(file): in \(count(report.misplaced, "line")), lines of the platform stand behind something that is not known: "
                + "take it off")
          }
        }
        if let problem = report.problem {
          lines.append("\(file): \(report.isRefused ? "not read: " : "")\(problem)")
        }
        if report.insightsRows == 10_000 {
          lines.append("\(file): exactly 10,000 rows, the default limit of Logs Insights: the result was probably cut")
        }
        return lines
      }
  }

  private var counts: [String] {
    list("understood", intake.understood) + list("passed over", intake.passedOver)
      + list("contradictory", intake.contradictory)
      + (intake.repeated > 0 ? ["repeated: \(intake.repeated) of the lines understood"] : [])
  }

  private static let readable =
    "kelvin import --help lists what can be read, and the guide on imports which of it lacks what"

  private func count(_ count: UInt64, _ noun: String, _ nouns: String? = nil) -> String {
    StoreWords.count(count, noun, nouns)
  }

  private func list(_ name: String, _ count: LogIntake.Count) -> [String] {
    guard count.count > 0 else { return [] }
    let shown = count.examples.count
    let head =
      "\(name): \(self.count(count.count, "line"))"
      + (UInt64(shown) < count.count ? ", the first \(shown) of them:" : ":")
    return [head]
      + count.examples.map { example in
        "  \(example.file):\(example.line): \(example.text)" + (example.reason.map { " (\($0))" } ?? "")
      }
  }

  private var totals: [String] {
    let counts = lives.counts
    var text =
      "invocations: \(counts.invocations), errors: \(counts.errors) (timeouts: \(counts.timeouts), crashes: \(counts.crashes), "
      + "out of memory: \(counts.outOfMemory)), cold starts: \(counts.coldStarts), initializations: \(counts.initializations)"
    if counts.initializationFailures > 0 { text += " (failed: \(counts.initializationFailures))" }
    if let peak = document.concurrencyMax { text += ", concurrency at most: \(peak)" }
    var lines = [text]
    if counts.untimed > 0 {
      lines.append(
        counts.untimed == 1
          ? "1 invocation has no time: it is counted here and in no window"
          : "\(counts.untimed) invocations have no time: they are counted here and in no window")
    }
    if counts.unended > 0 {
      lines.append(
        (counts.unended == 1
          ? "1 invocation has no end: it counts" : "\(counts.unended) invocations have no end: each counts")
          + " for concurrency up to the last line of its stream, and for nothing else"
      )
    }
    return lines
  }

  private var doubts: [String] {
    var lines: [String] = []
    if document.concurrencyMax != nil {
      lines.append(
        lives.inferredStarts == 0
          ? "resolution: times are exact to 1 ms"
          : "resolution: times are exact to 3 ms; starts computed from reports: \(lives.inferredStarts)")
    }
    if intake.roundedTimes > 0 {
      lines.append(
        "times have whole seconds only (aws logs tail --format short): concurrency is exact to 1 s; take --format detailed"
      )
    }
    if lives.hasFailuresOnly, reading.reports.contains(where: { $0.report.isInPlatformsFormat }) {
      lines.append(
        "only failures found: is the system log level WARN? Then successes are not in the log, and no rate can be told")
    }
    if lives.hasUnnamed { lines.append("some lines do not name their function: give --function NAME") }
    if lives.absurdTimes > 0 {
      lines.append("in no window, because their times cannot be: \(count(lives.absurdTimes, "life", "lives"))")
    }
    if intake.lives.overlaps > 0 {
      lines.append(
        "invocations that overlap another one of their stream: \(intake.lives.overlaps). Are streams mixed up?")
    }
    if lives.counts.invocations > 0 { lines.append("throttles and instances are not in logs: they are not known") }
    return lines
  }
}
