internal import Lifecycle
internal import Windows

/// The stored form of what was counted and may be told again: a version, a number, then of each its kind, its identity, the difference
/// of its start to the one before, and its length.
enum ToldCodec {
  static let version: UInt8 = 1

  static func encode(_ told: [ToldLife]) -> [UInt8] {
    var writer = ByteWriter()
    writer.byte(version)
    writer.unsigned(UInt64(told.count))
    var previous: Int64 = 0
    for life in told {
      writer.byte(life.kind.rawValue)
      writer.fixed(life.identity.high)
      writer.fixed(life.identity.low)
      writer.signed(life.start.nanoseconds &- previous)
      writer.signed(life.end.nanoseconds &- life.start.nanoseconds)
      previous = life.start.nanoseconds
    }
    return writer.bytes
  }

  static func decode(_ bytes: [UInt8]) throws(StoreError) -> [ToldLife] {
    var reader = ByteReader(bytes, what: "told lives")
    try reader.expectVersion(version)
    let count = try reader.count(ofSize: 19)
    var told: [ToldLife] = []
    told.reserveCapacity(count)
    var previous: Int64 = 0
    for _ in 0..<count {
      guard let kind = ToldLife.Kind(rawValue: try reader.byte()) else { throw reader.damage }
      let identity = Identifier128(high: try reader.fixed(), low: try reader.fixed())
      let (start, isTooLate) = previous.addingReportingOverflow(try reader.signed())
      let (end, isTooLong) = start.addingReportingOverflow(try reader.signed())
      guard !isTooLate, !isTooLong, end >= start else { throw reader.damage }
      told.append(
        ToldLife(
          kind: kind, identity: identity, start: Timestamp(nanoseconds: start), end: Timestamp(nanoseconds: end)))
      previous = start
    }
    try reader.expectEnd()
    return told
  }
}
