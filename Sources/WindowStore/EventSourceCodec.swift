internal import Lifecycle
internal import Windows

/// The stored form of an event source: a version, when it was first seen, its totals, what there is now, and whether another process has it.
enum EventSourceCodec {
  static let version: UInt8 = 1

  static func encode(_ source: EventSourceCheckpoint) -> [UInt8] {
    var writer = ByteWriter()
    writer.byte(version)
    writer.signed(source.firstSeen.nanoseconds)
    writer.write(source.totals)
    writer.list(source.present.levels) { writer, held in
      writer.byte(held.level.rawValue)
      writer.signed(held.time.nanoseconds)
      writer.signed(held.value)
    }
    writer.optional(source.present.oldest) { $0.signed($1.nanoseconds) }
    writer.optional(source.present.oldestTold) { $0.signed($1.nanoseconds) }
    writer.byte(source.present.isGone ? 1 : 0)
    writer.byte(source.isRemote ? 1 : 0)
    return writer.bytes
  }

  static func decode(_ bytes: [UInt8], source: EventSourceID) throws(StoreError) -> EventSourceCheckpoint {
    var reader = ByteReader(bytes, what: "total of the \(source.trigger.name) \(source.name)")
    _ = try reader.version(through: version)
    let firstSeen = Timestamp(nanoseconds: try reader.signed())
    let totals = try reader.eventSourceTally()
    var present = EventSourcePresent()
    present.levels = try reader.list { (reader) throws(StoreError) in
      EventSourcePresent.Held(
        level: try reader.word(), time: Timestamp(nanoseconds: try reader.signed()), value: try reader.signed())
    }
    guard Set(present.levels.map(\.level)).count == present.levels.count else { throw reader.damage }
    present.oldest = try reader.optional { (reader) throws(StoreError) in
      Timestamp(nanoseconds: try reader.signed())
    }
    present.oldestTold = try reader.optional { (reader) throws(StoreError) in
      Timestamp(nanoseconds: try reader.signed())
    }
    present.isGone = try reader.flag()
    let isRemote = try reader.flag()
    try reader.expectEnd()
    return EventSourceCheckpoint(
      source: source, firstSeen: firstSeen, totals: totals, present: present, isRemote: isRemote)
  }
}

extension ByteWriter {
  /// A mask of the counters that are not 0, then those; the same of the durations.
  fileprivate mutating func write(_ tally: EventSourceTally) {
    let counters = EventSourceCounter.allCases.filter { tally[$0] > 0 }
    unsigned(counters.reduce(0) { $0 | 1 << UInt64($1.rawValue) })
    for counter in counters { unsigned(tally[counter]) }
    let durations = EventSourceDuration.allCases.filter { !tally[$0].isEmpty }
    unsigned(durations.reduce(0) { $0 | 1 << UInt64($1.rawValue) })
    for duration in durations { write(tally[duration]) }
  }

  mutating func write(_ rollup: EventSourceRollup) {
    write(rollup.tally)
    let levels = EventSourceLevel.allCases.filter { rollup.peaks[$0] > 0 }
    unsigned(levels.reduce(0) { $0 | 1 << UInt64($1.rawValue) })
    for level in levels { signed(rollup.peaks[level]) }
    signed(rollup.peaks.oldestAge.count)
  }
}

extension ByteReader {
  /// The words whose bits are set.
  private mutating func words<Value: Word>(_: Value.Type) throws(StoreError) -> [Value] {
    let mask = try unsigned()
    guard mask < 1 << UInt64(Value.allCases.count) else { throw damage }
    return Value.allCases.filter { mask & 1 << UInt64($0.rawValue) != 0 }
  }

  fileprivate mutating func eventSourceTally() throws(StoreError) -> EventSourceTally {
    var tally = EventSourceTally()
    for counter in try words(EventSourceCounter.self) { tally[counter] = try unsigned() }
    for duration in try words(EventSourceDuration.self) { tally[duration] = try distribution(.duration) }
    return tally
  }

  mutating func eventSourceRollup() throws(StoreError) -> EventSourceRollup {
    var rollup = EventSourceRollup()
    rollup.tally = try eventSourceTally()
    for level in try words(EventSourceLevel.self) {
      rollup.peaks[level] = try signed()
      guard rollup.peaks[level] >= 0 else { throw damage }
    }
    rollup.peaks.oldestAge = Nanoseconds(try signed())
    guard rollup.peaks.oldestAge >= .zero else { throw damage }
    return rollup
  }
}
