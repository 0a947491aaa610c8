import Text
import Documents
import ExporterSupport
import Lifecycle
import Testing
import Windows

@Suite struct `JSON document tests` {
  private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

  @Test func `a window reads as the design says`() {
    let document = Samples.document([Samples.window(.function(FunctionID("orders")))], minutes: 1)
    let expected = """
      {"resolution":60,"from":"2026-11-23T10:00:00Z","to":"2026-11-23T10:01:00Z","windows":[\
      {"function":"orders","start":"2026-11-23T10:00:00Z","end":"2026-11-23T10:01:00Z","closed":true,\
      "invocations":5,"invocationsByTrigger":{"http":4,"direct":1},"errors":1,\
      "throttles":3,"throttlesByReason":{"ReservedFunctionConcurrentInvocationLimitExceeded":3},\
      "timeouts":1,"timeoutsBySource":{"handler":1},"crashes":0,"outOfMemory":0,"coldStarts":2,\
      "initializations":2,"initializationsByType":{"on-demand":2},"initializationFailures":0,"warmupFailures":0,\
      "provisionedInvocations":0,"spillover":0,"instanceStops":0,"instanceStopsByReason":{},\
      "httpResponses":0,"httpResponsesByClass":{},"httpGatewayTimeouts":0,"httpThrottles":0,\
      "billedSeconds":4.3,\
      "concurrencyMax":2,"instancesMax":2,"provisionedConcurrencyMax":0,"provisionedUtilizationMax":0.5,\
      "concurrencySeconds":4.1,"overlappingMax":0,\
      "duration":{"count":5,"sum":4.1,"min":0.01,"max":1.09,"p50":\(seconds(document, \.p50)),\
      "p95":\(seconds(document, \.p95)),"p99":\(seconds(document, \.p99))},\
      "initialization":{"count":0},"warmup":{"count":0},\
      "memoryUsedBytes":{"count":1,"sum":67108864,"min":67108864,"max":67108864,"p50":67108864,"p95":67108864,\
      "p99":67108864},"instanceLifetime":{"count":0},"httpDuration":{"count":0}}]}
      """
    #expect(text(document.json()) == expected)
  }

  private func seconds(_ document: WindowsDocument, _ quantile: KeyPath<DistributionDocument, Int64>) -> String {
    DecimalText.seconds(nanoseconds: Int128(document.windows[0].duration[keyPath: quantile]))
  }

  @Test func `quantiles lie between the least and the greatest value`() {
    let duration = Samples.document([Samples.window(.account)], minutes: 1).windows[0].duration
    #expect(duration.minimum <= duration.p50 && duration.p50 <= duration.p95)
    #expect(duration.p95 <= duration.p99 && duration.p99 <= duration.maximum)
    #expect(duration.mean == 820_000_000)
  }

  @Test func `the account has no function, and peaks of its own`() {
    let json = text(Samples.document([Samples.window(.account)], minutes: 1).json())
    #expect(!json.contains("\"function\""))
    #expect(json.contains("\"unreservedConcurrencyMax\":0,\"claimedConcurrencyMax\":0"))
  }

  @Test func `windows come newest first, the account before its functions`() {
    let rollups = [
      Samples.window(.function(FunctionID("b")), minute: 0), Samples.window(.function(FunctionID("a")), minute: 1),
      Samples.window(.account, minute: 1), Samples.window(.function(FunctionID("a", version: "2")), minute: 0),
    ]
    let windows = Samples.document(rollups, minutes: 2).windows
    #expect(windows.map { $0.function } == [nil, "a", "a", "b"])
    #expect(windows.map { $0.version } == [nil, nil, "2", nil])
  }

  @Test func `documents read back as they were written`() throws {
    let rollups = [
      Samples.window(.account, closed: false), Samples.window(.function(FunctionID("ä\"\\\n\u{1}😀", version: "7"))),
    ]
    let windows = Samples.document(rollups, minutes: 3)
    #expect(try WindowsDocument(json: windows.json()) == windows)
    var status = Samples.status()
    #expect(try StatusDocument(json: status.json()) == status)
    for trigger in Trigger.eventSources {
      var present = EventSourcePresent()
      present.levels = [.init(level: .waiting, time: Samples.morning, value: 3)]
      (present.oldest, present.oldestTold) = (Samples.morning, Samples.morning)
      var totals = EventSourceTally()
      totals[.received] = 7
      let snapshot = EventSourceSnapshot(
        source: EventSourceID(trigger, "mail \"é\".fifo"), firstSeen: Samples.morning, totals: totals, present: present,
        lastClosed: EventSourcePeaks())
      status.eventSources.append(EventSourceDocument(snapshot, now: Samples.morning + .milliseconds(1_250)))
    }
    #expect(status.eventSources[0].oldestAge == .milliseconds(1_250) && status.eventSources[0][.waiting] == 3)
    #expect(try StatusDocument(json: status.json()) == status)
    status.functions[0].startFailure = .init(
      time: Samples.morning, reason: "Runtime exited with error: exit status 1", lines: ["\"a\"", "é"])
    #expect(try StatusDocument(json: status.json()) == status)
    let error = ErrorDocument(code: "invalid-parameter", message: "range: \"x\" is no duration")
    #expect(try ErrorDocument(json: error.json()) == error)
  }

  @Test(arguments: Trigger.eventSources)
  func `windows of event sources read back, with the members of their kind`(_ trigger: Trigger) throws {
    var rollup = EventSourceRollup()
    var expected = 0
    for number in EventSourceNumber.all(of: trigger) {
      expected += 1
      switch number.content {
      case .count(let counter): rollup.tally[counter] = UInt64(expected)
      case .level(let level): rollup.peaks[level] = Int64(expected)
      case .oldestAge: rollup.peaks.oldestAge = .milliseconds(1_500)
      case .distribution(let duration): rollup.tally[duration].record(Int64(expected) * 250_000_000)
      }
    }
    let source = EventSourceID(trigger, "mail.fifo")
    let window = WindowRollup(
      scope: .source(source), start: Samples.morning, length: .seconds(60), isClosed: true, rollup: Rollup(rollup))
    let document = Samples.document([window], minutes: 1)
    let json = text(document.json())
    #expect(json.contains("{\"\(trigger.sourceMember)\":\"mail.fifo\",\"start\":\"2026-11-23T10:00:00Z\""))
    for number in EventSourceNumber.all(of: trigger) { #expect(json.contains("\"\(number.member)\":")) }
    #expect(!json.contains("concurrencyMax"))
    #expect(try WindowsDocument(json: document.json()) == document)
  }

  @Test func `instances read back, the ones that still initialize without a duration`() throws {
    let ready = InstanceSnapshot(
      function: FunctionID("orders"), instance: InstanceID(Identifier128(high: 1, low: 2)), state: .busy,
      initializationType: .onDemand, started: Samples.morning, initialization: .milliseconds(412), invocations: 7)
    var young = ready
    young.instance = InstanceID(Identifier128(high: 1, low: 1))
    young.state = .initializing
    young.initialization = nil
    young.started = Samples.morning + .seconds(90)
    let document = InstancesDocument(time: Samples.morning + .seconds(61), snapshots: [young, ready])
    #expect(try InstancesDocument(json: document.json()) == document)
    #expect(
      text(document.json()) == """
        {"time":"2026-11-23T10:01:01Z","instances":[{"function":"orders",\
        "instance":"00000000-0000-0001-0000-000000000002","state":"busy","initializationType":"on-demand",\
        "started":"2026-11-23T10:00:00Z","ageSeconds":61,"initializationSeconds":0.412,"invocations":7},\
        {"function":"orders","instance":"00000000-0000-0001-0000-000000000001","state":"initializing",\
        "initializationType":"on-demand","started":"2026-11-23T10:01:30Z","ageSeconds":0,"invocations":7}]}
        """)
  }

  @Test func `members of a newer version are passed over`() throws {
    let json = """
      {"resolution": 60, "new": {"a": [1, {"b": null}], "c": -1.5e-3}, "from": "2026-11-23T10:00:00Z",
       "to": "2026-11-23T11:00:00+00:30", "windows": [{"start": "2026-11-23T10:00:00Z", "end": "2026-11-23T10:01:00Z",
       "function": null, "closed": false, "duration": {"count": 1, "sum": 1.5e0, "p42": true}}]}
      """
    let document = try WindowsDocument(json: Array(json.utf8))
    #expect(document.to == Samples.morning + .seconds(1_800))
    #expect(document.windows[0].function == nil)
    #expect(document.windows[0].duration.sum == 1_500_000_000)
  }

  struct BadCase: Sendable, CustomTestStringConvertible {
    var text: String
    var code: JSONError.Code
    var position: Int
    var testDescription: String { String(text.prefix(60)) }
  }

  @Test(arguments: [
    BadCase(text: "", code: .malformed, position: 0),
    BadCase(text: "[]", code: .unexpectedType, position: 0),
    BadCase(text: "{}", code: .missing, position: 0),
    BadCase(
      text: "{\"resolution\":1,\"from\":\"2026-01-01T00:00:00Z\",\"to\":\"2026-01-01T00:00:00Z\",\"windows\":[]} x",
      code: .malformed, position: 88),
    BadCase(text: "{\"windows\":[],}", code: .malformed, position: 14),
    BadCase(text: "{\"windows\":[{}]}", code: .missing, position: 12),
    BadCase(text: "{\"windows\":[1,]}", code: .unexpectedType, position: 12),
    BadCase(text: "{\"windows\" []}", code: .malformed, position: 11),
    BadCase(text: "{\"resolution\":\"60\"}", code: .unexpectedType, position: 14),
    BadCase(text: "{\"resolution\":01}", code: .malformed, position: 15),
    BadCase(text: "{\"resolution\":1.}", code: .malformed, position: 16),
    BadCase(text: "{\"resolution\":-}", code: .malformed, position: 15),
    BadCase(text: "{\"resolution\":1e}", code: .malformed, position: 16),
    BadCase(text: "{\"resolution\":1e999}", code: .outOfRange, position: 14),
    BadCase(text: "{\"resolution\":NaN}", code: .malformed, position: 14),
    BadCase(text: "{\"from\":\"2026-02-30T00:00:00Z\"}", code: .unexpectedType, position: 8),
    BadCase(text: "{\"from\":\"2026", code: .malformed, position: 13),
    BadCase(text: "{\"from\":\"\n\"}", code: .malformed, position: 9),
    BadCase(text: "{\"from\":\"\\x\"}", code: .malformed, position: 10),
    BadCase(text: "{\"from\":\"\\u12g4\"}", code: .malformed, position: 13),
    BadCase(text: "{\"a\":nul}", code: .malformed, position: 5),
    BadCase(text: "{\"a\":" + String(repeating: "[", count: 70), code: .tooDeep, position: 68),
    BadCase(text: "{\"windows\":[{\"invocations\":-1}]}", code: .outOfRange, position: 27),
    BadCase(text: "{\"windows\":[{\"invocations\":1.5}]}", code: .unexpectedType, position: 27),
    BadCase(text: "{\"windows\":[{\"invocations\":18446744073709551616}]}", code: .outOfRange, position: 27),
  ])
  func `what is no such document is refused with its place`(_ given: BadCase) {
    let error = #expect(throws: JSONError.self) { try WindowsDocument(json: Array(given.text.utf8)) }
    #expect(error?.code == given.code)
    #expect(error?.position == given.position)
  }

  @Test func `every cut of a document is refused, none crashes`() {
    let json = Samples.document([Samples.window(.function(FunctionID("a\\\u{1}")))], minutes: 1).json()
    for end in json.indices {
      #expect(throws: JSONError.self) { try WindowsDocument(json: Array(json[..<end])) }
    }
  }

  struct TextCase: Sendable {
    var escaped: String
    var text: String
  }

  @Test(arguments: [
    TextCase(escaped: #"\ud83d\ude00"#, text: "😀"), TextCase(escaped: #"\ud83d"#, text: "\u{FFFD}"),
    TextCase(escaped: #"\ude00\ud83d"#, text: "\u{FFFD}\u{FFFD}"), TextCase(escaped: #"\ud83d\n"#, text: "\u{FFFD}\n"),
    TextCase(escaped: #"\ud83d\u0041"#, text: "\u{FFFD}A"),
    TextCase(escaped: #"\u00e9\/\b\f\r\t"#, text: "é/\u{8}\u{C}\r\t"),
  ])
  func `escapes read as their characters, broken pairs as the replacement character`(_ given: TextCase) throws {
    let json = #"{"error":{"code":"","message":""# + given.escaped + #""}}"#
    #expect(try ErrorDocument(json: Array(json.utf8)).message == given.text)
  }

  @Test func `bytes that are no text become the replacement character`() throws {
    let json = Array(#"{"error":{"code":"a","message":""#.utf8) + [0x61, 0xFF] + Array(#""}}"#.utf8)
    #expect(try ErrorDocument(json: json).message == "a\u{FFFD}")
  }
}
