import LambdaRecords
import Lifecycle
import Testing
import Text

private let time = Timestamp(nanoseconds: 1_763_892_000_101_000_000)
private let request = RequestID(Identifier128(high: 0x7d0a_1f7e_5b1c_4a53, low: 0x9b0e_0d5a_2c7f_1e11))
private let tracing = PlatformEvent.Tracing(
  spanID: "54565fb41ac79632", value: "Root=1-6922dc20-0c1d2e3f4a5b6c7d8e9f0a1b;Parent=70de5b6f19ff9a0b;Sampled=1")
private let spans = [
  PlatformEvent.Span(name: "responseLatency", start: time, duration: Nanoseconds(134_200_000)),
  PlatformEvent.Span(name: "runtimeOverhead", start: time, duration: Nanoseconds(1_604_000)),
]

/// An event with every part that its kind may have.
struct KindCase: Sendable, CustomTestStringConvertible {
  var testDescription: String
  var kind: PlatformEvent.Kind

  static let environment = PlatformEvent.EnvironmentStart(
    initializationType: .provisionedConcurrency, phase: .invocation, functionName: "orders", functionVersion: "7",
    instanceID: "2025/11/23/[7]aa", memoryLimitBytes: 256 << 20, runtimeVersion: "python:3.13.v30",
    runtimeVersionARN: "arn:aws:lambda:eu-central-1::runtime:6f1e", functionARN: "arn:aws:lambda:r:1:function:orders",
    tracing: tracing)
  static let report = PlatformEvent.Report(
    request: request, status: .error, errorType: "Runtime.ExitError", duration: Nanoseconds(1_233_960_000),
    billedMilliseconds: 1698, memorySizeMegabytes: 256, memoryUsedMegabytes: 88,
    initializationDuration: Nanoseconds(463_512_000), restoreDuration: Nanoseconds(382_100_000),
    billedRestoreMilliseconds: 53, spans: spans, tenantID: "t", tracing: tracing)

  static let all: [KindCase] = [
    KindCase(testDescription: "initStart", kind: .initStart(environment)),
    KindCase(
      testDescription: "initRuntimeDone",
      kind: .initRuntimeDone(
        .init(
          initializationType: .onDemand, phase: .initialization, status: .timeout, errorType: "Runtime.Unknown",
          spans: spans, tracing: tracing))),
    KindCase(
      testDescription: "initReport",
      kind: .initReport(
        .init(
          initializationType: .snapStart, phase: .initialization, status: .success, duration: Nanoseconds(463_512_000),
          spans: spans, tracing: tracing))),
    KindCase(
      testDescription: "restoreStart",
      kind: .restoreStart(.init(functionName: "orders", functionVersion: "7", runtimeVersion: "java:21.v38"))),
    KindCase(
      testDescription: "restoreRuntimeDone",
      kind: .restoreRuntimeDone(.init(status: .timeout, errorType: "Runtime.Unknown", tracing: tracing))),
    KindCase(
      testDescription: "restoreReport",
      kind: .restoreReport(.init(status: .success, duration: Nanoseconds(382_100_000), spans: spans))),
    KindCase(
      testDescription: "start",
      kind: .start(
        .init(
          request: request, version: "$LATEST", functionARN: "arn:aws:lambda:r:1:function:orders", tenantID: "t",
          tracing: tracing))),
    KindCase(testDescription: "a start without anything", kind: .start(.init(request: request))),
    KindCase(
      testDescription: "runtimeDone",
      kind: .runtimeDone(
        .init(
          request: request, status: .error, errorType: "Runtime.ExitError", duration: Nanoseconds(135_865_000),
          producedBytes: 412, spans: spans, tenantID: "t", tracing: tracing))),
    KindCase(
      testDescription: "runtimeDone without metrics", kind: .runtimeDone(.init(request: request, status: .success))),
    KindCase(testDescription: "report", kind: .report(report)),
    KindCase(
      testDescription: "report of a managed instance",
      kind: .report(.init(request: request, duration: Nanoseconds(88_100_000), spans: spans))),
    KindCase(
      testDescription: "extension",
      kind: .extensionState(
        .init(name: "agent", state: "ExitError", events: ["INVOKE", "SHUTDOWN"], errorType: "Extension.Crash"))),
    KindCase(
      testDescription: "telemetrySubscription",
      kind: .subscription(.init(name: "agent", types: ["platform", "function"]))),
    KindCase(
      testDescription: "logsDropped", kind: .logsDropped(.init(bytes: 52_480, records: 113, reason: "too \"slow\"\n"))),
  ]
}

private func record(_ text: String) throws(RecordError) -> TelemetryItem? {
  try TelemetryItem.record(Array(text.utf8).span)
}

private func failure(_ text: String) -> RecordError? {
  do throws(RecordError) {
    _ = try record(text)
    return nil
  } catch {
    return error
  }
}

@Suite struct `A record that was written` {
  @Test(arguments: KindCase.all)
  func `is read as what it was`(_ given: KindCase) throws {
    let item = TelemetryItem.platform(PlatformEvent(time: time, kind: given.kind))
    for schema in [TelemetrySchema.telemetry20221213, .telemetry20250129] {
      let records = item.records(schema)
      #expect(records.count == 1)
      for bytes in records { #expect(try TelemetryItem.record(bytes.span) == item) }
    }
  }

  @Test(arguments: KindCase.all)
  func `of the oldest schema is read without what it does not have`(_ given: KindCase) throws {
    let item = TelemetryItem.platform(PlatformEvent(time: time, kind: given.kind))
    let bytes = try #require(item.records(.telemetry20220701).first)
    let read = try #require(try TelemetryItem.record(bytes.span))
    #expect(read.records(.telemetry20220701) == [bytes])
  }

  @Test func `of the Logs API is read, too`() throws {
    var report = KindCase.report
    report.fault = "RequestId: x Error: gone"
    let records = TelemetryItem.platform(PlatformEvent(time: time, kind: .report(report))).records(.logs20200815)
    var kinds: [PlatformEvent.Kind] = []
    for bytes in records {
      guard case .platform(let event) = try TelemetryItem.record(bytes.span) else { continue }
      kinds.append(event.kind)
    }
    #expect(kinds.count == 3)
    #expect(kinds.first == .fault("RequestId: x Error: gone") && kinds.dropFirst().first == .end(request))
    guard case .report(let read) = kinds.last else {
      Issue.record("The last one is \(kinds)")
      return
    }
    #expect(read.billedMilliseconds == 1698 && read.status == .success && read.tracing == nil)
    let subscription = PlatformEvent.Kind.subscription(.init(name: "a", types: ["platform"]))
    let bytes = try #require(
      TelemetryItem.platform(PlatformEvent(time: time, kind: subscription)).records(.logs20210318).first)
    #expect(try TelemetryItem.record(bytes.span) == .platform(PlatformEvent(time: time, kind: subscription)))
  }

  @Test(arguments: [
    TelemetryItem.ProgramLine(time: time, type: .function, text: "a \"b\"\n c\t"),
    .init(time: time, type: .extension, text: ""),
    .init(time: time, type: .function, text: #"{"level":"INFO","n":1.50,"s":"é\u00e9"}"#, isJSON: true),
  ])
  func `of a program is its line`(_ line: TelemetryItem.ProgramLine) throws {
    for bytes in TelemetryItem.line(line).records(.telemetry20250129) {
      #expect(try TelemetryItem.record(bytes.span) == .line(line))
    }
  }
}

@Suite struct `A batch of records` {
  /// As an extension of AWS's is posted it, shortened.
  private static let captured = """
    [{"time":"2022-10-21T14:05:02.100Z","type":"platform.initStart","record":{"initializationType":"on-demand","phase":"init",\
    "runtimeVersion":"nodejs-14.v3","runtimeVersionArn":"arn","functionName":"orders","functionVersion":"$LATEST",\
    "instanceId":"i-1","instanceMaxMemory":134217728}},
    {"time":"2022-10-21T14:05:04.000Z","type":"function","record":"[INFO]\\tREPORT RequestId: inside a function line\\n"},
    {"time":"2022-10-21T14:05:05.764Z","type":"platform.runtimeDone","record":{"requestId":"45990000-681c-4a96-beb0-00000000001b",\
    "status":"success","metrics":{"durationMs":2598.0,"producedBytes":79},"internalMetrics":{},"spans":[]}},
    {"time":"2026-11-23T10:00:00.123456789+01:00","type":"platform.report","record":{"metrics":{"durationMs":2599.4,\
    "billedDurationMs":2600,"memorySizeMB":128,"maxMemoryUsedMB":94},"status":"success","requestId":"45990000-681c-4a96-beb0-00000000001b"}},
    {"time":"2022-10-21T14:05:05.766Z","type":"platform.somethingNew","record":[1]}]
    """

  @Test func `is read whatever the order of members, and what is not known is passed over`() throws {
    let batch = try TelemetryItem.batch(Array(Self.captured.utf8).span)
    #expect(batch.items.count == 4 && batch.passedOver == 1 && batch.unreadable == 0)
    guard case .platform(let start) = batch.items[0], case .initStart(let environment) = start.kind,
      case .platform(let end) = batch.items[3], case .report(let report) = end.kind
    else {
      Issue.record("\(batch.items)")
      return
    }
    #expect(environment.memoryLimitBytes == 128 << 20 && environment.initializationType == .onDemand)
    #expect(end.time == Timestamp(nanoseconds: 1_795_424_400_123_456_789))
    #expect(report.duration == Nanoseconds(2_599_400_000) && report.memoryUsedMegabytes == 94)
  }

  @Test func `keeps what can be read beside what cannot`() throws {
    let text = #"""
      [7,{"time":"2026-11-23T10:00:00Z","type":"platform.end","record":{"requestId":"no"}},
      {"time":"2026-11-23T10:00:00Z","type":"function","record":"x\n"},{"type":"function","record":""}]
      """#
    let batch = try TelemetryItem.batch(Array(text.utf8).span)
    #expect(batch.items.count == 1 && batch.unreadable == 3)
    #expect(batch.problems.map(\.index) == [0, 1, 3])
    #expect(batch.problems.map(\.error.code) == [.unexpectedType, .unexpectedValue, .missing])
    #expect(batch.problems.map(\.error.place) == ["", "record.requestId", "time"])
  }

  @Test func `keeps a few problems and counts all`() throws {
    let text = "[" + Array(repeating: "1", count: 500).joined(separator: ",") + "]"
    let batch = try TelemetryItem.batch(Array(text.utf8).span)
    #expect(batch.unreadable == 500 && batch.problems.count == TelemetryBatch.problemsMax)
  }

  @Test(arguments: ["", "{}", "[", "[{]", "[] x", "nonsense"])
  func `that is no array of JSON is refused as a whole`(_ text: String) {
    #expect { try TelemetryItem.batch(Array(text.utf8).span) } throws: { ($0 as? RecordError)?.code == .malformed }
  }
}

@Suite struct `A record that cannot be read` {
  private static func report(_ metrics: String, _ more: String = "") -> String {
    #"{"time":"2026-11-23T10:00:00Z","type":"platform.report","record":{"requestId":"\#(request.value.uuidText)","status":"success","metrics":\#(metrics)\#(more)}}"#
  }

  @Test(arguments: [
    (report("{}"), RecordError.Code.missing, "record.metrics.durationMs"),
    (report(#"{"durationMs":"soon"}"#), .unexpectedValue, "record.metrics.durationMs"),
    (report(#"{"durationMs":-1}"#), .unexpectedValue, "record.metrics.durationMs"),
    (report(#"{"durationMs":1e300}"#), .unexpectedValue, "record.metrics.durationMs"),
    (report(#"{"durationMs":[]}"#), .unexpectedType, "record.metrics.durationMs"),
    (report(#"{"durationMs":1,"billedDurationMs":1.5}"#), .unexpectedValue, "record.metrics.billedDurationMs"),
    (report("7"), .unexpectedType, "record.metrics"), (report("null"), .missing, "record.metrics"),
    (
      report(#"{"durationMs":1}"#, #","spans":[{"name":"a","start":"never","durationMs":1}]"#), .unexpectedValue,
      "record.spans.start"
    ),
    (report(#"{"durationMs":1}"#, #","tracing":{"value":1}"#), .unexpectedType, "record.tracing.value"),
    (
      #"{"time":"2026-11-23T10:00:00Z","type":"platform.extension","record":{"name":"a","state":"Ready","events":[1]}}"#,
      .unexpectedType, "record.events"
    ),
    (
      #"{"time":"2026-11-23T10:00:00Z","type":"platform.initReport","record":{"status":"fine"}}"#, .unexpectedValue,
      "record.status"
    ),
    (#"{"time":"2026-11-23T10:00:00Z","type":"platform.start","record":[]}"#, .unexpectedType, "record"),
    (#"{"time":"2026-11-23T10:00:00Z","type":"platform.fault","record":{}}"#, .unexpectedType, "record"),
    (#"{"time":"2026-11-23T10:00:00Z","type":"function","record":7}"#, .unexpectedType, "record"),
    (#"{"time":"12:01:23:521Z","type":"platform.start","record":{}}"#, .unexpectedValue, "time"),
    (#"{"time":"2026-11-23T10:00:00Z","type":"platform.start"}"#, .missing, "record"),
    (#"{"time":"2026-11-23T10:00:00Z","record":{}}"#, .missing, "type"),
    ("{", .malformed, ""), ("[]", .unexpectedType, ""),
  ])
  func `says what and where`(_ text: String, _ code: RecordError.Code, _ place: String) {
    let error = failure(text)
    #expect(error?.code == code && error?.place == place, "\(String(describing: error))")
  }

  @Test func `takes numbers as texts, and megabytes for bytes, as AWS documents some`() throws {
    let text =
      #"{"time":"2026-11-23T10:00:00Z","type":"platform.restoreStart","record":{"instanceMaxMemory":"256","phase":"snap-start"}}"#
    guard case .platform(let event) = try record(text), case .restoreStart(let start) = event.kind else {
      Issue.record("It was not read.")
      return
    }
    #expect(start.memoryLimitBytes == 256 << 20 && start.phase == nil)
  }

  @Test func `never ends the process, whatever it is`() {
    let pieces = [
      "{", "}", "[", "]", ",", ":", #""time""#, #""2026-11-23T10:00:00Z""#, #""type""#, #""platform.report""#,
      #""record""#, #""metrics""#, #""durationMs""#, "1", "-", "1e9", "null", #""spans""#, #""requestId""#, "\\u",
    ]
    var state: UInt64 = 42
    for _ in 0..<20_000 {
      var text = ""
      for _ in 0..<8 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        text += pieces[Int(state >> 33) % pieces.count]
      }
      _ = try? record(text)
      _ = try? TelemetryItem.batch(Array("[\(text)]".utf8).span)
      _ = try? TelemetryItem.logLine(text)
    }
  }
}

@Suite struct `A line of a log in the JSON format` {
  @Test func `is the platform's, or the function's own`() throws {
    let platform = String(
      decoding: LogLine.bytes(
        of: PlatformEvent(time: time, kind: .report(KindCase.report)), .json), as: UTF8.self)
    #expect(try TelemetryItem.logLine(platform) == .platform(PlatformEvent(time: time, kind: .report(KindCase.report))))
    for own in [
      #"{"timestamp":"2026-10-08T07:30:29.443Z","level":"ERROR","requestId":"x","message":"failed"}"#, "plain text", "",
      "{", #"{"type":"a"}"#, "[1]",
    ] {
      #expect(try TelemetryItem.logLine(own) == nil, "\(own)")
    }
    #expect(throws: RecordError.self) {
      try TelemetryItem.logLine(#"{"time":"2026-11-23T10:00:00Z","type":"platform.start","record":{}}"#)
    }
  }
}

@Suite struct `The name of a log stream` {
  @Test(arguments: [
    "2026/11/23/[$LATEST]0f3c9a7be1d24c55a6b8d9e0f1a2b3c4", "2026/10/08/orders[7]22be0000000000000000000000000007",
  ])
  func `is read and written`(_ text: String) throws {
    #expect(try #require(LogStreamName(text)).text == text)
  }

  @Test func `has the day of the start`() {
    let instance = InstanceID(Identifier128(high: 1, low: 2))
    let name = LogStreamName(of: instance, version: "7", at: Timestamp(nanoseconds: -1))
    #expect(name.text == "1969/12/31/[7]00000000000000010000000000000002")
    #expect(LogStreamName(name.text) == name)
    #expect(LogStreamName(of: instance, version: "7", at: time).text.hasPrefix("2025/11/23/[7]"))
  }

  @Test(arguments: ["", "a/b/c/[1]2", "2026/13/01/[1]22be0000000000000000000000000007", "2026/10/08/[1]22be", "i-1"])
  func `is nothing else`(_ text: String) { #expect(LogStreamName(text) == nil) }
}
