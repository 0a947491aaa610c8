import Text
import Configuration
import Documents
import Lifecycle
import Table
import Terminal

/// What `kelvin top` shows: functions and, below them, the instances of the selected one.
struct TopView: LiveView {
  typealias Asker = TopAsker

  private(set) var answer: TopAnswer
  private let interval: Nanoseconds
  private var history = TotalsHistory()
  private var failure: CommandFailure?
  /// The column that rows are sorted by, and whether in the opposite order.
  private(set) var sorting = (column: 1, isReversed: false)
  /// The function that was chosen; `nil`: the first row.
  private var chosen: String?
  private var offset = 0
  private var page = 1
  private var visible: [String] = []
  private var showsInstances = true
  private var showsHelp = false

  init(_ answer: TopAnswer, interval: Nanoseconds) {
    self.answer = answer
    self.interval = interval
    history.add(answer.status)
  }

  var question: TopQuestion { TopQuestion(functions: visible, wantsInstances: showsInstances) }

  mutating func take(_ answer: TopAnswer) {
    self.answer = answer
    failure = nil
    history.add(answer.status)
  }

  mutating func fail(_ failure: CommandFailure) { self.failure = failure }

  // MARK: Keys

  mutating func press(_ key: Key) -> LiveAction {
    if showsHelp {
      showsHelp = false
      return key == .character("q") ? .leave : .draw
    }
    switch key {
    case .character("q"), .character("Q"), .escape: return .leave
    case .character("?"), .character("h"): showsHelp = true
    case .character(" "): return .ask
    case .up, .character("k"): move(by: -1)
    case .down, .character("j"): move(by: 1)
    case .pageUp: move(by: -page)
    case .pageDown: move(by: page)
    case .home: move(by: -.max / 2)
    case .end: move(by: .max / 2)
    case .left, .character("<"): sort(by: sorting.column - 1)
    case .right, .character(">"), .tab: sort(by: sorting.column + 1)
    case .character("r"): sorting.isReversed.toggle()
    case .character("i"), .enter:
      showsInstances.toggle()
      return .ask
    default: break
    }
    return .draw
  }

  private mutating func move(by rows: Int) {
    let rows = (rows, self.rows().map(\.name))
    guard !rows.1.isEmpty else { return }
    let now = chosen.flatMap { rows.1.firstIndex(of: $0) } ?? 0
    chosen = rows.1[min(max(0, now + rows.0), rows.1.count - 1)]
  }

  private mutating func sort(by column: Int) {
    sorting = ((column + TopColumn.all.count) % TopColumn.all.count, false)
  }

  // MARK: Rows

  /// Functions in the order in which they are shown.
  func rows() -> [TopRow] {
    let rows = answer.status.functions.map { function in
      let name = function.displayName
      return TopRow(
        function: function, windows: answer.windows[name],
        limit: function.limits?.reserved ?? answer.status.account.concurrencyLimit,
        invocationRate: history.rate(of: name) { $0.invocations },
        throttleRate: history.rate(of: name) { $0.throttles },
        errorRate: history.rate(of: name) { $0.errors }, timeoutRate: history.rate(of: name) { $0.timeouts })
    }
    let key = TopColumn.all[sorting.column].key
    let sorted = rows.sorted { left, right in
      let (a, b) = (key?(left) ?? -1, key?(right) ?? -1)
      return a == b ? left.name < right.name : a > b
    }
    return sorting.isReversed ? sorted.reversed() : sorted
  }

  private func table(_ rows: [TopRow]) -> LiveTable {
    var table = LiveTable(columns: TopColumn.all.map(\.column))
    table.marked = sorting.column
    table.rows = rows.map { row in TopColumn.all.map { $0.cell(row) } }
    return table
  }

  // MARK: Frames

  mutating func lines(_ size: TerminalSize) -> [StyledLine] {
    if showsHelp { return TopHelp.lines }
    let rows = rows()
    let position = chosen.flatMap { name in rows.firstIndex { $0.name == name } } ?? 0
    if let chosen, !rows.isEmpty, rows[position].name != chosen { self.chosen = nil }
    let pane = showsInstances && !rows.isEmpty ? instances(of: rows[position], size, functions: rows.count) : []
    var lines = header(size.columns)
    page = max(1, size.rows - lines.count - pane.count - 2)
    offset = min(max(offset, position - page + 1), position, max(0, rows.count - page))
    let shown = Array(rows.dropFirst(offset).prefix(page))
    visible = shown.map(\.name)
    let layout = table(shown).layout(width: size.columns)
    lines.append(layout.header)
    for (index, var line) in layout.rows.enumerated() {
      if index + offset == position {
        line.pad(to: size.columns)
        line = line.reversed
      }
      lines.append(line)
    }
    if rows.isEmpty { lines.append(StyledLine("The agent has seen no function yet.", .dim)) }
    lines += Array(repeating: StyledLine(), count: max(0, size.rows - 1 - pane.count - lines.count))
    lines += pane
    lines.append(footer(size.columns, rows.count - shown.count, layout.dropped))
    return lines
  }

  /// One frame for `--once`: all functions, and the instances if there is one function.
  ///
  /// - Parameter width: The terminal's columns; `nil`: as many as it takes.
  mutating func once(width: Int?) -> [StyledLine] {
    let rows = rows()
    var lines = header(width)
    let layout = table(rows).layout(width: width)
    lines.append(layout.header)
    lines += layout.rows
    if !layout.dropped.isEmpty {
      lines.append(StyledLine("no room for \(layout.dropped.joined(separator: ", "))", .dim))
    }
    if rows.count == 1 {
      lines.append(StyledLine())
      lines += InstancesPane.lines(rows[0], answer.instances, width: width, limit: .max)
    }
    return lines
  }

  private func header(_ width: Int?) -> [StyledLine] {
    let status = answer.status
    var first = StyledLine("Kelvin \(status.version)", .bold)
    first.append(
      "  agent at \(status.agent.listen), up \(Quantities.age(status.uptime)), every \(DurationText.text(interval))")
    let clock = StyledLine(LiveText.clock(status.time), failure == nil ? .dim : .alarm)
    if let width {
      first.append(clock, endingAt: width)
    } else {
      first.append("  ")
      first.append(clock)
    }
    let account = status.account
    var second = StyledLine("concurrency ")
    second.append(
      "\(account.concurrentExecutions)", LiveText.nearness(account.concurrentExecutions, of: account.concurrencyLimit))
    if let limit = account.concurrencyLimit { second.append(" of \(limit)") }
    let count = status.functions.count
    second.append(
      ", functions: \(count), instances: \(status.functions.reduce(0) { $0 + $1.initializing + $1.idle + $1.busy })")
    let looksBack = DurationText.text(Nanoseconds(status.agent.window.count * RecentWindows.count))
    second.append("; max, cold starts: last \(looksBack)", .dim)
    return [first, second, failure.map { LiveText.failure($0, since: status.time) } ?? StyledLine()]
  }

  private func footer(_ columns: Int, _ hidden: Int, _ dropped: [String]) -> StyledLine {
    var parts: [String] = []
    if !dropped.isEmpty { parts.append("no room for \(dropped.joined(separator: ", "))") }
    if hidden > 0 { parts.append("\(hidden) more functions") }
    let keys = StyledLine("q quits, ? shows help", .dim)
    var line = StyledLine(parts.joined(separator: "; "), .dim).cut(to: max(0, columns - keys.width - 2))
    line.append(keys, endingAt: columns)
    return line
  }

  /// At most half of the screen, and less where functions need it.
  private func instances(of row: TopRow, _ size: TerminalSize, functions: Int) -> [StyledLine] {
    let room = max(size.rows / 2, size.rows - functions - 7)
    guard room >= 4 else { return [] }
    return [StyledLine()] + InstancesPane.lines(row, answer.instances, width: size.columns, limit: room - 3)
  }
}

/// The instances of one function.
enum InstancesPane {
  /// - Parameter limit: The most instances to show.
  static func lines(
    _ row: TopRow, _ instances: [InstanceDocument], width: Int?, limit: Int
  ) -> [StyledLine] {
    let function = row.function
    let own = instances.filter { $0.function == function.function && $0.version == function.version }
    var title = StyledLine("Instances of \(row.name)", .bold)
    title.append(": \(own.count)")
    if let limits = function.limits {
      let used = row.windows?.memoryUsedMax.map { "\(Quantities.bytes($0)) of " } ?? ""
      title.append(
        ", memory \(used)\(Quantities.bytes(limits.memoryLimitBytes)), timeout \(Quantities.duration(limits.timeout.count))"
      )
    }
    let hasMore = own.count > limit
    let shown = own.prefix(hasMore ? max(0, limit - 1) : limit)
    let layout = table(Array(shown)).layout(width: width)
    var lines = [title]
    if !own.isEmpty { lines.append(layout.header) }
    lines += layout.rows
    if hasMore { lines.append(StyledLine("and \(own.count - shown.count) more", .dim)) }
    return lines
  }

  private static func table(_ instances: [InstanceDocument]) -> LiveTable {
    var table = LiveTable(columns: [
      .init("Instance", isLeft: true, priority: 9, leastWidth: 9), .init("State", isLeft: true, priority: 8),
      .init("Age", priority: 7), .init("Invocations", priority: 6), .init("Initialization", short: "Init", priority: 5),
      .init("Initialization type", short: "Type", isLeft: true, priority: 4),
    ])
    table.rows = instances.map { instance in
      [
        .init(instance.instance), .init(instance.state, style(instance.state)), .init(Quantities.age(instance.age)),
        .init(String(instance.invocations)), .init(instance.initialization.map { Quantities.duration($0.count) } ?? ""),
        .init(instance.initializationType),
      ]
    }
    return table
  }

  private static func style(_ state: String) -> Style {
    switch state {
    case "busy": .good
    case "initializing": .fresh
    case "idle": .dim
    default: .plain
    }
  }
}

/// What the keys do.
enum TopHelp {
  static let lines: [StyledLine] = {
    let keys = [
      ("↑ ↓  k j", "choose a function"), ("PgUp PgDn Home End", "move by a page, or to the first or last function"),
      ("← →  < >  Tab", "sort by another column; * marks it"), ("r", "sort in the opposite order"),
      ("i  Enter", "show or hide the instances of the chosen function"), ("space", "refresh now"),
      ("Ctrl-L", "draw the screen again"), ("Ctrl-Z", "suspend; fg resumes"), ("?  h", "show this page"),
      ("q  Esc  Ctrl-C", "quit"),
    ]
    var lines = [StyledLine("kelvin top", .bold), StyledLine()]
    for (key, meaning) in keys {
      var line = StyledLine("  ")
      line.append(key, .bold)
      line.pad(to: 24)
      line.append(meaning)
      lines.append(line)
    }
    var colours = StyledLine("Colours: ")
    colours.append("a limit is near, or throttles", .warning)
    colours.append("; ")
    colours.append("a limit is reached, or something failed", .alarm)
    colours.append("; ")
    colours.append("cold", .fresh)
    return lines + [
      StyledLine(), colours,
      StyledLine("Rates cover about 10 s. Max, cold starts and memory cover the last 30 windows;"),
      StyledLine("p95 covers the newest window in which an invocation ended."), StyledLine(),
      StyledLine("Press any key to go back.", .dim),
    ]
  }()
}
