import Text
import Documents
import ExporterSupport
import Lifecycle
import Table
import Testing
import Windows

@Suite struct `Windows table tests` {
  private let orders = Scope.function(FunctionID("orders"))

  @Test func `one function has no column for it, and an idle window shows blanks`() {
    let document = Samples.document(
      [Samples.window(orders, minute: 0), Samples.window(orders, minute: 2, closed: false)], minutes: 3)
    let p95 = column(document, "p95")
    #expect(
      WindowsTable.text(document) == """
        Timestamp           Invocations  Throttled  Errors  504s  Cold starts  Concurrent (max)  Duration avg     p95     max
        2026-11-23T10:02Z*            5          3       1     1            2                 2        820 ms  \(p95)  1.09 s
        2026-11-23T10:01Z
        2026-11-23T10:00Z             5          3       1     1            2                 2        820 ms  \(p95)  1.09 s
        * still open

        """)
  }

  private func column(_ document: WindowsDocument, _ name: String) -> String {
    let nanoseconds = document.windows[0].duration.p95
    return String((Double(nanoseconds) / 1e9 * 100).rounded() / 100) + " s"
  }

  @Test func `several functions have a column, and the account is called all`() {
    let document = Samples.document(
      [
        Samples.window(.account), Samples.window(orders),
        Samples.window(.function(FunctionID("käse\u{1B}[31m", version: "blue"))),
      ], minutes: 1)
    let lines = WindowsTable.text(document).split(separator: "\n")
    #expect(lines.count == 4)
    #expect(lines[0].hasPrefix("Timestamp          Function        Invocations"))
    #expect(lines[1].hasPrefix("2026-11-23T10:00Z  (all)                     5"))
    #expect(lines[2].hasPrefix("2026-11-23T10:00Z  käse\u{FFFD}[31m:blue            5"))
    #expect(lines[3].hasPrefix("2026-11-23T10:00Z  orders                    5"))
  }

  @Test(arguments: [20, 40, 60, 70, 80, 100, 120, 200])
  func `no line is wider than the terminal, and there is a line for each window`(_ width: Int) {
    let names = [orders, .function(FunctionID("日本語日本語日本語日本語日本語日本語"))]
    let document = Samples.document(names.map { Samples.window($0) }, minutes: 2)
    for isWide in [false, true] {
      let text = WindowsTable.text(document, TableOptions(width: width, isWide: isWide))
      let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
      // Below them is said which columns found no room.
      #expect(lines.count == 5 || lines[4].hasPrefix("Not shown in"), "\(text)")
      #expect(lines.last == "")
      for line in lines {
        #expect(line.reduce(0) { $0 + ("日本語".contains($1) ? 2 : 1) } <= width)
        #expect(line.last != " ")
      }
    }
  }

  @Test func `narrower forms come before anything is cut`() {
    let document = Samples.document([Samples.window(orders)], minutes: 1)
    for width in 72...200 {
      #expect(!WindowsTable.text(document, TableOptions(width: width)).contains("…"))
    }
    let narrow = WindowsTable.text(document, TableOptions(width: 72))
    #expect(narrow.hasPrefix("Time"))
    #expect(narrow.contains("\n2026-11-23T10:00Z") || narrow.contains("\n10:00Z"))
  }

  @Test func `columns without room are named, with how to see them`() {
    let document = Samples.document([Samples.window(orders)], minutes: 1)
    let text = WindowsTable.text(document, TableOptions(width: 80, isWide: true))
    let (table, note) = (
      text.split(separator: "\n")[0], text.split(separator: "\n").dropFirst(2).joined(separator: " ")
    )
    #expect(!text.contains("…"))
    #expect(note.hasPrefix("Not shown in 80 columns: "), "\(text)")
    #expect(note.hasSuffix("--output csv --wide and a pipe: kelvin metrics lambda --wide | less -S"))
    #expect(note.contains("Memory (max), Provisioned (max), Spillover. "))
    // Each column is in the header or in the note.
    for column in WindowColumn.columns(isWide: true) where !note.contains(column.name) {
      #expect(table.contains(column.shortTitle), "\(column.name) is nowhere: \(text)")
    }
    #expect(!WindowsTable.text(document, TableOptions(width: 400, isWide: true)).contains("Not shown"))
    #expect(!WindowsTable.text(document, TableOptions(isWide: true)).contains("Not shown"))
  }

  @Test func `only a header that may be is bold`() {
    let document = Samples.document([], minutes: 1)
    #expect(WindowsTable.text(document, TableOptions(usesColour: true)).hasPrefix("\u{1B}[1mTimestamp"))
    #expect(!WindowsTable.text(document).contains("\u{1B}"))
  }

  @Test func `a long range folds runs of idle windows, a short one never does`() {
    let whole = Samples.document([Samples.window(orders, minute: 5)], minutes: 10_000)
    #expect(WindowsTable.text(whole).split(separator: "\n").count == 10_001)
    let long = WindowsDocument(
      resolution: .seconds(1), from: Samples.morning, to: Samples.morning + .seconds(455 * 86_400),
      rollups: [Samples.window(orders, minute: 5)])
    let lines = WindowsTable.text(long).split(separator: "\n")
    #expect(lines.count == 4)
    #expect(lines[3] == "2026-11-23T10:04:59Z and 299 before it")
  }

  @Test func `windows of seconds show seconds`() {
    let document = WindowsDocument(
      resolution: .seconds(10), from: Samples.morning, to: Samples.morning + .seconds(15), windows: [])
    #expect(
      WindowsTable.text(document).split(separator: "\n").dropFirst() == [
        "2026-11-23T10:00:10Z", "2026-11-23T10:00:00Z",
      ])
  }

  @Test func `wide adds columns`() {
    let document = Samples.document([Samples.window(orders)], minutes: 1)
    let text = WindowsTable.text(document, TableOptions(isWide: true))
    for title in ["Warm-up avg", "Initialization avg", "Memory (max)", "Spillover"] { #expect(text.contains(title)) }
    #expect(text.contains("64 MB"))
  }
}

@Suite struct `Windows CSV tests` {
  @Test func `values are in base units, idle windows have no values`() {
    let document = Samples.document([Samples.window(.function(FunctionID("=cmd,\"x\"")))], minutes: 2)
    let p95 = DecimalText.seconds(nanoseconds: Int128(document.windows[0].duration.p95))
    #expect(
      WindowsCSV.text(document)
        == [
          "start,end,closed,function,version,invocations,throttles,errors,timeouts,cold_starts,concurrency_max,"
            + "duration_avg_seconds,duration_p95_seconds,duration_max_seconds",
          "2026-11-23T10:01:00Z,2026-11-23T10:02:00Z,,,,,,,,,,,,",
          "2026-11-23T10:00:00Z,2026-11-23T10:01:00Z,true,\"'=cmd,\"\"x\"\"\",,5,3,1,1,2,2,0.82,\(p95),1.09", "",
        ].joined(separator: "\r\n"))
  }

  @Test(arguments: ["=1", "+1", "-1", "@a", "\t=1", "＝1"])
  func `a name that begins like a formula is guarded`(_ name: String) {
    let document = Samples.document([Samples.window(.function(FunctionID(name, version: name)))], minutes: 1)
    let line = WindowsCSV.text(document).split(separator: "\r\n")[1]
    #expect(line.contains(",'\(name),'\(name),"))
  }
}

@Suite struct `Status table tests` {
  /// As an agent alone says it.
  private let overview = OverviewDocument(status: Samples.status(), control: nil)

  @Test func `every function has a line with its limits`() {
    #expect(
      StatusTable.text(overview) == """
        Function     Memory  Timeout  Temporary storage    Reserved  Provisioned (requested/allocated/available)  Instances now
        orders       512 MB     10 s             512 MB          50  5/5/3, in progress                           5 (2 busy, 3 idle)
        paused:blue   10 GB    1.5 s             512 MB  0 (paused)  none                                         0
        unknown                                                                                                   0
        free          10 GB    1.5 s             512 MB  no reserve  none                                         0

        """)
  }

  @Test func `the summary names addresses and what failed`() {
    #expect(
      StatusTable.summary(overview) == [
        "Kelvin 0.1.0, agent at 127.0.0.1:27315, up 2 h 5 min, windows of 1 min",
        "host at 127.0.0.1:27316, functions: 3", "isolation: memory by sampling, process groups", "  no rights",
        "store .kelvin/kelvin.sqlite: failed (the disk is full), 4 KB, 512 B in the journal",
        "source a1b2c3d4e5f64718899aabbccddeeff0: heard 1 s ago, lag 1.25 s, 12345 events, 2 rejected, 1 duplicate batch, "
          + "3 missing batches",
        "concurrent executions now: 2 of 1000",
      ])
  }

  @Test func `a narrow terminal gets short titles`() {
    let text = StatusTable.text(overview, TableOptions(width: 80))
    #expect(text.hasPrefix("Function     Memory  Timeout    Reserved  Provisioned         Instances\n"))
  }

  @Test func `instances have a line each`() {
    let instance = InstanceSnapshot(
      function: FunctionID("orders"), instance: InstanceID(Identifier128(high: 1, low: 2)), state: .busy,
      initializationType: .onDemand, started: Samples.morning, initialization: .milliseconds(412), invocations: 7)
    let document = InstancesDocument(time: Samples.morning + .seconds(61), snapshots: [instance])
    #expect(
      InstancesTable.text(document) == """
        Function  Instance                              State  Initialization type        Age  Initialization  Invocations
        orders    00000000-0000-0001-0000-000000000002  busy   on-demand            1 min 1 s          412 ms            7

        """)
  }
}
