internal import Lifecycle
internal import Windows

/// The stored form of a function's totals: a version, when it was first seen, the tally, the integrals, the limits.
enum FunctionCodec {
  static let version: UInt8 = 1

  static func encode(_ function: FunctionCheckpoint) -> [UInt8] {
    var writer = ByteWriter()
    writer.byte(version)
    writer.signed(function.firstSeen.nanoseconds)
    writer.write(function.totals)
    writer.wide(function.concurrencyNanoseconds)
    writer.wide(function.endedConcurrencyNanoseconds)
    writer.list(function.limits) { $0.write($1) }
    return writer.bytes
  }

  static func decode(_ bytes: [UInt8], function: FunctionID) throws(StoreError) -> FunctionCheckpoint {
    var reader = ByteReader(bytes, what: "total of \(function.name)")
    try reader.expectVersion(version)
    let firstSeen = Timestamp(nanoseconds: try reader.signed())
    let totals = try reader.tally()
    let integral = try reader.wide()
    let ended = try reader.wide()
    let limits = try reader.list { (reader) throws(StoreError) in try reader.functionLimits() }
    try reader.expectEnd()
    return FunctionCheckpoint(
      function: function, firstSeen: firstSeen, totals: totals, concurrencyNanoseconds: integral,
      endedConcurrencyNanoseconds: ended, limits: limits)
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
  }
}

extension ByteReader {
  mutating func functionLimits() throws(StoreError) -> FunctionLimitsChanged {
    let time = Timestamp(nanoseconds: try signed())
    let reserved = try optional { (reader) throws(StoreError) in try reader.signed() }
    let provisioned = try optional { (reader) throws(StoreError) in
      ProvisionedConcurrency(
        requested: try reader.signed(), allocated: try reader.signed(), available: try reader.signed())
    }
    return FunctionLimitsChanged(
      time: time, reserved: reserved, provisioned: provisioned, memoryLimitBytes: try signed(),
      timeout: Nanoseconds(try signed()), temporaryStorageLimitBytes: try signed())
  }
}
