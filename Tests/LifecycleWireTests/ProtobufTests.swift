import Lifecycle
import LifecycleEncoding
import LifecycleWire
import TestSupport
import Testing

@Suite struct `A batch in protobuf` {
  private static let source = SourceID(Identifier128(high: 0x0102_0304_0506_0708, low: 0x090A_0B0C_0D0E_0F10))

  @Test(arguments: 0..<200 as Range<UInt64>)
  func `gives back every field of every event`(_ seed: UInt64) throws {
    let events = RandomEvents.events(seed: seed, count: Int(seed) * 3)
    var encoder = EventEncoder()
    var decoder = EventDecoder()
    encoder.encode(EventBatch(source: Self.source, sequence: seed + 1, events: events))
    let decoded = try decoder.decode(encoder.bytes.span)
    #expect(decoded.source == Self.source)
    #expect(decoded.sequence == seed + 1)
    #expect(decoded.rejected == [])
    #expect(decoded.events == Canonical.order(events))
    #expect(decoded.indices == Array(events.indices))

    let bytes = encoder.bytes
    encoder.encode(decoded.events, source: Self.source, sequence: seed + 1)
    #expect(encoder.bytes == bytes, "what was read is written as it was")
  }

  @Test func `is the same whether its only event comes in an array or alone`() {
    var encoder = EventEncoder()
    for event in RandomEvents.events(seed: 7, count: 200) {
      encoder.encode([event], source: Self.source, sequence: 9)
      let bytes = encoder.bytes
      encoder.encode(event, source: Self.source, sequence: 9)
      #expect(encoder.bytes == bytes)
    }
  }

  @Test func `may have thousands of subjects`() throws {
    var random = SplitMix(seed: 1)
    let events = (0..<10_000).map { number in
      let instance = InstanceID(.random(using: &random))
      return LifecycleEvent(
        .instance(instance, of: FunctionID("function-\(number % 700)")),
        .warmedUp(WarmedUp(time: Timestamp(nanoseconds: Int64(number)), duration: .zero, succeeded: true)))
    }
    var encoder = EventEncoder()
    var decoder = EventDecoder()
    for _ in 0..<3 {
      encoder.encode(events, source: Self.source, sequence: 1)
      #expect(try decoder.decode(encoder.bytes.span).events == events)
    }
  }

  @Test func `that is empty has no source, no sequence and no events`() throws {
    var decoder = EventDecoder()
    let decoded = try decoder.decode([UInt8]().span)
    #expect(decoded.source == nil && decoded.sequence == nil && decoded.events == [] && decoded.rejected == [])
  }

  @Test func `is refused whole beyond the limit of events`() throws {
    var encoder = EventEncoder()
    var decoder = EventDecoder()
    encoder.encode(RandomEvents.events(seed: 3, count: 101), source: Self.source, sequence: 1)
    #expect(try decoder.decode(encoder.bytes.span, eventsLimit: 101).events.count == 101)
    let error = #expect(throws: WireError.self) { try decoder.decode(encoder.bytes.span, eventsLimit: 100) }
    #expect(error?.code == .tooManyEvents)
  }

  @Test func `that is cut off or has a wrong bit is refused, or loses events and nothing else`() {
    var encoder = EventEncoder()
    var decoder = EventDecoder()
    var random = SplitMix(seed: 5)
    encoder.encode(RandomEvents.events(seed: 11, count: 60), source: Self.source, sequence: 1)
    let bytes = encoder.bytes
    for length in bytes.indices {
      let part = Array(bytes[..<length])
      if let decoded = try? decoder.decode(part.span) { #expect(decoded.events.count <= 60) }
    }
    for _ in 0..<5_000 {
      var changed = bytes
      changed[Int.random(in: changed.indices, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      if let decoded = try? decoder.decode(changed.span) {
        #expect(decoded.indices.count == decoded.events.count)
      }
    }
  }

  @Test func `of very many empty parts is refused before it takes much memory`() {
    var decoder = EventDecoder()
    let parts = [UInt8](repeating: 0, count: 4 << 20).indices.map { $0 % 2 == 0 ? UInt8(0x1A) : 0 }
    let error = #expect(throws: WireError.self) { try decoder.decode(parts.span) }
    #expect(error?.code == .malformed)
    let unknown = [UInt8](repeating: 0, count: 4 << 20).indices.map { $0 % 2 == 0 ? UInt8(0x78) : 0 }
    #expect(throws: WireError.self) { try decoder.decode(unknown.span) }
  }

  @Test(arguments: [
    ([0x0A, 0x01, 0x00], "the source has 1 bytes instead of 16"),
    ([0x10, 0x00], "the sequence is 0; the first batch is 1"),
    (
      Array("{\"not\":\"protobuf\"}".utf8),
      "the batch is not a protobuf message of the schema in docs/formats/events.md"
    ),
  ])
  func `is refused whole if it is none`(_ bytes: [UInt8], _ sentence: String) {
    var decoder = EventDecoder()
    let error = #expect(throws: WireError.self) { try decoder.decode(bytes.span) }
    #expect(error?.code == .malformed)
    #expect(error?.message == sentence)
  }
}

/// The order in which batches come out of protobuf.
enum Canonical {
  static func order(_ events: [LifecycleEvent]) -> [LifecycleEvent] {
    var positions: [LifecycleEvent.Subject: Int] = [:]
    for event in events where positions[event.subject] == nil { positions[event.subject] = positions.count }
    return events.enumerated().sorted { left, right in
      let keys = [left, right].map { (positions[$0.element.subject] ?? 0, number($0.element.kind), $0.offset) }
      return keys[0] < keys[1]
    }.map(\.element)
  }

  private static func number(_ kind: LifecycleEvent.Kind) -> Int {
    switch kind {
    case .instanceStarted: 0
    case .warmedUp: 1
    case .instanceReady: 2
    case .invocationStarted: 3
    case .invocationHandedOver: 4
    case .invocationFinished: 5
    case .overlapStarted: 6
    case .overlapEnded: 7
    case .throttled: 8
    case .instanceStopped: 9
    case .limitsChanged: 10
    case .accountLimitsChanged: 11
    case .functionsListed: 12
    case .sourceChanged: 13
    }
  }
}
