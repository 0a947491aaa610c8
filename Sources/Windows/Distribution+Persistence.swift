/// The count of one cell, named so that it means the same under any layout of cells.
package struct StoredCell: Sendable, Equatable {
  /// The index of the native bucket (schema 4).
  package var bucket: Int32
  /// Whether it is the part of the bucket above the classic bound that cuts it; false for a bucket that is not cut.
  package var isAboveCut: Bool
  /// Never zero.
  package var count: UInt64

  /// Makes the count of one cell.
  package init(bucket: Int32, isAboveCut: Bool, count: UInt64) {
    self.bucket = bucket
    self.isAboveCut = isAboveCut
    self.count = count
  }
}

extension Distribution {
  /// The cells that hold values, in ascending order.
  package var storedCells: [StoredCell] {
    guard few.isEmpty else { return settled.storedCells }
    let layout = BucketLayout.of(measure)
    return counts.indices.compactMap { position in
      guard counts[position] > 0 else { return nil }
      let cell = firstCell + position
      let bucket = layout.bucket(ofCell: cell)
      let isAboveCut = cell > 0 && layout.bucket(ofCell: cell - 1) == bucket
      return StoredCell(bucket: Int32(bucket), isAboveCut: isAboveCut, count: counts[position])
    }
  }

  /// A distribution as it was stored.
  ///
  /// - Parameter cells: In any order. The upper part of a bucket that is no longer cut counts as the bucket.
  /// - Returns: `nil` if the parts contradict each other: counts that do not add up, a least value above the greatest,
  ///   a negative one, or a bucket that the measure does not count.
  package init?(
    _ measure: Measure, count: UInt64, sum: Int128, minimum: Int64, maximum: Int64, zeroCount: UInt64,
    cells: [StoredCell]
  ) {
    self.init(measure)
    guard minimum >= 0, minimum <= maximum, count > 0 || maximum == 0, sum >= 0 else { return nil }
    let layout = BucketLayout.of(measure)
    var total = zeroCount
    var places: [Int] = []
    places.reserveCapacity(cells.count)
    for cell in cells {
      let place = cell.isAboveCut ? layout.cell(ofBucket: Int(cell.bucket), aboveCut: true) : nil
      guard let place = place ?? layout.cell(ofBucket: Int(cell.bucket), aboveCut: false) else { return nil }
      places.append(place)
      let (next, overflow) = total.addingReportingOverflow(cell.count)
      guard !overflow else { return nil }
      total = next
    }
    guard total == count else { return nil }
    self.count = count
    self.sum = sum
    self.minimum = minimum
    self.maximum = maximum
    self.zeroCount = zeroCount
    guard let least = places.min(), let greatest = places.max() else { return }
    firstCell = least
    counts = Array(repeating: 0, count: greatest - least + 1)
    for (place, cell) in zip(places, cells) { counts[place - least] += cell.count }
  }
}
