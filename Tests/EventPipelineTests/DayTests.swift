import EventJournal
import EventPipeline
import Foundation
import Lifecycle
import LifecycleEncoding
import LifecycleWire
import Logging
import TestSupport
import Testing
import WindowStore
import Windows

/// A recorded day, and the roads by which it may come: each gives the same windows and totals, to the bit.
@Suite struct `A day` {
  private static let hours: Int64 = 24
  private static let day = RandomStory.events(
    seed: 20_261_130, from: ten, lasting: .seconds(hours * 3_600), invocations: 4_000
  ).sorted { $0.kind.latest < $1.kind.latest }

  /// How events come.
  enum Road: CaseIterable, Sendable {
    /// From one sender.
    case protobuf, lines
    /// From eight senders, shuffled within ten minutes, in both forms, and each batch twice.
    case scattered
  }

  @Test func `is the same by every road`() async throws {
    let own = try await Self.recorded { pipeline, events in
      for event in events { pipeline.offer(event) }
    }
    #expect(own.windows.count > 1_000)
    for road in Road.allCases {
      let senders = Senders(road)
      let other = try await Self.recorded { pipeline, events in
        try await senders.send(events, to: pipeline)
      }
      #expect(own.windows.keys == other.windows.keys, "\(road)")
      for (key, rollup) in own.windows {
        guard let same = other.windows[key] else { continue }
        #expect(same == rollup, "\(road): \(key)")
      }
      #expect(own.totals == other.totals, "\(road)")
    }
  }

  /// What is in the store after a day.
  private struct Recorded {
    var windows: [WindowKey: Rollup] = [:]
    var totals: [FunctionID: Tally] = [:]
  }

  /// Has a pipeline of its own take the day, ten minutes at a time.
  private static func recorded(
    _ take: (EventPipeline, [LifecycleEvent]) async throws -> Void
  ) async throws -> Recorded {
    let directory = NSTemporaryDirectory() + "kelvin-day-" + UUID().uuidString
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let time = FakeTime()
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let pipeline = EventPipeline(
      PipelineConfiguration(aggregator: AggregatorConfiguration()), time: time.time, logger: logger,
      openStores: { () throws(StoreError) in
        let store = try PipelineFixture.store(directory)
        let journal = try FileJournal.open(
          directory: directory, identity: store.identity, elapsed: { .zero }, logger: logger)
        return (store, journal)
      })
    try await pipeline.start()
    var rest = day[...]
    for slice in 0..<Int(hours * 6) {
      let end = ten + .seconds(Int64(slice + 1) * 600)
      let events = Array(rest.prefix { $0.kind.latest < end })
      rest = rest.dropFirst(events.count)
      time.advance(to: end)
      try await take(pipeline, events)
      await pipeline.turn()
    }
    try await take(pipeline, Array(rest))
    time.advance(to: ten + .seconds(hours * 3_600 + 7_200))
    for _ in 0..<3 {
      await pipeline.turn()
      time.advance(to: time.now + .seconds(2))
    }
    _ = await pipeline.finish()
    return try stored(directory)
  }

  private static func stored(_ directory: String) throws -> Recorded {
    let reader = try WindowReader.open(directory: directory)
    let checkpoint = try #require(try reader.checkpoint())
    var recorded = Recorded()
    let scopes = [Scope.account] + checkpoint.functions.map { .function($0.function) }
    for scope in scopes {
      let selection = WindowSelection(
        scope: scope, from: ten - .seconds(3_600), to: ten + .seconds((hours + 2) * 3_600), tier: .seconds(60),
        resolution: .seconds(60))
      for (start, rollup) in try reader.finalWindows(selection, since: nil).rollups {
        recorded.windows[WindowKey(scope: scope, start: start)] = rollup
      }
    }
    for function in checkpoint.functions { recorded.totals[function.function] = function.totals }
    return recorded
  }
}

/// Those who send a day, by their road.
private final class Senders {
  private let road: `A day`.Road
  private var sequences: [UInt64]
  private var random = SplitMix(seed: 8)
  private var encoder = EventEncoder()
  private var decoder = EventDecoder()

  init(_ road: `A day`.Road) {
    self.road = road
    sequences = Array(repeating: 0, count: road == .scattered ? 8 : 1)
  }

  func send(_ events: [LifecycleEvent], to pipeline: EventPipeline) async throws {
    var events = events
    if road == .scattered { events.shuffle(using: &random) }
    for sender in sequences.indices {
      let own = events.indices.filter { $0 % sequences.count == sender }.map { events[$0] }
      guard !own.isEmpty else { continue }
      sequences[sender] += 1
      let source = SourceID(Identifier128(high: 9, low: UInt64(sender)))
      let batch = EventBatch(source: source, sequence: sequences[sender], events: own)
      let carried = try carried(batch, asLines: road == .lines || road == .scattered && sender % 2 == 1)
      #expect(try await completion(of: carried, pipeline).isApplied)
      if road == .scattered { #expect(try await completion(of: carried, pipeline) == .duplicate) }
    }
  }

  /// What arrives of a batch.
  private func carried(_ batch: EventBatch, asLines: Bool) throws -> EventBatch {
    let decoded: DecodedBatch
    if asLines {
      let lines =
        [EventLines.header(source: batch.source, sequence: batch.sequence)] + batch.events.map(EventLines.line)
      let bytes = Array(lines.joined())
      decoded = try EventLines.read(bytes.span)
    } else {
      encoder.encode(batch)
      decoded = try decoder.decode(encoder.bytes.span)
    }
    #expect(decoded.rejected.isEmpty)
    return EventBatch(
      source: try #require(decoded.source), sequence: try #require(decoded.sequence), events: decoded.events)
  }

  private func completion(of batch: EventBatch, _ pipeline: EventPipeline) async throws -> Completion {
    async let completion = pipeline.submit(batch)
    try await eventually { pipeline.queued.waitingInBatches == batch.events.count }
    await pipeline.turn()
    return await completion
  }
}
