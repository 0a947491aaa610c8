import Testing

@testable import Terminal

@Suite struct `A line` {
  @Test(arguments: [
    ("plain", 5), ("", 0), ("日本", 4), ("e\u{301}te\u{301}", 3), ("👍🏽", 2), ("a\u{1B}[2Jb", 6), ("ﬁ", 1),
  ])
  func `knows its width in columns`(_ text: String, width: Int) {
    #expect(StyledLine(text).width == width)
  }

  @Test func `lets nothing through that steers a terminal`() {
    let hostile = "\u{1B}]0;title\u{07}\u{9B}31m\u{202E}x\r\n\u{200B}y"
    let line = StyledLine(hostile)
    #expect(
      !line.rendered(usesColour: true).unicodeScalars.contains { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) })
    #expect(line.text == "\u{FFFD}]0;title\u{FFFD}\u{FFFD}31m\u{FFFD}x\u{FFFD}\u{FFFD}\u{FFFD}y")
  }

  @Test(arguments: [
    (7, "one日本"), (6, "one日…"), (5, "one…"), (4, "one…"), (3, "on…"), (1, "…"), (0, ""),
  ])
  func `is cut at a width, over pieces and wide characters`(_ width: Int, expected: String) {
    var line = StyledLine("one", .bold)
    line.append("日本", .alarm)
    let cut = line.cut(to: width)
    #expect(cut.text == expected)
    #expect(cut.width <= width)
  }

  @Test func `has a piece at its right edge if there is room`() {
    var line = StyledLine("left")
    line.append("right", endingAt: 12)
    #expect(line.text == "left   right")
    line.append("more", endingAt: 14)
    #expect(line.text == "left   right")
  }

  @Test func `is coloured only where colours are wanted, and reversed in any case`() {
    let line = StyledLine("x", .warning).reversed
    #expect(line.rendered(usesColour: true) == "\u{1B}[7;33mx\u{1B}[0m")
    #expect(line.rendered(usesColour: false) == "\u{1B}[7mx\u{1B}[0m")
    #expect(StyledLine("x").rendered(usesColour: true) == "x")
  }
}

@Suite struct `What is written for a frame` {
  private let size = TerminalSize(columns: 10, rows: 3)

  private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

  @Test func `is all of the first frame, at once`() {
    var writer = FrameWriter(usesColour: false)
    let first = text(writer.bytes(["a", "b"], size: size))
    #expect(first.hasPrefix("\u{1B}[?2026h\u{1B}[0m\u{1B}[H\u{1B}[2J"))
    #expect(first.hasSuffix("\u{1B}[1;1Ha\u{1B}[K\u{1B}[2;1Hb\u{1B}[K\u{1B}[?2026l"))
  }

  @Test func `is only what changed of the next, and nothing if nothing did`() {
    var writer = FrameWriter(usesColour: false)
    _ = writer.bytes(["a", "b", "c"], size: size)
    #expect(writer.bytes(["a", "b", "c"], size: size).isEmpty)
    #expect(
      text(writer.bytes(["a", "x"], size: size)) == "\u{1B}[?2026h\u{1B}[2;1Hx\u{1B}[K\u{1B}[3;1H\u{1B}[K\u{1B}[?2026l")
  }

  @Test func `is all of it again in another size, and once the screen is unknown`() {
    var writer = FrameWriter(usesColour: false)
    _ = writer.bytes(["a"], size: size)
    #expect(text(writer.bytes(["a"], size: TerminalSize(columns: 9, rows: 3))).contains("\u{1B}[2J"))
    writer.forget()
    #expect(text(writer.bytes(["a"], size: TerminalSize(columns: 9, rows: 3))).contains("\u{1B}[2J"))
  }

  @Test func `stays inside the screen, and does not erase the last column of a full line`() {
    var writer = FrameWriter(usesColour: false)
    let written = text(writer.bytes(["0123456789", "0123456789a", "3", "4"], size: size))
    #expect(written.contains("\u{1B}[1;1H0123456789\u{1B}[2;1H012345678…\u{1B}[3;1H3\u{1B}[K"))
    #expect(!written.contains("4;1H"))
  }
}

@Suite struct `A sparkline` {
  @Test func `has a bar for each value, of the height that it has beside the largest`() {
    #expect(Sparkline.text([nil, 0, 1, 4, 8]) == " ·▁▄█")
    #expect(Sparkline.text([1, 1_000]) == "▁█")
    #expect(Sparkline.text([5], top: 10) == "▄")
    #expect(Sparkline.text([0, nil]) == "· ")
    #expect(Sparkline.text([]) == "")
  }

  @Test func `folds positions into cells that do not move as time goes on`() {
    let values: [Int64: Double] = [0: 1, 1: 5, 2: 2, 5: 3]
    let sums = Sparkline.folded(values, 0...5, width: 3, +)
    #expect(sums.cells == [6, 2, 3])
    #expect(sums.positionsPerCell == 2)
    #expect(Sparkline.folded(values, 0...5, width: 3, max).cells == [5, 2, 3])
    // One position further, the pairs are the same ones.
    #expect(Sparkline.folded(values, 1...6, width: 4, +).cells == [5, 2, 3, nil])
    #expect(Sparkline.folded(values, 0...5, width: 60, +).cells == [1, 5, 2, nil, nil, 3])
    #expect(Sparkline.folded(values, 0...5, width: 0, +).cells.isEmpty)
  }

  @Test(arguments: 1...40)
  func `never has more cells than there is room`(_ width: Int) {
    for first in Int64(0)...9 {
      let folded = Sparkline.folded([first: 1], first...(first + 71), width: width, +)
      #expect(folded.cells.count <= width)
      #expect(folded.cells.compactMap { $0 } == [1])
    }
  }
}

@Suite struct `A live table` {
  private func table() -> LiveTable {
    var table = LiveTable(columns: [
      .init("Function", isLeft: true, priority: 9, leastWidth: 6), .init("Invocations", short: "Inv.", priority: 8),
      .init("Memory", priority: 1), .init("p95", priority: 5),
    ])
    table.rows = [["a-long-name", "12", "512 MB", "1.5 s"], ["b", "3", "", ""]]
    return table
  }

  @Test(arguments: [
    (nil, "Function     Invocations  Memory    p95", []), (39, "Function     Invocations  Memory    p95", []),
    (30, "Function    Inv. Memory   p95", []), (26, "Function Inv. Memory   p95", []),
    (20, "Function  Inv.   p95", ["Memory"]), (14, "Function  Inv.", ["p95", "Memory"]),
    (6, "Funct…", ["Invocations", "p95", "Memory"]),
  ])
  func `shortens titles, cuts names, and drops columns by priority`(
    _ width: Int?, header: String, dropped: [String]
  ) {
    let layout = table().layout(width: width)
    #expect(layout.header.text == header)
    #expect(layout.dropped == dropped)
    if let width { #expect(layout.rows.allSatisfy { $0.width <= width }) }
  }

  @Test func `aligns cells and marks the column that it is sorted by`() {
    var table = table()
    table.marked = 1
    let layout = table.layout(width: nil)
    #expect(layout.header.text == "Function     Invocations*  Memory    p95")
    #expect(layout.rows[0].text == "a-long-name            12  512 MB  1.5 s")
    #expect(layout.rows[1].text.hasPrefix("b                       3"))
  }
}
