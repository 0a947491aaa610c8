import LambdaRecords
import Lifecycle
import LogContainers

extension FuzzTarget {
  /// The readers of what AWS's platform says about functions.
  static let records: [FuzzTarget] = [
    FuzzTarget("log-containers") { bytes in
      let whole = Reading(bytes, piece: max(1, bytes.count))
      let parts = Reading(bytes, piece: 1 + bytes.count / 3)
      require(whole == parts, "what is read depends on how many bytes come at once: \(whole), and \(parts)")
    },
    FuzzTarget("log-lines", logLines),
    FuzzTarget("telemetry") { bytes in
      let batch = try? TelemetryItem.batch(bytes.span)
      let single = try? TelemetryItem.record(bytes.span)
      require(batch == nil || single ?? nil == nil, "one text is an array and a record")
      _ = try? TelemetryItem.logLine(String(decoding: bytes, as: UTF8.self))
    },
    FuzzTarget("log-facts") { bytes in
      guard let batch = FactBatch(bytes: bytes.span) else { return }
      require(FactBatch(bytes: batch.bytes.span) == batch, "facts are lost on the way")
      var lives = LifeReconstruction()
      var count = 0
      for (stream, fact) in batch.facts {
        let known = batch.streams[stream]
        let number = lives.stream(known.name, of: "fuzz", function: known.function)
        fact.tell(&lives, of: number)
        count += 1
        if count % 8 == 0 { lives.drain(keeping: 4) { _ in } }
      }
      lives.drain(keeping: 0) { _ in }
    },
  ]

  /// What was read of a file.
  private struct Reading: Equatable {
    var lives: [Life] = []
    var understood: UInt64 = 0
    var passedOver: UInt64 = 0
    var contradictory: UInt64 = 0

    init(_ bytes: [UInt8], piece: Int) {
      var lives: [Life] = []
      let intake = LogIntake(pendingMax: 8) { lives.append($0) }
      intake.begin("fuzz", function: nil)
      // Inflating is another target's; here it takes off two bytes.
      let reader = LogFileReader(intake) { Array($0.dropFirst(2)) }
      var position = 0
      while position < bytes.count {
        let end = min(position + piece, bytes.count)
        reader.append(bytes.span.extracting(position..<end))
        position = end
      }
      reader.finish()
      intake.finish()
      self.lives = lives
      understood = intake.understood.count
      passedOver = intake.passedOver.count
      contradictory = intake.contradictory.count
    }
  }

  /// A report that was read is written, rounded as AWS does, and from then on nothing changes any more.
  private static func logLines(_ bytes: [UInt8]) {
    let text = String(decoding: bytes, as: UTF8.self)
    if let name = LogStreamName(text) {
      require(LogStreamName(name.text) == name, "\(text) is written as \(name.text)")
    }
    require((try? LogLine.read(line: bytes.span)) == (try? LogLine.read(bytes: bytes)), "\(text) is read in two ways")
    guard let report = report(text) else { return }
    let written = line(of: report)
    guard let again = Self.report(written) else { fatalError("\(text) is written as \(written), which is no report") }
    require(line(of: again) == written, "\(written) is written as \(line(of: again))")
  }

  private static func report(_ text: String) -> PlatformEvent.Report? {
    guard let line = try? LogLine.read(text), case .event(.report(let report)) = line else { return nil }
    return report
  }

  private static func line(of report: PlatformEvent.Report) -> String {
    let event = PlatformEvent(time: Timestamp(nanoseconds: 0), kind: .report(report))
    // The line of the end comes first, that of the segment last.
    let lines = String(decoding: LogLine.bytes(of: event, .text), as: UTF8.self).split(separator: "\n")
    return String(lines.first { $0.hasPrefix("REPORT") } ?? "")
  }
}
