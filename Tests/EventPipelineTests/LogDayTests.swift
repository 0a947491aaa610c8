import EventPipeline
import LambdaRecords
import Lifecycle
import LogImport
import TestSupport
import Testing
import Windows

/// A day as far as AWS's platform tells of one, and the roads by which its records come: each gives the same windows and totals, to the bit.
///
/// Neither records nor lines know of throttles, triggers, limits and the ends of instances, and times are whole milliseconds. Errors that a
/// handler reports itself are in a text log only as what the program wrote; those of this day are timeouts and crashes.
@Suite struct `A day in logs` {
  /// How records come.
  enum Road: CaseIterable, Sendable {
    /// By the Telemetry API, in its newest schema, instance by instance.
    case telemetry
    /// As a subscription has them, in both formats of lines.
    case text, json
    /// From eight senders, shuffled within ten minutes, and each push twice.
    case scatteredTelemetry, scatteredText, scatteredJSON

    fileprivate var isScattered: Bool {
      self == .scatteredTelemetry || self == .scatteredText || self == .scatteredJSON
    }

    fileprivate var format: LogFormat? {
      switch self {
      case .telemetry, .scatteredTelemetry: nil
      case .text, .scatteredText: .text
      case .json, .scatteredJSON: .json
      }
    }
  }

  private static let day = PlatformDay.events(seed: 20_261_130)

  @Test func `is the same by every road`() async throws {
    let own = try await RecordedDay(Self.day) { pipeline, events in
      for event in events { pipeline.offer(event) }
    }
    #expect(own.windows.count > 500)
    for road in Road.allCases {
      let pushes = Pushes(road)
      let other = try await RecordedDay(Self.day) { pipeline, events in
        try await pushes.send(events, to: pipeline)
      }
      #expect(own.windows.keys == other.windows.keys, "\(road)")
      for (key, rollup) in own.windows {
        guard let same = other.windows[key] else { continue }
        #expect(same == rollup, "\(road): \(key)")
      }
      #expect(own.totals == other.totals, "\(road)")
    }
  }
}

/// Invocations and initializations of some functions, whose instances serve one after the other.
private struct PlatformDay {
  private var random: SplitMix
  private var events: [LifecycleEvent] = []

  static func events(seed: UInt64) -> [LifecycleEvent] {
    var day = PlatformDay(random: SplitMix(seed: seed))
    for function in 0..<4 {
      for instance in 0..<5 {
        day.addInstance(
          InstanceID(Identifier128(high: UInt64(function) << 32 | 0xABC, low: UInt64(instance) << 20 | 0xDEF)),
          of: FunctionID("function-\(function)"))
      }
    }
    return day.events.sorted { $0.kind.latest < $1.kind.latest }
  }

  private mutating func milliseconds(_ range: Range<Int64>) -> Nanoseconds {
    .milliseconds(Int64.random(in: range, using: &random))
  }

  /// An instance of some hours, with pauses of all lengths between its invocations.
  private mutating func addInstance(_ instance: InstanceID, of function: FunctionID) {
    var time = ten + milliseconds(60_000..<16 * 3_600_000)
    let initialization = milliseconds(80..<4_000)
    events.append(
      LifecycleEvent(
        .instance(instance, of: function),
        .instanceReady(
          InstanceReady(
            time: time, duration: initialization, initializationType: .onDemand, phase: .initialization,
            status: .success))))
    for number in 0..<40 {
      let duration = milliseconds([1..<20, 20..<900, 900..<70_000][Int.random(in: 0..<3, using: &random)])
      let outcome =
        [Outcome.success, .success, .success, .success, .timeout, .crash, .outOfMemory]
        .randomElement(using: &random) ?? .success
      let billed = (duration + (number == 0 ? initialization : .zero)).billedMilliseconds
      events.append(
        LifecycleEvent(
          .instance(instance, of: function),
          .invocationFinished(
            InvocationFinished(
              request: RequestID(.random(using: &random)), start: time, duration: duration, trigger: .direct,
              pool: .unreserved, isColdStart: number == 0, outcome: outcome,
              timeoutSource: outcome == .timeout ? .platform : nil, billed: .milliseconds(billed),
              memoryUsedBytes: Int64.random(in: 20..<128, using: &random) << 20))))
      time = time + duration + milliseconds([0..<2, 1..<3_000, 3_000..<600_000][Int.random(in: 0..<3, using: &random)])
    }
  }
}

/// Those who push what the platform says of a day's events.
private final class Pushes {
  private let road: `A day in logs`.Road
  private var logs = LiveLogs()
  private var random = SplitMix(seed: 8)

  init(_ road: `A day in logs`.Road) { self.road = road }

  /// What happened in one instance, as the platform tells it.
  private struct Told {
    var instance: InstanceID
    var function: FunctionID
    var event: PlatformEvent
  }

  func send(_ events: [LifecycleEvent], to pipeline: EventPipeline) async throws {
    let now = events.map(\.kind.latest).max() ?? ten
    var told = events.flatMap(Self.told)
    guard road.isScattered else { return try await push(told, at: now, to: pipeline) }
    told.shuffle(using: &random)
    for sender in 0..<8 {
      let own = told.indices.filter { $0 % 8 == sender }.map { told[$0] }
      try await push(own, at: now, to: pipeline)
      try await push(own, at: now, to: pipeline)
    }
  }

  private func push(_ told: [Told], at now: Timestamp, to pipeline: EventPipeline) async throws {
    for own in Dictionary(grouping: told, by: \.instance).values.sorted(by: { $0[0].event.time < $1[0].event.time }) {
      let stream = LogStreamName(of: own[0].instance, version: FunctionID.latest, at: ten).text
      let bytes = body(own, stream)
      guard !bytes.isEmpty else { continue }
      let reading = logs.take(bytes.span, function: own[0].function.name, stream: stream, now: now)
      #expect(reading.rejected.isEmpty, "\(reading.rejected)")
      guard !reading.events.isEmpty else { continue }
      let batch = EventBatch(source: SourceID(.random(using: &random)), sequence: 1, events: reading.events)
      async let completion = pipeline.submit(batch)
      try await eventually { pipeline.queued.waitingInBatches == batch.events.count }
      await pipeline.turn()
      #expect(await completion.isApplied)
    }
  }

  private func body(_ told: [Told], _ stream: String) -> [UInt8] {
    guard let format = road.format else {
      let records = told.flatMap { TelemetryItem.platform($0.event).records(.telemetry20250129) }
      return Array("[\(records.map { String(decoding: $0, as: UTF8.self) }.joined(separator: ","))]".utf8)
    }
    let events = told.flatMap { one in
      let lines = String(decoding: LogLine.bytes(of: one.event, format), as: UTF8.self)
      return lines.split(separator: "\n").map { line in
        let message = line.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\t", with: "\\t")
        return #"{"id":"1","timestamp":\#(one.event.time.nanoseconds / 1_000_000),"message":"\#(message)\n"}"#
      }
    }
    guard !events.isEmpty else { return [] }
    return Array(
      (#"{"messageType":"DATA_MESSAGE","owner":"1","logGroup":"/aws/lambda/\#(told[0].function.name)","logStream":"\#(stream)","#
        + #""subscriptionFilters":[],"logEvents":[\#(events.joined(separator: ","))]}"#).utf8)
  }

  private static func told(_ event: LifecycleEvent) -> [Told] {
    guard case .instance(let instance, let function) = event.subject else { return [] }
    return platformEvents(event.kind, function).map { Told(instance: instance, function: function, event: $0) }
  }

  private static func platformEvents(_ kind: LifecycleEvent.Kind, _ function: FunctionID) -> [PlatformEvent] {
    switch kind {
    case .instanceReady(let ready):
      let end = PlatformEvent.InitializationEnd(
        initializationType: .onDemand, phase: .initialization, status: .success, duration: ready.duration)
      return [
        PlatformEvent(
          time: ready.time - ready.duration,
          kind: .initStart(
            PlatformEvent.EnvironmentStart(
              initializationType: .onDemand, phase: .initialization, functionName: function.name,
              functionVersion: "$LATEST"))),
        PlatformEvent(time: ready.time, kind: .initRuntimeDone(end)),
        PlatformEvent(time: ready.time, kind: .initReport(end)),
      ]
    case .invocationFinished(let finished):
      let (status, error): (PlatformEvent.Status, String?) =
        switch finished.outcome {
        case .success: (.success, nil)
        case .timeout: (.timeout, nil)
        case .outOfMemory: (.error, "Runtime.OutOfMemory")
        case .crash, .error: (.error, "Runtime.ExitError")
        }
      let billed = finished.billed.count / 1_000_000
      let initialization = finished.isColdStart ? Nanoseconds(finished.billed.count - finished.duration.count) : nil
      return [
        PlatformEvent(time: finished.start, kind: .start(.init(request: finished.request, version: "$LATEST"))),
        PlatformEvent(
          time: finished.end,
          kind: .runtimeDone(
            .init(request: finished.request, status: status, errorType: error, duration: finished.duration))),
        PlatformEvent(
          time: finished.end,
          kind: .report(
            PlatformEvent.Report(
              request: finished.request, status: status, errorType: error, duration: finished.duration,
              billedMilliseconds: billed, memorySizeMegabytes: 128, memoryUsedMegabytes: finished.memoryUsedBytes >> 20,
              initializationDuration: initialization))),
      ]
    default: return []
    }
  }
}
