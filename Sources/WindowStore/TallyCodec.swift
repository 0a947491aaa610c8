internal import Lifecycle
internal import Windows

extension ByteWriter {
  /// A mask of the words that were counted, then their counts.
  mutating func write(_ counts: TallyNumber.WordSlots) {
    var mask: UInt8 = 0
    for index in counts.indices where counts[index] > 0 { mask |= 1 << UInt8(index) }
    byte(mask)
    for index in counts.indices where counts[index] > 0 { unsigned(counts[index]) }
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

  /// A mask of the numbers that are not empty, then those numbers in the order of their bits.
  mutating func write(_ tally: Tally) {
    var mask: UInt64 = 0
    var numbers = ByteWriter()
    for number in TallyNumber.stored where numbers.write(number, of: tally) {
      mask |= 1 << UInt64(number.field.rawValue)
    }
    unsigned(mask)
    append(numbers)
  }

  /// - Returns: Whether there was anything to write.
  private mutating func write(_ number: TallyNumber, of tally: Tally) -> Bool {
    switch number.content {
    case .count(let access, _):
      let count = access.read(tally)
      if count != 0 { unsigned(count) }
      return count != 0
    case .words(_, let access, _):
      let counts = access.read(tally)
      guard counts.indices.contains(where: { counts[$0] > 0 }) else { return false }
      write(counts)
      return true
    case .time(let access, _):
      let time = access.read(tally)
      if time != 0 { wide(time) }
      return time != 0
    case .distribution(_, let access, _):
      if number.field == .httpDuration, tally.impliesHTTPDuration { return false }
      let distribution = access.read(tally)
      if !distribution.isEmpty { write(distribution) }
      return !distribution.isEmpty
    }
  }
}

extension ByteReader {
  /// - Parameter count: How many words there are.
  private mutating func wordSlots(_ count: Int) throws(StoreError) -> TallyNumber.WordSlots {
    let mask = try byte()
    guard Int(mask) < 1 << count else { throw damage }
    var counts = TallyNumber.WordSlots(repeating: 0)
    for index in 0..<count where mask & (1 << UInt8(index)) != 0 { counts[index] = try unsigned() }
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
    guard mask < 1 << UInt64(TallyNumber.stored.count) else { throw damage }
    var tally = Tally()
    for number in TallyNumber.stored where mask & (1 << UInt64(number.field.rawValue)) != 0 {
      try read(number, into: &tally)
    }
    return tally
  }

  private mutating func read(_ number: TallyNumber, into tally: inout Tally) throws(StoreError) {
    switch number.content {
    case .count(let access, _):
      let count = try unsigned()
      access.change(&tally) { $0 = count }
    case .words(let names, let access, _):
      let counts = try wordSlots(names.count)
      access.change(&tally) { $0 = counts }
    case .time(let access, _):
      let time = try wide()
      guard time >= 0 else { throw damage }
      access.change(&tally) { $0 = time }
    case .distribution(let measure, let access, _):
      let distribution = try distribution(measure)
      access.change(&tally) { $0 = distribution }
    }
  }
}
