import LambdaRecords
import Lifecycle
import LogContainers
import LogImport
import Testing
import Text

private let request = "5e1f0000-0000-4000-8000-000000000077"

/// A file, and what can be known from it.
struct FileCase: CustomTestStringConvertible, Sendable {
  var testDescription: String
  var text: String
  var counts: LifeCounts
  var concurrencyMax: Int64?
}

@Suite struct `An import` {
  static let cases: [FileCase] = [
    FileCase(
      testDescription: "an error and a segment behind the report",
      text: """
        START RequestId: \(request) Version: $LATEST
        [ERROR] KeyError: 'x'
        Traceback (most recent call last):
        \u{A0}\u{A0}File "/var/task/app.py", line 3, in handler
        END RequestId: \(request)
        REPORT RequestId: \(request)\tDuration: 2.00 ms\tBilled Duration: 402 ms\tMemory Size: 128 MB\tMax Memory Used: 40 MB\tInit Duration: 399.10 ms\t
        XRAY TraceId: 1-6a507b87-0cc4438344b48ef127ab0077\tSegmentId: d0025b207c550077\tSampled: true\t

        """,
      counts: .of {
        ($0.invocations, $0.untimed, $0.errors, $0.coldStarts, $0.initializations) = (1, 1, 1, 1, 1)
      }),
    FileCase(
      testDescription: "a timeout that a line behind the report tells, with its time",
      text: """
        START RequestId: \(request) Version: $LATEST
        END RequestId: \(request)
        REPORT RequestId: \(request)\tDuration: 3003.20 ms\tBilled Duration: 3000 ms\tMemory Size: 128 MB\tMax Memory Used: 40 MB\t
        2020-02-18T00:02:46.542Z \(request) Task timed out after 3.00 seconds

        """,
      counts: .of { ($0.invocations, $0.errors, $0.timeouts) = (1, 1, 1) }, concurrencyMax: 1),
    FileCase(
      testDescription: "a report whose fields are on lines of their own",
      text: """
        REPORT RequestId: \(request)
        Duration: 10806.85 ms
        Billed Duration: 10807 ms
        Memory Size: 128 MB
        Max Memory Used: 45 MB
        Status: error
        Error Type: Runtime.ExitError
        the next line
        """,
      counts: .of { ($0.invocations, $0.untimed, $0.errors, $0.crashes) = (1, 1, 1, 1) }),
    FileCase(
      testDescription: "events of ours as lines of JSON",
      text: """
        {"source":"00000000000000010000000000000002","sequence":1}
        {"event":"instanceReady","function":"orders","instance":"0000000000000001000000000000000a","time":"2026-11-24T10:00:00Z","duration":0.3,"initializationType":"on-demand","phase":"init","status":"success"}
        {"event":"invocationFinished","function":"orders","instance":"0000000000000001000000000000000a","request":"\(request)","start":"2026-11-24T09:59:59.7Z","wait":0.3,"duration":2.5,"trigger":"http","pool":"unreserved","coldStart":true,"outcome":"success"}
        {"event":"invocationFinished","function":"orders","instance":"0000000000000001000000000000000b","request":"5e1f0000-0000-4000-8000-000000000078","start":"2026-11-24T10:00:01Z","duration":3,"trigger":"http","pool":"unreserved","outcome":"timeout","timeoutSource":"platform"}
        {"event":"throttled","function":"orders","time":"2026-11-24T10:00:02Z","reason":"reserved-function-concurrent-invocation-limit","trigger":"http"}
        {"event":"invocationFinished","function":"orders","request":"nonsense"}
        {"event":"a program's own","function":"orders","source":"me"}

        """,
      counts: .of {
        ($0.invocations, $0.errors, $0.timeouts, $0.coldStarts, $0.initializations) = (2, 1, 1, 1, 1)
      }, concurrencyMax: 2),
    FileCase(
      testDescription: "a report that was wrapped",
      text: """
        REPORT RequestId: \(request) Duration: 45.10 ms Billed
        Duration: 46 ms Memory Size: 128 MB Max
        Memory Used: 45 MB Init Duration: 100.00 ms
        """,
      counts: .of { ($0.invocations, $0.untimed, $0.coldStarts, $0.initializations) = (1, 1, 1, 1) }),
    FileCase(
      testDescription: "times on lines of their own",
      text: """
        2026-10-08T07:30:28.235Z
        START RequestId: \(request) Version: $LATEST
        2026-10-08T07:30:29.470Z
        REPORT RequestId: \(request)\tDuration: 1233.96 ms\tBilled Duration: 1234 ms\tMemory Size: 256 MB\tMax Memory Used: 123 MB
        """,
      counts: .of { $0.invocations = 1 }, concurrencyMax: 1),
    FileCase(
      testDescription: "the Runtime Interface Emulator",
      text:
        "REPORT RequestId: \(request)\tInit Duration: 0.09 ms\tDuration: 23.04 ms\tBilled Duration: 24 ms\tMemory Size: 3008 MB\tMax Memory Used: 3008 MB\t\n",
      counts: .of { ($0.invocations, $0.untimed, $0.coldStarts, $0.initializations) = (1, 1, 1, 1) }),
    FileCase(
      testDescription: "rows of Logs Insights without messages, memory in bytes",
      text: """
        @timestamp,@logStream,@requestId,@type,@duration,@billedDuration,@initDuration,@memorySize,@maxMemoryUsed
        2026-09-05 09:24:54.431,2026/09/05/[7]1111000000000000000000000000000a,\(request),REPORT,127.1,154,320.5,128000000,90000000
        """,
      counts: .of { ($0.invocations, $0.coldStarts, $0.initializations) = (1, 1, 1) }, concurrencyMax: 1),
    FileCase(
      testDescription: "the version of a SnapStart function that is published",
      text: "INIT_REPORT Init Duration: 9908.09 ms\n", counts: .of { $0.initializations = 1 }),
    FileCase(
      testDescription: "an error of Node.js, and one that a program logs itself",
      text: """
        2026-11-24T10:00:00.000Z\t\(request)\tERROR\tInvoke Error \t{"errorType":"Error","errorMessage":"no","stack":[]}
        2026-11-24T10:00:00.001Z\t5e1f0000-0000-4000-8000-000000000078\tERROR\tno card
        REPORT RequestId: \(request)\tDuration: 2.00 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\tMax Memory Used: 40 MB
        REPORT RequestId: 5e1f0000-0000-4000-8000-000000000078\tDuration: 2.00 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\tMax Memory Used: 40 MB
        """,
      counts: .of { ($0.invocations, $0.untimed, $0.errors) = (2, 2, 1) }),
    FileCase(
      testDescription: "a report of which only some tabs have become blanks",
      text:
        "REPORT RequestId: \(request) Duration: 2.00 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB Max Memory Used: 40 MB\n",
      counts: .of { ($0.invocations, $0.untimed) = (1, 1) }),
    FileCase(
      testDescription: "what programs write behind a time of their own, in an export",
      text: """
        2026-11-24T10:00:00.000Z START RequestId: \(request) Version: 1
        2026-11-24T10:00:00.010Z INFO REPORT RequestId: 5e1f0000-0000-4000-8000-000000000078 Duration: 2.00 ms Billed Duration: 2 ms
        2026-11-24T10:00:00.020Z 2026-11-24T10:00:00.020Z END RequestId: 5e1f0000-0000-4000-8000-000000000079
        2026-11-24T10:00:00.030Z END RequestId: \(request)
        """,
      counts: .of { $0.invocations = 1 }, concurrencyMax: 1),
    FileCase(
      testDescription: "an extension that crashed in the initialization, and in the invocation that repeated it",
      text: """
        INIT_REPORT Init Duration: 337.01 ms\tPhase: init\tStatus: error\tError Type: Extension.Crash
        START RequestId: \(request) Version: 3
        REPORT RequestId: \(request)\tDuration: 400.00 ms\tBilled Duration: 401 ms\tMemory Size: 128 MB\tMax Memory Used: 30 MB\tStatus: error\tError Type: Extension.Crash
        RequestId: \(request) Error: exit code 1
        Extension.Crash
        """,
      counts: .of {
        ($0.invocations, $0.untimed, $0.errors, $0.crashes, $0.coldStarts) = (1, 1, 1, 1, 1)
        ($0.initializations, $0.initializationFailures) = (1, 1)
      }),
    FileCase(
      testDescription: "managed instances, which serve several invocations at once",
      text: ["1", "2", "3"].map {
        #"{"time":"2026-10-08T07:30:28.30\#($0)Z","type":"platform.report","record":{"requestId":"5e1f0000-0000-4000-8000-00000000008\#($0)","status":"success","metrics":{"durationMs":200.0},"spans":[{"name":"responseLatency","start":"2026-10-08T07:30:28.100Z","durationMs":86.9}]}}"#
      }.joined(separator: "\n"),
      counts: .of { $0.invocations = 3 }, concurrencyMax: 3),
    FileCase(
      testDescription: "events of start-live-tail",
      text:
        #"{"sessionResults":[{"logStreamName":"2026/11/24/[$LATEST]0a000000000000000000000000000001","logGroupIdentifier":"123456789012:/aws/lambda/orders","message":"END RequestId: \#(request)\n","timestamp":1795514400000,"ingestionTime":1795514400500}]}"#,
      counts: .of { ($0.invocations, $0.untimed) = (1, 1) }),
    FileCase(testDescription: "nothing", text: "", counts: LifeCounts()),
    FileCase(
      testDescription: "only what looks like lines of the platform",
      text: """
        REPORT of the day: RequestId: \(request)
        STARTING RequestId: \(request)
        END of RequestId
        REPORT RequestId: none Duration: 3 ms
        {"type":"platform.report","record":"none","time":"2026-11-24T10:00:00Z"}
        {"type":"platform.report"
        [1, 2
        """, counts: LifeCounts()),
  ]

  @Test(arguments: cases)
  func `counts what a file says, and nothing else`(_ given: FileCase) {
    let imported = Imported(given.text)
    #expect(imported.counts == given.counts)
    #expect(imported.document.concurrencyMax == given.concurrencyMax)
    #expect(Imported([LogFile(given.text)], piece: 1).counts == given.counts)
  }

  @Test func `names functions by their groups, streams, records and the caller`() {
    let line = "START RequestId: \(request) Version: 1"
    let end =
      "REPORT RequestId: \(request)\tDuration: 2.00 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\tMax Memory Used: 40 MB"
    let stream = "2026/11/24/[1]0a000000000000000000000000000001"
    func names(_ text: String) -> [String] { Imported(text, function: "mine").document.functions.map(\.name) }
    #expect(names("\(line)\n\(end)") == ["mine"])
    #expect(names("/aws/lambda/pay \(stream) 2026-11-24T10:00:00.000Z \(end)") == ["pay"])
    #expect(
      Imported("2026/11/24/pay[1]0a000000000000000000000000000001 2026-11-24T10:00:00.000Z \(end)").document.functions
        .map(\.name) == ["pay"])
    let record =
      #"{"time":"2026-11-24T10:00:00.000Z","type":"platform.start","record":{"requestId":"\#(request)","functionArn":"arn:aws:lambda:eu-west-1:123456789012:function:pay"}}"#
    #expect(Imported("\(record)\n2026-11-24T10:00:00.100Z \(end)").document.functions.map(\.name) == ["pay"])
    #expect(Imported("\(line)\n\(end)").document.functions.isEmpty)
  }

  @Test(arguments: [
    ([0x50, 0x4B, 0x03, 0x04, 0x00] as [UInt8], "it is a ZIP archive, no log"),
    ([0x41, 0x00, 0x42], "it is binary, no log"),
    (Array(gzipped(gzipped(gzipped(gzipped([0x41]))))), "it has more than 3 layers of gzip"),
  ])
  func `refuses what is no text, with the reason`(_ bytes: [UInt8], _ reason: String) {
    let report = Imported([LogFile(bytes)]).reports[0]
    #expect(report.isRefused && report.problem == reason)
  }

  @Test func `reads damaged gzip up to the damage`() {
    let text = String(repeating: "END RequestId: \(request)\nwords\n", count: 9_000)
    var bytes = gzipped(Array(text.utf8))
    bytes.removeLast(20)
    let cut = Imported([LogFile(bytes)])
    #expect(cut.reports[0].problem == "its gzip data end too early" && !cut.reports[0].isRefused)
    #expect(cut.counts.invocations == 1)
  }

  @Test func `reads units of 16 bits, as PowerShell writes files`() {
    let text = "END RequestId: \(request)\r\n"
    let wide = text.utf16.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
    #expect(Imported([LogFile([0xFF, 0xFE] + wide)], piece: 3).counts.invocations == 1)
  }

  @Test func `passes over a line of any length in bounded memory, and goes on behind it`() {
    let importer = LogImporter()
    importer.begin("long", function: nil)
    let piece = [UInt8](repeating: UInt8(ascii: "x"), count: 1 << 20)
    for _ in 0..<20 { importer.append(piece.span) }
    importer.append(Array("\nEND RequestId: \(request)\n".utf8).span)
    _ = importer.endFile()
    #expect(importer.finish().counts.invocations == 1)
    #expect(importer.intake.passedOver.examples.map(\.reason) == ["the line is longer than 2 MiB"])
  }

  @Test func `names the file and the line of what it passes over and of what contradicts`() {
    let imported = Imported(
      """
      words

      REPORT RequestId: \(request) Duration: 2.00 ms Billed Duration: 2 ms Memory Size: 128 MB Max Memory Used: 40 MB
      REPORT RequestId: \(request) Duration: 9.00 ms Billed Duration: 9 ms Memory Size: 128 MB Max Memory Used: 40 MB
      REPORT RequestId: \(request) Duration: many ms
      """)
    #expect(imported.intake.passedOver.examples.map(\.line) == [1, 5])
    #expect(imported.intake.contradictory.examples.map(\.line) == [4])
    #expect(imported.intake.contradictory.examples[0].reason == "another report says another duration")
  }

  @Test func `prints exactly the members that the guide names`() throws {
    let document = try JSONValue(
      Imported("END RequestId: \(request)\n", function: "orders").document.json().span, .answer)
    let names = [
      "understood", "passedOver", "contradictory", "untimed", "invocations", "errors", "timeouts", "crashes",
      "outOfMemory", "coldStarts", "initializations", "initializationFailures", "concurrencyMax", "functions",
      "windows",
    ]
    #expect(document.object?.map(\.name) == names)
    #expect(document["concurrencyMax"] == .null)
    #expect(document["functions"]?["orders"]?["invocations"]?.int == 1)
  }
}
