import LambdaRecords
import Lifecycle
import Testing
import Text

private let request = RequestID(Identifier128(high: 0x7d0a_1f7e_5b1c_4a53, low: 0x9b0e_0d5a_2c7f_1e11))
private let id = "7d0a1f7e-5b1c-4a53-9b0e-0d5a2c7f1e11"

struct LogLineCase: Sendable, CustomTestStringConvertible {
  var testDescription: String
  var kind: PlatformEvent.Kind
  var text: String
  /// Whether the JSON log has it at its default level.
  var isInJSON = true
}

private func end(
  _ status: PlatformEvent.Status, _ errorType: String? = nil, _ type: InitializationType = .onDemand,
  _ phase: InitializationPhase = .initialization, duration: Nanoseconds? = nil
) -> PlatformEvent.InitializationEnd {
  .init(initializationType: type, phase: phase, status: status, errorType: errorType, duration: duration)
}

private func report(
  _ status: PlatformEvent.Status, _ errorType: String? = nil, initialization: Nanoseconds? = nil
) -> PlatformEvent.Kind {
  .report(
    .init(
      request: request, status: status, errorType: errorType, duration: Nanoseconds(1_869_000),
      billedMilliseconds: (Nanoseconds(1_869_000) + (initialization ?? .zero)).billedMilliseconds,
      memorySizeMegabytes: 128, memoryUsedMegabytes: PlatformEvent.Report.megabytes((30 << 20) - 4096),
      initializationDuration: initialization))
}

private func done(_ status: PlatformEvent.Status) -> PlatformEvent.Kind {
  .runtimeDone(.init(request: request, status: status, duration: .zero, producedBytes: 0))
}

@Suite struct `Lines of a log` {
  private static let fields = "Billed Duration: 2 ms\tMemory Size: 128 MB\tMax Memory Used: 30 MB\t"

  @Test(arguments: [
    LogLineCase(
      testDescription: "start",
      kind: .start(.init(request: request, version: "$LATEST")),
      text: "START RequestId: \(id) Version: $LATEST\n"),
    LogLineCase(
      testDescription: "report", kind: report(.success),
      text: "END RequestId: \(id)\nREPORT RequestId: \(id)\tDuration: 1.87 ms\t\(fields)\n"),
    LogLineCase(
      testDescription: "report of a cold start",
      kind: report(.success, initialization: Nanoseconds(107_140_000)),
      text: "END RequestId: \(id)\nREPORT RequestId: \(id)\tDuration: 1.87 ms\t"
        + "Billed Duration: 110 ms\tMemory Size: 128 MB\tMax Memory Used: 30 MB\tInit Duration: 107.14 ms\t\n"),
    LogLineCase(
      testDescription: "report of a timeout", kind: report(.timeout),
      text: "END RequestId: \(id)\nREPORT RequestId: \(id)\tDuration: 1.87 ms\t\(fields)Status: timeout\n"),
    LogLineCase(
      testDescription: "report of a crash", kind: report(.error, "Runtime.ExitError"),
      text: "END RequestId: \(id)\nREPORT RequestId: \(id)\tDuration: 1.87 ms\t\(fields)"
        + "Status: error\tError Type: Runtime.ExitError\n"),
    LogLineCase(
      testDescription: "start of an initialization",
      kind: .initStart(
        .init(
          initializationType: .onDemand, phase: .initialization, functionName: "f", functionVersion: "1",
          instanceID: "i", memoryLimitBytes: 1, runtimeVersion: "provided:kelvin",
          runtimeVersionARN: "arn:aws:lambda:us-east-1::runtime:kelvin")),
      text:
        "INIT_START Runtime Version: provided:kelvin\tRuntime Version ARN: arn:aws:lambda:us-east-1::runtime:kelvin\n"),
    LogLineCase(
      testDescription: "an initialization that goes well on demand",
      kind: .initReport(end(.success, duration: .seconds(1))), text: "", isInJSON: false),
    LogLineCase(
      testDescription: "one that goes well in advance",
      kind: .initReport(end(.success, nil, .provisionedConcurrency, duration: .seconds(1))),
      text: "INIT_REPORT Init Duration: 1000.00 ms\tPhase: init\tStatus: success\t\n"),
    LogLineCase(
      testDescription: "one that takes too long",
      kind: .initReport(end(.timeout, duration: Nanoseconds(10_337_010_000))),
      text: "INIT_REPORT Init Duration: 10337.01 ms\tPhase: init\tStatus: timeout\t\n"),
    LogLineCase(
      testDescription: "one that fails in an invocation",
      kind: .initReport(end(.error, "Extension.Crash", .onDemand, .invocation, duration: .zero)),
      text: "INIT_REPORT Init Duration: 0.00 ms\tPhase: invoke\tStatus: error\tError Type: Extension.Crash\t\n"),
    LogLineCase(
      testDescription: "an extension",
      kind: .extensionState(.init(name: "agent", state: "Ready", events: ["INVOKE", "SHUTDOWN"])),
      text: "EXTENSION\tName: agent\tState: Ready\tEvents: [INVOKE,SHUTDOWN]\n"),
    LogLineCase(
      testDescription: "an extension that fails",
      kind: .extensionState(.init(name: "agent", state: "InitError", events: [], errorType: "Extension.InitError")),
      text: "EXTENSION\tName: agent\tState: InitError\tEvents: []\tError Type: Extension.InitError\n"),
    LogLineCase(testDescription: "a runtime that is done", kind: done(.success), text: "", isInJSON: false),
    LogLineCase(testDescription: "a runtime that is not", kind: done(.timeout), text: ""),
    LogLineCase(testDescription: "a runtime's start", kind: .initRuntimeDone(end(.success)), text: "", isInJSON: false),
  ])
  func `are AWS's`(_ given: LogLineCase) {
    let event = PlatformEvent(time: Timestamp(nanoseconds: 1_763_892_000_101_000_000), kind: given.kind)
    #expect(String(decoding: LogLine.bytes(of: event, .text), as: UTF8.self) == given.text)
    let json = LogLine.bytes(of: event, .json)
    let line = String(decoding: json, as: UTF8.self)
    #expect(line.isEmpty == !given.isInJSON)
    if given.isInJSON {
      #expect(line.hasPrefix(#"{"time":"2025-11-23T10:00:00.101Z","type":"platform."#) && line.hasSuffix("}\n"))
      #expect(JSONReader.problem(in: json.span, JSONRules(depthLimit: 8)) == nil)
    }
  }

  @Test func `of programs are marked, and names stay within their field`() {
    func text(_ source: LogLine.LineSource, _ format: LogFormat) -> String {
      String(
        decoding: LogLine.bytes(of: "REPORT x", from: source, format, at: Timestamp(nanoseconds: 0)), as: UTF8.self)
    }
    #expect(text(.function, .text) == "function | REPORT x\n")
    #expect(text(.extension("a\nREPORT b"), .text) == "extension a\u{FFFD}REPORT b | REPORT x\n")
    #expect(
      text(.extension("a"), .json)
        == #"{"time":"1970-01-01T00:00:00.000Z","type":"extension","record":"REPORT x\n"}"# + "\n")
  }

  @Test func `tell what is missing`() {
    let loss = PlatformEvent.LogsDropped(bytes: 30, records: 2, reason: "the disk is full")
    func text(_ format: LogFormat) -> String {
      String(decoding: LogLine.bytes(of: loss, format, at: Timestamp(nanoseconds: 0)), as: UTF8.self)
    }
    #expect(text(.text) == "kelvin: 2 lines of this log (30 bytes) were lost: the disk is full\n")
    #expect(
      text(.json).hasSuffix(
        #""record":{"droppedBytes":30,"droppedRecords":2,"reason":"the disk is full"}}"# + "\n"))
  }
}
