package import Lifecycle

// The bytes of a fact without its time, as docs/formats/imports.md describes them: the same fact is always the same bytes.
extension LogFact {
  /// The first byte. Facts of one instant are in the order of their bytes, so these are in the order in which lines follow each other.
  private enum Mark: UInt8 {
    case environmentStart = 1
    case runtimeReady, initialization, restore, start, functionError, runtimeDone, timedOut, exited, end, report
  }

  /// The longest text in a fact, in bytes; what is longer is cut.
  private static let textMax = 256

  /// What it says, in bytes.
  package var bytes: [UInt8] {
    var writer = FactWriter()
    switch kind {
    case .event(let event): LogFact.write(event, to: &writer)
    case .timedOut(let request, let limit):
      writer.byte(Mark.timedOut.rawValue)
      writer.request(request)
      writer.number(limit.count)
    case .exited(let request, let isKilled):
      writer.byte(Mark.exited.rawValue)
      writer.request(request)
      writer.byte(isKilled ? 1 : 0)
    case .functionError(let request):
      writer.byte(Mark.functionError.rawValue)
      writer.optional(request) { $0.request($1) }
    }
    return writer.bytes
  }

  private static func write(_ event: PlatformEvent.Kind, to writer: inout FactWriter) {
    switch event {
    case .initStart(let start), .restoreStart(let start):
      writer.byte(Mark.environmentStart.rawValue)
      writer.optional(start.initializationType) { $0.byte($1.rawValue) }
      writer.optional(start.functionName ?? start.functionARN.flatMap(LifeReconstruction.functionName(ofARN:))) {
        $0.text($1, max: textMax)
      }
    case .initRuntimeDone(let end):
      writer.byte(Mark.runtimeReady.rawValue)
      writer.optional(end.initializationType) { $0.byte($1.rawValue) }
      writer.optional(end.status) { $0.byte($1.code) }
    case .initReport(let end):
      writer.byte(Mark.initialization.rawValue)
      writer.optional(end.initializationType) { $0.byte($1.rawValue) }
      writer.optional(end.phase) { $0.byte($1.rawValue) }
      writer.optional(end.status) { $0.byte($1.code) }
      writer.optional(end.duration) { $0.number($1.count) }
    case .restoreReport(let end):
      writer.byte(Mark.restore.rawValue)
      writer.byte(end.status.code)
      writer.optional(end.duration) { $0.number($1.count) }
    case .start(let start):
      writer.byte(Mark.start.rawValue)
      writer.request(start.request)
      writer.optional(start.functionARN.flatMap(LifeReconstruction.functionName(ofARN:))) { $0.text($1, max: textMax) }
    case .runtimeDone(let done):
      writer.byte(Mark.runtimeDone.rawValue)
      writer.request(done.request)
      writer.byte(done.status.code)
      writer.optional(done.errorType) { $0.text($1, max: textMax) }
      writer.optional(done.duration) { $0.number($1.count) }
      writer.optional(done.producedBytes) { $0.number($1) }
    case .end(let request):
      writer.byte(Mark.end.rawValue)
      writer.request(request)
    case .report(let report): write(report, to: &writer)
    case .restoreRuntimeDone, .fault, .extensionState, .subscription, .logsDropped: break
    }
  }

  private static func write(_ report: PlatformEvent.Report, to writer: inout FactWriter) {
    writer.byte(Mark.report.rawValue)
    writer.request(report.request)
    writer.byte(report.status.code)
    writer.number(report.duration.count)
    writer.optional(report.errorType) { $0.text($1, max: textMax) }
    writer.optional(report.billedMilliseconds) { $0.number($1) }
    writer.optional(report.memorySizeMegabytes) { $0.number($1) }
    writer.optional(report.memoryUsedMegabytes) { $0.number($1) }
    writer.optional(report.initializationDuration) { $0.number($1.count) }
    writer.optional(report.restoreDuration) { $0.number($1.count) }
    writer.byte(report.spans.isEmpty ? 0 : 1)
  }

  /// Reads what ``bytes`` writes.
  ///
  /// - Returns: `nil` if it is anything else.
  package init?(bytes: Span<UInt8>, at time: Timestamp) {
    var reader = FactReader(bytes)
    guard let mark = reader.byte().flatMap(Mark.init(rawValue:)), let kind = LogFact.read(mark, &reader),
      reader.isAtEnd
    else { return nil }
    switch kind {
    case .event(let event): self.init(event, at: time)
    case .timedOut(_, let limit) where !LogFact.isPossible(limit): return nil
    case .timedOut, .exited, .functionError: self.init(time: time, kind: kind)
    }
  }

  private static func read(_ mark: Mark, _ reader: inout FactReader) -> Kind? {
    switch mark {
    case .environmentStart:
      guard let type = reader.optional({ $0.word(InitializationType.self) }),
        let name = reader.optional({ $0.text(max: textMax) })
      else { return nil }
      return .event(.initStart(PlatformEvent.EnvironmentStart(initializationType: type, functionName: name)))
    case .runtimeReady:
      guard let type = reader.optional({ $0.word(InitializationType.self) }),
        let status = reader.optional({ $0.status() })
      else { return nil }
      return .event(.initRuntimeDone(PlatformEvent.InitializationEnd(initializationType: type, status: status)))
    case .initialization:
      guard let type = reader.optional({ $0.word(InitializationType.self) }),
        let phase = reader.optional({ $0.word(InitializationPhase.self) }),
        let status = reader.optional({ $0.status() }), let duration = reader.optional({ $0.number() }),
        let duration
      else { return nil }
      return .event(
        .initReport(
          PlatformEvent.InitializationEnd(
            initializationType: type, phase: phase, status: status, duration: Nanoseconds(duration))))
    case .restore:
      guard let status = reader.status(), let duration = reader.optional({ $0.number() }), let duration else {
        return nil
      }
      return .event(.restoreReport(PlatformEvent.RestoreEnd(status: status, duration: Nanoseconds(duration))))
    case .start, .end, .runtimeDone, .report, .functionError, .timedOut, .exited:
      return readOfInvocation(mark, &reader)
    }
  }

  private static func readOfInvocation(_ mark: Mark, _ reader: inout FactReader) -> Kind? {
    if mark == .functionError {
      guard let request = reader.optional({ $0.request() }) else { return nil }
      return .functionError(request)
    }
    guard let request = reader.request() else { return nil }
    switch mark {
    case .start:
      guard let name = reader.optional({ $0.text(max: textMax) }) else { return nil }
      // Only the name in it is asked for.
      let arn = name.map { "arn:aws:lambda:::function:\($0)" }
      return .event(.start(PlatformEvent.Start(request: request, functionARN: arn)))
    case .end: return .event(.end(request))
    case .timedOut: return reader.number().map { .timedOut(request, limit: Nanoseconds($0)) }
    case .exited: return reader.flag().map { .exited(request, isKilled: $0) }
    case .runtimeDone:
      guard let status = reader.status(), let type = reader.optional({ $0.text(max: textMax) }),
        let duration = reader.optional({ $0.number() }), let produced = reader.optional({ $0.number() })
      else { return nil }
      return .event(
        .runtimeDone(
          PlatformEvent.RuntimeDone(
            request: request, status: status, errorType: type, duration: duration.map { Nanoseconds($0) },
            producedBytes: produced)))
    case .report: return report(of: request, &reader).map { .event(.report($0)) }
    case .environmentStart, .runtimeReady, .initialization, .restore, .functionError: return nil
    }
  }

  private static func report(of request: RequestID, _ reader: inout FactReader) -> PlatformEvent.Report? {
    guard let status = reader.status(), let duration = reader.number() else { return nil }
    var report = PlatformEvent.Report(request: request, status: status, duration: Nanoseconds(duration))
    guard let type = reader.optional({ $0.text(max: textMax) }), let billed = reader.optional({ $0.number() }),
      let size = reader.optional({ $0.number() }), let used = reader.optional({ $0.number() }),
      let initialization = reader.optional({ $0.number() }), let restore = reader.optional({ $0.number() }),
      let hasSpans = reader.flag()
    else { return nil }
    (report.errorType, report.billedMilliseconds) = (type, billed)
    (report.memorySizeMegabytes, report.memoryUsedMegabytes) = (size, used)
    report.initializationDuration = initialization.map { Nanoseconds($0) }
    report.restoreDuration = restore.map { Nanoseconds($0) }
    // That there are any tells managed instances; which ones is not asked.
    if hasSpans {
      report.spans = [PlatformEvent.Span(name: "", start: Timestamp(nanoseconds: 0), duration: .zero)]
    }
    return report
  }
}

extension PlatformEvent.Status {
  /// Its number in facts.
  var code: UInt8 {
    switch self {
    case .success: 0
    case .failure: 1
    case .error: 2
    case .timeout: 3
    }
  }
}
