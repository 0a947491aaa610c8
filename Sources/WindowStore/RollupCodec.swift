internal import Windows

/// The stored form of a rollup: a version, the tally, the peaks, the integral; of an event source, the version 2, its tally and its peaks.
enum RollupCodec {
  static let version: UInt8 = 1
  /// Of a window of an event source, which has a tally and peaks of its own kind.
  static let sourceVersion: UInt8 = 2

  static func encode(_ rollup: Rollup) -> [UInt8] {
    var writer = ByteWriter()
    guard rollup.eventSource.isEmpty else {
      writer.byte(sourceVersion)
      writer.write(rollup.eventSource)
      return writer.bytes
    }
    writer.byte(version)
    writer.write(rollup.tally)
    writer.write(rollup.peaks)
    writer.wide(rollup.concurrencyNanoseconds)
    return writer.bytes
  }

  static func decode(_ bytes: [UInt8]) throws(StoreError) -> Rollup {
    var reader = ByteReader(bytes, what: "window")
    var rollup = Rollup()
    if try reader.version(through: sourceVersion) == sourceVersion {
      rollup.eventSource = try reader.eventSourceRollup()
      try reader.expectEnd()
      return rollup
    }
    rollup.tally = try reader.tally()
    rollup.peaks = try reader.peaks()
    rollup.concurrencyNanoseconds = try reader.wide()
    guard rollup.concurrencyNanoseconds >= 0 else { throw reader.damage }
    try reader.expectEnd()
    return rollup
  }
}

extension ByteWriter {
  mutating func write(_ peaks: Peaks) {
    signed(peaks.concurrency)
    signed(peaks.provisionedConcurrency)
    signed(peaks.instances)
    signed(peaks.overlapping)
    signed(peaks.unreservedConcurrency)
    signed(peaks.claimedConcurrency)
    byte(peaks.provisionedUtilization == 0 ? 0 : 1)
    if peaks.provisionedUtilization != 0 { double(peaks.provisionedUtilization) }
  }
}

extension ByteReader {
  mutating func peaks() throws(StoreError) -> Peaks {
    var peaks = Peaks()
    peaks.concurrency = try signed()
    peaks.provisionedConcurrency = try signed()
    peaks.instances = try signed()
    peaks.overlapping = try signed()
    peaks.unreservedConcurrency = try signed()
    peaks.claimedConcurrency = try signed()
    peaks.provisionedUtilization = try optional { (reader) throws(StoreError) in try reader.double() } ?? 0
    guard peaks.provisionedUtilization.isFinite, peaks.provisionedUtilization >= 0 else { throw damage }
    let counts = [
      peaks.concurrency, peaks.provisionedConcurrency, peaks.instances, peaks.overlapping, peaks.unreservedConcurrency,
      peaks.claimedConcurrency,
    ]
    guard counts.allSatisfy({ $0 >= 0 }) else { throw damage }
    return peaks
  }
}
