internal import Lifecycle
internal import Windows

extension ByteWriter {
  /// A mask of the words that were counted, then their counts.
  mutating func write<Key: Word>(_ counts: WordCounts<Key>) {
    var mask: UInt8 = 0
    for key in Key.allCases where counts[key] > 0 { mask |= 1 << key.rawValue }
    byte(mask)
    for key in Key.allCases where counts[key] > 0 { unsigned(counts[key]) }
  }

  mutating func write(_ distribution: Distribution) {
    unsigned(distribution.count)
    wide(distribution.sum)
    signed(distribution.minimum)
    signed(distribution.maximum)
    unsigned(distribution.zeroCount)
    let cells = distribution.storedCells
    unsigned(UInt64(cells.count))
    var previous: Int64 = 0
    for cell in cells {
      let place = Int64(cell.bucket) * 2 + (cell.isAboveCut ? 1 : 0)
      signed(place - previous)
      unsigned(cell.count)
      previous = place
    }
  }

  /// A mask of the fields that are not empty, then those fields in the order of ``TallyField``.
  mutating func write(_ tally: Tally) {
    var mask: UInt64 = 0
    var fields = ByteWriter()
    for field in TallyField.allCases where fields.write(field, of: tally) { mask |= 1 << UInt64(field.rawValue) }
    unsigned(mask)
    append(fields)
  }

  private mutating func append(_ other: ByteWriter) {
    for byte in other.bytes { self.byte(byte) }
  }

  /// - Returns: Whether there was anything to write.
  private mutating func write(_ field: TallyField, of tally: Tally) -> Bool {
    switch field {
    case .invocations: writeUnlessEmpty(tally.invocations)
    case .errors: writeUnlessZero(tally.errors)
    case .timeouts: writeUnlessEmpty(tally.timeouts)
    case .crashes: writeUnlessZero(tally.crashes)
    case .outOfMemory: writeUnlessZero(tally.outOfMemory)
    case .throttles: writeUnlessEmpty(tally.throttles)
    case .coldStarts: writeUnlessZero(tally.coldStarts)
    case .initializations: writeUnlessEmpty(tally.initializations)
    case .initializationFailures: writeUnlessZero(tally.initializationFailures)
    case .warmUpFailures: writeUnlessZero(tally.warmUpFailures)
    case .provisionedInvocations: writeUnlessZero(tally.provisionedInvocations)
    case .spilloverInvocations: writeUnlessZero(tally.spilloverInvocations)
    case .instanceStops: writeUnlessEmpty(tally.instanceStops)
    case .billed: writeUnlessZero(tally.billedNanoseconds)
    case .duration: writeUnlessEmpty(tally.duration)
    case .initialization: writeUnlessEmpty(tally.initialization)
    case .warmUp: writeUnlessEmpty(tally.warmUp)
    case .memoryUsed: writeUnlessEmpty(tally.memoryUsed)
    case .instanceLifetime: writeUnlessEmpty(tally.instanceLifetime)
    }
  }

  private mutating func writeUnlessZero(_ value: UInt64) -> Bool {
    if value != 0 { unsigned(value) }
    return value != 0
  }

  private mutating func writeUnlessZero(_ value: Int128) -> Bool {
    if value != 0 { wide(value) }
    return value != 0
  }

  private mutating func writeUnlessEmpty<Key: Word>(_ counts: WordCounts<Key>) -> Bool {
    guard Key.allCases.contains(where: { counts[$0] > 0 }) else { return false }
    write(counts)
    return true
  }

  private mutating func writeUnlessEmpty(_ distribution: Distribution) -> Bool {
    if !distribution.isEmpty { write(distribution) }
    return !distribution.isEmpty
  }
}

/// The fields of a stored tally; raw values are bits of its mask and are never given to another field.
enum TallyField: UInt8, CaseIterable {
  case invocations, errors, timeouts, crashes, outOfMemory, throttles, coldStarts, initializations
  case initializationFailures, warmUpFailures, provisionedInvocations, spilloverInvocations, instanceStops, billed
  case duration, initialization, warmUp, memoryUsed, instanceLifetime
}

extension ByteReader {
  mutating func wordCounts<Key: Word>() throws(StoreError) -> WordCounts<Key> {
    let mask = try byte()
    guard Int(mask) < 1 << Key.allCases.count else { throw damage }
    var counts = WordCounts<Key>()
    for key in Key.allCases where mask & (1 << key.rawValue) != 0 { counts[key] = try unsigned() }
    return counts
  }

  mutating func distribution(_ measure: Measure) throws(StoreError) -> Distribution {
    let count = try unsigned()
    let sum = try wide()
    let minimum = try signed()
    let maximum = try signed()
    let zeroCount = try unsigned()
    var cells: [StoredCell] = []
    var place: Int64 = 0
    for _ in 0..<(try self.count(ofSize: 2)) {
      let (next, overflow) = place.addingReportingOverflow(try signed())
      guard !overflow, let bucket = Int32(exactly: next >> 1) else { throw damage }
      place = next
      cells.append(StoredCell(bucket: bucket, isAboveCut: next & 1 == 1, count: try unsigned()))
    }
    guard
      let distribution = Distribution(
        measure, count: count, sum: sum, minimum: minimum, maximum: maximum, zeroCount: zeroCount, cells: cells)
    else { throw damage }
    return distribution
  }

  mutating func tally() throws(StoreError) -> Tally {
    let mask = try unsigned()
    guard mask < 1 << UInt64(TallyField.allCases.count) else { throw damage }
    var tally = Tally()
    for field in TallyField.allCases where mask & (1 << UInt64(field.rawValue)) != 0 { try read(field, into: &tally) }
    guard tally.billedNanoseconds >= 0 else { throw damage }
    return tally
  }

  private mutating func read(_ field: TallyField, into tally: inout Tally) throws(StoreError) {
    switch field {
    case .invocations: tally.invocations = try wordCounts()
    case .errors: tally.errors = try unsigned()
    case .timeouts: tally.timeouts = try wordCounts()
    case .crashes: tally.crashes = try unsigned()
    case .outOfMemory: tally.outOfMemory = try unsigned()
    case .throttles: tally.throttles = try wordCounts()
    case .coldStarts: tally.coldStarts = try unsigned()
    case .initializations: tally.initializations = try wordCounts()
    case .initializationFailures: tally.initializationFailures = try unsigned()
    case .warmUpFailures: tally.warmUpFailures = try unsigned()
    case .provisionedInvocations: tally.provisionedInvocations = try unsigned()
    case .spilloverInvocations: tally.spilloverInvocations = try unsigned()
    case .instanceStops: tally.instanceStops = try wordCounts()
    case .billed: tally.billedNanoseconds = try wide()
    case .duration: tally.duration = try distribution(.duration)
    case .initialization: tally.initialization = try distribution(.duration)
    case .warmUp: tally.warmUp = try distribution(.duration)
    case .memoryUsed: tally.memoryUsed = try distribution(.bytes)
    case .instanceLifetime: tally.instanceLifetime = try distribution(.duration)
    }
  }
}
