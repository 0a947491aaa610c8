import Documents
import Lifecycle
import WindowStore
import Windows

/// Gives out the windows of a store.
struct WindowExport {
  private let reader: WindowReader
  private let functions: [FunctionID]
  private let from: Timestamp
  private let to: Timestamp
  private let closed: Timestamp

  /// - Parameter range: How far to look back; `nil` for all windows of the first tier.
  init(_ reader: WindowReader, range: Nanoseconds?, now: Timestamp) throws(StoreError) {
    self.reader = reader
    functions = try reader.functions()
    let kept = Retention(window: reader.window).tiers[0].kept + reader.window
    let grid = WindowGrid(length: reader.window)
    from = grid.start(grid.index(of: now - (range ?? kept)))
    to = now + .seconds(1)
    closed = now - AggregatorConfiguration(window: reader.window).grace
  }

  private func windows(of scope: Scope) throws(StoreError) -> [WindowRollup] {
    try reader.windows(
      WindowSelection(scope: scope, from: from, to: to, tier: reader.window, resolution: reader.window),
      closedBefore: closed)
  }

  // MARK: NDJSON

  /// - Parameter write: Takes the lines of one scope at a time.
  func writeLines(_ write: ([UInt8]) throws -> Void) throws {
    for scope in [Scope.account] + functions.map(Scope.function) {
      var bytes: [UInt8] = []
      for window in try windows(of: scope) { bytes += WindowDocument(window).line() }
      if !bytes.isEmpty { try write(bytes) }
    }
  }

  // MARK: OpenMetrics

  private struct Sample {
    var label: (name: String, value: String)?
    var value: Double
  }

  private struct Family: Sendable {
    var name: String
    var help: String
    /// Whether values are added up from window to window.
    var isCounter: Bool
    var isOfAccount = false
    var read: @Sendable (Rollup) -> [Sample]
  }

  private static let families: [Family] = [
    Family(
      name: "lambda_concurrent_executions_max", help: "Maximum of concurrent executions in the window that ends here.",
      isCounter: false
    ) { [Sample(value: Double($0.peaks.concurrency))] },
    Family(
      name: "lambda_instances_max", help: "Maximum of instances in the window that ends here.", isCounter: false
    ) { [Sample(value: Double($0.peaks.instances))] },
    Family(
      name: "lambda_account_concurrent_executions_max",
      help: "Maximum of concurrent executions of all functions in the window that ends here.", isCounter: false,
      isOfAccount: true
    ) { [Sample(value: Double($0.peaks.concurrency))] },
    Family(name: "lambda_invocations", help: "Finished invocations since the export begins.", isCounter: true) {
      rollup in
      Trigger.allCases.map {
        Sample(label: ("trigger", $0.name), value: Double(rollup.tally.invocations[$0]))
      }
    },
    Family(name: "lambda_errors", help: "Failed invocations since the export begins.", isCounter: true) {
      [Sample(value: Double($0.tally.errors))]
    },
    Family(name: "lambda_throttles", help: "Refused invocations since the export begins.", isCounter: true) { rollup in
      ThrottleReason.allCases.map {
        Sample(label: ("reason", $0.name), value: Double(rollup.tally.throttles[$0]))
      }
    },
    Family(
      name: "lambda_timeouts", help: "Invocations that ran into a timeout since the export begins.", isCounter: true
    ) {
      rollup in
      TimeoutSource.allCases.map {
        Sample(label: ("source", $0.name), value: Double(rollup.tally.timeouts[$0]))
      }
    },
    Family(name: "lambda_cold_starts", help: "Cold starts since the export begins.", isCounter: true) {
      [Sample(value: Double($0.tally.coldStarts))]
    },
    Family(
      name: "lambda_concurrency_seconds", help: "Integral of concurrent executions since the export begins.",
      isCounter: true
    ) { [Sample(value: Double($0.concurrencyNanoseconds) / 1e9)] },
  ]

  /// - Parameter write: Takes the samples of one scope at a time.
  func writeOpenMetrics(_ write: ([UInt8]) throws -> Void) throws {
    for family in Self.families {
      let kind = family.isCounter ? "counter" : "gauge"
      try write(Array("# TYPE \(family.name) \(kind)\n# HELP \(family.name) \(family.help)\n".utf8))
      for scope in family.isOfAccount ? [Scope.account] : functions.map(Scope.function) {
        let text = try samples(of: family, in: scope)
        if !text.isEmpty { try write(Array(text.utf8)) }
      }
    }
    try write(Array("# EOF\n".utf8))
  }

  private func samples(of family: Family, in scope: Scope) throws(StoreError) -> String {
    // The samples of a series come one after the other, so those of each label are gathered.
    let windows = try windows(of: scope).filter(\.isClosed)
    var series: [String] = []
    var totals: [Double] = []
    for window in windows {
      for (position, sample) in family.read(window.rollup).enumerated() {
        if position == series.count {
          series.append("")
          totals.append(0)
        }
        totals[position] = family.isCounter ? totals[position] + sample.value : sample.value
        let name = family.name + (family.isCounter ? "_total" : "") + labels(scope, sample.label)
        series[position] += "\(name) \(totals[position]) \(seconds(window.end))\n"
      }
    }
    return series.joined()
  }

  private func labels(_ scope: Scope, _ label: (name: String, value: String)?) -> String {
    var labels: [String] = []
    if case .function(let function) = scope {
      labels.append("function=\"\(escaped(function.name))\"")
      if function.version != FunctionID.latest { labels.append("version=\"\(escaped(function.version))\"") }
    }
    if let label { labels.append("\(label.name)=\"\(label.value)\"") }
    return labels.isEmpty ? "" : "{\(labels.joined(separator: ","))}"
  }

  private func escaped(_ text: String) -> String {
    var result = ""
    for character in text.unicodeScalars {
      switch character {
      case "\\": result += "\\\\"
      case "\"": result += "\\\""
      case "\n": result += "\\n"
      default: result.unicodeScalars.append(character)
      }
    }
    return result
  }

  /// A window ends at a whole second.
  private func seconds(_ time: Timestamp) -> String { "\(time.nanoseconds / 1_000_000_000)" }
}
