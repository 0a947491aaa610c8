import Lifecycle
import LifecycleWire
import Testing

/// Builds messages field by field, right or wrong.
struct Message {
  var bytes: [UInt8] = []

  static func of(_ body: (inout Message) -> Void) -> [UInt8] {
    var message = Message()
    body(&message)
    return message.bytes
  }

  mutating func data(_ field: Int, _ data: [UInt8]) {
    varint(field << 3 | 2)
    varint(data.count)
    bytes += data
  }

  mutating func message(_ field: Int, _ body: (inout Message) -> Void) { data(field, Message.of(body)) }

  mutating func numbers(_ field: Int, _ values: [Int64]) {
    data(field, values.flatMap { value in (0..<8).map { UInt8(truncatingIfNeeded: value >> Int64($0 * 8)) } })
  }

  mutating func number(_ field: Int, _ value: Int) {
    varint(field << 3)
    varint(value)
  }

  private mutating func varint(_ value: Int) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(rest & 0x7F) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }
}

@Suite struct `A table of events` {
  private func decode(_ body: (inout Message) -> Void) throws -> DecodedBatch {
    var decoder = EventDecoder()
    return try decoder.decode(Message.of { $0.message(3, body) }.span)
  }

  private func started(
    requests: [UInt8], times: [Int64] = [1, 2, 3], triggers: [UInt8] = [0, 1, 2], pools: [UInt8] = [2, 2, 2]
  ) throws -> DecodedBatch {
    try decode { subject in
      subject.data(1, Array("orders".utf8))
      subject.message(7) { table in
        table.data(1, requests)
        table.numbers(2, times)
        table.data(3, triggers)
        table.data(4, pools)
      }
    }
  }

  private static let requests = [UInt8](repeating: 7, count: 48)

  @Test func `has a row for each event`() throws {
    let batch = try started(requests: Self.requests)
    #expect(batch.events.count == 3 && batch.rejected == [])
    #expect(batch.events.allSatisfy { $0.subject == .function(FunctionID("orders")) })
  }

  @Test func `loses the rows that a shorter column does not have`() throws {
    let batch = try started(requests: Self.requests, times: [1, 2])
    #expect(batch.events.count == 2)
    #expect(
      batch.rejected == [
        RejectedEvent(
          index: 2, reason: .malformed,
          sentence: "its column time is missing or has fewer rows than the table")
      ])
    let cut = try started(requests: Array(Self.requests.dropLast(20)))
    #expect(cut.events.count == 1)
    #expect(cut.rejected.map(\.index) == [1, 2])
    let torn = try started(requests: Self.requests + [1], times: [1, 2, 3])
    #expect(torn.events.count == 3)
    #expect(torn.rejected.map(\.reason) == [.malformed])
  }

  @Test func `loses a row whose word is unknown`() throws {
    let batch = try started(requests: Self.requests, triggers: [0, 77, 2])
    #expect(batch.events.count == 2)
    #expect(batch.indices == [0, 2])
    #expect(
      batch.rejected == [
        RejectedEvent(index: 1, reason: .unknownWord, sentence: "its trigger is 77, which Kelvin does not know")
      ])
  }

  @Test func `is lost with all rows if its function has no name`() throws {
    for name in [[], [0xFF, 0xFE], [UInt8](repeating: 0x61, count: 141)] as [[UInt8]] {
      let batch = try decode { subject in
        subject.data(1, name)
        subject.message(10) { table in
          table.data(1, Self.requests)
          table.numbers(2, [1, 2, 3])
        }
      }
      #expect(batch.events == [])
      #expect(batch.rejected.map(\.reason) == [.functionName, .functionName, .functionName])
    }
  }

  @Test func `is lost with all rows if its instance is no identifier`() throws {
    let batch = try decode { subject in
      subject.data(1, Array("orders".utf8))
      subject.data(3, [1, 2, 3])
      subject.message(10) { table in
        table.data(1, Self.requests)
        table.numbers(2, [1, 2, 3])
      }
    }
    #expect(batch.events == [])
    #expect(batch.rejected.map(\.sentence).first == "its instance has 3 bytes instead of 16")
  }

  @Test func `may leave out columns that have a default, and have columns that nobody knows yet`() throws {
    let batch = try decode { subject in
      subject.data(1, Array("orders".utf8))
      subject.data(19, Array("a tenant".utf8))
      subject.number(90, 7)
      subject.message(9) { table in
        table.data(1, Array(Self.requests.prefix(16)))
        table.numbers(2, [1])
        table.numbers(3, [5])
        table.data(4, [4])
        table.data(5, [2])
        table.data(6, [0])
        table.data(15, Array("arn:aws:lambda:…".utf8))
        table.numbers(17, [4])
      }
      subject.message(60) { $0.numbers(1, [1, 2, 3]) }
    }
    #expect(batch.rejected == [])
    let request = RequestID(Identifier128(high: 0x0707_0707_0707_0707, low: 0x0707_0707_0707_0707))
    let finished = InvocationFinished(
      request: request, start: Timestamp(nanoseconds: 1), duration: Nanoseconds(5), trigger: .direct, pool: .unreserved,
      outcome: .success)
    #expect(batch.events == [LifecycleEvent(.function(FunctionID("orders")), .invocationFinished(finished))])
  }
}
