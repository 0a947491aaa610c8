import Lifecycle
import LifecycleWire
import TestSupport
import Testing

@Suite struct `Events as lines of JSON` {
  private func read(_ text: String, _ defaults: EventLines.Defaults = EventLines.Defaults()) throws -> DecodedBatch {
    try EventLines.read(Array(text.utf8).span, defaults: defaults)
  }

  @Test(arguments: 0..<100 as Range<UInt64>)
  func `give back every field of every event`(_ seed: UInt64) throws {
    let events = RandomEvents.events(seed: seed, count: Int(seed) * 3)
    let source = SourceID(Identifier128(high: seed, low: .max - seed))
    var text = EventLines.header(source: source, sequence: seed + 1)
    for event in events { text += EventLines.line(event) }
    let batch = try EventLines.read(text.span)
    #expect(batch.source == source && batch.sequence == seed + 1)
    #expect(batch.rejected == [])
    #expect(batch.events == events)
  }

  private static let finished =
    #"{"event":"invocationFinished","function":"orders","request":"0d6e2c1a-7b3f-4e5d-9c8b-7a6f5e4d3c2b","#
    + #""start":"2026-11-23T10:00:00Z","duration":0.25,"outcome":"success"}"#

  @Test func `need little: what has a default may be left out`() throws {
    let batch = try read("\n \r\n\(Self.finished)\r\n\n")
    let request = RequestID(Identifier128(high: 0x0d6e_2c1a_7b3f_4e5d, low: 0x9c8b_7a6f_5e4d_3c2b))
    let finished = InvocationFinished(
      request: request, start: Timestamp(seconds: 1_795_428_000), duration: .milliseconds(250), trigger: .direct,
      pool: .unreserved, outcome: .success)
    #expect(batch.source == nil && batch.sequence == nil && batch.rejected == [])
    #expect(batch.events == [LifecycleEvent(.function(FunctionID("orders")), .invocationFinished(finished))])
  }

  @Test func `have times as text or as nanoseconds, and lengths in seconds`() throws {
    let lines = try read(
      """
      {"event":"overlapEnded","function":"f","instance":"00000000000000000000000000000001","request":"00000000-0000-0000-0000-000000000002","time":1795428000000000001}
      {"event":"warmedUp","function":"f","instance":"00000000000000000000000000000001","time":"2026-11-23T11:00:00.5+01:00","duration":1.5e-3,"succeeded":true}
      """)
    #expect(lines.rejected == [])
    let subject = LifecycleEvent.Subject.instance(InstanceID(Identifier128(high: 0, low: 1)), of: FunctionID("f"))
    let request = RequestID(Identifier128(high: 0, low: 2))
    let ended = OverlapEnded(request: request, time: Timestamp(nanoseconds: 1_795_428_000_000_000_001))
    let warmUp = WarmedUp(
      time: Timestamp(nanoseconds: 1_795_428_000_500_000_000), duration: Nanoseconds(1_500_000), succeeded: true)
    #expect(
      lines.events == [LifecycleEvent(subject, .overlapEnded(ended)), LifecycleEvent(subject, .warmedUp(warmUp))])
  }

  @Test func `take function and instance from elsewhere where they name none`() throws {
    let defaults = EventLines.Defaults(
      function: FunctionID("orders", version: "3"), instance: InstanceID(Identifier128(high: 0, low: 9)))
    let batch = try read(
      """
      {"event":"instanceStarted","time":1,"initializationType":"on-demand","memoryLimitBytes":1}
      {"event":"instanceStarted","function":"other","time":1,"initializationType":"on-demand","memoryLimitBytes":1}
      {"event":"throttled","time":1,"reason":"ReservedFunctionConcurrentInvocationLimitExceeded"}
      {"event":"accountLimitsChanged","time":1,"concurrency":1000}
      """, defaults)
    #expect(batch.rejected == [])
    let instance = InstanceID(Identifier128(high: 0, low: 9))
    #expect(
      batch.events.map(\.subject) == [
        .instance(instance, of: FunctionID("orders", version: "3")), .instance(instance, of: FunctionID("other")),
        .function(FunctionID("orders", version: "3")), .account,
      ])
  }

  struct Case: Sendable, CustomTestStringConvertible {
    var line: String
    var reason: Rejection
    var sentence: String
    var testDescription: String { line }
  }

  private static func finished(_ member: String, _ value: String) -> String {
    #"{"event":"invocationFinished","function":"f","request":"00000000000000000000000000000001","start":1,"#
      + #""duration":1,"outcome":"success","\#(member)":\#(value)}"#
  }

  @Test(arguments: [
    Case(line: "not JSON", reason: .malformed, sentence: "an object was expected (at byte 0)"),
    Case(line: "{\"event\":\"warmedUp\"", reason: .malformed, sentence: "a comma or the end was expected (at byte 19)"),
    Case(line: "[]", reason: .malformed, sentence: "an object was expected (at byte 0)"),
    Case(line: "{}", reason: .malformed, sentence: "event is missing: it says what happened"),
    Case(line: #"{"event":"born"}"#, reason: .unknownWord, sentence: "event is \"born\", which Kelvin does not know"),
    Case(line: #"{"event":"overlapEnded"}"#, reason: .malformed, sentence: "request is missing"),
    Case(
      line: finished("outcome", "\"maybe\""), reason: .unknownWord,
      sentence: "outcome is \"maybe\"; it is one of success, error, timeout, crash, out-of-memory"),
    Case(
      line: finished("start", "\"yesterday\""), reason: .malformed,
      sentence: "start is \"yesterday\", which is no time of RFC 3339, as 2026-11-23T10:00:00.25Z is"),
    Case(
      line: finished("request", "\"one\""), reason: .malformed,
      sentence: "request is \"one\"; it is a UUID, or 32 hexadecimal digits"),
    Case(
      line: finished("responseStatus", "70000"), reason: .malformed,
      sentence: "responseStatus is 70000, which is no status of HTTP"),
    Case(line: finished("wait", "1e12"), reason: .malformed, sentence: "wait is longer than 292 years"),
    Case(line: finished("function", "\"\""), reason: .functionName, sentence: Rejection.functionName.sentence),
    Case(
      line: finished("instance", "\"i-1\""), reason: .malformed,
      sentence: "instance is \"i-1\"; it is a UUID, or 32 hexadecimal digits"),
  ])
  func `are rejected one by one, with line and reason`(_ given: Case) throws {
    let batch = try read("\(Self.finished)\n\n\(given.line)\n\(Self.finished)")
    #expect(batch.events.count == 2)
    #expect(batch.indices == [0, 2])
    #expect(
      batch.rejected == [RejectedEvent(index: 1, reason: given.reason, sentence: "line 3: \(given.sentence)")])
  }

  @Test(arguments: [
    (#"{"source":"abc","sequence":1}"#, "line 1: source is 32 hexadecimal digits, with sequence in the same line"),
    (#"{"sequence":1}"#, "line 1: source is 32 hexadecimal digits, with sequence in the same line"),
    (
      #"{"source":"a1b2c3d4e5f64718899aabbccddeeff0","sequence":0}"#,
      "line 1: sequence is a whole number from 1, with source in the same line"
    ),
  ])
  func `are refused whole if the first line names a wrong sender`(_ line: String, _ sentence: String) {
    let error = #expect(throws: WireError.self) { try read("\(line)\n\(Self.finished)") }
    #expect(error?.code == .malformed)
    #expect(error?.message == sentence)
  }

  @Test func `name their sender in the first line only`() throws {
    let batch = try read("\(Self.finished)\n{\"source\":\"a1b2c3d4e5f64718899aabbccddeeff0\",\"sequence\":1}")
    #expect(batch.source == nil && batch.events.count == 1)
    #expect(batch.rejected.map(\.sentence) == ["line 2: event is missing: it says what happened"])
  }

  @Test func `are refused whole beyond the limit`() throws {
    let text = Array(repeating: "{}", count: 11).joined(separator: "\n")
    #expect(try EventLines.read(Array(text.utf8).span, eventsLimit: 11).rejected.count == 11)
    let error = #expect(throws: WireError.self) { try EventLines.read(Array(text.utf8).span, eventsLimit: 10) }
    #expect(error?.code == .tooManyEvents)
  }
}
