import Documents
import LambdaRecords
import Lifecycle
import LogContainers
import LogImport
import Testing
import Text

private let request = "5e1f0000-0000-4000-8000-000000000077"
private let other = "5e1f0000-0000-4000-8000-000000000078"
private let third = "5e1f0000-0000-4000-8000-000000000079"
private let stream = "2025/11/24/[$LATEST]0a000000000000000000000000000001"

private func report(_ request: String, _ duration: String = "5.00") -> String {
  "REPORT RequestId: \(request)\tDuration: \(duration) ms\tBilled Duration: 6 ms\tMemory Size: 128 MB\tMax Memory Used: 40 MB"
}

/// A log event as the CLI prints it, with the time behind 24 November 2025, 10 o'clock.
private func tail(_ time: String, _ message: String) -> String { "2025-11-24T10:\(time)+00:00 \(stream) \(message)" }

@Suite struct `A log that is hard to read` {
  static let cases: [FileCase] = [
    FileCase(
      testDescription: "lines as a letter quotes them",
      text:
        "> START RequestId: \(request) Version: 1\n> > charged\n> END RequestId: \(request)\n> > \(report(request))\n",
      counts: .of { ($0.invocations, $0.untimed) = (1, 1) }),
    FileCase(
      testDescription: "lines as docker compose shows them",
      text: "lambda-1  | START RequestId: \(request) Version: 1\nlambda-1  | charged\nlambda-1  | \(report(request))\n",
      counts: .of { ($0.invocations, $0.untimed) = (1, 1) }),
    FileCase(
      testDescription: "a table with semicolons",
      text:
        "@timestamp;@message\n2025-11-24 10:00:01.000;\(report(request))\n2025-11-24 10:00:01.004;\"\(report(other))\"\n",
      counts: .of { $0.invocations = 2 }, concurrencyMax: 2),
    FileCase(
      testDescription: "reports of one instance in one millisecond",
      text: [request, other, third].map { tail("00:00.005", report($0, "0.30")) }.joined(separator: "\n"),
      counts: .of { $0.invocations = 3 }, concurrencyMax: 1),
    FileCase(
      testDescription: "invocations of one instance in one millisecond, before 2022",
      text: [request, other, third].map { request in
        ["START RequestId: \(request) Version: 1", "END RequestId: \(request)", report(request, "0.30")]
          .map { "2019-11-24T10:00:00.005Z \(stream) \($0)" }.joined(separator: "\n")
      }.joined(separator: "\n"), counts: .of { $0.invocations = 3 }, concurrencyMax: 1),
    FileCase(
      testDescription: "reports of one instance that took longer than the times of their lines are apart",
      text: """
        \(tail("00:00.100", report(request, "50.00")))
        \(tail("00:00.150", report(other, "53.00")))
        \(tail("00:00.200", report(third, "51.90")))
        """,
      counts: .of { $0.invocations = 3 }, concurrencyMax: 1),
    FileCase(
      testDescription: "invocations of one instance without a pause, with their starts",
      text: """
        \(tail("00:00.000", "START RequestId: \(request) Version: 1"))
        \(tail("00:00.010", report(request, "10.80")))
        \(tail("00:00.010", "START RequestId: \(other) Version: 1"))
        \(tail("00:00.020", report(other, "10.90")))
        """,
      counts: .of { $0.invocations = 2 }, concurrencyMax: 1),
    FileCase(
      testDescription: "a crash as it was told up to 2019",
      text: """
        START RequestId: \(request) Version: $LATEST
        END RequestId: \(request)
        \(report(request))
        RequestId: \(request) Process exited before completing request
        """,
      counts: .of { ($0.invocations, $0.untimed, $0.errors, $0.crashes) = (1, 1, 1, 1) }),
    FileCase(
      testDescription: "a crash as the Logs API told it",
      text: """
        [{"time":"2025-11-24T10:00:01.300Z","type":"platform.fault","record":"RequestId: \(request) Error: Runtime exited with error: exit status 1\\nRuntime.ExitError"},
        {"time":"2025-11-24T10:00:01.300Z","type":"platform.report","record":{"requestId":"\(request)","metrics":{"durationMs":101.5,"billedDurationMs":300,"memorySizeMB":512,"maxMemoryUsedMB":33}}}]
        """,
      counts: .of { ($0.invocations, $0.errors, $0.crashes) = (1, 1, 1) }, concurrencyMax: 1),
    FileCase(
      testDescription: "lists that a program has not ended",
      text: """
        START RequestId: \(request) Version: 1
        [
          {"a": 1},
        END RequestId: \(request)
        \(report(request))
        ["a",
        START RequestId: \(other) Version: 1
        [{"b": 1}, {"c":
        \(report(other))
        """,
      counts: .of { ($0.invocations, $0.untimed) = (2, 2) }),
    FileCase(
      testDescription: "an object with a list of events that a program has not ended",
      text: """
        {"events": [{"a": 1}]
        \(report(request))
        """,
      counts: .of { ($0.invocations, $0.untimed) = (1, 1) }),
    FileCase(
      testDescription: "a timeout whose line was wrapped",
      text: """
        2025-11-24T10:00:06.000Z
        2025-11-24T10:00:06.000Z \(request) Task timed out after 3.00
        seconds
        2025-11-24T10:00:06.000Z
        \(report(request, "3000.00"))
        """,
      counts: .of { ($0.invocations, $0.errors, $0.timeouts) = (1, 1, 1) }, concurrencyMax: 1),
    FileCase(
      testDescription: "a report wrapped before the type of its error",
      text: "\(report(request).replacing("\t", with: " ")) Status: error Error Type:\nRuntime.OutOfMemory\n",
      counts: .of { ($0.invocations, $0.untimed, $0.errors, $0.outOfMemory) = (1, 1, 1, 1) }),
    FileCase(
      testDescription: "a report wrapped within the name of a field",
      text: "\(report(request).replacing("\t", with: " ")) Status: error Error\nType: Runtime.ExitError\n",
      counts: .of { ($0.invocations, $0.untimed, $0.errors, $0.crashes) = (1, 1, 1, 1) }),
    FileCase(
      testDescription: "a kill whose line was wrapped",
      text: """
        RequestId: \(request) Error: Runtime exited with error: signal:
        killed
        Runtime.ExitError
        END RequestId: \(request)
        """,
      counts: .of { ($0.invocations, $0.untimed, $0.errors, $0.outOfMemory) = (1, 1, 1, 1) }),
    FileCase(
      testDescription: "an initialization and a crash that a terminal wrapped at blanks",
      text: """
        \(stream) INIT_REPORT Init Duration:
        10005.11 ms Phase: init Status:
        timeout
        \(stream) RequestId:
        \(request) Error: Runtime exited with error: signal:
        killed
        Runtime.ExitError
        """,
      counts: .of {
        ($0.invocations, $0.untimed, $0.errors, $0.outOfMemory) = (1, 1, 1, 1)
        ($0.initializations, $0.initializationFailures) = (1, 1)
      }),
    FileCase(
      testDescription: "events as shippers of logs write them",
      text:
        #"{"timestamp":"2025-11-24T10:00:01.000Z","message":\#(quoted(report(request))),"logStream":"\#(stream)","logGroup":"/aws/lambda/orders"}"#,
      counts: .of { $0.invocations = 1 }, concurrencyMax: 1),
    FileCase(
      testDescription: "an initialization whose fields are on lines of their own",
      text: "INIT_REPORT Init Duration: 10005.11 ms\nPhase: init\nStatus: timeout\n",
      counts: .of { ($0.initializations, $0.initializationFailures) = (1, 1) }),
    FileCase(
      testDescription: "events of aws logs tail that a terminal wrapped at blanks",
      text: """
        2025-11-24T10:00:00.000000+00:00
        \(stream) START RequestId:
        \(request) Version: 1
        2025-11-24T10:00:00.500000+00:00
        \(stream) words
        2025-11-24T10:00:03.000000+00:00
        \(stream) 2025-11-24T10:00:03.000Z
        \(request) Task timed out after 3.00 seconds
        2025-11-24T10:00:03.000000+00:00
        \(stream) END RequestId:
        \(request)
        2025-11-24T10:00:03.000000+00:00
        \(stream) REPORT RequestId:
        \(request) Duration: 3000.00 ms Billed Duration: 3000
        ms Memory Size: 128 MB Max Memory Used: 64 MB
        """,
      counts: .of { ($0.invocations, $0.errors, $0.timeouts) = (1, 1, 1) }, concurrencyMax: 1),
    FileCase(
      testDescription: "lines that a program writes behind a report",
      text: """
        \(report(request))
        Status: 200 OK
        Duration: unknown
        \(report(other))
        Status: error
        """,
      counts: .of { ($0.invocations, $0.untimed, $0.errors) = (2, 2, 1) }),
    FileCase(
      testDescription: "lines that are indented",
      text: "    END RequestId: \(request)\n    \(report(request))\n",
      counts: .of { ($0.invocations, $0.untimed) = (1, 1) }),
    FileCase(
      testDescription: "a report within an event of a program, before the platform's first line",
      text: """
        \(tail("00:00.000", "two lines:"))
        \(report(other))
        \(tail("00:01.000", report(request)))
        """,
      counts: .of { $0.invocations = 1 }, concurrencyMax: 1),
    FileCase(
      testDescription: "YAML with escapes that JSON has not",
      text: #"""
        events:
        - message: "\_\x41\U0001F600\e\0\a\N END"
          timestamp: 1763978400000
        - message: "END RequestId:\x20\#(request)\n"
          timestamp: 1763978400000
        """#,
      counts: .of { ($0.invocations, $0.untimed) = (1, 1) }),
    FileCase(
      testDescription: "one byte that is zero",
      text: "a\u{0}b \(String(repeating: "words ", count: 20))\n\(report(request))",
      counts: .of { ($0.invocations, $0.untimed) = (1, 1) }),
  ]

  @Test(arguments: cases)
  func `counts what it says, and nothing else`(_ given: FileCase) {
    let imported = Imported(given.text)
    #expect(imported.counts == given.counts)
    #expect(imported.document.concurrencyMax == given.concurrencyMax)
    #expect(Imported([LogFile(given.text)], piece: 1).counts == given.counts)
  }

  /// Lines of three attempts under one id, a minute apart, in the orders in which they may be read.
  @Test(arguments: 0..<240)
  func `tells attempts of one request apart in whatever order they are read`(_ seed: UInt64) {
    var lines: [String] = []
    for (start, end, duration, status) in [
      ("00:00", "00:03", "3000.00", "timeout"), ("01:02", "01:05", "3000.00", "timeout"),
      ("03:04", "03:07", "2999.10", ""),
    ] {
      lines.append(tail("\(start).000", "START RequestId: \(request) Version: 1"))
      lines.append(tail("\(end).000", "END RequestId: \(request)"))
      lines.append(tail("\(end).000", report(request, duration) + (status.isEmpty ? "" : "\tStatus: \(status)")))
    }
    var state = seed &* 0x9E37_79B9_7F4A_7C15
    for index in lines.indices.dropFirst().reversed() {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      lines.swapAt(index, Int((state >> 33) % UInt64(index + 1)))
    }
    let imported = Imported(lines.joined(separator: "\n"))
    #expect(imported.counts == .of { ($0.invocations, $0.errors, $0.timeouts) = (3, 2, 2) })
    #expect(imported.document.concurrencyMax == 1)
    #expect(imported.document.contradictory == 0)
  }

  @Test(arguments: [
    ["START RequestId: \(request) Version: 1"], ["END RequestId: \(request)"], [],
  ])
  func `does not take the start of one attempt for that of the next`(_ more: [String]) {
    let lines =
      [tail("00:00.000", "START RequestId: \(request) Version: 1")]
      + more.map { tail($0.hasPrefix("S") ? "01:02.000" : "01:05.000", $0) }
      + [tail("01:05.000", report(request, "3000.00"))]
    for text in [lines, lines.reversed()] {
      let imported = Imported(text.joined(separator: "\n"))
      #expect(imported.counts.invocations == 1 && imported.document.contradictory == 0)
      let nanoseconds = imported.document.windows?.windows.map(\.concurrencyNanoseconds).reduce(0, +)
      #expect(nanoseconds.map { abs($0 - 3_000_000_000) < 10_000_000 } ?? false)
    }
  }

  @Test(.timeLimit(.minutes(1)), arguments: ["{", "[{"])
  func `may have an object of megabytes that has no end, which is not read again with every piece`(_ open: String) {
    let text = "\(open)\"a\":[" + String(repeating: "1234567,", count: 2 << 20) + "\nEND RequestId: \(request)\n"
    #expect(Imported([LogFile(text)], piece: 1 << 14).counts.invocations == 1)
  }

  @Test(.timeLimit(.minutes(1))) func `may span years, of which only the windows in use are looked at`() {
    let lines = (2015...2025).map { year in
      "\(year)-11-24T10:00:00.000Z REPORT RequestId: 5e1f0000-0000-4000-8000-00000000\(year)\tDuration: 5.00 ms\tBilled Duration: 6 ms\tMemory Size: 128 MB\tMax Memory Used: 40 MB"
    }
    let imported = Imported(lines.joined(separator: "\n"))
    #expect(imported.counts == .of { $0.invocations = 11 })
    #expect(imported.document.windows?.windows.count == 11)
    #expect(imported.document.concurrencyMax == 1)
  }

  @Test(arguments: [
    ("-5", "its time is before 2014, when there was no AWS Lambda"),
    ("0", "its time is before 2014, when there was no AWS Lambda"),
    ("1300000000000", "its time is before 2014, when there was no AWS Lambda"),
    ("1900000000000", "its time is in the future"), ("99999999999999999", "its time is in the future"),
  ])
  func `does not count lines with times that cannot be, and says so`(_ time: String, _ reason: String) {
    func event(_ time: String, _ request: String) -> String {
      #"{"logStreamName":"\#(stream)","timestamp":\#(time),"message":\#(quoted(report(request))),"eventId":"1"}"#
    }
    let imported = Imported(#"{"events":[\#(event(time, request)),\#(event("1763978400000", other))]}"#)
    #expect(imported.counts == .of { $0.invocations = 1 })
    #expect(imported.intake.passedOver.examples.map(\.reason) == [reason])
  }

  @Test func `does not count durations that cannot be, and says so`() {
    let imported = Imported("\(report(request, "960000.01"))\n\(report(other, "900000.00"))")
    #expect(imported.counts.invocations == 1)
    #expect(imported.intake.passedOver.examples.map(\.reason) == ["its duration is longer than an invocation may take"])
  }

  @Test(arguments: [
    "2025/11/24/orders[$LATEST]0a000000000000000000000000000001",
    "2025/11/24/orders[7]0a000000000000000000000000000001",
  ])
  func `is of the function that the name of its stream says, whatever group it is in`(_ stream: String) {
    let line = "2025-11-24T10:00:00.000Z \(report(request))"
    #expect(Imported("\(stream) \(line)", function: "mine").document.functions.map(\.name) == ["orders"])
    #expect(Imported("/aws/lambda/all \(stream) \(line)").document.functions.map(\.name) == ["orders"])
  }

  private static let failed = "INIT_REPORT Init Duration: 10005.11 ms\tPhase: init\tStatus: timeout"

  @Test(arguments: [
    [failed, failed],
    ["2025-11-24T10:00:00.600Z \(failed)", "2025-11-24T10:00:00 \(failed)"],
    ["2025-11-24T10:00:00.600Z \(stream) \(failed)", "2025-11-24T10:00:00.600Z \(failed)"],
    ["2025-11-24T10:00:00.600Z \(failed)", "2025-11-24T10:00:00.600Z \(stream) \(failed)"],
  ])
  func `may come again in another container, and counts once`(_ texts: [String]) {
    var files = texts.map { LogFile($0) }
    for index in files.indices { files[index].name = "\(index).log" }
    #expect(Imported(files).counts == .of { ($0.initializations, $0.initializationFailures) = (1, 1) })
  }

  @Test(
    arguments: [
      ("REPORT RequestId: \(request)\tDuration: 5.00 ms\tBilled Du\nhello there\nsome more words\n", 2),
      (#"{"Records":[{"eventSource":"aws:s3","s3":{"bucket":{"name":"b"}}}]}"#, 1),
    ] as [(String, UInt64)])
  func `does not take what programs write for its own`(_ text: String, _ passedOver: UInt64) {
    #expect(Imported(text).document.passedOver == passedOver)
  }

  @Test func `shows nothing that controls a terminal`() {
    var file = LogFile("words \u{1B}]0;owned\u{7}words\u{9B}2J\there\n")
    file.name = "a\u{1B}[31m\nb.log"
    let example = Imported([file]).intake.passedOver.examples.first
    #expect(example?.text == #"words \u{1b}]0;owned\u{7}words\u{9b}2J"# + "\there")
    #expect(example?.file == #"a\u{1b}[31m\u{a}b.log"#)
  }
}
