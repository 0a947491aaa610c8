import Text
import Configuration
import Documents
import Lifecycle
import Table
import Terminal

/// The data that `kelvin metrics lambda --watch` shows at one moment.
struct WatchAnswer: Sendable {
  var windows: WindowsDocument
  /// The concurrency that the scope has: the function's reserve, or the account's limit; `nil` if nobody said.
  var concurrencyLimit: Int64?
  /// When it was asked.
  var time: Timestamp
}

/// Windows of the account or of a function as they grow: sparklines, and below them the newest windows.
struct WatchView: LiveView {
  typealias Asker = WatchAsker

  let function: String?
  let interval: Nanoseconds
  let isWide: Bool
  private(set) var answer: WatchAnswer
  private var failure: CommandFailure?
  /// How many of the newest windows are above the first that the table shows.
  private var offset = 0
  private var page = 1

  var question: Void { () }

  init(_ answer: WatchAnswer, function: String?, interval: Nanoseconds, isWide: Bool) {
    self.answer = answer
    self.function = function
    self.interval = interval
    self.isWide = isWide
  }

  mutating func take(_ answer: WatchAnswer) {
    self.answer = answer
    failure = nil
  }

  mutating func fail(_ failure: CommandFailure) { self.failure = failure }

  mutating func press(_ key: Key) -> LiveAction {
    switch key {
    case .character("q"), .character("Q"), .escape: return .leave
    case .character(" "), .character("r"): return .ask
    case .up, .character("k"): offset -= 1
    case .down, .character("j"): offset += 1
    case .pageUp: offset -= page
    case .pageDown: offset += page
    case .home: offset = 0
    default: break
    }
    offset = max(0, offset)
    return .draw
  }

  mutating func lines(_ size: TerminalSize) -> [StyledLine] {
    let rows = WindowRow.rows(answer.windows)
    var lines = [header(size.columns)]
    lines.append(failure.map { LiveText.failure($0, since: answer.time) } ?? StyledLine())
    // The table has at least six rows, its header and the line below it.
    let sparklines = sparklines(size.columns).prefix(max(0, size.rows - lines.count - 9))
    lines += sparklines
    if !sparklines.isEmpty { lines.append(StyledLine()) }
    page = max(1, size.rows - lines.count - 2)
    offset = min(offset, max(0, rows.count - page))
    let shown = Array(rows.dropFirst(offset).prefix(page))
    let layout = table(shown).layout(width: size.columns)
    lines.append(layout.header)
    lines += layout.rows
    lines += Array(repeating: StyledLine(), count: max(0, size.rows - 1 - lines.count))
    lines.append(footer(size.columns, below: rows.count - offset - shown.count, layout.dropped))
    return lines
  }

  private func header(_ columns: Int) -> StyledLine {
    var line = StyledLine(function ?? "all functions", .bold)
    let document = answer.windows
    line.append(
      "  windows of \(DurationText.text(document.resolution)), last \(DurationText.text(span))"
        + "  every \(DurationText.text(interval))")
    line.append(StyledLine(LiveText.clock(answer.time), failure == nil ? .dim : .alarm), endingAt: columns)
    return line
  }

  private var span: Nanoseconds { answer.windows.to - answer.windows.from }

  private func footer(_ columns: Int, below: Int, _ dropped: [String]) -> StyledLine {
    var parts: [String] = []
    if !dropped.isEmpty { parts.append("no room for \(dropped.joined(separator: ", "))") }
    if below > 0 { parts.append("\(below) older below") }
    if answer.windows.windows.contains(where: { !$0.closed }) { parts.append("* still open") }
    let keys = StyledLine("q quits, ↑↓ scroll", .dim)
    var line = StyledLine(parts.joined(separator: "; "), .dim).cut(to: max(0, columns - keys.width - 2))
    line.append(keys, endingAt: columns)
    return line
  }

  // MARK: Table

  /// The order in which columns go where there is too little room; those that are not named go first.
  private static let priorities = [
    "concurrency_max", "throttles", "errors", "timeouts", "invocations", "cold_starts", "duration_p95_seconds",
    "duration_max_seconds", "duration_avg_seconds", "out_of_memory", "crashes", "spillover_invocations",
    "provisioned_concurrency_max", "memory_used_max_bytes", "instances_max", "initializations",
    "initialization_max_seconds", "initialization_avg_seconds", "warmup_max_seconds", "warmup_avg_seconds", "warmups",
  ]

  private func table(_ rows: [WindowRow]) -> LiveTable {
    let columns = WindowColumn.columns(isWide: isWide)
    let times = TimeText(answer.windows, isShort: true)
    var table = LiveTable(
      columns: [.init("Time", isLeft: true, priority: .max)]
        + columns.map { column in
          let rank = Self.priorities.firstIndex(of: column.field) ?? Self.priorities.count
          return .init(column.title, short: column.shortTitle, priority: -rank)
        })
    table.rows = rows.map { row in
      var cells: [LiveTable.Cell]
      switch row {
      case .window(let window):
        cells = [.init(times.text(window.start) + (window.closed ? "" : "*"), window.closed ? .plain : .bold)]
        cells += columns.map { .init($0.cell(window), style(of: $0.field, window)) }
      case .idle(let start): cells = [.init(times.text(start), .dim)]
      case .idleRun(let newest, let count): cells = [.init("\(times.text(newest)) ×\(count)", .dim)]
      }
      return cells + Array(repeating: "", count: columns.count + 1 - cells.count)
    }
    return table
  }

  private func style(of field: String, _ window: WindowDocument) -> Style {
    switch field {
    case "concurrency_max": LiveText.nearness(window.concurrencyMax, of: answer.concurrencyLimit)
    case "throttles": LiveText.style(window.throttles, .warning)
    case "errors": LiveText.style(window.errors, .alarm)
    case "timeouts": LiveText.style(window.timeouts, .alarm)
    case "crashes": LiveText.style(window.crashes, .alarm)
    case "out_of_memory": LiveText.style(window.outOfMemory, .alarm)
    case "cold_starts": LiveText.style(window.coldStarts, .fresh)
    case "spillover_invocations": LiveText.style(window.spillover, .warning)
    default: .plain
    }
  }

  // MARK: Sparklines

  private struct Series {
    var title: String
    var style: Style
    var value: (WindowDocument) -> Double?
    var merge: (Double, Double) -> Double
    /// What is said at its end.
    var summary: ([WindowDocument]) -> (text: String, style: Style)
  }

  private var series: [Series] {
    let limit = answer.concurrencyLimit
    return [
      Series(title: "Concurrent (max)", style: .good, value: { Double($0.concurrencyMax) }, merge: max) { windows in
        let most = windows.map(\.concurrencyMax).max() ?? 0
        return ("max \(most)" + (limit.map { " of \($0)" } ?? ""), LiveText.nearness(most, of: limit))
      },
      count("Throttled", .warning) { $0.throttles }, count("Errors", .alarm) { $0.errors },
      count("504s", .alarm) { $0.timeouts }, count("Invocations", .plain) { $0.invocations },
      count("Cold starts", .fresh) { $0.coldStarts },
      Series(
        title: "Duration p95", style: .plain, value: { $0.duration.count > 0 ? Double($0.duration.p95) : nil },
        merge: max
      ) { windows in
        let worst = windows.filter { $0.duration.count > 0 }.map(\.duration.p95).max()
        return (worst.map { "max \(Quantities.duration($0))" } ?? "", .plain)
      },
    ]
  }

  private func count(_ title: String, _ style: Style, _ read: @escaping (WindowDocument) -> UInt64) -> Series {
    Series(title: title, style: style, value: { Double(read($0)) }, merge: +) { windows in
      let sum = windows.reduce(UInt64(0)) { $0 &+ read($1) }
      return (LiveText.count(sum), sum > 0 ? style : .plain)
    }
  }

  /// A line for each series: its title, a bar for each window, and what they come to.
  private func sparklines(_ columns: Int) -> [StyledLine] {
    let windows = answer.windows.windows
    let length = answer.windows.resolution.count
    guard length > 0, answer.windows.to > answer.windows.from else { return [] }
    let first = answer.windows.from.nanoseconds / length
    let last = max(first, (answer.windows.to.nanoseconds - 1) / length)
    let series = series
    let summaries = series.map { $0.summary(windows) }
    let titleWidth = (series.map(\.title.count).max() ?? 0) + 1
    let summaryWidth = (summaries.map(\.text.count).max() ?? 0) + 1
    let width = columns - titleWidth - summaryWidth
    guard width >= 5 else { return [] }
    return zip(series, summaries).map { series, summary in
      var values: [Int64: Double] = [:]
      for window in windows { values[window.start.nanoseconds / length] = series.value(window) }
      let folded = Sparkline.folded(values, first...last, width: width, series.merge)
      var line = StyledLine(series.title)
      line.pad(to: titleWidth)
      line.append(Sparkline.text(folded.cells), series.style)
      line.append(" ")
      line.append(summary.text, summary.style)
      return line
    }
  }
}
