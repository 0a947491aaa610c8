import Documents
import Lifecycle
import Table
import Terminal

/// One function as `kelvin top` shows it.
struct TopRow {
  var function: FunctionDocument
  var windows: RecentWindows?
  /// The concurrency that it can have; `nil` if nobody said.
  var limit: Int64?
  var invocationRate: Double?
  var throttleRate: Double?
  var errorRate: Double?
  var timeoutRate: Double?

  var name: String { function.displayName }
  var instances: Int64 { function.initializing + function.idle + function.busy }
}

/// One column of functions.
struct TopColumn: Sendable {
  var column: LiveTable.Column
  var cell: @Sendable (TopRow) -> LiveTable.Cell
  /// What rows are sorted by, the largest first; `nil` is smaller than any. Without it they are sorted by name.
  var key: (@Sendable (TopRow) -> Double?)?

  private init(
    _ title: String, _ short: String, _ priority: Int, key: @escaping @Sendable (TopRow) -> Double?,
    cell: @escaping @Sendable (TopRow) -> LiveTable.Cell
  ) {
    column = .init(title, short: short, priority: priority)
    self.key = key
    self.cell = cell
  }

  private init(name title: String) {
    column = .init(title, isLeft: true, priority: .max, leastWidth: 12)
    cell = { .init($0.name) }
  }

  private static func rate(
    _ title: String, _ short: String, _ priority: Int, _ style: Style, _ rate: @escaping @Sendable (TopRow) -> Double?
  ) -> TopColumn {
    TopColumn(title, short, priority, key: rate) { row in
      .init(LiveText.rate(rate(row)), (rate(row) ?? 0) > 0 ? style : .plain)
    }
  }

  static let all: [TopColumn] = [
    TopColumn(name: "Function"),
    rate("Invocations/s", "Inv/s", 95, .plain) { $0.invocationRate },
    TopColumn("Concurrent", "Conc.", 99, key: { Double($0.function.concurrentExecutions) }) { row in
      .init(
        String(row.function.concurrentExecutions),
        LiveText.nearness(row.function.concurrentExecutions, of: row.limit))
    },
    TopColumn("Max", "Max", 97, key: { row in row.windows.map { Double($0.concurrencyMax) } }) { row in
      guard let most = row.windows?.concurrencyMax else { return "" }
      return .init(String(most), LiveText.nearness(most, of: row.limit))
    },
    TopColumn("Limit", "Limit", 94, key: { row in row.limit.map { Double($0) } }) { row in
      guard let limit = row.limit else { return "" }
      return .init(String(limit), limit == 0 ? .alarm : row.function.limits?.reserved == nil ? .dim : .plain)
    },
    rate("Throttles/s", "Thr/s", 98, .warning) { $0.throttleRate },
    rate("Errors/s", "Err/s", 96, .alarm) { $0.errorRate },
    rate("504s/s", "504/s", 93, .alarm) { $0.timeoutRate },
    TopColumn("Cold starts", "Cold", 91, key: { row in row.windows.map { Double($0.coldStarts) } }) { row in
      guard let count = row.windows?.coldStarts else { return "" }
      return .init(LiveText.count(count), LiveText.style(count, .fresh))
    },
    TopColumn("Duration p95", "p95", 92, key: { row in row.windows?.p95?.seconds }) { row in
      .init((row.windows?.p95).map { Quantities.duration($0.count) } ?? "")
    },
    TopColumn("Init/idle/busy", "I/I/B", 90, key: { Double($0.instances) }) { row in
      let function = row.function
      return .init(
        "\(function.initializing)/\(function.idle)/\(function.busy)", function.initializing > 0 ? .fresh : .plain)
    },
    TopColumn("Provisioned", "Prov.", 60, key: { row in row.function.limits?.provisioned.map { Double($0.requested) } })
    {
      row in
      guard let provisioned = row.function.limits?.provisioned else { return "" }
      let isReady = provisioned.available >= provisioned.requested
      return .init("\(provisioned.available)/\(provisioned.requested)", isReady ? .plain : .warning)
    },
    TopColumn("Memory used", "Mem.", 50, key: { row in row.windows?.memoryUsedMax.map { Double($0) } }) { row in
      guard let used = row.windows?.memoryUsedMax else { return "" }
      let limit = row.function.limits?.memoryLimitBytes
      let isNear = limit.map { $0 > 0 && used >= $0 - $0 / 10 } ?? false
      return .init(Quantities.bytes(used), isNear ? .warning : .plain)
    },
    TopColumn(
      "Concurrent (max) by window", "Max by window", 40, key: { row in row.windows.map { Double($0.concurrencyMax) } }
    ) {
      row in
      guard let windows = row.windows else { return "" }
      return .init(
        Sparkline.text(Sparkline.folded(windows.peaks, windows.positions, width: 15, max).cells), .good)
    },
  ]
}
