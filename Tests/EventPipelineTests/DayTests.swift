import EventPipeline
import Lifecycle
import LifecycleEncoding
import LifecycleWire
import TestSupport
import Testing
import Windows

/// A recorded day, and the roads by which it may come: each gives the same windows and totals, to the bit.
@Suite struct `A day` {
  private static let day = RandomStory.events(
    seed: 20_261_130, from: ten, lasting: .seconds(RecordedDay.hours * 3_600), invocations: 4_000
  ).sorted { $0.kind.latest < $1.kind.latest }

  /// How events come.
  enum Road: CaseIterable, Sendable {
    /// From one sender.
    case protobuf, lines
    /// From eight senders, shuffled within ten minutes, in both forms, and each batch twice.
    case scattered
  }

  @Test func `is the same by every road`() async throws {
    let own = try await RecordedDay(Self.day) { pipeline, events in
      for event in events { pipeline.offer(event) }
    }
    #expect(own.windows.count > 1_000)
    for road in Road.allCases {
      let senders = Senders(road)
      let other = try await RecordedDay(Self.day) { pipeline, events in
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
