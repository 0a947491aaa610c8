import LambdaRecords
import Lifecycle
import LogImport
import Testing
import Text

/// The golden corpus in the JSON log format, as AWS writes it at each level.
enum GoldenRecords {
  enum Level: CaseIterable, Sendable { case debug, info, warn }

  private static func id(_ number: Int) -> RequestID {
    RequestID(Identifier128(text: "5e1f0000-0000-4000-8000-0000000000\(number)") ?? .zero)
  }

  private static func at(_ time: Int64) -> Timestamp { Timestamp(nanoseconds: (GoldenCorpus.begin + time) * 1_000_000) }

  private struct Invocation {
    var stream = GoldenCorpus.first
    var number: Int
    var start: Int64
    var end: Int64
    var duration: Int64
    var status = PlatformEvent.Status.success
    var errorType: String?
    var initialization: Int64?
    var restore: Int64?
    var memory: Int64 = 90
    var billed: Int64
  }

  private static let invocations: [Invocation] = [
    Invocation(number: 11, start: 500, end: 620, duration: 119_200, initialization: 463_510, billed: 583),
    Invocation(number: 12, start: 1_000, end: 1_050, duration: 49_500, billed: 50),
    Invocation(number: 13, start: 2_000, end: 2_010, duration: 9_800, billed: 10),
    Invocation(number: 14, start: 3_000, end: 6_001, duration: 3_000_000, status: .timeout, billed: 3_000),
    Invocation(number: 15, start: 10_000, end: 13_001, duration: 3_000_000, status: .timeout, billed: 3_000),
    Invocation(
      number: 16, start: 20_000, end: 20_101, duration: 100_000, status: .error, errorType: "Runtime.OutOfMemory",
      memory: 128,
      billed: 100),
    Invocation(
      stream: GoldenCorpus.second, number: 21, start: 40_100, end: 40_200, duration: 99_100, status: .error,
      errorType: "Runtime.ExitError", billed: 100),
    Invocation(
      stream: GoldenCorpus.second, number: 22, start: 50_000, end: 50_301, duration: 300_000, status: .error,
      errorType: "Runtime.OutOfMemory", memory: 129, billed: 300),
    Invocation(stream: GoldenCorpus.second, number: 23, start: 4_000, end: 5_000, duration: 999_400, billed: 1_000),
    Invocation(
      stream: GoldenCorpus.restored, number: 31, start: 4_500, end: 4_800, duration: 299_300, restore: 511_250,
      billed: 603),
  ]

  private static func initialization(
    _ phase: InitializationPhase, _ status: PlatformEvent.Status, _ microseconds: Int64
  ) -> PlatformEvent.Kind {
    .initReport(
      .init(
        initializationType: .onDemand, phase: phase, status: status, duration: Nanoseconds(microseconds * 1_000)))
  }

  private static func environment(_ stream: String) -> PlatformEvent.EnvironmentStart {
    .init(
      initializationType: .onDemand, phase: .initialization, functionName: "orders", functionVersion: "$LATEST",
      instanceID: stream, runtimeVersion: "python:3.13.v30")
  }

  private static let initializations: [(stream: String, time: Int64, kind: PlatformEvent.Kind)] = [
    (GoldenCorpus.first, 0, .initStart(environment(GoldenCorpus.first))),
    (GoldenCorpus.first, 464, initialization(.initialization, .success, 463_510)),
    (GoldenCorpus.second, 30_000, .initStart(environment(GoldenCorpus.second))),
    (GoldenCorpus.second, 40_010, initialization(.initialization, .timeout, 10_009_870)),
    (GoldenCorpus.second, 40_190, initialization(.invocation, .error, 87_280)),
    (GoldenCorpus.restored, 3_900, .restoreStart(environment(GoldenCorpus.restored))),
    (GoldenCorpus.restored, 4_411, .restoreReport(.init(status: .success, duration: Nanoseconds(511_250_000)))),
  ]

  private static func kinds(_ given: Invocation) -> [(stream: String, time: Int64, kind: PlatformEvent.Kind)] {
    let report = PlatformEvent.Report(
      request: id(given.number), status: given.status, errorType: given.errorType,
      duration: Nanoseconds(given.duration * 1_000), billedMilliseconds: given.billed, memorySizeMegabytes: 128,
      memoryUsedMegabytes: given.memory, initializationDuration: given.initialization.map { Nanoseconds($0 * 1_000) },
      restoreDuration: given.restore.map { Nanoseconds($0 * 1_000) },
      billedRestoreMilliseconds: given.restore == nil ? nil : 303)
    let done = PlatformEvent.RuntimeDone(
      request: id(given.number), status: given.status, errorType: given.errorType,
      duration: Nanoseconds(given.duration * 1_000 - 500_000))
    return [
      (given.stream, given.start, .start(.init(request: id(given.number), version: "$LATEST"))),
      (given.stream, given.end - 1, .runtimeDone(done)), (given.stream, given.end, .report(report)),
    ]
  }

  private static func isLogged(_ kind: PlatformEvent.Kind, _ level: Level) -> Bool {
    switch (level, kind) {
    case (.debug, _): true
    case (.info, .initReport(let end)): end.status != .success
    case (.info, .runtimeDone(let done)): done.status != .success
    case (.info, _): true
    case (.warn, .initReport(let end)): end.status != .success
    case (.warn, .runtimeDone(let done)): done.status != .success
    case (.warn, .report(let report)): report.status != .success
    case (.warn, _): false
    }
  }

  /// The file that `aws logs tail` writes of such a log.
  static func file(_ level: Level) -> LogFile {
    var lines: [(time: Int64, text: String)] = []
    for (stream, time, kind) in (initializations + invocations.flatMap(kinds)) where isLogged(kind, level) {
      let record = TelemetryItem.platform(PlatformEvent(time: at(time), kind: kind)).records(.telemetry20250129)[0]
      lines.append((time, "\(text(time)) \(stream) \(String(decoding: record, as: UTF8.self))"))
    }
    let error = """
      {"timestamp":"2026-11-24T10:00:02.005Z","log_level":"ERROR","errorMessage":"no card","errorType":"ValueError",\
      "requestId":"\(id(13).value.uuidText)","stackTrace":["a"]}
      """
    lines.append((2_005, "\(text(2_005)) \(GoldenCorpus.first) \(error)"))
    lines.append((2_006, "\(text(2_006)) \(GoldenCorpus.first) EXTENSION\tName: agent\tState: Ready\tEvents: [INVOKE]"))
    return LogFile(lines.sorted { $0.time < $1.time }.map(\.text).joined(separator: "\n") + "\n")
  }

  private static func text(_ time: Int64) -> String {
    RFC3339.milliseconds(nanoseconds: at(time).nanoseconds, offset: "000+00:00")
  }
}

@Suite struct `The golden corpus in the JSON log format` {
  @Test(arguments: [GoldenRecords.Level.debug, .info])
  func `gives the same numbers and windows`(_ level: GoldenRecords.Level) {
    let imported = Imported([GoldenRecords.file(level)])
    #expect(imported.counts == `The golden corpus`.counts)
    let isEqual = imported.document.windows == `The golden corpus`.windows
    #expect(isEqual)
    #expect(imported.document.functions.map(\.name) == ["orders"])
    #expect(!imported.lives.hasFailuresOnly)
  }

  @Test func `has failures only at level WARN, which is said`() {
    let imported = Imported([GoldenRecords.file(.warn)])
    #expect(
      imported.counts
        == .of {
          ($0.invocations, $0.errors, $0.timeouts, $0.crashes, $0.outOfMemory) = (5, 5, 2, 1, 2)
          ($0.coldStarts, $0.initializations, $0.initializationFailures) = (1, 2, 2)
        })
    #expect(imported.lives.hasFailuresOnly)
  }
}
