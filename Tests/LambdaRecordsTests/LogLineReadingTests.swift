import LambdaRecords
import Lifecycle
import Testing
import Text

private func id(_ text: String) -> RequestID { RequestID(Identifier128(text: text) ?? .zero) }

private let request = id("7d0a1f7e-5b1c-4a53-9b0e-0d5a2c7f1e11")
private let uuid = "7d0a1f7e-5b1c-4a53-9b0e-0d5a2c7f1e11"

/// What an event is once it was written as lines, and these were read.
private func reread(_ kind: PlatformEvent.Kind) throws -> [LogLine?] {
  let bytes = LogLine.bytes(of: PlatformEvent(time: Timestamp(nanoseconds: 0), kind: kind), .text)
  return try String(decoding: bytes, as: UTF8.self).split(separator: "\n").map { try LogLine.read($0) }
}

@Suite struct `A line that was written` {
  static let kinds: [KindCase] = [
    KindCase(
      testDescription: "INIT_START",
      kind: .initStart(.init(runtimeVersion: "provided:kelvin", runtimeVersionARN: "arn:aws:lambda:r::runtime:kelvin"))),
    KindCase(
      testDescription: "INIT_REPORT",
      kind: .initReport(
        .init(
          phase: .invocation, status: .error, errorType: "Runtime.UserCodeSyntaxError",
          duration: Nanoseconds(10_337_010_000)))),
    KindCase(testDescription: "RESTORE_START", kind: .restoreStart(.init(runtimeVersion: "java:11.v20"))),
    KindCase(
      testDescription: "RESTORE_REPORT",
      kind: .restoreReport(.init(status: .success, duration: Nanoseconds(398_970_000)))),
    KindCase(
      testDescription: "RESTORE_REPORT of a failure",
      kind: .restoreReport(
        .init(status: .error, errorType: "Runtime.ExitError", duration: Nanoseconds(1_236_040_000)))),
    KindCase(testDescription: "START", kind: .start(.init(request: request, version: "$LATEST"))),
    KindCase(testDescription: "END", kind: .end(request)),
    KindCase(
      testDescription: "EXTENSION",
      kind: .extensionState(
        .init(name: "an agent", state: "InitError", events: ["INVOKE", "SHUTDOWN"], errorType: "Extension.InitError"))),
    KindCase(
      testDescription: "EXTENSION without events",
      kind: .extensionState(.init(name: "State: of mind", state: "Ready", events: []))),
  ]

  @Test(arguments: kinds)
  func `is read as what it was`(_ given: KindCase) throws {
    #expect(try reread(given.kind) == [.event(given.kind)])
  }

  static let reports: [PlatformEvent.Report] = [
    .init(
      request: request, duration: Nanoseconds(1_870_000), billedMilliseconds: 2, memorySizeMegabytes: 128,
      memoryUsedMegabytes: 30),
    .init(
      request: request, status: .timeout, duration: Nanoseconds(3_000_000_000), billedMilliseconds: 3579,
      memorySizeMegabytes: 128, memoryUsedMegabytes: 113, initializationDuration: Nanoseconds(578_070_000)),
    .init(
      request: request, status: .error, errorType: "Runtime.OutOfMemory", duration: Nanoseconds(88_100_000),
      billedMilliseconds: 89, memorySizeMegabytes: 128, memoryUsedMegabytes: 128,
      restoreDuration: Nanoseconds(511_250_000),
      billedRestoreMilliseconds: 303),
  ]

  @Test(arguments: reports)
  func `of a report is read as what it was`(_ report: PlatformEvent.Report) throws {
    #expect(try reread(.report(report)) == [.event(.end(request)), .event(.report(report))])
  }

  @Test func `of a segment is one event with its report`() throws {
    var report = Self.reports[0]
    report.segment = .init(
      traceID: "1-6a507b87-0cc4438344b48ef127ab0001", segmentID: "d0025b207c550001", isSampled: true)
    let bytes = LogLine.bytes(of: PlatformEvent(time: Timestamp(nanoseconds: 0), kind: .report(report)), .text)
    let lines = String(decoding: bytes, as: UTF8.self)
    let event = lines.drop { $0 != "\n" }.dropFirst()
    #expect(try LogLine.read(event) == .event(.report(report)))
    let own = lines.split(separator: "\n").last ?? ""
    #expect(try LogLine.read(own) == report.segment.map { .segment($0) })
  }

  @Test(arguments: [LogLine.LineSource.function, .extension("agent")])
  func `of a program is its line again`(_ source: LogLine.LineSource) throws {
    for text in ["charged", "", "  REPORT RequestId: x \t", "a | b"] {
      let bytes = LogLine.bytes(of: text, from: source, .text, at: Timestamp(nanoseconds: 0))
      #expect(try LogLine.read(String(decoding: bytes, as: UTF8.self)) == .program(source, text))
    }
  }

  @Test func `of a loss is the loss`() throws {
    let loss = PlatformEvent.LogsDropped(bytes: 8_000_000_000, records: 2, reason: "No space left (on device)")
    let bytes = LogLine.bytes(of: loss, .text, at: Timestamp(nanoseconds: 0))
    #expect(try LogLine.read(String(decoding: bytes, as: UTF8.self)) == .lost(loss))
  }
}

@Suite struct `A line of AWS's logs` {
  private func report(_ text: String) throws -> PlatformEvent.Report {
    guard case .event(.report(let report)) = try LogLine.read(text) else { throw RecordMissing() }
    return report
  }

  private struct RecordMissing: Error {}

  @Test func `is read with the segment that stands behind it, also where tabs have become blanks`() throws {
    let tabbed = """
      REPORT RequestId: b92a0000-7c92-4a13-84e3-000000000001\tDuration: 3.10 ms\tBilled Duration: 546 ms\tMemory Size: 2048 MB\t\
      Max Memory Used: 95 MB\tInit Duration: 542.01 ms\t
      XRAY TraceId: 1-6a507b87-0cc4438344b48ef127ab0001\tSegmentId: d0025b207c550001\tSampled: true\t

      """
    let read = try report(tabbed)
    #expect(read.request == id("b92a0000-7c92-4a13-84e3-000000000001") && read.duration == Nanoseconds(3_100_000))
    #expect(read.billedMilliseconds == 546 && read.memorySizeMegabytes == 2048 && read.memoryUsedMegabytes == 95)
    #expect(read.initializationDuration == Nanoseconds(542_010_000) && read.status == .success)
    #expect(
      read.segment
        == .init(traceID: "1-6a507b87-0cc4438344b48ef127ab0001", segmentID: "d0025b207c550001", isSampled: true))
    let blanks = tabbed.split { $0 == "\t" || $0 == "\n" }.joined(separator: " ")
    #expect(try report(blanks) == read)
    let lines = tabbed.split { $0 == "\t" || $0 == "\n" }.joined(separator: "\n")
    #expect(try report(lines) == read)
    let runTogether = tabbed.split { $0 == "\t" }.joined().replacing("Billed", with: "  Billed")
    #expect(try report(runTogether) == read)
  }

  @Test(arguments: [
    "REPORT RequestId: \(uuid)  Init Duration: 0.09 msDuration: 23.04 ms      Billed Duration: 24 ms  Memory Size: 3008 MB    Max Memory Used: 3008 MB",
    "REPORT RequestId: \(uuid) Init Duration: 0.09 ms Duration: 23.04 ms Billed Duration: 24 msMemory Size: 3008 MB Max Memory Used: 3008 MB",
    "REPORT RequestId: \(uuid)\tMax Memory Used: 3008 MB\tMemory Size: 3008 MB\tBilled Duration: 24 ms\tDuration: 23.04 ms\tInit Duration: 0.09 ms\tNew Field: 7\t\r\n",
  ])
  func `is read in any order of its fields`(_ text: String) throws {
    #expect(
      try report(text)
        == PlatformEvent.Report(
          request: request, duration: Nanoseconds(23_040_000), billedMilliseconds: 24, memorySizeMegabytes: 3008,
          memoryUsedMegabytes: 3008, initializationDuration: Nanoseconds(90_000)))
  }

  @Test func `of a snapshot tells both durations of the restore`() throws {
    let read = try report(
      "REPORT RequestId: \(uuid) Duration: 127.10 ms Billed Duration: 154 ms Memory Size: 2048 MB Max Memory Used: 212 MB "
        + "Restore Duration: 325.93 ms Billed Restore Duration: 26 ms XRAY TraceId: 1-66d978e5-56c7378e556e94b5461d0008 "
        + "SegmentId: 29c3839e6ecb0008 Sampled: true")
    #expect(read.duration == Nanoseconds(127_100_000) && read.billedMilliseconds == 154)
    #expect(read.restoreDuration == Nanoseconds(325_930_000) && read.billedRestoreMilliseconds == 26)
    #expect(read.segment?.segmentID == "29c3839e6ecb0008")
  }

  @Test(arguments: [
    (
      "START RequestId: \(uuid) Version: 56\tTenantId: t", LogLine.event(.start(.init(request: request, version: "56")))
    ),
    ("START RequestId: \(uuid) Version: $LATEST  ", .event(.start(.init(request: request, version: "$LATEST")))),
    ("END RequestId: \(uuid) Task timed out after 3.00 seconds", .event(.end(request))),
    (
      "INIT_REPORT Init Duration: 9908.09 ms", .event(.initReport(.init(duration: Nanoseconds(9_908_090_000))))
    ),
    (
      "EXTENSION\tName: AppConfigAgent\tState: Ready\tEvents: [INVOKE, SHUTDOWN]",
      .event(.extensionState(.init(name: "AppConfigAgent", state: "Ready", events: ["INVOKE", "SHUTDOWN"])))
    ),
    (
      "TELEMETRY\tName: datadog-agent\tState: Subscribed\tTypes: [Platform, Function, Extension]  ",
      .event(.subscription(.init(name: "datadog-agent", types: ["Platform", "Function", "Extension"])))
    ),
    (
      "LOGS\tName: x\tState: Subscribed\tTypes: [platform]",
      .event(.subscription(.init(name: "x", types: ["platform"])))
    ),
    (
      "XRAY TraceId: 1-6a06cb9b-33ecc29008cf06d83e4c0004       SegmentId: f5c98e3b5c050004Sampled: false",
      .segment(
        .init(traceID: "1-6a06cb9b-33ecc29008cf06d83e4c0004", segmentID: "f5c98e3b5c050004", isSampled: false))
    ),
    (
      "2019-09-18T00:02:46.542Z \(uuid) Task timed out after 5.01 seconds\n\n",
      .timedOut(
        .init(
          time: Timestamp(nanoseconds: 1_568_764_966_542_000_000), request: request, limit: Nanoseconds(5_010_000_000)))
    ),
    (
      "RequestId: \(uuid) Error: Task timed out after 3.00 seconds",
      .timedOut(.init(time: nil, request: request, limit: .seconds(3)))
    ),
    (
      "RequestId: \(uuid) Error: Runtime exited with error: signal: killed\nRuntime.ExitError\n",
      .exited(.init(request: request, sentence: "Runtime exited with error: signal: killed"))
    ),
    (
      "RequestId: \(uuid) Error: Runtime exited without providing a reason",
      .exited(.init(request: request, sentence: "Runtime exited without providing a reason"))
    ),
  ])
  func `is read in the forms that are met`(_ text: String, _ line: LogLine) throws {
    #expect(try LogLine.read(text) == line)
  }

  @Test func `tells a process that was killed from one that ended`() {
    #expect(LogLine.RuntimeExit(request: request, sentence: "Runtime exited with error: signal: killed").isKilled)
    #expect(!LogLine.RuntimeExit(request: request, sentence: "Runtime exited with error: exit status 1").isKilled)
  }

  @Test(arguments: [
    "", "\n", "charged", "[INFO]\t2026-11-23T10:00:00.590Z\t\(uuid)\tREPORT RequestId: \(uuid)\tDuration: 1.00 ms",
    " REPORT RequestId: \(uuid)\tDuration: 1.00 ms", "REPORT of the day", "START", "END of the story", "LOGS are nice",
    "INIT_REPORT Initialization Type: on-demand Phase: init Status: success Duration: 1.00 ms",
    "EXTENSION of the house",
    "RequestId: \(uuid) Error: something else", "RequestId: no Error: Runtime exited",
    "2019-09-18T00:02:46.542Z \(uuid) Task timed out after long seconds", "kelvin: hello", "extension without a bar",
    #"{"time":"2026-11-23T10:00:00Z"}"#,
  ])
  func `is the function's own if nothing else`(_ text: String) throws { #expect(try LogLine.read(text) == nil) }

  @Test(arguments: [
    ("REPORT RequestId: \(uuid)", RecordError.Code.missing, "Duration", 0),
    ("REPORT RequestId: no\tDuration: 1.00 ms", .unexpectedValue, "RequestId", 7),
    ("REPORT RequestId: \(uuid)\tDuration: 1.00", .unexpectedValue, "Duration", 55),
    ("REPORT RequestId: \(uuid)\tDuration: -1.00 ms", .unexpectedValue, "Duration", 55),
    ("REPORT RequestId: \(uuid)\tDuration: 1.00 ms\tStatus: sleepy", .unexpectedValue, "Status", 73),
    ("REPORT RequestId: \(uuid)\tDuration: 1.00 ms\tMemory Size: 1 GB", .unexpectedValue, "Memory Size", 73),
    ("EXTENSION\tName: a\tState: b\tEvents: INVOKE", .unexpectedValue, "Events", 27),
    ("EXTENSION\tName: a", .missing, "State", 0),
  ])
  func `says what cannot be read, and where`(
    _ text: String, _ code: RecordError.Code, _ place: String, _ position: Int
  ) {
    #expect {
      try LogLine.read(text)
    } throws: { error in
      guard let error = error as? RecordError else { return false }
      return error.code == code && error.place == place && error.position == position
    }
  }

  @Test func `never ends the process, whatever it is`() {
    let pieces = [
      "REPORT ", "START ", "XRAY ", "EXTENSION\t", "RequestId: ", uuid, "\t", "\n", "\r", " ", "Duration: ", "1.00 ms",
      "Billed ", "Name: ", "[", "]", ",", "é", "Error: ", "TraceId: ", "function | ", "kelvin: ", "Status: ", "\0",
    ]
    var state: UInt64 = 7
    for _ in 0..<20_000 {
      var text = ""
      for _ in 0..<10 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        text += pieces[Int(state >> 33) % pieces.count]
      }
      _ = try? LogLine.read(text)
    }
  }
}

@Suite struct `A usual line` {
  @Test(arguments: [
    "START RequestId: \(uuid) Version: $LATEST", "START RequestId: \(uuid) Version: 7\n", "END RequestId: \(uuid)",
    "END RequestId: \(uuid)\tand more", "START RequestId: \(uuid)", "START RequestId: \(uuid)x Version: 7",
    "REPORT RequestId: \(uuid)\tDuration: 1.87 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\tMax Memory Used: 30 MB\t\n",
    "REPORT RequestId: \(uuid)\tDuration: 3 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\tMax Memory Used: 30 MB\tInit Duration: 107.145 ms",
    "REPORT RequestId: \(uuid)\tDuration: 1.87 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\tMax Memory Used: 30 MB\tRestore Duration: 511.25 ms\tBilled Restore Duration: 303 ms\t",
    "REPORT RequestId: \(uuid)\tDuration: 1.87 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\tMax Memory Used: 30 MB\tStatus: timeout",
    "REPORT RequestId: \(uuid)\tDuration: 1. ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\tMax Memory Used: 30 MB",
    "REPORT RequestId: \(uuid)\tDuration: 1234567890.00 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\tMax Memory Used: 30 MB",
    "REPORT RequestId: \(uuid)\tDuration: 1.8712345 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\tMax Memory Used: 30 MB",
    "REPORT RequestId: \(uuid) Duration: 1.87 ms Billed Duration: 2 ms Memory Size: 128 MB Max Memory Used: 30 MB",
    "RequestId: \(uuid) Error: exit code 1", "RequestId: \(uuid) Error: words of a program",
  ])
  func `is read as all others`(_ text: String) {
    let bytes = Array(text.utf8)
    let usual = Result { () throws(RecordError) in try LogLine.read(line: bytes.span) }
    #expect(usual == Result { () throws(RecordError) in try LogLine.read(text) })
  }
}
