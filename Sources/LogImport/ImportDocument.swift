package import Documents
package import Lifecycle
package import LogContainers
import Text
import Windows

/// What `kelvin import` prints.
package struct ImportDocument: Sendable {
  /// Lines of the platform that were read.
  package var understood: UInt64
  /// Lines of programs, and those that cannot be read.
  package var passedOver: UInt64
  /// Lines that say something else than others.
  package var contradictory: UInt64
  /// What was counted.
  package var counts: LifeCounts
  /// The most executions at one instant; `nil` if no invocation has a time.
  package var concurrencyMax: Int64?
  /// By name.
  package var functions: [(name: String, counts: LifeCounts, concurrencyMax: Int64?)]
  /// Over the span of the log; `nil` if nothing has a time.
  package var windows: WindowsDocument?
  /// What an agent made of it; `nil` if none was asked.
  package var stored: ImportAnswerDocument?
  /// The time from the begin of the first window to the end of the last one, whatever is shown of it; `nil` if nothing has a time.
  package private(set) var span: Range<Timestamp>?

  /// Makes a document of all that was counted.
  ///
  /// - Parameters:
  ///   - range: How far back from the end of the log; `nil` for all of it.
  ///   - resolution: The length of windows; `nil` for one that suits the range.
  ///   - now: Windows that end before it are closed.
  package init(
    _ lives: ImportedLives, _ intake: LogIntake, range: Nanoseconds?, resolution: Nanoseconds?, now: Timestamp
  ) {
    understood = intake.understood.count
    passedOver = intake.passedOver.count
    contradictory = intake.contradictory.count
    counts = lives.counts
    functions = lives.functions.sorted { $0.key < $1.key }.map { ($0.key, $0.value, nil) }
    guard let span = lives.span else { return }
    var aggregator = lives.aggregator
    let window = aggregator.configuration.window
    let grid = WindowGrid(length: window)
    let end = span.upperBound
    let all = (grid.start(grid.index(of: span.lowerBound)), grid.end(grid.index(of: end)))
    self.span = all.0..<all.1
    let now = max(now, all.1 + .seconds(2))
    var rollups: [WindowRollup] = []
    for part in lives.usedWindows {
      rollups += aggregator.windows(from: grid.start(part.lowerBound), to: grid.end(part.upperBound), now: now)
    }
    var peaks: [Scope: Int64] = [:]
    for window in rollups where window.rollup.peaks.concurrency > 0 {
      peaks[window.scope] = max(peaks[window.scope] ?? 0, window.rollup.peaks.concurrency)
    }
    concurrencyMax = peaks[.account]
    for index in functions.indices {
      functions[index].concurrencyMax = peaks[.function(FunctionID(functions[index].name))]
    }
    let from = range.map { max(all.0, grid.start(grid.index(of: end - $0))) } ?? all.0
    let length = resolution ?? Resolution.suited(to: end - from, window: window)
    rollups.removeAll { $0.start < from }
    windows = ImportDocument.document(rollups, from: from, to: all.1, length, now)
  }

  /// The windows of the account: its own peaks, and the sums of all functions.
  private static func document(
    _ rollups: [WindowRollup], from: Timestamp, to: Timestamp, _ length: Nanoseconds, _ now: Timestamp
  ) -> WindowsDocument {
    let ofAccount = rollups.map { rollup in
      var rollup = rollup
      if rollup.scope != .account {
        rollup.scope = .account
        let tally = rollup.rollup.tally
        rollup.rollup = Rollup()
        rollup.rollup.tally = tally
      }
      return rollup
    }
    let grid = WindowGrid(length: length)
    var document = WindowsDocument(
      resolution: length, from: grid.start(grid.index(of: from)), to: grid.end(grid.index(of: to - Nanoseconds(1))),
      rollups: Resolution.fold(ofAccount, into: length, closedBefore: now))
    for index in document.windows.indices { document.windows[index].isFromLogs = true }
    return document
  }

  /// How many windows the table has, idle ones too.
  package var rows: Int64 { windows.map { ($0.to - $0.from).count / max(1, $0.resolution.count) } ?? 0 }

  /// The document as JSON.
  package func json() -> [UInt8] {
    var writer = JSONWriter.document(capacity: 4_096)
    writer.beginObject()
    writer.member("understood", understood)
    writer.member("passedOver", passedOver)
    writer.member("contradictory", contradictory)
    counts.write(to: &writer)
    writer.member("concurrencyMax", orNull: concurrencyMax)
    writer.key("functions")
    writer.beginObject()
    for function in functions {
      writer.key(function.name)
      writer.beginObject()
      function.counts.write(to: &writer)
      writer.member("concurrencyMax", orNull: function.concurrencyMax)
      writer.endObject()
    }
    writer.endObject()
    if let stored {
      writer.key("stored")
      writer.verbatim(String(decoding: stored.json(), as: UTF8.self))
    }
    writer.key("windows")
    if let windows {
      writer.verbatim(String(decoding: windows.json(), as: UTF8.self))
    } else {
      writer.verbatim(#"{"resolution":60,"from":null,"to":null,"windows":[]}"#)
    }
    writer.endObject()
    return writer.bytes
  }
}

extension LifeCounts {
  fileprivate func write(to writer: inout JSONWriter) {
    writer.member("untimed", untimed)
    writer.member("invocations", invocations)
    writer.member("errors", errors)
    writer.member("timeouts", timeouts)
    writer.member("crashes", crashes)
    writer.member("outOfMemory", outOfMemory)
    writer.member("coldStarts", coldStarts)
    writer.member("initializations", initializations)
    writer.member("initializationFailures", initializationFailures)
  }
}
