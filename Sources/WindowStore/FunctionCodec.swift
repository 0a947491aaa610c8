internal import Lifecycle
internal import Windows

/// The stored form of a function's totals: a version, when it was first seen, the tally, the integrals, the limits, and the
/// largest values of the latest windows, which version 1 did not have. Since version 3 limits say whether the function was
/// taken out.
enum FunctionCodec {
  static let version: UInt8 = 3

  static func encode(_ function: FunctionCheckpoint) -> [UInt8] {
    var writer = ByteWriter()
    writer.byte(version)
    writer.signed(function.firstSeen.nanoseconds)
    writer.write(function.totals)
    writer.wide(function.concurrencyNanoseconds)
    writer.wide(function.endedConcurrencyNanoseconds)
    writer.list(function.limits) { $0.write($1) }
    writer.list(function.endedPeaks) { writer, ended in
      writer.signed(ended.start.nanoseconds)
      writer.signed(ended.peaks.duration.count)
      writer.signed(ended.peaks.memoryUsedBytes)
    }
    return writer.bytes
  }

  static func decode(_ bytes: [UInt8], function: FunctionID) throws(StoreError) -> FunctionCheckpoint {
    var reader = ByteReader(bytes, what: "total of \(function.name)")
    let stored = try reader.version(through: version)
    let firstSeen = Timestamp(nanoseconds: try reader.signed())
    let totals = try reader.tally()
    let integral = try reader.wide()
    let ended = try reader.wide()
    let limits = try reader.list { (reader) throws(StoreError) in try reader.functionLimits(stored) }
    let peaks = stored < 2 ? [] : try reader.list { (reader) throws(StoreError) in try reader.endedPeaks() }
    try reader.expectEnd()
    return FunctionCheckpoint(
      function: function, firstSeen: firstSeen, totals: totals, concurrencyNanoseconds: integral,
      endedConcurrencyNanoseconds: ended, limits: limits, endedPeaks: peaks)
  }
}

extension ByteWriter {
  mutating func write(_ limits: FunctionLimitsChanged) {
    signed(limits.time.nanoseconds)
    optional(limits.reserved) { $0.signed($1) }
    optional(limits.provisioned) { writer, provisioned in
      writer.signed(provisioned.requested)
      writer.signed(provisioned.allocated)
      writer.signed(provisioned.available)
    }
    signed(limits.memoryLimitBytes)
    signed(limits.timeout.count)
    signed(limits.temporaryStorageLimitBytes)
    byte(limits.isGone ? 1 : 0)
  }
}

extension ByteReader {
  fileprivate mutating func endedPeaks() throws(StoreError) -> StoredEndedPeaks {
    StoredEndedPeaks(
      start: Timestamp(nanoseconds: try signed()),
      peaks: EndedPeaks(duration: Nanoseconds(try signed()), memoryUsedBytes: try signed()))
  }

  mutating func functionLimits(_ version: UInt8) throws(StoreError) -> FunctionLimitsChanged {
    let time = Timestamp(nanoseconds: try signed())
    let reserved = try optional { (reader) throws(StoreError) in try reader.signed() }
    let provisioned = try optional { (reader) throws(StoreError) in
      ProvisionedConcurrency(
        requested: try reader.signed(), allocated: try reader.signed(), available: try reader.signed())
    }
    var limits = FunctionLimitsChanged(
      time: time, reserved: reserved, provisioned: provisioned, memoryLimitBytes: try signed(),
      timeout: Nanoseconds(try signed()), temporaryStorageLimitBytes: try signed())
    if version >= 3 { limits.isGone = try flag() }
    return limits
  }
}
