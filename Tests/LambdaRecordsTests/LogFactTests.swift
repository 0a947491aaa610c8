import LambdaRecords
import Lifecycle
import Testing

@Suite struct `Facts of logs` {
  private static let request = RequestID(Identifier128(high: 0x5E1F_0000_0000_4000, low: 0x8000_0000_0000_0010))
  private static let time = Timestamp(seconds: 1_795_514_400)

  private static let kinds: [LogFact.Kind] = [
    .event(.initStart(PlatformEvent.EnvironmentStart(initializationType: .onDemand, functionName: "orders"))),
    .event(.initRuntimeDone(PlatformEvent.InitializationEnd(initializationType: .snapStart, status: .timeout))),
    .event(
      .initReport(
        PlatformEvent.InitializationEnd(
          initializationType: nil, phase: .invocation, status: .error, duration: .milliseconds(88)))),
    .event(.restoreReport(PlatformEvent.RestoreEnd(status: .failure, duration: .milliseconds(500)))),
    .event(.start(PlatformEvent.Start(request: request))),
    .functionError(nil),
    .functionError(request),
    .event(
      .runtimeDone(
        PlatformEvent.RuntimeDone(
          request: request, status: .error, errorType: "Runtime.ExitError", duration: .milliseconds(3),
          producedBytes: 300))),
    .timedOut(request, limit: .seconds(3)),
    .exited(request, isKilled: true),
    .event(.end(request)),
    .event(
      .report(
        PlatformEvent.Report(
          request: request, status: .timeout, errorType: "X", duration: .milliseconds(1_999), billedMilliseconds: 2_000,
          memorySizeMegabytes: 128, memoryUsedMegabytes: 60, initializationDuration: Nanoseconds(120_500_000),
          restoreDuration: nil))),
  ]

  @Test func `facts are the same behind the wire, and in the order in which lines of one instant come`() throws {
    var last: [UInt8] = []
    for kind in `Facts of logs`.kinds {
      let fact = LogFact(time: `Facts of logs`.time, kind: kind)
      let bytes = fact.bytes
      #expect(LogFact(bytes: bytes.span, at: `Facts of logs`.time) == fact)
      #expect(last.lexicographicallyPrecedes(bytes), "\(kind)")
      last = bytes
      for length in 0..<bytes.count {
        #expect(LogFact(bytes: bytes.span.extracting(0..<length), at: `Facts of logs`.time) == nil, "cut at \(length)")
      }
      #expect(LogFact(bytes: (bytes + [0]).span, at: `Facts of logs`.time) == nil)
    }
  }

  @Test func `a batch is the same behind the wire`() {
    var batch = FactBatch()
    batch.streams = [
      FactBatch.Stream(name: "2026/11/24/[$LATEST]0a", function: "orders", lastSeen: `Facts of logs`.time),
      FactBatch.Stream(name: nil, function: nil, lastSeen: nil),
    ]
    batch.facts = `Facts of logs`.kinds.enumerated().map {
      ($0 % 2, LogFact(time: `Facts of logs`.time + .seconds(Int64($0)), kind: $1))
    }
    #expect(FactBatch(bytes: batch.bytes.span) == batch)
    #expect(FactBatch(bytes: FactBatch().bytes.span) == FactBatch())
    let bytes = batch.bytes
    for length in 0..<bytes.count { #expect(FactBatch(bytes: bytes.span.extracting(0..<length)) == nil) }
    var other = bytes
    other[0] = 2
    #expect(FactBatch(bytes: other.span) == nil, "another version")
  }

  @Test func `what cannot be is no fact`() {
    let endless = PlatformEvent.Report(request: `Facts of logs`.request, duration: .seconds(90_000))
    #expect(LogFact(.report(endless), at: `Facts of logs`.time) == nil)
    let negative = PlatformEvent.Report(
      request: `Facts of logs`.request, duration: .seconds(1), billedMilliseconds: -1)
    #expect(LogFact(.report(negative), at: `Facts of logs`.time) == nil)
    for kind in [LogFact.Kind.event(.report(endless)), .event(.report(negative))] {
      #expect(
        LogFact(bytes: LogFact(time: `Facts of logs`.time, kind: kind).bytes.span, at: `Facts of logs`.time) == nil)
    }
  }
}
