import LambdaRecords
import Lifecycle
import Testing
import Text

@Suite struct `Records of telemetry` {
  private let time = Timestamp(nanoseconds: 1_763_892_000_101_000_000)
  private let request = RequestID(Identifier128(high: 1, low: 2))
  private let tracing = PlatformEvent.Tracing(
    value: "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1")

  private func text(_ kind: PlatformEvent.Kind, _ schema: TelemetrySchema) -> [String] {
    TelemetryItem.platform(PlatformEvent(time: time, kind: kind)).records(schema).map {
      String(decoding: $0, as: UTF8.self)
    }
  }

  private func envelope(_ type: String, _ record: String) -> [String] {
    [#"{"time":"2025-11-23T10:00:00.101Z","type":"platform.\#(type)","record":\#(record)}"#]
  }

  private var end: PlatformEvent.InitializationEnd {
    .init(initializationType: .onDemand, phase: .initialization, status: .error, errorType: "Runtime.ExitError")
  }

  private func report(_ duration: Nanoseconds) -> PlatformEvent.Kind {
    var end = end
    end.duration = duration
    return .initReport(end)
  }

  private var report: PlatformEvent.Report {
    .init(
      request: request, status: .error, errorType: "Runtime.ExitError", duration: Nanoseconds(1_233_960_000),
      billedMilliseconds: 1698, memorySizeMegabytes: 128, memoryUsedMegabytes: 30,
      initializationDuration: Nanoseconds(463_512_000), tracing: tracing, fault: "RequestId: x Error: gone")
  }

  @Test func `of an initialization`() {
    #expect(
      text(
        .initStart(
          .init(
            initializationType: .provisionedConcurrency, phase: .invocation, functionName: "f", functionVersion: "7",
            instanceID: "2025/11/23/[7]aa", memoryLimitBytes: 268_435_456, runtimeVersion: "provided:kelvin",
            runtimeVersionARN: "arn:aws:lambda:us-east-1::runtime:kelvin")), .telemetry20220701)
        == envelope(
          "initStart",
          #"{"initializationType":"provisioned-concurrency","phase":"invoke","functionName":"f","functionVersion":"7","instanceId":"2025/11/23/[7]aa","instanceMaxMemory":268435456,"runtimeVersion":"provided:kelvin","runtimeVersionArn":"arn:aws:lambda:us-east-1::runtime:kelvin"}"#
        ))
    #expect(
      text(.initRuntimeDone(end), .telemetry20221213)
        == envelope(
          "initRuntimeDone",
          #"{"initializationType":"on-demand","phase":"init","status":"error","errorType":"Runtime.ExitError"}"#))
    #expect(
      text(report(Nanoseconds(463_512_000)), .telemetry20250129)
        == envelope(
          "initReport",
          #"{"initializationType":"on-demand","phase":"init","status":"error","errorType":"Runtime.ExitError","metrics":{"durationMs":463.512}}"#
        ))
  }

  @Test func `without what the first schema does not have`() {
    #expect(
      text(report(.zero), .telemetry20220701)
        == envelope(
          "initReport", #"{"initializationType":"on-demand","phase":"init","metrics":{"durationMs":0.000}}"#))
    #expect(text(.report(report), .telemetry20220701).first?.contains("errorType") == false)
  }

  @Test func `of an invocation`() {
    let id = request.value.uuidText
    #expect(
      text(.start(.init(request: request, version: "$LATEST", tracing: tracing)), .telemetry20221213)
        == envelope(
          "start",
          #"{"requestId":"\#(id)","version":"$LATEST","tracing":{"type":"X-Amzn-Trace-Id","value":"Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"}}"#
        ))
    let done = PlatformEvent.RuntimeDone(
      request: request, status: .success, duration: Nanoseconds(135_865_499), producedBytes: 412,
      spans: [.init(name: "responseLatency", start: time, duration: Nanoseconds(134_200_000))], tracing: tracing)
    #expect(
      text(.runtimeDone(done), .telemetry20221213).first?.contains(
        #""status":"success","metrics":{"durationMs":135.865,"producedBytes":412},"spans":[{"name":"responseLatency","start":"2025-11-23T10:00:00.101Z","durationMs":134.200}]"#
      ) == true)
    #expect(
      text(.report(report), .telemetry20221213).first?.contains(
        #""metrics":{"durationMs":1233.960,"billedDurationMs":1698,"memorySizeMB":128,"maxMemoryUsedMB":30,"initDurationMs":463.512}"#
      ) == true)
  }

  @Test func `of the old Logs API`() {
    let id = request.value.uuidText
    #expect(text(.initRuntimeDone(end), .logs20210318) == [])
    #expect(
      text(.report(report), .logs20200815) == envelope("fault", #""RequestId: x Error: gone""#)
        + envelope("end", #"{"requestId":"\#(id)"}"#)
        + envelope(
          "report",
          #"{"requestId":"\#(id)","metrics":{"durationMs":1233.960,"billedDurationMs":1698,"memorySizeMB":128,"maxMemoryUsedMB":30,"initDurationMs":463.512}}"#
        ))
    let done = PlatformEvent.RuntimeDone(
      request: request, status: .error, duration: .zero, producedBytes: 0, spans: [], tracing: tracing)
    #expect(text(.runtimeDone(done), .logs20200815) == [])
    #expect(
      text(.runtimeDone(done), .logs20210318) == envelope("runtimeDone", #"{"requestId":"\#(id)","status":"failure"}"#))
    #expect(
      text(.subscription(.init(name: "a", types: ["platform"])), .logs20200815)
        == envelope("logsSubscription", #"{"name":"a","state":"Subscribed","types":["platform"]}"#))
  }

  @Test func `of lines are texts, and objects where the log is JSON and the schema has them`() {
    func line(_ text: String, isJSON: Bool, _ schema: TelemetrySchema) -> String {
      TelemetryItem.line(.init(time: time, type: .function, text: text, isJSON: isJSON)).records(schema).map {
        String(decoding: $0, as: UTF8.self)
      }.joined()
    }
    #expect(line(#"a "b""#, isJSON: false, .telemetry20221213).hasSuffix(#""type":"function","record":"a \"b\"\n"}"#))
    #expect(line(#"{"level":"INFO"}"#, isJSON: true, .telemetry20221213).hasSuffix(#""record":{"level":"INFO"}}"#))
    #expect(
      line(#"{"level":"INFO"}"#, isJSON: true, .telemetry20220701).hasSuffix(#""record":"{\"level\":\"INFO\"}\n"}"#))
    #expect(
      line(#"{"level":"INFO"}"#, isJSON: false, .telemetry20221213).hasSuffix(#""record":"{\"level\":\"INFO\"}\n"}"#))
    #expect(line("{plain", isJSON: true, .telemetry20221213).hasSuffix(#""record":"{plain\n"}"#))
  }

  @Test func `have times and lengths in AWS's forms`() {
    #expect(RFC3339.milliseconds(nanoseconds: 1_000_000) == "1970-01-01T00:00:00.001Z")
    #expect(RFC3339.milliseconds(nanoseconds: -1) == "1969-12-31T23:59:59.999Z")
    #expect(CalendarText.logStreamDate(nanoseconds: time.nanoseconds) == "2025/11/23")
    #expect(DecimalText.milliseconds(nanoseconds: 1_869_999, decimals: 2) == "1.87")
    #expect(Nanoseconds(1_000_001).billedMilliseconds == 2 && Nanoseconds.milliseconds(2).billedMilliseconds == 2)
  }
}
