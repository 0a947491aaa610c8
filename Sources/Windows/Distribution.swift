/// How values of one measure are distributed: exponential buckets of at most 4.4 % width, with count, sum, least and
/// greatest value.
///
/// Count, sum, least and greatest are exact, and so are the counts at classic bounds; quantiles are right to 2.2 %.
/// Merging is exact, commutative and associative, because the sum is an integer. Memory is bounded by the layout: up to
/// ``fewLimit`` values are kept as a list of cells, more of them as 8 bytes for each cell between the least and the
/// greatest, under 8 KiB in all; nothing is allocated before the first value, and later only when a list or range grows.
public struct Distribution: Sendable {
  /// What is measured: says the unit of recorded values and where buckets end.
  public let measure: Measure
  /// How many values.
  public internal(set) var count: UInt64 = 0
  /// Their sum, in recorded units (nanoseconds or bytes).
  public internal(set) var sum: Int128 = 0
  /// The least, in recorded units; 0 while there is none.
  public internal(set) var minimum: Int64 = 0
  /// The greatest, in recorded units; 0 while there is none.
  public internal(set) var maximum: Int64 = 0
  /// How many values were zero. Negative values count as zero.
  public internal(set) var zeroCount: UInt64 = 0
  /// The cells of the values while these are few, in the order of their arrival; most functions do little in a window.
  private(set) var few: [UInt16] = []
  /// The cell that `counts` begins with.
  var firstCell = 0
  var counts: [UInt64] = []

  /// How many values are kept as a list.
  static let fewLimit = 32

  /// How many native buckets there are at most.
  public static let nativeBucketsLimit = Measure.allCases.map { BucketLayout.of($0).bucketCount }.max() ?? 0

  /// A distribution without a value, which takes no memory of its own.
  public init(_ measure: Measure) { self.measure = measure }

  /// Whether it has no value.
  public var isEmpty: Bool { count == 0 }

  /// A value with the cell that it falls into, found once for all distributions that it is added to.
  public struct Sample: Sendable {
    let measure: Measure
    let value: Int64
    /// -1 for zero.
    let cell: Int

    /// Finds the cell of a value.
    ///
    /// - Parameter value: In recorded units; a negative one counts as zero.
    public init(_ measure: Measure, _ value: Int64) {
      self.measure = measure
      self.value = max(0, value)
      cell = value > 0 ? BucketLayout.of(measure).cell(value) : -1
    }

    /// A value whose cell is known; -1 for what is not positive.
    init(_ measure: Measure, _ value: Int64, cell: Int) {
      self.measure = measure
      self.value = max(0, value)
      self.cell = cell
    }
  }

  /// Adds a value in recorded units; a negative one counts as zero.
  ///
  /// - Complexity: O(1); allocates only when the range of cells grows.
  public mutating func record(_ value: Int64) { record(Sample(measure, value)) }

  /// Adds a value of the same measure.
  public mutating func record(_ sample: Sample) {
    precondition(sample.measure == measure, "BUG: a sample of \(sample.measure) in a distribution of \(measure)")
    if count == 0 {
      minimum = sample.value
      maximum = sample.value
    } else {
      minimum = min(minimum, sample.value)
      maximum = max(maximum, sample.value)
    }
    count &+= 1
    sum &+= Int128(sample.value)
    guard sample.cell >= 0 else {
      zeroCount &+= 1
      return
    }
    add(1, toCell: sample.cell)
  }

  /// Adds positive values in recorded units whose cells are known.
  ///
  /// - Parameters:
  ///   - cells: By row; -1 for what is no positive value, which is left out.
  ///   - value: That of a row.
  /// - Returns: How many rows were left out.
  @inline(__always) @discardableResult
  mutating func record(_ rows: Range<Int>, cells: Span<Int16>, _ value: (Int) -> Int64) -> UInt64 {
    var (least, greatest) = count == 0 ? (Int64.max, 0) : (minimum, maximum)
    var (added, total) = (0, Int128(0))
    for row in rows where cells[row] >= 0 {
      let value = value(row)
      least = min(least, value)
      greatest = max(greatest, value)
      total &+= Int128(value)
      added += 1
    }
    guard added > 0 else { return UInt64(rows.count) }
    (minimum, maximum) = (least, greatest)
    count &+= UInt64(added)
    sum &+= total
    if counts.isEmpty {
      if few.count + added <= Distribution.fewLimit {
        for row in rows where cells[row] >= 0 { few.append(UInt16(cells[row])) }
        return UInt64(rows.count - added)
      }
      spread(covering: cells, rows)
    }
    var row = rows.lowerBound
    while row < rows.upperBound { row = count(row..<rows.upperBound, cells) }
    return UInt64(rows.count - added)
  }

  /// Counts cells up to the first that there was no room for.
  ///
  /// - Returns: The row behind the last that was counted.
  @inline(__always) private mutating func count(_ rows: Range<Int>, _ cells: Span<Int16>) -> Int {
    let first = firstCell
    // Borrowed once for many cells, as that takes time.
    var room = counts.mutableSpan
    for row in rows where cells[row] >= 0 {
      let position = Int(cells[row]) - first
      guard position >= 0, position < room.count else {
        add(1, toCell: Int(cells[row]))
        return row + 1
      }
      room[position] &+= 1
    }
    return rows.upperBound
  }

  /// Adds so many zeros.
  mutating func recordZeros(_ zeros: UInt64) {
    guard zeros > 0 else { return }
    maximum = count == 0 ? 0 : max(maximum, 0)
    minimum = 0
    count &+= zeros
    zeroCount &+= zeros
  }

  private mutating func add(_ values: UInt64, toCell cell: Int) {
    if counts.isEmpty {
      if values == 1 && few.count < Distribution.fewLimit {
        few.append(UInt16(cell))
        return
      }
      spread()
    }
    let position = cell - firstCell
    if position >= 0 && position < counts.count {
      counts[position] &+= values
    } else {
      cover(cell...cell)
      counts[cell - firstCell] &+= values
    }
  }

  /// Turns the list of cells into counts by cell, with room for others.
  private mutating func spread(covering cells: Span<Int16>, _ rows: Range<Int>) {
    var (least, greatest) = (Int16.max, Int16.min)
    for row in rows where cells[row] >= 0 {
      least = min(least, cells[row])
      greatest = max(greatest, cells[row])
    }
    cover(Int(least)...Int(greatest))
    spread()
  }

  /// Turns the list of cells into counts by cell.
  mutating func spread() {
    guard let least = few.min(), let greatest = few.max() else { return }
    cover(Int(least)...Int(greatest))
    for cell in few { counts[Int(cell) - firstCell] &+= 1 }
    few = []
  }

  /// Adds all values of another distribution of the same measure.
  public mutating func merge(_ other: Distribution) {
    precondition(measure == other.measure, "BUG: merging a distribution of \(other.measure) into one of \(measure)")
    guard other.count > 0 else { return }
    minimum = count == 0 ? other.minimum : min(minimum, other.minimum)
    maximum = count == 0 ? other.maximum : max(maximum, other.maximum)
    count &+= other.count
    sum &+= other.sum
    zeroCount &+= other.zeroCount
    for cell in other.few { add(1, toCell: Int(cell)) }
    guard !other.counts.isEmpty else { return }
    spread()
    cover(other.firstCell...(other.firstCell + other.counts.count - 1))
    let shift = other.firstCell - firstCell
    for position in other.counts.indices { counts[position + shift] &+= other.counts[position] }
  }

  /// Makes room for a range of cells, with some to spare on the side that grows.
  private mutating func cover(_ cells: ClosedRange<Int>) {
    let end = BucketLayout.of(measure).cellCount
    if counts.isEmpty {
      firstCell = max(0, cells.lowerBound - 4)
      counts = Array(repeating: 0, count: min(cells.upperBound + 5, end) - firstCell)
      return
    }
    if cells.lowerBound < firstCell {
      let grown = max(0, cells.lowerBound - 8)
      counts.insert(contentsOf: repeatElement(0, count: firstCell - grown), at: 0)
      firstCell = grown
    }
    let covered = firstCell + counts.count
    guard cells.upperBound >= covered else { return }
    counts.append(contentsOf: repeatElement(0, count: min(cells.upperBound + 9, end) - covered))
  }
}

extension Distribution: Equatable {
  /// Equal counts in every cell, whatever room the arrays have to spare.
  public static func == (left: Distribution, right: Distribution) -> Bool {
    guard
      left.measure == right.measure, left.count == right.count, left.sum == right.sum,
      left.minimum == right.minimum, left.maximum == right.maximum, left.zeroCount == right.zeroCount
    else { return false }
    let (left, right) = (left.settled, right.settled)
    let first = min(left.firstCell, right.firstCell)
    let end = max(left.firstCell + left.counts.count, right.firstCell + right.counts.count)
    return (first..<max(first, end)).allSatisfy { left.count(inCell: $0) == right.count(inCell: $0) }
  }

  /// The same distribution, with counts by cell.
  var settled: Distribution {
    guard !few.isEmpty else { return self }
    var settled = self
    settled.spread()
    return settled
  }

  private func count(inCell cell: Int) -> UInt64 {
    let position = cell - firstCell
    return position >= 0 && position < counts.count ? counts[position] : 0
  }
}
