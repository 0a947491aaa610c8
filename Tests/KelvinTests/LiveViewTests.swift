import ArgumentParser
import Documents
import Lifecycle
import Terminal
import Testing
import Windows

@testable import kelvin

private let start = Timestamp(seconds: 1_795_428_000)

/// A function with so many invocations, instances and executions.
private func function(
  _ name: String, invocations: UInt64 = 0, reserved: Int64? = nil, busy: Int = 0
) -> FunctionDocument {
  var snapshot = FunctionSnapshot(function: FunctionID(name), firstSeen: start)
  snapshot.limits = FunctionLimitsChanged(
    time: start, reserved: reserved, memoryLimitBytes: 256 << 20, timeout: .seconds(5),
    temporaryStorageLimitBytes: 512 << 20)
  for _ in 0..<busy { snapshot.instances[.busy] += 1 }
  snapshot.concurrentExecutions = Int64(busy)
  var document = FunctionDocument(snapshot)
  document.totals.invocations = invocations
  return document
}

private func liveStatus(_ functions: [FunctionDocument], seconds: Int64 = 0) -> StatusDocument {
  StatusDocument(
    version: "9.9.9", started: start, time: start + .seconds(seconds),
    agent: .init(listen: "127.0.0.1:1", window: .seconds(60), functionsLimit: 10_000), store: nil, host: nil,
    account: .init(concurrentExecutions: 1, concurrencyLimit: 1_000), functions: functions)
}

private func text(_ lines: [StyledLine]) -> [String] { lines.map(\.text) }

/// Ten windows of a minute, in the newest of which there was so much.
private func windows(concurrency: Int64 = 4, throttles: UInt64 = 0) -> WindowsDocument {
  let newest = start + .seconds(540)
  var window = WindowDocument(function: "orders", start: newest, end: newest + .seconds(60), closed: false)
  window[count: .invocations] = 12
  window.concurrencyMax = concurrency
  window[count: .throttles] = throttles
  return WindowsDocument(
    resolution: .seconds(60), from: start, to: newest + .seconds(60), windows: [window])
}

private func watch(_ document: WindowsDocument, limit: Int64? = 5, isWide: Bool = false) -> WatchView {
  WatchView(
    WatchAnswer(windows: document, concurrencyLimit: limit, time: start + .seconds(545)), function: "orders",
    interval: .seconds(2), isWide: isWide)
}

@Suite struct `Live numbers` {
  @Test(
    arguments: [
      (nil, ""), (0, "0"), (0.001, "<0.01"), (0.04, "0.04"), (0.5, "0.5"), (2.0, "2"), (12.34, "12.3"), (99.96, "100"),
      (1_234.4, "1234"), (12_345, "12k"), (1e7, "10M"), (.infinity, ""), (.nan, ""),
    ] as [(Double?, String)])
  func `are rates of at most five characters`(_ rate: Double?, expected: String) {
    #expect(LiveText.rate(rate) == expected)
  }

  @Test func `come near their limit from four fifths on`() {
    #expect(LiveText.nearness(3, of: 5) == .plain)
    #expect(LiveText.nearness(4, of: 5) == .warning)
    #expect(LiveText.nearness(5, of: 5) == .alarm)
    #expect(LiveText.nearness(0, of: 0) == .plain)
    #expect(LiveText.nearness(.max, of: .max) == .alarm)
    #expect(LiveText.nearness(7, of: nil) == .plain)
  }

  @Test func `are asked for at intervals that make sense`() throws {
    #expect(try LiveInterval.parse("500ms") == .milliseconds(500))
    for text in ["100ms", "2h", "x", "0s"] { #expect(throws: ValidationError.self) { try LiveInterval.parse(text) } }
  }
}

@Suite struct `Rates` {
  @Test func `are differences of totals over the time between them`() {
    var history = TotalsHistory()
    history.add(liveStatus([function("orders", invocations: 100)]))
    #expect(history.rate(of: "orders") { $0.invocations } == nil)
    history.add(liveStatus([function("orders", invocations: 130)], seconds: 2))
    #expect(history.rate(of: "orders") { $0.invocations } == 15)
    #expect(history.rate(of: "missing") { $0.invocations } == nil)
  }

  @Test func `are over about ten seconds, however often one asks`() {
    var history = TotalsHistory()
    for second in Int64(0)...60 {
      history.add(liveStatus([function("orders", invocations: second < 50 ? 0 : 7)], seconds: second))
    }
    #expect(history.rate(of: "orders") { $0.invocations } == 0)
  }

  @Test func `count a function from its first moment, and not one whose total went down`() {
    var history = TotalsHistory()
    history.add(liveStatus([function("orders", invocations: 100)]))
    history.add(liveStatus([function("orders", invocations: 5), function("new", invocations: 6)], seconds: 2))
    #expect(history.rate(of: "orders") { $0.invocations } == nil)
    #expect(history.rate(of: "new") { $0.invocations } == 3)
  }

  @Test func `do not take the same answer twice`() {
    var history = TotalsHistory()
    history.add(liveStatus([function("orders", invocations: 1)]))
    history.add(liveStatus([function("orders", invocations: 9)]))
    #expect(history.rate(of: "orders") { $0.invocations } == nil)
  }
}

@Suite struct `The watched windows` {
  @Test func `have sparklines, and below them the newest windows`() {
    var view = watch(windows(throttles: 3))
    let lines = text(view.lines(TerminalSize(columns: 80, rows: 24)))
    #expect(lines.count == 24)
    #expect(lines[0].hasPrefix("orders  windows of 1m, last 10m  every 2s"))
    #expect(lines[2].hasPrefix("Concurrent (max) "))
    #expect(lines[2].hasSuffix("█ max 4 of 5"))
    #expect(lines[3].hasPrefix("Throttled"))
    #expect(lines.contains { $0.hasPrefix("Time") && $0.contains("Thrott.") })
    #expect(lines.contains { $0.hasPrefix("08:49Z*") || $0.contains("Z* ") })
    #expect(lines[23] == "* still open" + String(repeating: " ", count: 50) + "q quits, ↑↓ scroll")
  }

  @Test(arguments: [
    (80, 24), (80, 10), (40, 24), (20, 5), (1, 1), (200, 60), (10, 2),
  ])
  func `fit any screen`(_ columns: Int, rows: Int) {
    var view = watch(windows(), isWide: true)
    let size = TerminalSize(columns: columns, rows: rows)
    var writer = FrameWriter(usesColour: true)
    #expect(!writer.bytes(view.lines(size), size: size).isEmpty)
    if rows >= 5, columns >= 10 { #expect(view.lines(size).count <= rows) }
  }

  @Test func `say which columns have no room`() {
    var view = watch(windows(), isWide: true)
    let lines = text(view.lines(TerminalSize(columns: 80, rows: 24)))
    #expect(lines[23].contains("no room for "))
    #expect(!text(view.lines(TerminalSize(columns: 300, rows: 24)))[23].contains("no room for "))
  }

  @Test func `scroll, and never past their ends`() {
    var view = watch(windows())
    let size = TerminalSize(columns: 80, rows: 12)
    let first = text(view.lines(size))
    #expect(view.press(.down) == .draw)
    let second = text(view.lines(size))
    #expect(first != second)
    for _ in 0..<100 { _ = view.press(.pageDown) }
    #expect(!text(view.lines(size))[11].contains("below"))
    for _ in 0..<100 { _ = view.press(.up) }
    #expect(text(view.lines(size)) == first)
    #expect(view.press(.character("q")) == .leave)
    #expect(view.press(.character(" ")) == .ask)
  }

  @Test func `stay while nobody answers, and say so`() {
    var view = watch(windows())
    view.fail(.unreachable("No agent answers at x."))
    let lines = text(view.lines(TerminalSize(columns: 120, rows: 24)))
    #expect(lines[1].hasPrefix("Trying again. The values are from "))
    #expect(lines[1].hasSuffix("No agent answers at x."))
    #expect(lines[2].hasPrefix("Concurrent (max) "))
    view.take(WatchAnswer(windows: windows(), concurrencyLimit: nil, time: start))
    #expect(text(view.lines(TerminalSize(columns: 120, rows: 24)))[1] == "")
  }
}

@Suite struct `The limit of what is watched` {
  @Test func `is the reserve of the function, else that of the account`() {
    let status = liveStatus([function("orders", reserved: 7), function("reports")])
    #expect(WatchAsker.limit(of: "orders", status) == 7)
    #expect(WatchAsker.limit(of: "reports", status) == 1_000)
    #expect(WatchAsker.limit(of: nil, status) == 1_000)
  }
}

@Suite struct `The top functions` {
  private let size = TerminalSize(columns: 100, rows: 24)

  private func view() -> TopView {
    var answer = TopAnswer(
      status: liveStatus([
        function("a", invocations: 1), function("b", invocations: 1, reserved: 2, busy: 2), function("c"),
      ]))
    answer.windows["b"] = RecentWindows(windows(concurrency: 2))
    var view = TopView(answer, interval: .seconds(2))
    answer.status = liveStatus(
      [function("a", invocations: 11), function("b", invocations: 101, reserved: 2, busy: 2), function("c")], seconds: 2
    )
    view.take(answer)
    return view
  }

  @Test func `are sorted by invocations, and by any other column`() {
    var view = view()
    #expect(view.rows().map(\.name) == ["b", "a", "c"])
    _ = view.press(.left)
    #expect(view.rows().map(\.name) == ["a", "b", "c"])
    _ = view.press(.character("r"))
    #expect(view.rows().map(\.name) == ["c", "b", "a"])
    for _ in TopColumn.all {
      _ = view.press(.right)
      #expect(view.rows().count == 3)
    }
    #expect(view.sorting.column == 0)
  }

  @Test func `show rates, concurrency against its limit, and instances`() {
    var view = view()
    let lines = text(view.lines(size))
    #expect(lines[0].hasPrefix("Kelvin 9.9.9  agent at 127.0.0.1:1, up 2 s, every 2s"))
    #expect(lines[1].hasPrefix("concurrency 1 of 1000, functions: 3, instances: 2; max"))
    let row = lines[4].split(separator: " ").map(String.init)
    #expect(row.prefix(5) == ["b", "50", "2", "2", "2"])
    #expect(row.contains("0/0/2"))
    #expect(lines.contains { $0.hasPrefix("Instances of b: 0, memory 256 MB, timeout 5 s") })
    #expect(view.question == TopQuestion(functions: ["b", "a", "c"], wantsInstances: true))
  }

  @Test func `keep the chosen one, wherever it is sorted to`() {
    var view = view()
    _ = view.press(.down)
    _ = view.press(.down)
    #expect(text(view.lines(size)).contains { $0.hasPrefix("Instances of c") })
    _ = view.press(.character("r"))
    #expect(text(view.lines(size)).contains { $0.hasPrefix("Instances of c") })
    _ = view.press(.down)
    #expect(text(view.lines(size)).contains { $0.hasPrefix("Instances of a") })
    _ = view.press(.enter)
    #expect(!text(view.lines(size)).contains { $0.hasPrefix("Instances of") })
    #expect(!view.question.wantsInstances)
  }

  @Test func `have a page of help from which any key goes back`() {
    var view = view()
    _ = view.press(.character("?"))
    #expect(text(view.lines(size)).contains { $0.contains("sort by another column") })
    #expect(view.press(.escape) == .draw)
    #expect(!text(view.lines(size)).contains { $0.contains("sort by another column") })
    #expect(view.press(.escape) == .leave)
  }

  @Test func `scroll so that the chosen one is seen`() {
    let many = (0..<200).map { function("f\($0 < 10 ? "00" : $0 < 100 ? "0" : "")\($0)") }
    var view = TopView(TopAnswer(status: liveStatus(many)), interval: .seconds(2))
    for _ in 0..<150 { _ = view.press(.down) }
    let lines = text(view.lines(size))
    #expect(lines.count == 24)
    #expect(lines.contains { $0.hasPrefix("f150") })
    #expect(lines[23].contains("more functions"))
    #expect(view.question.functions.contains("f150"))
    _ = view.press(.end)
    #expect(text(view.lines(size)).contains { $0.hasPrefix("f199") })
    _ = view.press(.home)
    #expect(text(view.lines(size)).contains { $0.hasPrefix("f000") })
  }

  @Test func `let no name steer the terminal`() {
    var view = TopView(
      TopAnswer(status: liveStatus([function("a\u{1B}[2Jb\u{07}\u{202E}")])), interval: .seconds(2))
    var writer = FrameWriter(usesColour: true)
    let written = String(decoding: writer.bytes(view.lines(size), size: size), as: UTF8.self)
    #expect(written.contains("a\u{FFFD}[2Jb\u{FFFD}\u{FFFD}"))
    #expect(!text(view.once(width: nil)).contains { $0.contains("\u{1B}") })
  }

  @Test func `fit any screen`() {
    var view = view()
    for (columns, rows) in [(80, 24), (1, 1), (12, 3), (40, 8), (300, 100)] {
      let size = TerminalSize(columns: columns, rows: rows)
      var writer = FrameWriter(usesColour: false)
      #expect(!writer.bytes(view.lines(size), size: size).isEmpty)
    }
    var empty = TopView(TopAnswer(status: liveStatus([])), interval: .seconds(2))
    for key in [Key.down, .up, .end, .enter] { _ = empty.press(key) }
    #expect(text(empty.lines(size)).contains("The agent has seen no function yet."))
  }
}
